//go:build unix

package main

import (
	"io"
	"testing"
	"time"
)

// What a tool could not run is counted as skipped; a tool that fails without
// saying what failed has failed.
func TestTool(t *testing.T) {
	for _, tt := range []struct {
		name, script            string
		passed, failed, skipped int
	}{
		{"all is well", "echo '3 passed, 0 failed'", 3, 0, 0},
		{"some failed", "echo '3 passed, 2 failed, 1 skipped'; exit 1", 3, 2, 1},
		{"it lacks what it needs", "echo 'cannot get x: no y'; echo '0 passed, 0 failed, 9 skipped'; exit 2", 0, 0, 9},
		{"it ended badly behind its count", "echo '3 passed, 0 failed, 1 skipped'; exit 2", 3, 1, 1},
		{"it ran nothing and says nothing of it", "echo '0 passed, 0 failed'; exit 2", 0, 1, 0},
		{"no count", "exit 0", 0, 1, 0},
	} {
		r := tool(".", "sh", "-c", tt.script)(&job{Context: t.Context(), log: io.Discard})
		if r.passed != tt.passed || r.failed != tt.failed || r.skipped != tt.skipped {
			t.Errorf("%s: %d passed, %d failed, %d skipped; want %d, %d, %d", tt.name, r.passed, r.failed, r.skipped, tt.passed, tt.failed, tt.skipped)
		}
	}
}

// Stages in lanes run side by side and count once; those that are alone do not.
func TestLanes(t *testing.T) {
	met := make(chan bool)
	meet := func(j *job) result { // returns only if the other lane is running, too
		select {
		case met <- true:
		case <-met:
		case <-j.Done():
			return result{failed: 1}
		}
		return result{passed: 1}
	}
	one := func(*job) result { return result{passed: 1} }
	total := runAll(t.Context(), []stage{
		{"a", "x", alone, time.Minute, one},
		{"b", "x", first, time.Minute, meet},
		{"c", "x", gentle, time.Minute, meet},
		{"d", "x", gentle, time.Minute, one},
		{"e", "x", alone, time.Minute, one},
	}, t.TempDir())
	if total.passed != 5 || total.failed != 0 {
		t.Errorf("%d passed, %d failed; want 5 and 0", total.passed, total.failed)
	}
}
