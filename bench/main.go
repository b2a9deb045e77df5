// Command bench measures Framewright side by side with other WebSocket
// servers, in one run on one machine. From this folder:
//
//	go run . compression
//
// prints the tables of COMPRESSION.md: echo servers with permessage-deflate,
// each a process of its own pinned to one core, the load on the other. It is
// a module of its own, so that the others are no dependencies of the main
// module. A server that cannot be had is left out, and the output says why.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const usage = `Usage: go run . compression [-seconds S] [-reps N] [-conns N]

Measures echo servers with permessage-deflate and prints a table.
`

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) == 3 && args[0] == "serve" { // what bench starts itself as
		return serve(args[1], args[2] == "keep")
	}
	if len(args) == 3 && args[0] == "server" {
		return serveWork(args[1], args[2])
	}
	if group := cmp.Or(append(args, "")[0], "all"); group == "all" || slices.Contains(groups, group) || strings.HasPrefix(group, "-") {
		if strings.HasPrefix(group, "-") {
			group, args = "all", append([]string{"all"}, args...)
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return sideBySide(ctx, group, args[min(1, len(args)):], os.Stdout, os.Stderr)
	}
	if args[0] != "compression" {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	flags := flag.NewFlagSet("compression", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage); flags.PrintDefaults() }
	var b bench
	seconds := flags.Float64("seconds", 1, "longest time of one measurement, up to 10")
	flags.IntVar(&b.reps, "reps", 3, "repetitions, of which the median counts, up to 9")
	flags.IntVar(&b.idle, "conns", 1000, "connections when measuring memory, up to 5000")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	b.limit = time.Duration(*seconds * float64(time.Second))
	if b.limit <= 0 || b.limit > 10*time.Second || b.reps < 1 || b.reps > 9 || b.idle < 1 || b.idle > 5000 {
		return fmt.Errorf("-seconds %v -reps %d -conns %d: out of range", *seconds, b.reps, b.idle)
	}
	if os.Getenv(pinnedVar) == "" {
		if err := pinned(args); err == nil || !os.IsNotExist(err) {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return b.compression(ctx)
}

// pinnedVar is set in the environment of a bench that runs on loadCore.
const pinnedVar = "BENCH_PINNED"

const (
	serverCore = "0"
	loadCore   = "1"
)

// pinned runs this program again on the load's core.
func pinned(args []string) error {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return os.ErrNotExist
	}
	if exec.Command(taskset, "-c", loadCore, "true").Run() != nil {
		return os.ErrNotExist // a single core
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(taskset, append([]string{taskset, "-c", loadCore, self}, args...), append(os.Environ(), pinnedVar+"=1"))
}
