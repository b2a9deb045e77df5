// Check is the project's test command: ./check runs every stage, from gofmt
// to the browser, prints a line for each, and ends with "N passed, N failed,
// N skipped". What a stage needs and the machine lacks, the stage's own tool
// sets up, or says in one line why it cannot; a part that did not run is
// counted as skipped and never as passed.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"framewright/internal/procgroup"
)

const staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

// A result counts what a stage ran: files, packages, tests or cases.
type result struct {
	passed, failed, skipped int
	notes                   []string // what was skipped and why, what failed
}

func (r *result) add(o result) {
	r.passed += o.passed
	r.failed += o.failed
	r.skipped += o.skipped
	r.notes = append(r.notes, o.notes...)
}

// A stage is one line of the report.
type stage struct {
	name    string
	unit    string
	timeout time.Duration
	run     func(context.Context, io.Writer) result
}

var fuzzTime = flag.Duration("fuzztime", 8*time.Second, "how long each fuzz target runs")

var stages = []stage{
	{"gofmt", "files", time.Minute, gofmt},
	{"vet", "modules", 5 * time.Minute, each("go", "vet", "./...")},
	{"platforms", "pairs", 30 * time.Minute, platforms}, // of a module and a platform
	{"staticcheck", "modules", 8 * time.Minute, each("go", "run", staticcheck, "./...")},
	{"test", "tests", 15 * time.Minute, goTest(".", "-race")},
	{"allocations", "tests", 5 * time.Minute, goTest(".", "-run", "Alloc|DeflateMemory|IdleStack|TableRoom")}, // what the race detector disturbs
	{"conformance", "cases", 30 * time.Minute, tool(".", "go", "run", "./autobahn")},
	{"peers", "tests", 20 * time.Minute, peers},
	{"bench", "tests", 5 * time.Minute, goTest("bench")},
	{"fuzz", "targets", 20 * time.Minute, func(ctx context.Context, log io.Writer) result {
		return tool(".", "go", "run", "./fuzz", "-run", ownTargets, "-time", fuzzTime.String())(ctx, log)
	}},
	{"differences", "tests", 5 * time.Minute, goTest("fuzz/differential")},
}

// ownTargets leaves out FuzzPeers: what it finds anew is as a rule a way of
// some peer that its table does not have yet, which is work for somebody with
// time for it (go run ./fuzz) and no verdict on a change. Its seeds, with every
// difference that is known, are a stage of their own.
const ownTargets = `^Fuzz([^P]|P[^e])`

// modules are the folders with a go.mod.
var modules = []string{".", "peers", "bench", "fuzz/differential"}

func main() {
	only := flag.String("run", "", "comma-separated stages to run instead of all: "+strings.Join(names(), ","))
	long := flag.Bool("long", false, "the long forms of the tests that have one (FRAMEWRIGHT_LONG=1): the chat server\nkilled 120 times and more while clients send, 1,000 connections of which 500 stall")
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

	var total result
	for _, s := range stages {
		if slices.Contains(chosen, s.name) {
			total.add(s.report(ctx, logs))
		}
	}
	fmt.Printf("\nlogs in %s\n", logs)
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
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

// report runs s and prints its line, and on failure the end of its log.
func (s stage) report(ctx context.Context, logs string) result {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("took longer than %v", s.timeout))
	defer cancel()
	path := filepath.Join(logs, s.name+".log")
	log, err := os.Create(path)
	if err != nil {
		return result{failed: 1, notes: []string{err.Error()}}
	}
	defer log.Close()
	start := time.Now()
	r := s.run(ctx, log)
	if err := context.Cause(ctx); err != nil {
		r.failed++
		r.notes = append(r.notes, "stopped: "+err.Error())
	}
	verdict := "ok"
	if r.failed > 0 {
		verdict = "FAILED"
	} else if r.passed == 0 {
		verdict = "NOT RUN"
	}
	fmt.Printf("%-12s %-8s %6d %-8s passed %4d failed %4d skipped  %6.1fs\n",
		s.name, verdict, r.passed, s.unit, r.failed, r.skipped, time.Since(start).Seconds())
	for _, n := range r.notes {
		fmt.Printf("             %s\n", n)
	}
	if r.failed > 0 {
		printTail(path, 60)
	}
	return r
}

