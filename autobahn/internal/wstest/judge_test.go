package wstest

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func builtin(t *testing.T) expectations {
	t.Helper()
	x, err := parseExpectations("expectations.txt", strings.NewReader(builtinExpectations))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func sample(t *testing.T) results {
	t.Helper()
	f, err := os.Open("testdata/index.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	index, err := parseIndex("testdata/index.json", f)
	if err != nil {
		t.Fatal(err)
	}
	return index["framewright"]
}

// The sample holds one case of every kind of difference, and of none.
func TestJudgeTellsEveryDifference(t *testing.T) {
	const x = `
7.1.6  both INFORMATIONAL INFORMATIONAL The suite passes no judgement.
7.13.1 both INFORMATIONAL INFORMATIONAL The suite passes no judgement.
12.*   both UNIMPLEMENTED OK Not negotiated yet.
`
	exp, err := parseExpectations("x", strings.NewReader(x))
	if err != nil {
		t.Fatal(err)
	}
	selected := []string{"1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.1.5", "6.4.1", "7.1.6", "7.13.1", "12.1.1", "12.1.2"}
	v := judge(roleServer, selected, sample(t), exp)
	if v.passed != 3 { // 1.1.1, 7.1.6, 12.1.1
		t.Errorf("%d passed, want 3", v.passed)
	}
	var got []string
	for _, d := range v.differences {
		got = append(got, d.id+": "+d.want+" -> "+d.got)
	}
	want := []string{
		"1.1.2: OK / OK -> FAILED / OK (close code 1000)",
		"1.1.3: OK / OK -> OK / FAILED BY CLIENT (close code 1000)",
		"1.1.4: OK / OK -> OK / WRONG CODE (close code 1002)",
		"1.1.5: OK / OK -> no result",
		"6.4.1: OK / OK -> NON-STRICT / OK (close code 1007)",
		"7.13.1: INFORMATIONAL / INFORMATIONAL -> INFORMATIONAL / INFORMATIONAL, opening handshake never done",
		"12.1.2: UNIMPLEMENTED / OK -> OK / OK (close code 1000)",
		"99.1.1: no such case -> OK / OK",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	if why := v.differences[6].why; !strings.Contains(why, "line 4") {
		t.Errorf("the surprise pass says %q; want the line of the exception", why)
	}
}

// Somebody else's testee may be ahead of ours, but not behind.
func TestJudgeOthers(t *testing.T) {
	v := judge(roleServer, []string{"1.1.2", "7.1.6", "12.1.1", "12.1.2"}, results{
		"1.1.2":  {Behavior: "UNIMPLEMENTED", BehaviorClose: "OK"},
		"7.1.6":  {Behavior: "INFORMATIONAL", BehaviorClose: "INFORMATIONAL"},
		"12.1.1": {Behavior: "OK", BehaviorClose: "OK"},
		"12.1.2": {Behavior: "FAILED", BehaviorClose: "OK"},
	}, builtin(t).forOthers())
	var got []string
	for _, d := range v.differences {
		got = append(got, d.id)
	}
	if d := cmp.Diff([]string{"1.1.2", "12.1.2"}, got); d != "" || v.passed != 2 {
		t.Errorf("%d passed, want 2; differences (-want +got):\n%s", v.passed, d)
	}
}

func TestParseIndexRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty file":     "",
		"cut":            `{"a": {"1.1.1": {"behavior": "OK"`,
		"a list":         `[]`,
		"no behavior":    `{"a": {"1.1.1": {"behaviorClose": "OK"}}}`,
		"no close":       `{"a": {"1.1.1": {"behavior": "OK"}}}`,
		"a wrong number": `{"a": {"1.1.1": {"behavior": 1}}}`,
	} {
		if _, err := parseIndex("index.json", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "index.json") {
			t.Errorf("%s: error %v; want one that names the file", name, err)
		}
	}
}

// The file that ships must say what the project claims: these exceptions, and
// 6.4.* not among them.
func TestBuiltinExpectations(t *testing.T) {
	x := builtin(t)
	for _, r := range []role{roleServer, roleClient} {
		informational := []string{}
		for _, id := range allCases() {
			e := x.of(r, id)
			switch {
			case e.why == "":
			case group(id) == "12" || group(id) == "13":
			default:
				informational = append(informational, id)
			}
			if e.why == "" && e.String() != "OK / OK" {
				t.Errorf("%s %s: %v without a reason", r, id, e)
			}
		}
		if d := cmp.Diff([]string{"7.1.6", "7.13.1", "7.13.2"}, informational); d != "" {
			t.Errorf("exceptions of %s outside 12 and 13 (-want +got):\n%s", r, d)
		}
	}
}

func TestExpectationsAlternatives(t *testing.T) {
	x, err := parseExpectations("x", strings.NewReader("1.1.* client OK|FAILED FAILED_BY_CLIENT|WRONG_CODE A sentence about it."))
	if err != nil {
		t.Fatal(err)
	}
	if got := x.of(roleClient, "1.1.3").String(); got != "OK|FAILED / FAILED BY CLIENT|WRONG CODE" {
		t.Errorf("1.1.3 as client: %s", got)
	}
	if got := x.of(roleServer, "1.1.3").String(); got != "OK / OK" {
		t.Errorf("1.1.3 as server: %s, but the line is for clients", got)
	}
}

func TestExpectationsRefuse(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{"1.1.1 both FAILED", "3 columns"},
		{"1.1.1 both FAILED OK", "4 columns"},
		{"1.1.1 both FAILED OK broken", "want a sentence"},
		{"1.1.1 both FAILED OK it is just broken", "full stop"},
		{"1.1.1 peer FAILED OK It is just broken.", `role "peer"`},
		{"1.1.1 both BAD OK It is just broken.", `behavior "BAD"`},
		{"1.1.1 both FAILED | It is just broken.", `behavior ""`},
		{"8.1.1 both FAILED OK It is just broken.", "matches none"},
		{"1.1.1 both OK OK It is just fine.", "take the line out"},
		{"1.1.1 both FAILED OK It is just broken.\n\n1.1.* client FAILED OK It is just broken.", "x:3: case 1.1.1 as client is already named on line 1"},
		{strings.Repeat("1", 70<<10), "x:1: "},
	} {
		_, err := parseExpectations("x", strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "x:") {
			t.Errorf("%.60q: error %v; want one that names the line and says %q", tt.text, err, tt.says)
		}
	}
}

func TestFlagsRefuse(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"-role peer", `"peer"`},
		{"-url http://x", "ws://"},
		{"-url ws://", "ws://"},
		{"-url ws://a:1 -wait", "one of them"},
		{"-url ws://a:1 -role client", "-role client"},
		{"-wait -role server", "-role server"},
		{"-jobs 0", "1 to 64"},
		{"-stall 1s", "at least 10s"},
		{"-out=", "-out is empty"},
		{"extra", `"extra"`},
	} {
		_, err := parseFlags(strings.Fields(tt.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v; want one that says %q", tt.args, err, tt.says)
		}
	}
}
