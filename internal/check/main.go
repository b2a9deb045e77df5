// Check is the project's test command: ./check runs every stage, from gofmt
// to the browser, prints a line for each, and ends with "N passed, N failed,
// N skipped". What a stage needs and the machine lacks, the stage's own tool
// sets up, or says in one line why it cannot; a part that did not run is
// counted as skipped and never as passed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

const staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

var fuzzTime = flag.Duration("fuzztime", 3*time.Second, "how long each fuzz target runs")

// stages are in the order in which they run. Those in a row that are in lanes run as two
// rows side by side: tests, one stage after the other, and beside them what is only
// compiled or fuzzed and gives way, as of tests alone a processor would be idle for a
// third of the time.
var stages = []stage{
	{"gofmt", "files", alone, time.Minute, gofmt},
	{"vet", "modules", alone, 5 * time.Minute, each("go", "vet", "./...")},
	{"test", "tests", first, 20 * time.Minute, raced},
	{"suite", "tests", first, 10 * time.Minute, goTestOf(".", append([]string{"./autobahn/wsspec"}, plain...))},      // of the first of which the race detector gets a share
	{"allocations", "tests", first, 5 * time.Minute, goTest(".", "-run", "Alloc|DeflateMemory|IdleStack|TableRoom")}, // what the race detector disturbs
	{"bench", "tests", first, 5 * time.Minute, goTest("bench")},
	{"conformance", "cases", first, 10 * time.Minute, tool(".", "go", "run", "./autobahn")}, // our own suite, quick
	{"autobahn", "cases", first, 30 * time.Minute, autobahn},
	{"peers", "tests", first, 30 * time.Minute, peers},
	{"staticcheck", "modules", gentle, 10 * time.Minute, each("go", "run", staticcheck, "./...")},
	{"platforms", "pairs", gentle, 30 * time.Minute, platforms}, // of a module and a platform
	{"differences", "tests", gentle, 5 * time.Minute, goTest("fuzz/differential")},
	{"fuzz", "targets", gentle, 20 * time.Minute, func(j *job) result {
		return tool(".", "go", "run", "./fuzz", "-in", protocol, "-run", ownTargets, "-time", fuzzTime.String())(j)
	}},
}

var long = flag.Bool("long", false, "the long forms of the tests that have one (FRAMEWRIGHT_LONG=1): the chat server\nkilled 120 times and more while clients send, 1,000 connections of which 500 stall;\nand all 517 cases of the Autobahn testsuite in both roles")

// autobahn runs the real Autobahn testsuite. Of groups 12 and 13 it leaves out the
// long ones, messages of 64 KiB and more and those of 32 KiB and more in fragments,
// which take three quarters of all its time: a thousand times each, in twelve settings,
// both roles. Our own suite plays them every time, and is held against the verdicts of
// this one.
func autobahn(j *job) result {
	args := []string{"run", "./autobahn", "-engine", "wstest"}
	if !*long {
		args = append(args, "-exclude", dearest)
	}
	return tool(".", "go", args...)(j)
}

// dearest are the sizes of groups 12 and 13 that take two seconds and more each.
const dearest = "12.*.9,12.*.10,12.*.14,12.*.15,12.*.16,12.*.17,12.*.18,13.*.9,13.*.10,13.*.14,13.*.15,13.*.16,13.*.17,13.*.18"

// ownTargets leaves out FuzzPeers: what it finds anew is as a rule a way of
// some peer that its table does not have yet, which is work for somebody with
// time for it (go run ./fuzz) and no verdict on a change. Its seeds, with every
// difference that is known, are a stage of their own.
const ownTargets = `^Fuzz([^P]|P[^e])`

// protocol are the folders whose targets are fuzzed here; the seeds of all others are
// tests like any other.
const protocol = `^(fuzz|ws/internal/.*|engineio(/client)?|socketio(/client)?)$`

// modules are the folders with a go.mod.
var modules = []string{".", "peers", "bench", "fuzz/differential"}

func main() {
	only := flag.String("run", "", "comma-separated stages to run instead of all: "+strings.Join(names(), ","))
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: ./check [flags]\n\nRuns every test of the project.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *long {
		os.Setenv("FRAMEWRIGHT_LONG", "1")
	}
	if flag.NArg() > 0 {
		fail("unexpected argument %q; see -h", flag.Arg(0))
	}
	chosen := names()
	if *only != "" {
		chosen = strings.Split(*only, ",")
		for _, name := range chosen {
			if !slices.Contains(names(), name) {
				fail("there is no stage %q, only %s", name, strings.Join(names(), ", "))
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logs, err := os.MkdirTemp("", "framewright-check-")
	if err != nil {
		fail("no folder for the logs: %v", err)
	}

	start := time.Now()
	total := runAll(ctx, slices.DeleteFunc(slices.Clone(stages), func(s stage) bool { return !slices.Contains(chosen, s.name) }), logs)
	fmt.Printf("\nlogs in %s\n", logs)
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	fmt.Printf("took %v\n", time.Since(start).Round(time.Second))
	if total.failed > 0 || total.passed == 0 {
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, s := range stages {
		all = append(all, s.name)
	}
	return all
}

func fail(text string, args ...any) {
	fmt.Fprintf(os.Stderr, "check: "+text+"\n", args...)
	os.Exit(2)
}
