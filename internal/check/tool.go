package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// gofmt formats every Go file in memory and compares.
func gofmt(j *job) (r result) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case j.Err() != nil:
			return j.Err()
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
			fmt.Fprintf(j.log, "%s is not formatted: run gofmt -w %s\n", path, path)
			r.failed++
			return nil
		}
		r.passed++
		return nil
	})
	if err != nil {
		fmt.Fprintln(j.log, err)
		r.failed++
	}
	return r
}

// each runs a command in every module.
func each(name string, args ...string) func(*job) result {
	return func(j *job) (r result) {
		for _, dir := range modules {
			if err := j.do(j.command(dir, name, args...)); err != nil {
				fmt.Fprintf(j.log, "in %s: %v\n", dir, err)
				r.failed++
			} else {
				r.passed++
			}
		}
		return r
	}
}

// closing is the last line of our own tools.
var closing = regexp.MustCompile(`^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$`)

// tool runs one of our own tools, which ends with "N passed, N failed".
func tool(dir, name string, args ...string) func(*job) result {
	return func(j *job) (r result) {
		var out bytes.Buffer
		cmd := j.command(dir, name, args...)
		cmd.Stdout = io.MultiWriter(j.log, &out)
		cmd.Stderr = cmd.Stdout // one writer, to which only one goroutine writes
		err := j.do(cmd)
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
			fmt.Fprintf(j.log, "%s: %v, closing line found: %v\n", strings.Join(args, " "), err, found)
			r.failed++
		}
		return r
	}
}

// peers installs the peers, as far as they can be had, and runs the tests
// that need them; those whose peer is missing are skipped with a sentence.
func peers(j *job) (r result) {
	var out bytes.Buffer
	cmd := j.command("peers", "go", "run", "./setup")
	cmd.Stdout = io.MultiWriter(j.log, &out)
	cmd.Stderr = cmd.Stdout
	err := j.do(cmd)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "cannot ") {
			r.notes = append(r.notes, strings.TrimSpace(line))
		}
	}
	if err != nil {
		fmt.Fprintln(j.log, "setup:", err) // the tests say which peer is missing
	}
	// Most of them wait most of the time: for a heartbeat, for a browser.
	r.add(goTest("peers", "-parallel", "3", "-timeout", "28m")(j))
	return r
}
