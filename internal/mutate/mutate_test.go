package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sample = "./testdata/sample"

// keys lists the mutants of the sample's functions that match.
func keys(t *testing.T, of string) (keys []string) {
	t.Helper()
	s, err := open(sample, "", "sample.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range s.all {
		if regexp.MustCompile(of).MatchString(m.fn) {
			keys = append(keys, m.key())
		}
	}
	return keys
}

func TestFind(t *testing.T) {
	want := []string{
		"limit: 3 → 3 + 1", "limit: 3 → 3 - 1",
		"Clamp: n > limit → true", "Clamp: n > limit → false", "Clamp: n > limit → n >= limit", "Clamp: n > limit → n <= limit",
		"Clamp: return n → return 0",
	}
	if d := cmp.Diff(want, keys(t, "^(limit|Clamp)$")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	want = []string{
		"Count: 0 → 0 + 1", "Count: 0 → 0 - 1", "Count: 0 → 0 + 1 (2)", "Count: 0 → 0 - 1 (2)",
		"Count: i < len(s) → true", "Count: i < len(s) → false", "Count: i < len(s) → i <= len(s)", "Count: i < len(s) → i >= len(s)",
		"Count: s[i] == c → true", "Count: s[i] == c → false", "Count: s[i] == c → s[i] != c",
		"Count: n++ → nothing", "Count: n++ → n--", "Count: i++ → nothing", "Count: i++ → i--",
		"Count: return n → return 0",
	}
	if d := cmp.Diff(want, keys(t, "^Count$")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// What is woven is the file, with each mutant behind its number, and compiles.
func TestWoven(t *testing.T) {
	s, err := open(sample, "", "sample.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.woven()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range s.all {
		if got := strings.Count(string(text[0]), switchName+" == "+strconv.Itoa(m.id)+" "); (got == 1) == (m.site.kind == alone) {
			t.Errorf("%s is there %d times, alone: %v", m.key(), got, m.site.kind == alone)
		}
	}
}

// The whole command: survivors are reported, those with a reason are not, and a
// reason without a survivor is.
func TestMutate(t *testing.T) {
	reviewed := filepath.Join(t.TempDir(), "reviewed.txt")
	const file = "internal/mutate/testdata/sample/sample.go"
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(reviewed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	same := file + ": Max: a > b → a >= b\n\tThe larger of two equal ones is either.\n" +
		file + ": Clamp: n > limit → n >= limit\n\tThe limit is returned either way.\n"
	for _, tt := range []struct {
		name, list, only string
		ok               bool
		lines            []string // of the output, without the file
	}{
		{"survivors", "", "^Max$", false, []string{":40: Max: a > b → a >= b", "1 open"}},
		{"survivors with a reason", same, "^(Max|Clamp|limit)$", true, []string{"2 explained, 0 open"}},
		{"a reason that is stale", same + file + ": Max: a > b → true\n\tIt was so once.\n", "^(Max|Clamp)$", false,
			[]string{"stale: line 5", "the tests notice it now"}},
		{"what is not tested", same, "^Double$", false,
			[]string{"Double: return n * 2, nil → return 0, nil", "Double: return 0, errNegative → return 0, nil", "Double: n * 2 → n / 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(tt.list)
			var out bytes.Buffer
			ok, err := mutate(settings{pkg: sample, file: "sample.go", run: "Sample", whole: true, jobs: 2, only: tt.only, reviewed: reviewed}, &out)
			if err != nil || ok != tt.ok {
				t.Errorf("%v, %v; want %v\n%s", ok, err, tt.ok, out.String())
			}
			for _, line := range tt.lines {
				if !strings.Contains(out.String(), line) {
					t.Errorf("%q is not there:\n%s", line, out.String())
				}
			}
		})
	}
}

// A mutant that does not end is killed by its time, and said to be.
func TestEndless(t *testing.T) {
	s, err := open(sample, "", "sample.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.woven()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{t: s, tmp: t.TempDir()}
	r.woven = filepath.Join(r.tmp, "woven.test")
	if output, err := s.compile(r.tmp, text, r.woven); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var out bytes.Buffer
	if err := r.baseline("", &out); err != nil || out.Len() > 0 {
		t.Fatal(err, out.String())
	}
	r.limit = 2 * time.Second
	i := slices.IndexFunc(s.all, func(m *mutant) bool { return m.key() == "Count: i++ → nothing" })
	if v := r.try(s.all[i], ""); v != timedOut {
		t.Errorf("got %v", v)
	}
	out.Reset()
	report(&out, "sample.go", s.all[i:i+1], map[*mutant]verdict{s.all[i]: timedOut}, nil, false)
	if want := "1 killed (100.0 %; 1 of them by the time they took)"; !strings.Contains(out.String(), want) {
		t.Errorf("%q does not say %q", out.String(), want)
	}
}

func TestParseReviewed(t *testing.T) {
	list, err := parseReviewed([]byte("# how to\n\na.go: F: x → y\n\tBecause\n\tof this.\na.go: G: x → y\n\tToo.\n"))
	if err != nil || len(list) != 2 || list["a.go: F: x → y"].why != "Because of this." {
		t.Errorf("%v, %v", list, err)
	}
	for text, want := range map[string]string{
		"a.go: F: x → y\n":                       "line 1: no reason",
		"a.go: F: x → y\na.go: G: x → y\n\tB.\n": "line 1: no reason",
		"\tB.\n": "line 1: a reason without",
		"a.go: F: x → y\n\tB.\na.go: F: x → y\n\tB.\n": "line 3: a.go: F: x → y is there already, in line 1",
	} {
		if _, err := parseReviewed([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// The project's own list can be read, and names files that are there.
func TestReviewed(t *testing.T) {
	b, err := os.ReadFile("reviewed.txt")
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseReviewed(b)
	if err != nil {
		t.Fatal(err)
	}
	for key := range list {
		file, _, _ := strings.Cut(key, ": ")
		if _, err := os.Stat(filepath.Join("..", "..", file)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestMutateSaysWhatIsWrong(t *testing.T) {
	for want, s := range map[string]settings{
		"-pkg ./ws -file frame.go": {},
		"no file of":               {pkg: sample, file: "other.go"},
		"-only":                    {pkg: sample, file: "sample.go", only: "("},
		"-tests: go list":          {pkg: sample, file: "sample.go", tests: "./testdata/nobody"},
	} {
		if _, err := mutate(s, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}

// With -reach, a mutant gets the tests that reach it; what no test reaches
// survives, and so does what those tests do not see. What was measured is kept.
func TestReach(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "reach.json")
	none := filepath.Join(t.TempDir(), "none")
	var out bytes.Buffer
	ok, err := mutate(settings{pkg: sample, file: "sample.go", jobs: 2, only: "^(Max|Double)$", reach: keep, reviewed: none}, &out)
	if ok || err != nil {
		t.Fatal(ok, err, out.String())
	}
	for _, want := range []string{"Max: a > b → a >= b\n", "Double: n * 2 → n / 2\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not open:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "Max: a > b → true") {
		t.Errorf("a test that reaches it was left out:\n%s", out.String())
	}
	earlier := filepath.Join(t.TempDir(), "earlier")
	if err := os.WriteFile(earlier, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	before := out.String()
	out.Reset()
	if _, err := mutate(settings{pkg: sample, file: "sample.go", jobs: 2, again: earlier, reach: keep, reviewed: none}, &out); err != nil {
		t.Fatal(err)
	}
	count := regexp.MustCompile(`\d+ open`)
	if a, b := count.FindString(before), count.FindString(out.String()); a != b || !strings.Contains(out.String(), " 0 killed") {
		t.Errorf("what was open, again: %s, want %s and none killed", out.String(), a)
	}

	// Where other lines were reached, in files that were others, is not believed.
	if err := os.WriteFile(keep, bytes.ReplaceAll(kept(t, keep), []byte(`"Of":"`), []byte(`"Of":"not `)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mutate(settings{pkg: sample, file: "sample.go", jobs: 2, only: "^Double$", reach: keep, reviewed: none}, &out); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(kept(t, keep), []byte(`"Of":"not `)) {
		t.Error("what was measured of other files is kept")
	}
}

// The tests of another package are run with -tests, and what they reach is measured.
func TestOtherPackage(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, reach := range []string{"", filepath.Join(t.TempDir(), "reach.json")} {
		var out bytes.Buffer
		_, err := mutate(settings{pkg: sample, tests: "./testdata/user", file: "sample.go", jobs: 2, only: "^(Max|Double)$", reach: reach, reviewed: none}, &out)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "Double: n * 2 → n / 2\n") || !strings.Contains(out.String(), "Max: a > b → true\n") {
			t.Errorf("-reach %q: want Double's killed, and Max's open:\n%s", reach, out.String())
		}
	}
}

func kept(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseBlock(t *testing.T) {
	file, b, ok := parseBlock("framewright/ws/frame.go:12.3,14.20 5 1\n")
	if want := (block{12, 3, 14, 20}); !ok || file != "frame.go" || b != want {
		t.Errorf("%q, %v, %v", file, b, ok)
	}
	for _, line := range []string{"mode: set\n", "framewright/ws/frame.go:12.3,14.20 5 0\n", ""} {
		if _, _, ok := parseBlock(line); ok {
			t.Errorf("%q is no block that was reached", line)
		}
	}
	for at, want := range map[[2]int]bool{{12, 2}: false, {12, 3}: true, {13, 1}: true, {14, 19}: true, {14, 20}: false, {15, 1}: false} {
		if got := b.holds(at[0], at[1]); got != want {
			t.Errorf("%v: %v", at, got)
		}
	}
}
