// Journey counts the functions that one thing passes on its way through the
// connection: it builds package walk with coverage counters for all of ws,
// lets it do that thing once over TCP, and lists what has run. So the count is
// of what happens, and not of what somebody thinks that happens.
//
//	go run ./internal/journey          the counts
//	go run ./internal/journey -v       each function, by file
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var journeys = []struct{ name, what string }{
	{"write", "a server writes a text of 32 bytes"},
	{"read", "a masked text frame of 32 bytes reaches the handler of a server"},
	{"ping", "a ping reaches a server and its pong goes out"},
}

func main() {
	verbose := flag.Bool("v", false, "list each function")
	flag.Parse()
	if err := run(*verbose); err != nil {
		fmt.Fprintln(os.Stderr, "journey:", err)
		os.Exit(1)
	}
}

func run(verbose bool) error {
	dir, err := os.MkdirTemp("", "framewright-journey-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	walk := filepath.Join(dir, "walk")
	if _, err := output("go", "build", "-cover", "-covermode=atomic", "-coverpkg=framewright/ws/...,framewright/internal/journey/walk", "-o", walk, "./internal/journey/walk"); err != nil {
		return err
	}
	for _, j := range journeys {
		files, n, err := take(walk, j.name, filepath.Join(dir, j.name))
		if err != nil {
			return err
		}
		fmt.Printf("%-6s %2d functions in %d files: %s\n", j.name, n, len(files), j.what)
		if verbose {
			for _, f := range files {
				fmt.Printf("       %s\n", f)
			}
		}
	}
	return nil
}

// take lets walk go one journey. It returns a line for each file, and the
// number of functions.
func take(walk, name, folder string) (files []string, n int, err error) {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, 0, err
	}
	if _, err := output(walk, name, folder); err != nil {
		return nil, 0, err
	}
	list, err := output("go", "tool", "covdata", "func", "-i="+folder)
	if err != nil {
		return nil, 0, err
	}
	functions := map[string][]string{}
	for line := range strings.Lines(list) {
		// framewright/ws/wsnet/write.go:120:	message		85.7%
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] == "0.0%" || !strings.HasPrefix(line, "framewright/ws/") {
			continue
		}
		file, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "framewright/"), ":")
		functions[file] = append(functions[file], fields[1])
		n++
	}
	for file, names := range functions {
		slices.Sort(names)
		files = append(files, file+": "+strings.Join(names, " "))
	}
	slices.Sort(files)
	return files, n, nil
}

func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}
