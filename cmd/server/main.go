// Server is Framewright's chat server: a page for browsers, and the chat behind
// it over WebSocket. With "echo" as its first argument it is a bare echo server
// for conformance tests and benchmarks, with "connect" a client for the terminal;
// "new" writes a chat as a program of one's own, "healthy" asks a server that runs
// whether it works; -version says what was built.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	// The first SIGINT or SIGTERM ends ctx and so begins the drain; with the
	// second the default is back, which ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	// SIGHUP never ends the server: it asks to read the certificate anew.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx = context.WithValue(ctx, hangupKey{}, hangup)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the program without its process: it ends when ctx does. It returns the
// exit status: 0 after a drain or -h, 1 if the server could not do its work, 2
// for arguments that make no sense.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	var err error
	name := "server"
	switch {
	case asksForVersion(args):
		fmt.Fprintln(stdout, version())
	case len(args) > 0 && args[0] == "echo":
		name = "server echo"
		err = serveEcho(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "connect":
		name = "server connect"
		err = serveConnect(ctx, args[1:], env, os.Stdin, stdout, stderr)
	case len(args) > 0 && args[0] == "healthy":
		name = "server healthy"
		err = serveHealthy(ctx, args[1:], env, stdout)
	case len(args) > 0 && args[0] == "new":
		name = "server new"
		err = serveNew(ctx, args[1:], stdout, stderr)
	default:
		err = serveChat(ctx, args, env, stdout, stderr)
	}
	usage, isUsage := errors.AsType[*usageError](err)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case isUsage:
		fmt.Fprintf(stderr, "%s: %v\nRun \"%s -h\" for the settings.\n", name, usage, name)
		return 2
	default:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
}

// A usageError is an argument that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// parseFlags parses args into flags. Help goes to stdout, because it was asked
// for; about stands above the list of flags.
func parseFlags(flags *flag.FlagSet, args []string, stdout io.Writer, about string) error {
	flags.SetOutput(io.Discard) // run prints the error, once
	flags.Usage = func() {}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, about, "\nSettings:\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return &usageError{suggest(flags, err)}
	case flags.NArg() > 0:
		return usagef("unexpected argument %q: settings begin with a dash, and the commands are echo, connect, new and healthy", flags.Arg(0))
	}
	return nil
}

// suggest adds to the error of a flag that there is not the name of one that
// there is.
func suggest(flags *flag.FlagSet, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return err
	}
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, "-"+f.Name) })
	return fmt.Errorf("there is no setting -%s%s", name, nearest("-"+name, known))
}
