// Rename gives the module another path, everywhere that it is named: in the go.mod
// of every module of this repository, in imports, in documents, and in the literals
// and commands that name one of its packages.
//
//	go run ./internal/rename -n example.org/you/framewright   # what would change
//	go run ./internal/rename example.org/you/framewright
//
// What is called Framewright without being the path of the module keeps its name: the
// program, its settings (FRAMEWRIGHT_…), its metrics, and the subprotocol, which
// clients that are out there ask for.
//
// Renaming back gives the same bytes: of every file that is made a second version with
// the old path, and nothing is written unless all of them are as they were.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"framewright/internal/modpath"
)

func main() {
	os.Exit(run(os.Args[1:], ".", os.Stdout, os.Stderr))
}

// run renames the module in dir. The exit status is 0 if the module is called so now,
// 1 if it could not be done, 2 for arguments that make no sense.
func run(args []string, dir string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rename", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.Bool("n", false, "print what would change, and change nothing")
	force := flags.Bool("force", false, "go on in a tree that is not in git, or has changes that are not committed: then there\nmay be no way back but this command itself")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: go run ./internal/rename [flags] PATH\n\nGives the module the path PATH, such as example.org/you/framewright.\n\n")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() != 1:
		fmt.Fprintf(stderr, "rename: %d arguments where one is expected: the new path, such as example.org/you/framewright\n", flags.NArg())
		return 2
	}
	path := flags.Arg(0)
	if err := modpath.Check(path); err != nil {
		fmt.Fprintf(stderr, "rename: %q cannot be the path of a module: %v\n", path, err)
		return 2
	}
	if err := rename(dir, path, *only, *force, stdout); err != nil {
		fmt.Fprintf(stderr, "rename: %v\n", err)
		return 1
	}
	return 0
}

// rename plans, says what it will do, and does it.
func rename(dir, path string, only, force bool, stdout io.Writer) error {
	old, err := modulePath(dir)
	if err != nil {
		return err
	}
	if old == path {
		fmt.Fprintf(stdout, "the module is %s already: nothing to do\n", path)
		return nil
	}
	if !only && !force {
		if err := clean(dir); err != nil {
			return err
		}
	}
	changes, err := plan(dir, old, path)
	if err != nil {
		return err
	}
	places := 0
	for _, c := range changes {
		places += c.places
		if only {
			fmt.Fprintf(stdout, "%4d in %s\n", c.places, c.file)
		}
	}
	if only {
		fmt.Fprintf(stdout, "%s would be %s in %d places of %d files\n", old, path, places, len(changes))
		return nil
	}
	if err := write(dir, changes); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is %s now, in %d places of %d files\n", old, path, places, len(changes))
	if !modpath.HasHost(path) {
		fmt.Fprintf(stdout, "%s names no host, so nobody can fetch it: others need a replace in their go.mod\n", path)
	}
	return nil
}

// clean returns an error unless all that is in dir is committed: what this command
// does should be one change that can be looked at, and taken back.
func clean(dir string) error {
	cmd := exec.Command("git", "status", "--porcelain")
	cmd.Dir = dir
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("git does not say whether all is committed (%v: %s); -force goes on without", err, strings.TrimSpace(problem.String()))
	}
	if len(out) > 0 {
		return fmt.Errorf("there are changes that are not committed; commit them first, or go on with -force:\n%s", strings.TrimRight(string(out), "\n"))
	}
	return nil
}
