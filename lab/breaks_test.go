package lab

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

var update = flag.Bool("update", false, "write enforced.go anew")

// Each violation is judged as it says: by its rule, with its outcome, and, where the bytes
// alone decide, at a byte that stands here.
func TestBreaks(t *testing.T) {
	if len(breaks) < 30 {
		t.Errorf("%d violations, want 30 at least", len(breaks))
	}
	judgedAt := map[string]int{
		"unmasked": 2, "rsv1": 2, "rsv2": 2, "rsv3": 2, "opcode-3": 2, "opcode-b": 2, "length-16": 4, "length-64": 10, "length-2-63": 10,
		"ping-fragment": 2, "ping-126": 2, "orphan": 2, "interleaved": 11, "bad-byte": 9, "split-emoji": 9, "bad-fragment": 15,
		"surrogate": 8, "overlong": 7, "too-high": 8, "close-1005": 8, "close-1006": 8, "close-999": 8, "close-one-byte": 7, "close-reason": 9,
	}
	seen := map[string]bool{}
	for _, b := range breaks {
		t.Run(b.ID, func(t *testing.T) {
			if seen[b.ID] || b.Title == "" || b.About == "" {
				t.Error("its id is another's, or it says nothing")
			}
			seen[b.ID] = true
			d, err := b.Experiment().Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var rules []ws.RuleID
			for _, m := range d.Moments {
				if m.Event.Rule != "" {
					rules = append(rules, m.Event.Rule)
				}
			}
			if b.ID == "after-close" { // is ignored: nobody looks at it
				rules = append(rules, ws.RuleAfterClose)
			}
			if len(rules) == 0 || rules[0] != b.Rule {
				t.Errorf("breaks %v, want %s", rules, b.Rule)
			}
			if d.Outcome != b.Outcome {
				t.Errorf("the outcome is %q, want %q", d.Outcome, b.Outcome)
			}
			if got := b.JudgedAt(); got != judgedAt[b.ID] || b.judged != (got > 0) {
				t.Errorf("judged at byte %d, want %d", got, judgedAt[b.ID])
			}
			if enforced[b.Rule].Line == 0 {
				t.Errorf("where %s is enforced is not known", b.Rule)
			}
		})
	}
}

// The line that enforces a rule is the first that names it outside of the table of rules.
func TestEnforced(t *testing.T) {
	files, err := filepath.Glob("../ws/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append([]string{"../ws/receiver.go"}, files...) // most of them, if not only there
	table, err := os.ReadFile("../ws/rules.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[ws.RuleID]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(Rule\w+)\s+RuleID = "([^"]+)"`).FindAllSubmatch(table, -1) {
		names[ws.RuleID(m[2])] = string(m[1])
	}
	var b strings.Builder
	fmt.Fprint(&b, "package lab\n\nimport \"framewright/ws\"\n\n// A place is a line of this repository.\ntype place struct {\n\tFile string\n\tLine int\n}\n\n"+
		"// enforced is where each rule of the breaks is enforced.\n//\n// Written by go test ./lab -run TestEnforced -update, and held by it.\nvar enforced = map[ws.RuleID]place{\n")
	done := map[ws.RuleID]bool{}
	for _, br := range breaks {
		if done[br.Rule] {
			continue
		}
		done[br.Rule] = true
		at := place{}
		for _, file := range files {
			if base := filepath.Base(file); strings.HasSuffix(base, "_test.go") || base == "rules.go" || base == "explain.go" || base == "trace.go" || at.Line > 0 {
				continue
			}
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if i := regexp.MustCompile(`(?m)^[^/\n]*\b` + names[br.Rule] + `\b`).FindIndex(code); i != nil {
				at = place{"ws/" + filepath.Base(file), 1 + bytes.Count(code[:i[1]], []byte("\n"))}
			}
		}
		fmt.Fprintf(&b, "\tws.%s: {%q, %d},\n", names[br.Rule], at.File, at.Line)
	}
	fmt.Fprint(&b, "}\n")
	if *update {
		if err := os.WriteFile("enforced.go", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("enforced.go")
	if err != nil {
		t.Fatal(err)
	}
	plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if d := cmp.Diff(plain(b.String()), plain(string(got))); d != "" {
		t.Errorf("enforced.go is stale; go test ./lab -run TestEnforced -update, then gofmt (-want +got)\n%s", d)
	}
}