func printTail(path string, n int) {
	b, err := os.ReadFile(path)
	if err != nil {
		return
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	for _, line := range lines[max(0, len(lines)-n):] {
		fmt.Printf("    | %.400s\n", line)
	}
}

// gofmt formats every Go file in memory and compares.
func gofmt(ctx context.Context, log io.Writer) (r result) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && (d.Name() == "node_modules" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		out, err := format.Source(src)
		if err != nil || !bytes.Equal(src, out) {
			fmt.Fprintf(log, "%s is not formatted: run gofmt -w %s\n", path, path)
			r.failed++
			return nil
		}
		r.passed++
		return nil
	})
	if err != nil {
		fmt.Fprintln(log, err)
		r.failed++
	}
	return r
}

// each runs a command in every module.
func each(name string, args ...string) func(context.Context, io.Writer) result {
	return func(ctx context.Context, log io.Writer) (r result) {
		for _, dir := range modules {
			if err := command(ctx, dir, log, name, args...).Run(); err != nil {
				fmt.Fprintf(log, "in %s: %v\n", dir, err)
				r.failed++
			} else {
				r.passed++
			}
		}
		return r
	}
}

// command prepares a child in a process group of its own, so that when ctx
// ends what the child has started ends, too.
func command(ctx context.Context, dir string, log io.Writer, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	procgroup.Own(cmd, 20*time.Second)
	return cmd
}

// A testEvent is a line of go test -json.
type testEvent struct {
	Action, Package, Test, Output string
}

// goTest runs the tests of the module in dir and counts each one, subtests
// included.
func goTest(dir string, args ...string) func(context.Context, io.Writer) result {
	return func(ctx context.Context, log io.Writer) (r result) {
		cmd := command(ctx, dir, log, "go", append([]string{"test", "-json", "-timeout", "14m"}, append(args, "./...")...)...)
		cmd.Stdout = nil
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			fmt.Fprintln(log, err)
			return result{failed: 1}
		}
		r = countTests(pipe, log)
		if err := cmd.Wait(); err != nil && r.failed == 0 {
			fmt.Fprintln(log, err)
			r.failed++
		}
		return r
	}
}

// countTests reads go test -json. What is logged is the output of failed
// tests; what is noted, why one was skipped.
func countTests(in io.Reader, log io.Writer) (r result) {
	output := map[string][]string{}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		var e testEvent
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			fmt.Fprintln(log, scanner.Text())
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass":
			if e.Test != "" {
				r.passed++
			}
			delete(output, key)
		case "skip":
			if e.Test != "" { // a package without tests is no skip
				r.skipped++
				r.notes = append(r.notes, "skipped "+e.Test+": "+reason(output[key]))
			}
			delete(output, key)
		case "fail":
			r.failed++
			fmt.Fprintf(log, "FAILED %s\n%s", key, strings.Join(output[key], ""))
			delete(output, key)
		}
	}
	for key, lines := range output { // a build that failed, a test that never ended
		if r.failed > 0 {
			fmt.Fprintf(log, "%s\n%s", key, strings.Join(lines, ""))
		}
	}
	return r
}

// reason is the sentence of t.Skip.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			return line
		}
	}
	return "no reason given"
}

// closing is the last line of our own tools.
var closing = regexp.MustCompile(`^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$`)

// tool runs one of our own tools, which ends with "N passed, N failed".
func tool(dir, name string, args ...string) func(context.Context, io.Writer) result {
	return func(ctx context.Context, log io.Writer) (r result) {
		var out bytes.Buffer
		err := command(ctx, dir, io.MultiWriter(log, &out), name, args...).Run()
		found := false
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSpace(line)
			if m := closing.FindStringSubmatch(line); m != nil {
				found = true
				r.passed, _ = strconv.Atoi(m[1])
				r.failed, _ = strconv.Atoi(m[2])
				r.skipped, _ = strconv.Atoi(m[3])
			}
			if strings.HasPrefix(line, "cannot ") || strings.HasPrefix(line, "skipped ") {
				r.notes = append(r.notes, line)
			}
		}
		// A tool that skips everything, because it lacks what it needs, says so
		// by its status, too.
		if (err != nil && (r.passed > 0 || r.skipped == 0) || !found) && r.failed == 0 {
			fmt.Fprintf(log, "%s: %v, closing line found: %v\n", strings.Join(args, " "), err, found)
			r.failed++
		}
		return r
	}
}

// peers installs the peers, as far as they can be had, and runs the tests
// that need them; those whose peer is missing are skipped with a sentence.
func peers(ctx context.Context, log io.Writer) (r result) {
	var out bytes.Buffer
	err := command(ctx, "peers", io.MultiWriter(log, &out), "go", "run", "./setup").Run()
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "cannot ") {
			r.notes = append(r.notes, strings.TrimSpace(line))
		}
	}
	if err != nil {
		fmt.Fprintln(log, "setup:", err) // the tests say which peer is missing
	}
	r.add(goTest("peers")(ctx, log))
	return r
}
