package wsspec

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"framewright/autobahn/internal/testee"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// A client that speaks Autobahn's protocol asks for every case, hears how many there
// are and what one came to, and ends the run.
func TestServeClients(t *testing.T) {
	wstest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	weak := *hello
	weak.ID, weak.Level = "weak", Info
	weak.Play = func(d *Dialogue) Verdict { d.Open(); return Verdict{Outcome: Weak} }
	base := "ws://" + l.Addr().String()
	clientEnded := make(chan error, 1)
	go func() { clientEnded <- (testee.Client{Base: base, Agent: "a b", Log: io.Discard}).Run(t.Context()) }()
	got := map[string]Outcome{}
	for r := range ServeClients(t.Context(), l, []*Case{hello, &weak}, Settings{}) {
		if r.Agent != "a b" || r.Role != Client {
			t.Errorf("%s: of the agent %q as a %s", r.Case.ID, r.Agent, r.Role)
		}
		got[r.Case.ID] = r.Outcome
	}
	if d := cmp.Diff(map[string]Outcome{"hello": Passed, "weak": Weak}, got); d != "" {
		t.Errorf("results (-want +got):\n%s", d)
	}
	if err := <-clientEnded; err != nil {
		t.Errorf("the client: %v", err)
	}
}

// The suite's own answers are WebSocket connections; what is asked wrongly is refused
// in words.
func TestFuzzingServerAnswers(t *testing.T) {
	wstest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range ServeClients(t.Context(), l, []*Case{hello}, Settings{}) {
		}
	}()
	for _, tt := range []struct{ path, want string }{
		{"/getCaseCount", "1"},
		{"/getCaseInfo?case=1", `{"description":"","id":"hello"}`},
		{"/getCaseInfo?casetuple=hello", `{"description":"","id":"hello"}`},
		{"/getCaseStatus?case=1&agent=x", `{"behavior":"UNKNOWN"}`},
		{"/updateReports?agent=x", ""},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		p := wstest.NewPeer(t, conn)
		key := "dGhlIHNhbXBsZSBub25jZQ=="
		p.SendBytes(Lines([]string{"GET " + tt.path + " HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
			"Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13"}))
		if h := parseHead(p.ReadHead("the answer to " + tt.path)); checkAnswer(h, key) != nil {
			t.Fatalf("%s: %v", tt.path, checkAnswer(h, key))
		}
		if tt.want != "" {
			p.WantFrame(tt.path, wstest.Text(tt.want))
		}
		p.WantClose("the end", 1000, "")
		conn.Close()
	}
	for _, tt := range []struct{ path, want string }{
		{"/runCase?case=2", "404 want case=N with N from 1 to 1, or casetuple=ID\n"},
		{"/runCase", "404 want case=N with N from 1 to 1, or casetuple=ID\n"},
		{"/", "404 want /getCaseCount, "},
	} {
		resp, err := http.Get("http://" + l.Addr().String() + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := resp.Status[:4] + string(b); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
		}
	}
	resp, err := http.Get("http://" + l.Addr().String() + "/stopServer")
	if err == nil {
		resp.Body.Close()
	}
	<-done
}
