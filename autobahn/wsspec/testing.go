package wsspec

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestOptions are for [Run] and [RunClient]. The zero value plays all cases.
type TestOptions struct {
	Settings
	TLS    *tls.Config   // for a wss: URL
	Cases  []*Case       // nil: all; see Select
	Known  *Expectations // exceptions; nil: none
	Strict bool          // a SHOULD that is not kept is a failure
}

// Run plays the cases with the server at a ws: or wss: URL, each as a subtest named
// by its chapter and id, so that
//
//	go test -run 'TestConformance/autobahn/6.4.1'
//
// runs one. The server has to send every message back, and to take messages of 16 MiB
// for all cases to pass. What the server does not have, such as an extension, is
// skipped; so is what o.Known has as an exception. A server that cannot be tested at
// all fails t with one sentence. o may be nil.
//
//	func TestConformance(t *testing.T) {
//		s := httptest.NewServer(http.HandlerFunc(echo))
//		defer s.Close()
//		wsspec.Run(t, "ws"+strings.TrimPrefix(s.URL, "http"), nil)
//	}
func Run(t *testing.T, url string, o *TestOptions) {
	t.Helper()
	if o == nil {
		o = &TestOptions{}
	}
	st, err := NewServerTest(url, o.Settings, o.TLS)
	if err != nil {
		t.Fatal(err)
	}
	o.run(t, Server, st)
}

// RunClient is Run for a client: dial is called once for each case, on a goroutine of
// its own. It has to connect to the ws: URL, send every message back until the
// connection ends, and return; its error is only shown.
func RunClient(t *testing.T, dial func(ctx context.Context, url string) error, o *TestOptions) {
	t.Helper()
	if o == nil {
		o = &TestOptions{}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ct := NewClientTest(ctx, l, o.Settings, func(ctx context.Context, url string, _ io.Writer) error { return dial(ctx, url) })
	defer func() {
		cancel()
		<-ct.done
	}()
	o.run(t, Client, ct)
}

func (o *TestOptions) run(t *testing.T, role Role, p Player) {
	t.Helper()
	if err := p.Preflight(t.Context()); err != nil {
		t.Fatalf("cannot be tested: %v", err)
	}
	cases := o.Cases
	if cases == nil {
		cases = Cases()
	}
	for len(cases) > 0 {
		n := 1
		for n < len(cases) && cases[n].Chapter == cases[0].Chapter {
			n++
		}
		of := cases[:n]
		cases = cases[n:]
		t.Run(of[0].Chapter, func(t *testing.T) { // ends when its parallel subtests have
			for _, c := range of {
				if c.Roles.Has(role) {
					t.Run(c.ID, func(t *testing.T) { o.one(t, p, c) })
				}
			}
		})
	}
}

func (o *TestOptions) one(t *testing.T, p Player, c *Case) {
	if c.phase() == 0 {
		t.Parallel()
	}
	r := p.Play(t.Context(), c)
	known := o.Known
	if known == nil {
		known = &Expectations{}
	}
	j := known.Judge(r, o.Strict)
	switch {
	case !j.OK:
		t.Error(r.story(j))
	case r.Outcome == Skipped:
		t.Skip(r.Actual)
	case j.Known && r.Outcome != Passed:
		t.Skipf("%s, as is known: %s", r.Outcome, j.Why)
	case r.Outcome != Passed:
		t.Log(r.story(j))
	}
}

// maxStory is how many records of the wire a test's message has.
const maxStory = 60

// story is all that there is to say of a result.
func (r Result) story(j Judgement) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name, strings.ReplaceAll(value, "\n", "\n          "))
		}
	}
	fmt.Fprintln(&b, r.Case.Title)
	line("outcome", string(r.Outcome))
	line("rule", strings.TrimSpace(string(r.Case.Level)+" "+r.Case.Section))
	line("clause", r.Case.Clause)
	line("why", r.Case.Why)
	line("expected", r.Expected)
	line("actual", r.Actual)
	line("known", j.Why)
	line("output", r.Output)
	for _, w := range r.Wire[:min(len(r.Wire), maxStory)] {
		fmt.Fprintf(&b, "%8.1f ms  %s\n", float64(w.At.Microseconds())/1000, w)
	}
	return b.String()
}
