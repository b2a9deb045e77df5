package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"framewright/autobahn/wsspec"
	"framewright/internal/procgroup"
)

// execClient is a client that is a command, in which {url} stands for where to
// connect to. It is started without a shell, in a process group of its own, which
// is ended as a whole.
func execClient(command string) (wsspec.ClientFunc, error) {
	argv, err := splitCommand(command)
	if err != nil {
		return nil, fmt.Errorf("-exec: %w", err)
	}
	if len(argv) == 0 || !strings.Contains(command, "{url}") {
		return nil, fmt.Errorf("-exec %q: want a command with {url} in it, such as './my-client {url}'", command)
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("-exec: %w", err)
	}
	return func(ctx context.Context, url string, output io.Writer) error {
		args := make([]string, len(argv))
		for i, a := range argv {
			args[i] = strings.ReplaceAll(a, "{url}", url)
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = output, output
		procgroup.Own(cmd, 2*time.Second)
		defer procgroup.Kill(cmd) // whatever of the group is left
		err := cmd.Run()
		if ctx.Err() != nil { // it was ended
			return nil
		}
		if e, ok := errors.AsType[*exec.ExitError](err); ok && crashed(e.ExitCode()) {
			return &wsspec.Crash{Err: err}
		}
		return err
	}, nil
}

// crashed reports whether an exit status is one that a process does not choose: -1 is a
// signal's, and Windows has those of its exceptions from 0xC0000000 on.
func crashed(status int) bool { return status == -1 || uint32(status) >= 0xC0000000 }

// splitCommand takes a command line apart: white space stands between words; quotes,
// single or double, keep it in one, and a backslash in double quotes, or outside of
// quotes before white space or a quote, the next character.
func splitCommand(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	in, quote := false, rune(0)
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(runes) && strings.ContainsRune(" \t\"'\\", runes[i+1]):
			i++
			word.WriteRune(runes[i])
			in = true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
