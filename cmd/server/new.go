package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"framewright/cmd/server/internal/scaffold"
	"framewright/internal/modpath"
)

const newAbout = `Usage: server new [settings] FOLDER

Writes a chat with Socket.IO as a Go program of its own into FOLDER, which is empty or
not there yet: server, page, the page's script, a test. It is what the guides of
Flask-SocketIO and npm's socket.io begin with: who connects is welcomed, and what one
says goes to everybody.
`

// serveNew is the command "new".
func serveNew(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("new", flag.ContinueOnError)
	var plan scaffold.Plan
	flags.StringVar(&plan.Module, "module", "", "`PATH` of the new module, such as example.org/you/chat. Default: the folder's name")
	script := flags.String("script", "ours", "the page's script, `WHOSE`: ours, which is written beside the page, or npm, which you\ncopy there from npm's package socket.io-client")
	flags.StringVar(&plan.Source, "source", "", "`DIR` with a clone of this module, to build with. Default: the one that this program was\nbuilt from, or if it was fetched, its version")
	folders, err := parseAround(flags, args, stdout, newAbout)
	if err != nil {
		return err
	}
	if len(folders) != 1 {
		return usagef("%d folders to write to: expected one, behind or before the settings", len(folders))
	}
	plan.Folder = folders[0]
	switch *script {
	case "ours":
		if plan.Script, err = socketClient(); err != nil {
			return err
		}
	case "npm":
	default:
		return usagef("-script %q: ours or npm", *script)
	}
	if plan.Source, plan.Version, err = origin(plan.Source); err != nil {
		return err
	}
	if err := plan.Write(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s has a chat. Now:\n\n    cd %s\n", plan.Folder, asWord(plan.Folder))
	if err := tidy(ctx, plan.Folder); err != nil {
		fmt.Fprintf(stderr, "go mod tidy has not worked in it: %v\n", err)
		fmt.Fprintln(stdout, "    go mod tidy")
	}
	if plan.Script == nil {
		fmt.Fprint(stdout, "    npm install socket.io-client\n    cp node_modules/socket.io-client/dist/socket.io.js page/\n")
	}
	fmt.Fprint(stdout, "    go test ./...\n    go run .\n")
	return nil
}

// asWord is a file's name as one writes it in a shell.
func asWord(name string) string {
	if strings.ContainsAny(name, " \t'\"$&;()<>|*?") {
		return strconv.Quote(name)
	}
	return name
}

// parseAround parses settings that stand before and behind what is no setting, which it
// returns.
func parseAround(flags *flag.FlagSet, args []string, stdout io.Writer, about string) (others []string, err error) {
	for {
		var behind []string
		for i, a := range args {
			if !strings.HasPrefix(a, "-") && (i == 0 || !takesNext(flags, args[i-1])) {
				args, behind = args[:i], args[i:]
				break
			}
		}
		if err := parseFlags(flags, args, stdout, about); err != nil {
			return nil, err
		}
		if len(behind) == 0 {
			return others, nil
		}
		others, args = append(others, behind[0]), behind[1:]
	}
}

// takesNext reports whether what follows a is the value of the setting a.
func takesNext(flags *flag.FlagSet, a string) bool {
	f := flags.Lookup(strings.TrimLeft(a, "-"))
	return strings.HasPrefix(a, "-") && f != nil
}

// socketClient is the client of Socket.IO as one script.
func socketClient() ([]byte, error) {
	files := make(map[string][]byte)
	for _, part := range socketParts {
		name := "/socketio-client/" + part + ".js"
		data, err := fs.ReadFile(web, "web"+name)
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return asScript(joinModules(files, socketParts)), nil
}

// origin says where the new program gets this module from: a folder with its source, or
// a version that can be fetched.
func origin(folder string) (source, version string, err error) {
	if folder != "" {
		if folder, err = filepath.Abs(folder); err != nil {
			return "", "", err
		}
		if !isSource(folder) {
			return "", "", usagef("-source %s: its go.mod does not say \"module %s\"; expected a clone of the repository", folder, scaffold.Ours())
		}
		return folder, "", nil
	}
	// The compiler has written where this file was, unless it was told not to
	// (-trimpath); a module that was fetched is in a folder with an @.
	_, file, _, _ := runtime.Caller(0)
	if folder = filepath.Dir(filepath.Dir(filepath.Dir(filepath.FromSlash(file)))); !strings.Contains(folder, "@") && isSource(folder) {
		return folder, "", nil
	}
	if info, ok := debug.ReadBuildInfo(); ok && modpath.HasHost(scaffold.Ours()) && fetchable(info.Main.Version) {
		return "", info.Main.Version, nil
	}
	return "", "", usagef("this program does not know where its source is: give a clone of the repository by -source DIR")
}

// fetchable reports whether a version, as the go command writes it into a program, is
// one that others can have, too.
func fetchable(version string) bool {
	return strings.HasPrefix(version, "v") && !strings.Contains(version, "+")
}

// isSource reports whether folder has the source of this module.
func isSource(folder string) bool {
	data, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	return err == nil && filepath.IsAbs(folder) && strings.HasPrefix(string(data), "module "+scaffold.Ours()+"\n")
}

// tidy has the go command complete go.mod and go.sum.
func tidy(ctx context.Context, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) > 0 {
		return errors.New(strings.TrimSpace(string(out)))
	}
	return err
}
