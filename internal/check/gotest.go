package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A testEvent is a line of go test -json.
type testEvent struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// goTest runs the tests of the module in dir and counts each one, subtests
// included.
func goTest(dir string, args ...string) func(*job) result {
	return goTestOf(dir, []string{"./..."}, args...)
}

// plain are packages of one goroutine, whose tests work much: the race detector finds
// nothing in them and makes them take six times as long.
var plain = []string{"framewright/ws/internal/deflate", "framewright/autobahn/wsspec/internal/deflate", "framewright/autobahn/wsspec/internal/inflate"}

// raced runs the tests of all others under the race detector; the package whose tests take
// longest begins.
func raced(j *job) result {
	cmd := j.command(".", "go", "list", "./...")
	cmd.Stdout = nil
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintln(j.log, err)
		return result{failed: 1}
	}
	packages := []string{"framewright/ws/wsnet"}
	for _, p := range strings.Fields(string(out)) {
		if !slices.Contains(plain, p) && p != packages[0] {
			packages = append(packages, p)
		}
	}
	return goTestOf(".", packages, "-race")(j)
}

// goTestOf is goTest for some packages.
func goTestOf(dir string, packages []string, args ...string) func(*job) result {
	return func(j *job) (r result) {
		cmd := j.command(dir, "go", slices.Concat([]string{"test", "-json", "-timeout", "14m"}, args, packages)...)
		cmd.Stdout = nil
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			fmt.Fprintln(j.log, err)
			return result{failed: 1}
		}
		r = countTests(pipe, j.log)
		if err := j.wait(cmd, cmd.Wait); err != nil && r.failed == 0 {
			fmt.Fprintln(j.log, err)
			r.failed++
		}
		return r
	}
}

// slow is from how many seconds on a package's time is logged.
const slow = 10

// countTests reads go test -json. What is logged is the output of failed
// tests, and which packages are slow; what is noted, why a test was skipped.
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
			} else if e.Elapsed >= slow {
				fmt.Fprintf(log, "%6.1fs %s\n", e.Elapsed, e.Package)
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
