package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"framewright/internal/procgroup"
)

const (
	// overhead is what a target may take beyond its time: to build, to run
	// its seeds and what the cache holds, to minimize a failing input.
	overhead = 5 * time.Minute

	// minimize bounds how long the fuzzer makes one input smaller, which it
	// does for interesting ones too. Its default of a minute would eat most
	// of a short run.
	minimize = time.Second
)

// moduleRoot returns the folder of the main module's go.mod. The command may
// be run from any folder of the main module.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %v", err)
	}
	path := strings.TrimSpace(string(out))
	if filepath.Base(path) != "go.mod" {
		return "", errors.New("not inside a module: run it from the project's folder")
	}
	return filepath.Dir(path), nil
}

// targets returns the names of the fuzz targets in dir.
func targets(ctx context.Context, dir string) ([]string, error) {
	out, err := goCommand(ctx, dir, "test", "-list", "^Fuzz", ".")
	var names []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "Fuzz") {
			names = append(names, line)
		}
	}
	if err == nil && len(names) == 0 {
		err = errors.New("no targets")
	}
	if err != nil {
		err = fmt.Errorf("%v\n%s", err, indent(out))
	}
	return names, err
}

// A target is one fuzz target.
type target struct{ dir, module, name string }

// fuzz runs t and prints its line. It reports success.
//
// What go test counts as the time of a target begins before the corpus has been played
// once, which on a busy machine may be all of a short one. Where nothing else was
// executed, and nothing has failed, t gets ten times as long.
func (t target) fuzz(ctx context.Context, each time.Duration, parallel int) bool {
	r := t.run(ctx, each, parallel)
	if errors.Is(r.err, errNothing) {
		each *= 10
		r = t.run(ctx, each, parallel)
	}
	verdict := "ok"
	if r.err != nil {
		verdict = "FAILED"
	}
	fmt.Printf("%-28s %-7s %10d execs %8d/s %5d new interesting %5d in the corpus\n",
		strings.TrimPrefix(t.module+" ", "fuzz ")+t.name, verdict, r.execs, int(float64(r.execs)/each.Seconds()), r.interesting, r.corpus)
	if r.err == nil {
		return true
	}
	fmt.Printf("    %v\n%s", r.err, indent(r.failure))
	if r.crash != "" {
		fmt.Printf("    input:  %s\n", filepath.Join(t.dir, filepath.FromSlash(r.crash)))
		fmt.Printf("    again:  (cd %s && go test -run '^%s$/%s$' .)\n", t.dir, t.name, filepath.Base(r.crash))
		fmt.Printf("    then:   mend it, and give the input a name and a row: see fuzz/README.md\n")
	}
	return false
}

// errNothing says that the time was over before the fuzzer had made an input.
var errNothing = errors.New("nothing was executed")

// run runs t once.
func (t target) run(ctx context.Context, each time.Duration, parallel int) results {
	ctx, cancel := context.WithTimeoutCause(ctx, each+overhead, fmt.Errorf("not done after %v and %v more", each, overhead))
	defer cancel()
	args := []string{"test", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", each.String(), "-fuzzminimizetime", minimize.String()}
	if parallel > 0 {
		args = append(args, "-parallel", strconv.Itoa(parallel))
	}
	args = append(args, ".")
	out, err := goCommand(ctx, t.dir, args...)
	r := parse(out)
	switch {
	case context.Cause(ctx) != nil:
		r.err = context.Cause(ctx)
	case err != nil && !r.onlyDeadline:
		r.err = err
	case r.execs == 0:
		r.err = errNothing
	}
	return r
}

// results is what the fuzzer printed.
type results struct {
	err                        error // why the target has failed
	execs, interesting, corpus int
	crash                      string // the failing input's file, from the target's folder
	failure                    string

	// onlyDeadline: the run ended with "context deadline exceeded" and no
	// failing input. That is the end of -fuzztime reaching a worker in the
	// middle of something, and says nothing about the target.
	onlyDeadline bool
}

var (
	progress = regexp.MustCompile(`^fuzz: elapsed: .*execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)
	written  = regexp.MustCompile(`Failing input written to (\S+)`)
	seedFail = regexp.MustCompile(`failure while testing seed corpus entry: (\S+)`)
)

func parse(out string) (r results) {
	var failure strings.Builder
	failed := false
	for line := range strings.Lines(out) {
		if m := progress.FindStringSubmatch(line); m != nil {
			r.execs, _ = strconv.Atoi(m[1])
			r.interesting, _ = strconv.Atoi(m[2])
			r.corpus, _ = strconv.Atoi(m[3])
			continue
		}
		if m := written.FindStringSubmatch(line); m != nil {
			r.crash = m[1]
		}
		if m := seedFail.FindStringSubmatch(line); m != nil {
			r.crash = "testdata/fuzz/" + m[1]
		}
		if strings.HasPrefix(line, "--- FAIL") {
			failed = true
		}
		if !strings.HasPrefix(line, "fuzz: ") {
			failure.WriteString(line)
		}
	}
	r.failure = failure.String()
	var rest []string
	for line := range strings.Lines(r.failure) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--- FAIL") && !strings.HasPrefix(line, "FAIL") && !strings.HasPrefix(line, "exit status") {
			rest = append(rest, line)
		}
	}
	r.onlyDeadline = failed && len(rest) == 1 && rest[0] == "context deadline exceeded"
	return r
}

// indent shows the end of a text below a line, cut to a readable length.
func indent(text string) string {
	const lines, width = 40, 300
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	var b strings.Builder
	for _, line := range all[max(0, len(all)-lines):] {
		fmt.Fprintf(&b, "    | %.*s\n", width, line)
	}
	return b.String()
}

// goCommand runs the go command in dir. When ctx ends it is told so, as by
// Ctrl-C, with all that it has started; what is still there a while later is
// killed.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	procgroup.Own(cmd, 5*time.Second)
	cmd.Cancel = func() error { return procgroup.Interrupt(cmd) }
	err := cmd.Run()
	procgroup.Kill(cmd) // the fuzzer's workers, if any are left
	return out.String(), err
}
