//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"framewright/bench/internal/machine"
	"framewright/bench/internal/peer"
	"framewright/bench/internal/traffic"
	"framewright/bench/internal/window"
)

// windowServers are those of the second load. oursEcho is the program that users
// start, "framewright" the ordinary loop over messages.
var windowServers = []string{"raw TCP", oursEcho, "framewright", "gobwas, own buffers", "gorilla", "coder", "gws"}

const oursEcho = "framewright, server echo"

// compressing are the names under which servers has servers of permessage-deflate.
var compressing = map[string]string{"framewright": "framewright", "gorilla": "gorilla", "coder": "coder", "gws": "gws"}

// windowFigures are what a measurement gives.
var windowFigures = []figure{
	{"cpu", "µs CPU"}, {"rate", "per second"}, {"p50", "median ms"}, {"p99", "p99 ms"},
	{"peak", "peak MiB"}, {"gcs", "collections a second"}, {"busy", "server's core %"}, {"load", "load's core %"},
}

// also are servers that the command line names, by name.
type also map[string][]string

// windowRows are all kinds of work of the second load.
func windowRows(more also) []*row {
	var rows []*row
	add := func(title string, conns int, w window.Work) {
		names := slices.Clone(windowServers)
		if w.Compressed {
			names = []string{oursEcho, "framewright", "gorilla", "coder", "gws"}
		}
		for name := range more {
			names = append(names, name)
		}
		slices.Sort(names[len(names)-len(more):])
		rows = append(rows, &row{group: "window", title: title, servers: names, figures: windowFigures, measure: measureWindow(more, conns, w)})
		if w.Compressed {
			rows[len(rows)-1].floor = oursEcho
		}
	}
	one := func(size int) []int { return []int{size} }
	add("32 B × 64", 64, window.Work{Sizes: one(32), InFlight: 1})
	add("32 B × 64 × 16 in flight", 64, window.Work{Sizes: one(32), InFlight: 16})
	add("1 KiB × 64 × 16 in flight", 64, window.Work{Sizes: one(1 << 10), InFlight: 16})
	add("4 KiB × 64", 64, window.Work{Sizes: one(4 << 10), InFlight: 1})
	add("16 KiB × 64", 64, window.Work{Sizes: one(16 << 10), InFlight: 1})
	add("48 KiB × 64", 64, window.Work{Sizes: one(48 << 10), InFlight: 1})
	add("64 KiB × 64", 64, window.Work{Sizes: one(64 << 10), InFlight: 1})
	add("256 KiB × 16", 16, window.Work{Sizes: one(256 << 10), InFlight: 1})
	add("1 MiB × 16", 16, window.Work{Sizes: one(1 << 20), InFlight: 1})
	add("text 1 KiB × 64 × 16 in flight", 64, window.Work{Sizes: one(1 << 10), InFlight: 16, Text: true})
	add("text 64 KiB × 64", 64, window.Work{Sizes: one(64 << 10), InFlight: 1, Text: true})
	add("bursts of 16 × 1 KiB × 64", 64, window.Work{Sizes: one(1 << 10), InFlight: 16, Burst: true})
	add("bursts of 16 × 16 KiB × 64", 64, window.Work{Sizes: one(16 << 10), InFlight: 16, Burst: true})
	add("32 B and 64 KiB in turns × 64", 64, window.Work{Sizes: []int{32, 64 << 10}, InFlight: 1})
	add("32 B, 1 KiB, 16 KiB in turns × 64 × 4 in flight", 64, window.Work{Sizes: []int{32, 1 << 10, 16 << 10}, InFlight: 4})
	add("compressed text 1 KiB × 64 × 16 in flight", 64, window.Work{Sizes: one(1 << 10), InFlight: 16, Text: true, Compressed: true})
	add("compressed text 64 KiB × 16", 16, window.Work{Sizes: one(64 << 10), InFlight: 1, Text: true, Compressed: true})
	return rows
}

// measureWindow starts a server, warms it up and measures it under the second
// load.
func measureWindow(more also, conns int, w window.Work) func(context.Context, *run, peer.Server) (map[string]float64, error) {
	return func(ctx context.Context, r *run, s peer.Server) (map[string]float64, error) {
		p, err := r.startWindow(ctx, more, s, w)
		if err != nil {
			return nil, err
		}
		defer p.Stop()
		w := w
		w.Raw = s.Raw
		c, err := window.New(strings.TrimSuffix(strings.TrimPrefix(p.Addr, "listening on ws://"), "/"), conns, w)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		p.Settle(time.Second)
		if _, err := c.Run(r.duration(0.3)); err != nil { // warm up
			return nil, err
		}
		if err := p.ResetPeak(); err != nil {
			return nil, err
		}
		collections := p.Collections()
		got, res, err := spent(p, func() (*traffic.Result, error) { return c.Run(r.duration(1)) })
		if err != nil {
			return nil, err
		}
		peak, err := p.Peak()
		got["peak"] = float64(peak) / (1 << 20)
		got["gcs"] = float64(p.Collections()-collections) / res.Elapsed.Seconds()
		return got, err
	}
}

