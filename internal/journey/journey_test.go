//go:build linux && amd64

package main

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// TestJourneysAreShort counts what a short message passes on its way: who reads the code
// has to follow it through so many functions, in so many files.
func TestJourneysAreShort(t *testing.T) {
	cmd := exec.Command("go", "run", "./internal/journey")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?m)^(\w+) +(\d+) functions in (\d+) files`)
	most := map[string][2]int{"write": {15, 5}, "read": {20, 6}, "ping": {50, 16}}
	seen := 0
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		functions, _ := strconv.Atoi(m[2])
		files, _ := strconv.Atoi(m[3])
		seen++
		if want := most[m[1]]; functions > want[0] || files > want[1] {
			t.Errorf("%s: %d functions in %d files, want at most %d in %d; go run ./internal/journey -v lists them", m[1], functions, files, want[0], want[1])
		}
	}
	if seen != len(most) {
		t.Errorf("%d journeys, want %d:\n%s", seen, len(most), out)
	}
}
