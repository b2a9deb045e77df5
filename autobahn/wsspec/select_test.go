package wsspec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var someCases = []*Case{
	{ID: "5.5", Chapter: "autobahn", Section: "6455 §5.4", Roles: Both},
	{ID: "5.51", Chapter: "autobahn", Section: "6455 §5.5.1", Roles: Both},
	{ID: "4.2.1/key-missing", Chapter: "handshake", Section: "6455 §4.2.1", Tags: []string{"key"}, Roles: ServerOnly},
	{ID: "7.1/twice", Chapter: "negotiation", Section: "7692 §7.1", Tags: []string{"slow"}, Roles: Both},
}

func ids(cases []*Case) string {
	var all []string
	for _, c := range cases {
		all = append(all, c.ID)
	}
	return strings.Join(all, " ")
}

func TestSelect(t *testing.T) {
	for _, tt := range []struct{ list, want string }{
		{"", "5.5 5.51 4.2.1/key-missing 7.1/twice"},
		{"5.5", "5.5"},
		{"5.*", "5.5 5.51"},
		{"4.*/*missing, 7.1/twice", "4.2.1/key-missing 7.1/twice"},
		{"*/*", "4.2.1/key-missing 7.1/twice"},
		{"handshake", "4.2.1/key-missing"},
		{"slow,key", "4.2.1/key-missing 7.1/twice"},
		{"§5.5", "5.51"},
		{"§5", "5.5 5.51"},
		{"§4.2", "4.2.1/key-missing"},
		{"7692", "7.1/twice"},
		{"7692 §7", "7.1/twice"},
		{"!autobahn", "4.2.1/key-missing 7.1/twice"},
		{"5.*,!5.51", "5.5"},
	} {
		got, err := Select(someCases, tt.list)
		if err != nil || ids(got) != tt.want {
			t.Errorf("Select(%q) = %q, %v; want %q", tt.list, ids(got), err, tt.want)
		}
	}
	for _, tt := range []struct{ list, names string }{
		{"8.*", `"8.*" names no case`},
		{"§5.55", "names no case"},
		{"5", "names no case"},
		{"autobahn,!5.*", "leaves no case"},
		{"5.5,!fish", `"fish"`},
	} {
		if got, err := Select(someCases, tt.list); err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("Select(%q) = %q, %v; want an error with %q", tt.list, ids(got), err, tt.names)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, id string
		want        bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true},
		{"5.*", "5.5.1/x", false}, {"5.*/*", "5.5.1/x", true}, {"5.*/*", "5.5.1/x/y", false}, {"*/x", "a/b/x", false}, {"*x*", "a/x", false}, {"a/*", "a/", true},
		{"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*b", "aba", false},
		{"a*c*e", "abcde", true}, {"a*c*e", "abcd", false}, {"**", "a", true}, {"6.*.1", "6.22.11", false},
	} {
		if got := Glob(tt.pattern, tt.id); got != tt.want {
			t.Errorf("Glob(%q, %q) = %v", tt.pattern, tt.id, got)
		}
	}
	// A pattern of very many stars takes no long time.
	if Glob(strings.Repeat("*a", 5000)+"b", strings.Repeat("a", 5000)) {
		t.Error("a pattern that ends with b names what does not")
	}
}

func TestExpectations(t *testing.T) {
	const text = `
# what is known
5.5 server failed: it cannot yet
5.51 weak|failed: nor this
7.1/* skipped: no compression
`
	result := func(id string, r Role, o Outcome) Result {
		for _, c := range someCases {
			if c.ID == id {
				return Result{Case: c, Role: r, Verdict: Verdict{Outcome: o}}
			}
		}
		panic(id)
	}
	for _, tt := range []struct {
		name   string
		r      Result
		strict bool
		want   Judgement
	}{
		{"known to fail", result("5.5", Server, Failed), false, Judgement{OK: true, Known: true, Why: "it cannot yet"}},
		{"better than its line", result("5.5", Server, Passed), false, Judgement{Known: true, Why: "f:3 expects failed (it cannot yet); if that is over, take the line out"}},
		{"the other role", result("5.5", Client, Failed), false, Judgement{}},
		{"one of two outcomes", result("5.51", Client, Weak), true, Judgement{OK: true, Known: true, Why: "nor this"}},
		{"passes below a pattern", result("7.1/twice", Server, Passed), false, Judgement{OK: true}},
		{"fails below a pattern", result("7.1/twice", Server, Failed), false, Judgement{Known: true, Why: "f:5 expects skipped (no compression); if that is over, take the line out"}},
		{"no line", result("4.2.1/key-missing", Server, Weak), false, Judgement{OK: true}},
		{"no line, strict", result("4.2.1/key-missing", Server, Weak), true, Judgement{}},
		{"no line, fails", result("4.2.1/key-missing", Server, Failed), false, Judgement{}},
		{"no line, skipped", result("4.2.1/key-missing", Server, Skipped), true, Judgement{OK: true}},
	} {
		x, err := ParseExpectations("f", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, x.Judge(tt.r, tt.strict)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}

	x, err := ParseExpectations("f", strings.NewReader(text))
	if err != nil || x.Check(someCases) != nil {
		t.Fatal(err, x.Check(someCases))
	}
	if got := x.Stale(); len(got) > 0 {
		t.Errorf("stale before anything was judged: %q", got)
	}
	x.Judge(result("7.1/twice", Server, Passed), false)
	if got, want := x.Stale(), []string{"f:5: no case of 7.1/* is skipped any more; take the line out"}; !cmp.Equal(got, want) {
		t.Errorf("stale: %q, want %q", got, want)
	}
}

func TestExpectationErrors(t *testing.T) {
	for _, tt := range []struct{ line, names string }{
		{"5.5 failed", "no reason after a colon"},
		{"5.5 failed: ", "no reason after a colon"},
		{"5.5: why", "1 words before the colon"},
		{"5.5 server weak failed: why", "4 words before the colon"},
		{"5.5 sever failed: why", `the role "sever"`},
		{"5.5 broken: why", `the outcome "broken"`},
		{"5.5 failed|: why", `the outcome ""`},
	} {
		_, err := ParseExpectations("f", strings.NewReader("\n"+tt.line))
		if err == nil || !strings.HasPrefix(err.Error(), "f:2: ") || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%q: %v; want an error of f:2 with %q", tt.line, err, tt.names)
		}
	}
	x, err := ParseExpectations("f", strings.NewReader("4.2.1/key-missing client failed: x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Check(someCases); err == nil || !strings.Contains(err.Error(), "in the role of a client") {
		t.Errorf("a line about no case: %v", err)
	}
}
