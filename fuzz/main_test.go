package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		want results
	}{
		"a quiet run": {
			"fuzz: elapsed: 0s, gathering baseline coverage: 0/8 completed\n" +
				"fuzz: elapsed: 3s, execs: 100 (33/sec), new interesting: 2 (total: 10)\n" +
				"fuzz: elapsed: 5s, execs: 250 (75/sec), new interesting: 3 (total: 11)\nPASS\nok  \tx\t5.1s\n",
			results{execs: 250, interesting: 3, corpus: 11, failure: "PASS\nok  \tx\t5.1s\n"},
		},
		"a failing input": {
			"fuzz: elapsed: 1s, execs: 7 (7/sec), new interesting: 0 (total: 1)\n--- FAIL: FuzzX (1.0s)\n    --- FAIL: FuzzX (0.0s)\n" +
				"        x_test.go:1: no\n    \n    Failing input written to testdata/fuzz/FuzzX/582528ddfad69eb5\n",
			results{execs: 7, corpus: 1, crash: "testdata/fuzz/FuzzX/582528ddfad69eb5",
				failure: "--- FAIL: FuzzX (1.0s)\n    --- FAIL: FuzzX (0.0s)\n        x_test.go:1: no\n    \n    Failing input written to testdata/fuzz/FuzzX/582528ddfad69eb5\n"},
		},
		"a failing seed": {
			"failure while testing seed corpus entry: FuzzX/row-1\n--- FAIL: FuzzX (1.0s)\n",
			results{crash: "testdata/fuzz/FuzzX/row-1", failure: "failure while testing seed corpus entry: FuzzX/row-1\n--- FAIL: FuzzX (1.0s)\n"},
		},
		"the time was up inside a worker": {
			"fuzz: elapsed: 5s, execs: 9 (1/sec), new interesting: 0 (total: 1)\n--- FAIL: FuzzX (5.0s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tx\t5.0s\n",
			results{execs: 9, corpus: 1, onlyDeadline: true,
				failure: "--- FAIL: FuzzX (5.0s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tx\t5.0s\n"},
		},
	} {
		if diff := cmp.Diff(c.want, parse(c.out), cmp.AllowUnexported(results{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every package with a fuzz target is one of those whose targets are run.
func TestModules(t *testing.T) {
	var want []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		dir := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), ".."+string(filepath.Separator)))
		if regexp.MustCompile(`(?m)^func Fuzz\w+\(\w+ \*testing\.F\)`).Match(b) && !slices.Contains(want, dir) {
			want = append(want, dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(modules))
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("packages with targets, and those that are run (-want +got):\n%s", d)
	}
}
