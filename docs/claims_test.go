package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A claim is a line of the README's table.
type claim struct{ text, command, takes string }

func claims(t *testing.T) (all []claim) {
	t.Helper()
	for line := range strings.Lines(between(t, "../README.md", "claims")) {
		line = strings.ReplaceAll(strings.Trim(line, "|\n "), `\|`, "\x00") // a bar within a cell
		cells := strings.Split(line, " | ")
		if len(cells) != 3 {
			t.Fatalf("%d cells, want three: %s", len(cells), line)
		}
		if cells[0] == "claim" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		command := strings.ReplaceAll(strings.Trim(cells[1], "`"), "\x00", "|")
		all = append(all, claim{cells[0], command, cells[2]})
	}
	return all
}

// TestClaims: what the README's table of claims says one should run is there: the
// package, the tests, the flags, the stages. What takes a second is run.
func TestClaims(t *testing.T) {
	all := claims(t)
	if len(all) < 20 {
		t.Errorf("%d claims, there were 20", len(all))
	}
	seen := make(map[string]bool)
	for _, c := range all {
		if seen[c.command] {
			t.Errorf("%s shows two things", c.command)
		}
		seen[c.command] = true
		folder, command := ".", c.command
		if rest, ok := strings.CutPrefix(command, "cd "); ok {
			folder, command, _ = strings.Cut(rest, " && ")
		}
		words := shellWords(command)
		switch {
		case len(words) > 3 && words[0] == "go" && words[1] == "test":
			wantGoTest(t, c, words[2:])
		case len(words) > 2 && words[0] == "go" && words[1] == "run":
			wantGoRun(t, c, filepath.Join(folder, words[2]), words[3:])
		case len(words) > 1 && words[0] == "./check":
			wantCheck(t, c, words[1:])
		default:
			t.Errorf("%s: a command of no known kind", c.command)
		}
	}
}

// TestCheapClaims runs what takes a second.
func TestCheapClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the tests of other packages")
	}
	byFolder := make(map[string][]string)
	for _, c := range claims(t) {
		words := shellWords(c.command)
		if c.takes == "1 s" && words[1] == "test" && words[2] != "./docs" { // whose tests run beside this one
			byFolder[words[2]] = append(byFolder[words[2]], words[4])
		}
	}
	for folder, patterns := range byFolder {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", folder, "-run", strings.Join(patterns, "|"))
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "no tests to run") {
			t.Errorf("%s: %v\n%s", cmd, err, out)
		}
	}
}

// shellWords splits a command as a shell does, as far as the table needs it.
func shellWords(command string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(command, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

// wantGoTest: a package and -run with tests that it has, each of them.
func wantGoTest(t *testing.T, c claim, words []string) {
	t.Helper()
	if len(words) != 3 || words[1] != "-run" {
		t.Errorf("%s: want go test PACKAGE -run TESTS", c.command)
		return
	}
	names := testsOf(t, words[0])
	for pattern := range strings.SplitSeq(words[2], "|") {
		re, err := regexp.Compile("^" + pattern)
		if err != nil {
			t.Errorf("%s: %v", c.command, err)
			continue
		}
		if !slices.ContainsFunc(names, re.MatchString) {
			t.Errorf("%s: %s has no test %s", c.command, words[0], pattern)
		}
	}
}

func testsOf(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(read(t, f), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// wantGoRun: a folder with a program, and words that its source knows.
func wantGoRun(t *testing.T, c claim, folder string, words []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			source.WriteString(read(t, f))
		}
	}
	if !strings.Contains(source.String(), "package main\n") {
		t.Errorf("%s: there is no program in %s", c.command, folder)
	}
	for _, w := range words {
		if !strings.Contains(source.String(), `"`+strings.TrimLeft(w, "-")+`"`) {
			t.Errorf("%s: the program does not know %s", c.command, w)
		}
	}
}

// wantCheck: stages of the test command, and its flags.
func wantCheck(t *testing.T, c claim, words []string) {
	t.Helper()
	source := read(t, "../internal/check/main.go")
	for i, w := range words {
		switch {
		case strings.HasPrefix(w, "-"):
			if !regexp.MustCompile(`flag\.\w+\("` + w[1:] + `",`).MatchString(source) {
				t.Errorf("%s: ./check does not know %s", c.command, w)
			}
		case i == 0 || words[i-1] != "-run":
			t.Errorf("%s: %q stands alone", c.command, w)
		default:
			for stage := range strings.SplitSeq(w, ",") {
				if !strings.Contains(source, "\t{\""+stage+"\", ") {
					t.Errorf("%s: there is no stage %s", c.command, stage)
				}
			}
		}
	}
}
