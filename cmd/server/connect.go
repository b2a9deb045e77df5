package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"framewright/cmd/server/internal/connect"
)

// serveConnect is the command "connect": a client for the terminal.
func serveConnect(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) error {
	c := new(connect.Config)
	flags := flag.NewFlagSet("connect", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	c.Declare(flags)
	flags.Usage = func() {}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, connect.About, "\nflags:\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return &usageError{suggest(flags, err)}
	case flags.NArg() > 1:
		return usagef("unexpected argument %q: want one URL, behind the flags", flags.Arg(1))
	}
	c.URL = flags.Arg(0)
	if err := c.Check(); err != nil {
		return &usageError{err}
	}
	in, isFile := stdin.(*os.File)
	return connect.Run(ctx, c, &connect.Streams{
		In: stdin, Out: stdout, Err: stderr,
		InTTY: isFile && isTerminal(in), OutTTY: isTerminal(stdout), ErrTTY: isTerminal(stderr),
		NoColors: slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "NO_COLOR=") && s != "NO_COLOR=" }),
	})
}
