//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/peer"
)

var groups = []string{"echo", "idle", "broadcast", "handshake", "growth", "micro"}

// sideBySide is every command but compression.
func sideBySide(ctx context.Context, group string, args []string, stdout, stderr io.Writer) error {
	r := &run{log: stderr, command: strings.TrimSpace(group + " " + strings.Join(args, " "))}
	flags := flag.NewFlagSet(group, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Float64Var(&r.seconds, "seconds", 0.6, "length of one measurement under load, in `SECONDS`, 0.05 to 30")
	flags.IntVar(&r.repeat, "repeat", 3, "repetitions, of which the median counts, 1 to 99")
	flags.DurationVar(&r.limit, "limit", 12*time.Minute, "begin no repetition that would end after this `TIME`")
	flags.IntVar(&r.conns, "conns", 10_000, "connections of idle and growth, 10 to 200,000")
	wait := flags.Duration("wait", time.Minute, "wait for a quiet machine, and repeat what was measured while it was not,\nfor this `TIME` in all at most")
	only := flags.String("servers", "", "measure only these, a `LIST` with semicolons between: "+strings.Join(serverNames(), "; "))
	match := flags.String("rows", "", "measure only rows with this `TEXT` in their titles")
	out := flags.String("out", "", "also write RESULTS.md and its plots into this `FOLDER`")
	quick := flags.Bool("quick", false, "one short repetition, to see whether everything works")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is neither a command nor a setting", flags.Arg(0))
	}
	if *quick {
		r.seconds, r.repeat, r.conns, *wait = 0.1, 1, 1000, 0
	}
	switch {
	case r.seconds < 0.05 || r.seconds > 30:
		return fmt.Errorf("-seconds %v: expected 0.05 to 30", r.seconds)
	case r.repeat < 1 || r.repeat > 99:
		return fmt.Errorf("-repeat %d: expected 1 to 99", r.repeat)
	case r.conns < 10 || r.conns > 200_000:
		return fmt.Errorf("-conns %d: expected 10 to 200,000", r.conns)
	}
	if *only != "" {
		for name := range strings.SplitSeq(*only, ";") {
			name = strings.TrimSpace(name)
			if !slices.Contains(serverNames(), name) {
				return fmt.Errorf("-servers: no server is called %q; there are %s", name, strings.Join(serverNames(), "; "))
			}
			r.only = append(r.only, name)
		}
	}
	r.patience.Left, r.wait = *wait, r.patience.Wait
	for _, row := range r.all() {
		if (group == "all" || row.group == group) && strings.Contains(row.title, *match) {
			r.rows = append(r.rows, row)
		}
	}
	if len(r.rows) == 0 {
		return fmt.Errorf("-rows: no row's title contains %q", *match)
	}
	if err := raiseFiles(r.conns); err != nil {
		return err
	}
	if err := pinLoad(); err != nil {
		return err
	}
	if !r.onlyWithout(uwsName) {
		var err error
		if r.uws, err = installUWS(ctx); err != nil {
			r.missing = append(r.missing, fmt.Sprintf("%s cannot be had: %v", uwsName, err))
			fmt.Fprintln(stderr, r.missing[0])
		}
	}
	if serverCoreNumber() < 0 {
		fmt.Fprintln(stderr, "a single core for server and load: the figures are only good for a rough look")
	}
	if err := r.do(ctx); err != nil {
		return err
	}
	fmt.Fprint(stdout, r.markdown(false))
	if *out != "" {
		if err := r.write(*out); err != nil {
			return err
		}
	}
	if errs := r.errors(); len(errs) > 0 {
		return fmt.Errorf("failed:\n  %s", strings.Join(errs, "\n  "))
	}
	return nil
}

func serverNames() []string {
	var all []string
	for _, s := range peer.All {
		all = append(all, s.Name)
	}
	return append(all, uwsName)
}

// about says on what, with what and how well the run went.
func (r *run) about() []string {
	all := machine.About()
	for _, s := range peer.All {
		if line := s.Module + " " + machine.Version(s.Module); s.Module != "" && !r.left(s.Name) && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	if r.uws != "" {
		all = append(all, "uWebSockets of PyPI's "+strings.Fields(uwsPackage)[0]+", on libuv")
	}
	return append(all, r.missing...)
}

// onlyWithout says that -servers leaves out a server that it could name.
func (r *run) onlyWithout(name string) bool {
	return len(r.only) > 0 && !slices.Contains(r.only, name)
}
