package wstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary play wstest: with FAKE_WSTEST set it reads the
// spec like the real one and does what the variable says.
func TestMain(m *testing.M) {
	if how := os.Getenv("FAKE_WSTEST"); how != "" {
		os.Exit(fakeWstest(how, os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

func fakeWstest(how, specFile string) int {
	var s spec
	b, err := os.ReadFile(specFile)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		fmt.Println(err)
		return 3
	}
	ids := s.Cases
	if slices.Equal(ids, []string{"*"}) {
		ids = slices.DeleteFunc(allCases(), func(id string) bool { return slices.Contains(s.Exclude, id) })
	}
	rs := results{}
	for _, id := range ids {
		fmt.Printf("Running test case ID %s for agent %s from peer x\n", id, s.Servers[0].Agent)
		code := 1000
		r := result{Behavior: "OK", BehaviorClose: "OK", Duration: 1, RemoteCloseCode: &code,
			ReportFile: "agent_case_" + strings.ReplaceAll(id, ".", "_") + ".json"}
		switch {
		case how == "hang":
			signal.Ignore(syscall.SIGTERM)
			select {}
		case how == "die":
			fmt.Println("Traceback: it broke")
			return 1
		case how == "refused":
			fmt.Println("Connection to ws://127.0.0.1:1 failed (Connection was refused by other side.)")
			continue
		case how == "lose" && id == "1.1.2":
			continue
		}
		rs[id] = r
		os.WriteFile(filepath.Join(s.OutDir, r.ReportFile), []byte(`{"description": "Send\n  it.<br/>x", "resultClose": "not well.", "wasNotCleanReason": null, "wirelog": [["TO", [1, "00"], false], ["KLE"]]}`), 0o644)
	}
	index, _ := json.Marshal(map[string]results{s.Servers[0].Agent: rs})
	os.WriteFile(filepath.Join(s.OutDir, "index.json"), index, 0o644)
	return 0
}

// fakeRunner is a runner whose suite is this test binary.
func fakeRunner(t *testing.T, how, cases string, jobs int) (*runner, *bytes.Buffer) {
	t.Helper()
	t.Setenv("FAKE_WSTEST", how)
	ids, err := selectCases(cases, "")
	if err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	return &runner{
		ids: ids, jobs: jobs, out: t.TempDir(), agent: "agent", url: "ws://127.0.0.1:1",
		timeout: time.Minute, stall: time.Minute, stdout: &lockedBuffer{b: out},
		expect: expectations{},
		suite: suite{host: "127.0.0.1", argv: func(_, _, spec, _ string, _ int) []string {
			return []string{os.Args[0], spec}
		}},
	}, out
}

type lockedBuffer struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestRunMergesShards(t *testing.T) {
	for _, tt := range []struct {
		cases string
		want  int
	}{{"*", 517}, {"1.*,7.1.6", 17}} {
		t.Run(tt.cases, func(t *testing.T) {
			r, _ := fakeRunner(t, "ok", tt.cases, 3)
			o, err := r.run(t.Context(), roleServer)
			if err != nil {
				t.Fatal(err)
			}
			if o.passed != tt.want || len(o.differences) != 0 {
				t.Errorf("%d passed, differences %v; want %d and none", o.passed, o.differences, tt.want)
			}
			if got := o.cases["1.1.1"].Description; got != "Send it." {
				t.Errorf("1.1.1 is described as %q", got)
			}
			if got := o.cases["1.1.1"].explain(); !strings.HasPrefix(got, "not well; the suite's timer ran out") {
				t.Errorf("1.1.1 is explained by %q", got)
			}
			index, err := readIndex(filepath.Join(r.out, "server", "index.json"))
			if err != nil || len(index["agent"]) != tt.want {
				t.Errorf("merged index: %d cases, %v; want %d", len(index["agent"]), err, tt.want)
			}
			// A second run replaces the first.
			if _, err := r.run(t.Context(), roleServer); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRunTellsWhatIsMissing(t *testing.T) {
	r, out := fakeRunner(t, "lose", "1.*", 1)
	o, err := r.run(t.Context(), roleServer)
	if err != nil {
		t.Fatal(err)
	}
	if o.passed != 15 || len(o.differences) != 1 {
		t.Fatalf("%d passed, %d differences; want 15 and 1", o.passed, len(o.differences))
	}
	o.tell(out)
	if want := "server: the suite reported no result of 1 cases: 1.1.2\n"; !strings.Contains(out.String(), want) {
		t.Errorf("output lacks %q:\n%s", want, out)
	}
}

func TestRunSurvivesASuiteThatDies(t *testing.T) {
	r, out := fakeRunner(t, "die", "1.*", 2)
	o, err := r.run(t.Context(), roleServer)
	if err != nil {
		t.Fatal(err)
	}
	if o.passed != 0 || len(o.differences) != 16 {
		t.Errorf("%d passed, %d differences; want 0 and 16", o.passed, len(o.differences))
	}
	for _, want := range []string{"exit status 1", "Traceback: it broke", "wstest-2.log"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestRunTellsThatTheServerIsGone(t *testing.T) {
	r, out := fakeRunner(t, "refused", "1.*", 1)
	if _, err := r.run(t.Context(), roleServer); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "Connection was refused by other side"); n != 1 {
		t.Errorf("told %d times that the connection was refused, want once:\n%s", n, out)
	}
}

// A suite that hangs and does not heed SIGTERM is given up and killed.
func TestRunGivesUpOnAHang(t *testing.T) {
	for _, tt := range []struct{ flag, says string }{
		{"-stall", "(-stall), last case begun: 1.1.1"},
		{"-timeout", "(-timeout)"},
		{"an interrupt", "context canceled"},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			t.Parallel()
			r, out := fakeRunnerHang(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch tt.flag {
			case "-stall":
				r.stall = 5 * time.Second // within which the suite must begin, on a busy machine too
			case "-timeout":
				r.timeout = 300 * time.Millisecond
			default:
				time.AfterFunc(300*time.Millisecond, cancel)
			}
			o, err := r.run(ctx, roleServer)
			if err != nil {
				t.Fatal(err)
			}
			if len(o.differences) != 16 || !strings.Contains(out.String(), tt.says) {
				t.Errorf("%d differences, want 16; output should say %q:\n%s", len(o.differences), tt.says, out)
			}
		})
	}
}

// fakeRunnerHang is fakeRunner for parallel tests, which cannot set variables.
func fakeRunnerHang(t *testing.T) (*runner, *bytes.Buffer) {
	ids, err := selectCases("1.*", "")
	if err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	return &runner{
		ids: ids, jobs: 1, out: t.TempDir(), agent: "agent", url: "ws://127.0.0.1:1",
		timeout: time.Minute, stall: time.Minute, stdout: &lockedBuffer{b: out}, expect: expectations{},
		suite: suite{host: "127.0.0.1", argv: func(_, _, spec, _ string, _ int) []string {
			return []string{"env", "FAKE_WSTEST=hang", os.Args[0], spec}
		}},
	}, out
}

func TestReportDirLeavesOtherFilesAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "server")
	if err := makeReportDir(dir); err != nil {
		t.Fatal(err)
	}
	if err := makeReportDir(dir); err != nil {
		t.Errorf("over its own reports: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, reportMarker)); err != nil {
		t.Fatal(err)
	}
	thesis := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(thesis, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := makeReportDir(dir); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Errorf("error %v; want one that names -out", err)
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}

func TestTableAndIndex(t *testing.T) {
	ids := []string{"1.1.1", "1.1.2", "1.1.3", "1.1.5", "6.4.1", "12.1.1"}
	o := &outcome{dir: "reports/server", testees: []string{"framewright"}, results: sample(t), cases: map[string]caseReport{"1.1.1": {Description: "Send <b>."}}}
	delete(o.results, "99.1.1")
	o.verdict = judge(roleServer, ids, o.results, builtin(t))
	o.differences = slices.DeleteFunc(o.differences, func(d difference) bool { return d.want == "no such case" })
	var b strings.Builder
	o.table(&b, ids)
	var got [][]string
	for line := range strings.Lines(strings.TrimSpace(b.String())) {
		f := strings.Fields(line)
		got = append(got, f[max(0, len(f)-8):])
	}
	got = got[1:] // the head
	want := [][]string{
		{"2", ".", ".", ".", "1", "1", "1", "3"},
		{".", "1", ".", ".", ".", ".", ".", "1"},
		{".", ".", ".", "1", ".", ".", ".", "1"},
		{"2", "1", ".", "1", "1", "1", "1", "5"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("table (-want +got):\n%s\n%s", d, b.String())
	}
	name, err := writeIndex(t.TempDir(), ids, []*outcome{o}, "a suite")
	if err != nil {
		t.Fatal(err)
	}
	html, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Send &lt;b&gt;.", `href="server/framewright_case_6_4_1.html"`, "no result", "want OK / OK"} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the HTML index lacks %q", want)
		}
	}
}

func TestSplitCoversEveryCaseOnce(t *testing.T) {
	for _, n := range []int{1, 2, 5, 64} {
		var all []string
		shards := split(allCases(), n)
		if len(shards) != n {
			t.Errorf("%d shards, want %d", len(shards), n)
		}
		for _, sh := range shards {
			all = append(all, sh.ids...)
		}
		slices.SortFunc(all, compareIDs)
		if d := cmp.Diff(allCases(), all); d != "" {
			t.Errorf("%d shards (-want +got):\n%s", n, d)
		}
	}
	if got := len(split([]string{"1.1.1"}, 4)); got != 1 {
		t.Errorf("one case in %d shards", got)
	}
}

func TestSpecs(t *testing.T) {
	// Some cases: by name, since wstest reads 9.1* as a prefix.
	b, err := clientSpec(shard{number: 1, ids: []string{"9.1.1", "9.1.2"}}, "shard-1", "me", "ws://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "outdir": "shard-1",
  "servers": [
    {
      "agent": "me",
      "url": "ws://127.0.0.1:9"
    }
  ],
  "cases": [
    "9.1.1",
    "9.1.2"
  ],
  "exclude-cases": [],
  "exclude-agent-cases": {},
  "options": {}
}`
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Errorf("spec (-want +got):\n%s", d)
	}
	// All cases: everything but the other shards', so that unknown ones run.
	for _, sh := range split(allCases(), 2) {
		b, err := serverSpec(sh, "shard-1", 9001)
		var s spec
		if err == nil {
			err = json.Unmarshal(b, &s)
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.URL != "ws://127.0.0.1:9001" || !slices.Equal(s.Cases, []string{"*"}) || len(s.Exclude)+len(sh.ids) != 517 {
			t.Errorf("shard %d: url %s, cases %v, %d excluded of its %d", sh.number, s.URL, s.Cases, len(s.Exclude), len(sh.ids))
		}
	}
}

func TestWatchReadsSplitLines(t *testing.T) {
	var began []string
	updates := 0
	w := &watch{began: func(id string) { began = append(began, id) }, updated: func() { updates++ }}
	text := "Using Twisted\nRunning test case ID 1.1.1 for agent x from peer y\n" + strings.Repeat("x", 3*maxLine) +
		"\nRunning test case ID 6.22.34 for agent x from peer y\nReport generation complete.\n"
	for i := range len(text) {
		w.Write([]byte(text[i : i+1]))
	}
	if d := cmp.Diff([]string{"1.1.1", "6.22.34"}, began); d != "" || updates != 1 {
		t.Errorf("began (-want +got):\n%s%d updates, want 1", d, updates)
	}
}