func (r *run) startWindow(ctx context.Context, more also, s peer.Server, w window.Work) (*machine.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := more[s.Name]
	if s.Name == oursEcho {
		args = []string{r.echo, "echo", "-addr", "127.0.0.1:0", "-limit", "33554432"}
	}
	switch {
	case args != nil && w.Compressed:
		args = append(slices.Clone(args), "-compress", "no-takeover")
	case args == nil && w.Compressed:
		args = []string{self, "serve", compressing[s.Name], "no"}
	case args == nil:
		args = []string{self, "server", s.Name, "echo"}
	}
	return machine.Start(ctx, serverCoreNumber(), args...)
}

// windowCommand is the command "window".
func windowCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r := &run{log: stderr, command: strings.TrimSpace("window " + strings.Join(args, " "))}
	flags := flag.NewFlagSet("window", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Float64Var(&r.seconds, "seconds", 0.6, "length of one measurement under load, in `SECONDS`, 0.05 to 30")
	flags.IntVar(&r.repeat, "repeat", 3, "repetitions, of which the median counts, 1 to 99")
	flags.DurationVar(&r.limit, "limit", 10*time.Minute, "begin no repetition that would end after this `TIME`")
	wait := flags.Duration("wait", time.Minute, "wait for a quiet machine, and repeat what was measured while it was not,\nfor this `TIME` in all at most")
	only := flags.String("servers", "", "measure only these, a `LIST` with semicolons between: "+strings.Join(windowServers, "; "))
	match := flags.String("rows", "", "measure only rows whose titles have one of these `TEXTS`, with semicolons between")
	flags.StringVar(&r.echo, "server", "", "the `FILE` of "+oursEcho+"; built from the source beside this folder if none is given")
	more := also{}
	flags.Func("also", "measure one more echo server: `NAME=COMMAND`, which writes its address as its first line;\nmay be given more than once", func(text string) error {
		name, command, ok := strings.Cut(text, "=")
		if !ok || len(strings.Fields(command)) == 0 {
			return errors.New("expected NAME=COMMAND")
		}
		more[name] = strings.Fields(command)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no setting", flags.Arg(0))
	case r.seconds < 0.05 || r.seconds > 30:
		return fmt.Errorf("-seconds %v: expected 0.05 to 30", r.seconds)
	case r.repeat < 1 || r.repeat > 99:
		return fmt.Errorf("-repeat %d: expected 1 to 99", r.repeat)
	}
	if *only != "" {
		for name := range strings.SplitSeq(*only, ";") {
			name = strings.TrimSpace(name)
			if !slices.Contains(windowServers, name) && more[name] == nil {
				return fmt.Errorf("-servers: no server is called %q; there are %s", name, strings.Join(windowServers, "; "))
			}
			r.only = append(r.only, name)
		}
	}
	r.patience.Left, r.wait = *wait, r.patience.Wait
	for _, row := range windowRows(more) {
		if slices.ContainsFunc(strings.Split(*match, ";"), func(text string) bool { return strings.Contains(row.title, strings.TrimSpace(text)) }) {
			r.rows = append(r.rows, row)
		}
	}
	if len(r.rows) == 0 {
		return fmt.Errorf("-rows: no row's title contains %q", *match)
	}
	if err := pinLoad(); err != nil {
		return err
	}
	// Servers inherit this; so every Go server writes a line for each collection.
	if err := errors.Join(os.Setenv("GOMAXPROCS", "1"), os.Setenv("GODEBUG", "gctrace=1")); err != nil {
		return err
	}
	if r.echo == "" && !r.onlyWithout(oursEcho) {
		dir, err := os.MkdirTemp("", "framewright-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if r.echo, err = buildEcho(ctx, dir); err != nil {
			return err
		}
	}
	if err := r.do(ctx); err != nil {
		return err
	}
	fmt.Fprint(stdout, r.markdown(false))
	if errs := r.errors(); len(errs) > 0 {
		return fmt.Errorf("failed:\n  %s", strings.Join(errs, "\n  "))
	}
	return nil
}

// buildEcho builds the program from the main module's source.
func buildEcho(ctx context.Context, dir string) (string, error) {
	source, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.Dir}}", "framewright/ws").Output()
	if err != nil {
		return "", fmt.Errorf("where is the main module? Run this in folder bench, or give -server: %w", err)
	}
	name := filepath.Join(dir, "server")
	build := exec.CommandContext(ctx, "go", "build", "-o", name, "./cmd/server")
	build.Dir = strings.TrimSpace(string(source))
	build.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GODEBUG=") })
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", oursEcho, err, out)
	}
	return name, nil
}
