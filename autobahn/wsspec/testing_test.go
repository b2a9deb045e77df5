package wsspec

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"framewright/ws/wsnet"
)

// Our server and our client, tested as anybody would test theirs.
func TestRun(t *testing.T) {
	cases, err := Select(Cases(), "1.1.*,2.*,5.*")
	if err != nil {
		t.Fatal(err)
	}
	o := &TestOptions{Cases: cases, Strict: true}
	t.Run("server", func(t *testing.T) { Run(t, echoServer(t), o) })
	t.Run("client", func(t *testing.T) {
		RunClient(t, func(ctx context.Context, url string) error { return echoClient(ctx, url, nil) }, o)
	})
}

// What a failing test says is looked at in a process of its own, in which this test
// fails on purpose.
func TestRunTells(t *testing.T) {
	if os.Getenv("WSSPEC_FAILS") != "" {
		failing(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunTells$", "-test.v")
	cmd.Env = append(os.Environ(), "WSSPEC_FAILS=1")
	b, err := cmd.CombinedOutput()
	out := string(b)
	if err == nil {
		t.Error("it passes")
	}
	for _, want := range []string{
		"--- FAIL: TestRunTells/cases/one/fails", "--- SKIP: TestRunTells/cases/one/skipped", "--- SKIP: TestRunTells/cases/two/known", "--- PASS: TestRunTells/cases/two/weak",
		"rule      MUST 6455 §5.2", "clause    MUST be 0", "actual    all of it", "> 2 bytes: 8900", "no such extension", "failed, as is known: issue 7",
		"cannot be tested: nobody listens at 127.0.0.1:1",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(out, "client") {
		t.Error("a case for the other role was played")
	}
	if t.Failed() {
		t.Log(out)
	}
}

func failing(t *testing.T) {
	come := func(v Verdict) func(*Dialogue) Verdict {
		return func(d *Dialogue) Verdict {
			d.Open()
			d.Write([]byte{0x89, 0})
			return v
		}
	}
	known, err := ParseExpectations("f", strings.NewReader("known server failed: issue 7"))
	if err != nil {
		t.Fatal(err)
	}
	o := &TestOptions{Known: known, Cases: []*Case{
		{ID: "fails", Chapter: "one", Roles: Both, Level: Must, Section: "6455 §5.2", Clause: "MUST be 0", Play: come(Fail("nothing", "all of it"))},
		{ID: "skipped", Chapter: "one", Roles: Both, Play: come(Skip("no such extension"))},
		{ID: "client", Chapter: "one", Roles: ClientOnly, Play: come(Fail("", "never"))},
		{ID: "known", Chapter: "two", Roles: Both, Play: come(Fail("", "never"))},
		{ID: "weak", Chapter: "two", Roles: Both, Play: come(Verdict{Outcome: Weak})},
	}}
	s := httptest.NewServer(wsnet.Handler(echo))
	defer s.Close()
	t.Run("cases", func(t *testing.T) { Run(t, "ws"+strings.TrimPrefix(s.URL, "http"), o) })
	t.Run("nobody", func(t *testing.T) { Run(t, "ws://127.0.0.1:1", o) })
}
