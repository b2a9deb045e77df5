package report

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"framewright/autobahn/wsspec"

	"github.com/google/go-cmp/cmp"
)

// sample is a report with a case of every kind.
func sample(agent string, role wsspec.Role) *Report {
	r := &Report{Agent: agent, Role: role, Target: "ws://127.0.0.1:9/", Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Took: 1500 * time.Millisecond, Count: 20, Rerun: "autobahn -url ws://127.0.0.1:9/ -replay", NotRun: []string{"9.1.1"}}
	add := func(id string, o wsspec.Outcome, j wsspec.Judgement, change func(*wsspec.Result)) {
		res := wsspec.Result{Case: &wsspec.Case{ID: id, Chapter: "framing", Section: "6455 §5.2", Level: wsspec.Must, Title: "a <b> & \"c\"", Clause: "MUST be 0"},
			Role: role, Verdict: wsspec.Verdict{Outcome: o, Expected: "nothing", Actual: "100%\nof it: a, b"}, Took: time.Second}
		res.Wire = []wsspec.Record{
			{Note: "connected"},
			{At: time.Millisecond, Sent: true, Bytes: []byte("\x81\x02hi"), Size: 4},
			{At: 2 * time.Millisecond, Bytes: bytes.Repeat([]byte("x"), 300), Size: 4000},
		}
		if change != nil {
			change(&res)
		}
		r.Cases = append(r.Cases, NewCase(res, j))
	}
	add("1.1", wsspec.Passed, wsspec.Judgement{OK: true}, nil)
	add("1.2/x", wsspec.Failed, wsspec.Judgement{}, func(r *wsspec.Result) { r.Behavior, r.BehaviorClose = "FAILED", "UNCLEAN" })
	add("1.3", wsspec.Failed, wsspec.Judgement{OK: true, Known: true, Why: "issue 7"}, nil)
	add("1.4", wsspec.Skipped, wsspec.Judgement{OK: true}, nil)
	add("1.5", wsspec.Weak, wsspec.Judgement{OK: true}, nil)
	r.Summarize()
	return r
}

func TestSummary(t *testing.T) {
	if d := cmp.Diff(Summary{Passed: 3, Failed: 1, Skipped: 1, NotRun: 1}, sample("a", wsspec.Server).Summary); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := []*Report{sample("a", wsspec.Server), sample("b", wsspec.Client)}
	var b bytes.Buffer
	if err := WriteJSON(&b, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, bad := range []string{"", "[]", `{"reports": [null]}`, "<html>"} {
		if _, err := ReadJSON(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read as reports", bad)
		}
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, []*Report{sample("a", wsspec.Server)}); err != nil {
		t.Fatal(err)
	}
	var doc junitSuites
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatalf("%v:\n%s", err, &b)
	}
	if len(doc.Suites) != 2 {
		t.Fatalf("%d suites, want those of one chapter and of what did not run:\n%s", len(doc.Suites), &b)
	}
	s := doc.Suites[0]
	if s.Name != "a server framing" || s.Tests != 5 || s.Failures != 1 || s.Skipped != 2 || s.Time != "5.000" {
		t.Errorf("%+v", s)
	}
	f := s.Cases[1]
	if f.Failure == nil || f.Failure.Message != "100%\nof it: a, b" || f.Class != "a.server.framing" || f.Name != `1.2/x a <b> & "c"` {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{"clause:   MUST be 0", "expected: nothing", "rerun:    autobahn -url ws://127.0.0.1:9/ -replay 1.2/x", "> 4 bytes: 81026869", "< 4000 bytes: 7878", "-- connected"} {
		if !strings.Contains(f.Failure.Text, want) {
			t.Errorf("the failure lacks %q:\n%s", want, f.Failure.Text)
		}
	}
	if k := s.Cases[2]; k.Failure != nil || k.Skipped == nil || k.Skipped.Message != "failed, as expected: issue 7" {
		t.Errorf("a known failure: %+v", k)
	}
	if n := doc.Suites[1].Cases[0]; n.Name != "9.1.1" || n.Skipped == nil {
		t.Errorf("what did not run: %+v", n)
	}
}

func TestAnnotations(t *testing.T) {
	var b bytes.Buffer
	if err := WriteAnnotations(&b, []*Report{sample("a", wsspec.Server)}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	if !strings.HasPrefix(got, `::error title=1.2/x (server)%3A a <b> & "c"::outcome:  failed%0A`) ||
		!strings.Contains(got, "100%25%0A") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	many := sample("a", wsspec.Server)
	for range 40 {
		many.Cases = append(many.Cases, many.Cases[1])
	}
	b.Reset()
	WriteAnnotations(&b, []*Report{many})
	if n := strings.Count(b.String(), "::error "); n != maxAnnotations+1 || !strings.Contains(b.String(), "::11 more failures") {
		t.Errorf("%d annotations:\n%s", n, &b)
	}
}

func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHTML(&b, []*Report{sample("<script>", wsspec.Server), sample("b", wsspec.Client)}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		`id="c-1.2/x"`, "a &lt;b&gt; &amp; &#34;c&#34;", "&lt;script&gt;, server", "b, client",
		`class="failed bad">failed (FAILED / UNCLEAN)`, "failed, as known", "1 of 4",
		"<dt>expected</dt><dd>nothing</dd>", "100%\nof it", "-replay 1.2/x", "81 02 68 69", "..hi", "... 4000 bytes",
		generator,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "src=", "ZgotmplZ"} {
		if strings.Contains(got, never) {
			t.Errorf("the page has %q: it has to stand alone", never)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// Runs with other agents stay and become columns, an older run of the same is
// replaced, and what is not ours is left alone.
func TestAddToFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "reports")
	for _, agents := range [][]string{{"ours"}, {"Theirs & more"}, {"ours"}} {
		for _, a := range agents {
			if err := AddToFolder(dir, []*Report{sample(a, wsspec.Server), sample(a, wsspec.Client)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"index.html", "ours-client.wsspec.json", "ours-server.wsspec.json", "theirs___more-client.wsspec.json", "theirs___more-server.wsspec.json"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || !strings.Contains(string(b), "<th>Theirs &amp; more, server</th><th>ours, server</th><th>Theirs &amp; more, client</th><th>ours, client</th>") {
		t.Errorf("%v: no four columns in\n%.6000s", err, b)
	}

	foreign := t.TempDir()
	os.WriteFile(filepath.Join(foreign, "index.html"), []byte("my own page"), 0o644)
	if err := AddToFolder(foreign, []*Report{sample("a", wsspec.Server)}); err == nil || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("a foreign folder: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(foreign, "index.html")); string(b) != "my own page" {
		t.Errorf("it was overwritten: %q", b)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a/b-c": "a/b-c", "node x {url}": "'node x {url}'", "it's": `'it'\''s'`, "6.*": "'6.*'"} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
