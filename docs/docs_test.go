// Package docs has no code: its tests hold what the documents in this folder say
// against the code that they speak of.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// hostileTest is a package and a test in the last column: `chat` TestX, TestY.
var hostileTest = regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z]+(?:, Test[A-Za-z]+)*)")

// TestHostileInputs: the rows are numbered without a gap, and the tests that
// they name exist.
func TestHostileInputs(t *testing.T) {
	rows := 0
	for line := range strings.Lines(read(t, "hostile-inputs.md")) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		n, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil {
			continue
		}
		if rows++; n != rows {
			t.Fatalf("row %d stands where %d should: %s", n, rows, line)
		}
		if len(cells) < 3 {
			t.Errorf("row %d does not say what comes and what it gets", n)
		}
		for _, m := range hostileTest.FindAllStringSubmatch(line, -1) {
			for name := range strings.SplitSeq(m[2], ", ") {
				if !hasFunc(t, m[1], name) {
					t.Errorf("row %d names %s, which %s does not have", n, name, m[1])
				}
			}
		}
	}
	if rows < 163 {
		t.Errorf("%d rows, there were 163", rows)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// hasFunc reports whether a Go file of the package in folder, seen from the
// module's root, has the function.
func hasFunc(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(read(t, f), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
