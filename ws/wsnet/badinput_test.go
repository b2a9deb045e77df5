package wsnet_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Hostile input has a numbered list: what a peer may do, and what it gets for
// it. These tests are that list. A row runs three ways where that makes
// sense, over TCP and over TLS:
//
//	whole  its bytes in one write, with nothing behind them: the verdict must
//	       not wait for more
//	bytes  one byte at a time, between a good message and one that comes too
//	       late; over a pipe in a synctest bubble, too, where every byte is
//	       sure to arrive alone
//	glued  the opening handshake, a good message, the row and one that comes
//	       too late, all in one write
//
// Beside the code or status each holds that the application saw the good
// message and nothing else, which rule was broken, and that nothing of the
// connection runs on.

// A badRow is one test of a row of the list.
type badRow struct {
	row    int
	name   string // what the peer does
	test   func(t *testing.T, n *badNet)
	serial bool // measures memory: nothing else may run
}

// badRows returns all tests of all rows.
func badRows() []badRow {
	var rows []badRow
	for _, r := range slices.Concat(badRequests(), badOrigins()) {
		rows = append(rows, badRow{row: r.row, name: r.name, test: r.test})
	}
	for _, r := range badAnswers() {
		rows = append(rows, badRow{row: 23, name: r.name, test: r.test})
	}
	for _, r := range slices.Concat(badFrameRows(), badDeflateRows()) {
		rows = append(rows, badRow{row: r.row, name: r.name, test: r.test})
	}
	rows = append(rows, badServerRows...)
	rows = append(rows, badClientRows...)
	rows = append(rows, badCloseRows...)
	rows = append(rows, badTimeRows...)
	rows = append(rows, badCutRows...)
	rows = append(rows, badCostRows...)
	rows = append(rows, badDeflateCostRows...)
	slices.SortStableFunc(rows, func(a, b badRow) int { return cmp.Compare(a.row, b.row) })
	return rows
}

func TestBadInput(t *testing.T) {
	wstest.CheckLeaks(t)
	n := newBadNet(t)
	for _, r := range badRows() {
		t.Run(fmt.Sprintf("row %d: %s", r.row, r.name), func(t *testing.T) {
			if !r.serial {
				t.Parallel()
			}
			r.test(t, n)
		})
	}
}

// Nobody drops a row silently.
func TestBadInputHasEveryRow(t *testing.T) {
	tests := map[int]int{}
	names := map[string]bool{}
	for _, r := range badRows() {
		tests[r.row]++
		name := fmt.Sprintf("row %d: %s", r.row, r.name)
		if names[name] || r.name == "" {
			t.Errorf("%s: two tests of this name, or none", name)
		}
		names[name] = true
	}
	want := []int{67, 68, 69, 73}
	for row := range 66 {
		want = append(want, row+1)
	}
	for _, row := range want {
		if tests[row] == 0 {
			t.Errorf("row %d has no test", row)
		}
	}
	t.Logf("%d tests of %d rows", len(names), len(tests))
}

// badOption is the option that moves the limit behind a rule. An error about
// the rule has to name it.
var badOption = map[ws.RuleID]string{
	ws.RuleMessageSize:   "MaxMessage",
	ws.RuleFragments:     "MaxFragments",
	ws.RuleMessageTime:   "MessageTimeout",
	ws.RulePingRate:      "PingRate",
	ws.RulePongRate:      "PingRate",
	ws.RuleEmptyRate:     "EmptyRate",
	ws.RuleInflateRate:   "InflateRate",
	ws.RuleHeaderSize:    "MaxHeaderBytes",
	ws.RuleHeaderCount:   "MaxHeaders",
	ws.RuleOrigin:        "OriginPatterns",
	ws.RuleOriginMissing: "RequireOrigin",
	ws.RuleHostAllowed:   "Hosts",
	ws.RulePerAddress:    "MaxPerAddress",
}

// The ways to send.
const (
	badWhole = "whole"
	badBytes = "bytes"
	badGlued = "glued"
)

// badSend sends b one byte at a time, or in so many pieces if it is long.
func badSend(p *wstest.Peer, b []byte) {
	const pieces = 1200
	if len(b) <= 2*pieces {
		p.SendBytesSlowly(b)
		return
	}
	for piece := range slices.Chunk(b, len(b)/pieces) {
		p.SendBytes(piece)
	}
}

// A badApp is the application: it notes what it gets to see.
type badApp struct {
	opts  *wsnet.ServerOptions
	how   string // it reads in another manner for each way
	calls atomic.Int32

	// Valid once done is closed, which is when nothing of the connection runs
	// any more.
	got  []string
	err  error
	conn *wsnet.Conn
	done chan struct{}
}

// newBadApp returns one for either role.
func newBadApp(o *wsnet.Options, how string) *badApp {
	if o == nil {
		o = &wsnet.Options{}
	}
	return newBadServer(&wsnet.ServerOptions{Options: *o}, how)
}

// newBadServer returns one with what only a server has.
func newBadServer(o *wsnet.ServerOptions, how string) *badApp {
	if o == nil {
		o = &wsnet.ServerOptions{}
	}
	if o.Hosts == nil { // the rows ask for example.com, and at a loopback address
		copied := *o
		o = &copied
		o.Hosts = []string{"*"}
	}
	return &badApp{opts: o, how: how, done: make(chan struct{})}
}

// client returns a's options for a client.
func (a *badApp) client() *wsnet.DialOptions { return &wsnet.DialOptions{Options: a.opts.Options} }

func (a *badApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/plain" {
		io.WriteString(w, "plain")
		return
	}
	if a.calls.Add(1) > 1 {
		http.Error(w, "called twice", http.StatusInternalServerError)
		return
	}
	c, err := wsnet.Accept(w, r, a.opts)
	a.serve(c, err)
}

// serve reads c to its end and waits until it is gone.
func (a *badApp) serve(c *wsnet.Conn, err error) {
	defer close(a.done)
	if err != nil {
		a.err = err
		return
	}
	a.conn = c
	a.err = a.read(c)
	c.Close(context.Background(), ws.CodeNormal, "")
}

func (a *badApp) read(c *wsnet.Conn) error {
	ctx := c.Context()
	switch a.how {
	case badWhole:
		for {
			_, p, err := c.Read(ctx)
			if err != nil {
				return err
			}
			a.got = append(a.got, string(p))
		}
	case badBytes:
		for {
			_, r, err := c.Reader(ctx)
			if err != nil {
				return err
			}
			p, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			a.got = append(a.got, string(p))
		}
	default:
		for m, err := range c.Messages(ctx) {
			if err != nil {
				return err
			}
			a.got = append(a.got, string(m.Data))
		}
		return errors.New("Messages ended without an error")
	}
}

// wait waits for the end and holds what the application got.
func (a *badApp) wait(t *testing.T, want ...string) {
	t.Helper()
	if !wstest.Await(a.done, 30*time.Second) {
		t.Fatal("the endpoint hangs")
	}
	if !slices.Equal(a.got, want) {
		t.Errorf("the application got %.200q, want %.200q", a.got, want)
	}
}

// wantFailed wants the connection failed for a rule.
func (a *badApp) wantFailed(t *testing.T, code ws.Code, rule ws.RuleID) {
	t.Helper()
	e := a.wantClosed(t, code, false)
	pe, ok := errors.AsType[*ws.ProtocolError](a.err)
	if !ok {
		t.Fatalf("got %v, want a *ProtocolError in it", a.err)
	}
	if pe.Rule != rule || pe.Code != code {
		t.Errorf("got rule %s, code %v; want %s, %v", pe.Rule, pe.Code, rule, code)
	}
	if text := e.Error(); !strings.Contains(text, rule.Rule().Section) || !strings.Contains(text, badOption[rule]) {
		t.Errorf("%q does not name %s and the option %q", text, rule.Rule().Section, badOption[rule])
	}
}

// wantClosed wants one and the same reason everywhere.
func (a *badApp) wantClosed(t *testing.T, code ws.Code, remote bool) *ws.CloseError {
	t.Helper()
	e, ok := errors.AsType[*ws.CloseError](a.err)
	if !ok {
		t.Fatalf("got %v, want a *CloseError", a.err)
	}
	if e.Code != code || e.Remote != remote {
		t.Errorf("got code %v, remote %v; want %v, %v (%v)", e.Code, e.Remote, code, remote, a.err)
	}
	if a.conn.Err() != error(e) || context.Cause(a.conn.Context()) != error(e) {
		t.Errorf("Err %v and the context's cause %v are not what the reader got: %v", a.conn.Err(), context.Cause(a.conn.Context()), e)
	}
	return e
}

// A badNet is the loopback with a server behind TCP and one behind TLS, which
// all rows share.
type badNet struct {
	servers map[string]*httptest.Server // by transport
	trust   *tls.Config                 // a client's
	apps    sync.Map                    // addresses of the raw client and of the server → *badApp; two clients of two servers may have one port
}

func newBadNet(t *testing.T) *badNet {
	n := &badNet{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app, ok := n.apps.Load([2]string{r.RemoteAddr, r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()})
		if !ok {
			panic("no application for " + r.RemoteAddr)
		}
		app.(*badApp).ServeHTTP(w, r)
	})
	plain, secure := httptest.NewUnstartedServer(handler), httptest.NewUnstartedServer(handler)
	plain.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.Config.ErrorLog = plain.Config.ErrorLog
	plain.Start()
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	n.servers = map[string]*httptest.Server{"tcp": plain, "tls": secure}
	n.trust = secure.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	n.trust.NextProtos = nil
	n.trust.ServerName = "example.com" // httptest's certificate has it
	n.trust.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return n
}

// dial returns a raw connection to the server over transport, on which app
// answers.
func (n *badNet) dial(t *testing.T, transport string, app *badApp) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", n.servers[transport].Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	n.apps.Store([2]string{conn.LocalAddr().String(), conn.RemoteAddr().String()}, app)
	if transport == "tls" {
		conn = tls.Client(conn, n.trust)
	}
	return conn
}

// accept returns a raw connection to a client, ours, that runs app. It uses
// Dial or NewClient.
func (n *badNet) accept(t *testing.T, transport string, useDial bool, app *badApp) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { app.serve(n.client(t.Context(), transport, l.Addr().String(), useDial, app.client())) }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if transport == "tls" {
		conn = tls.Server(conn, n.servers["tls"].TLS)
	}
	return conn
}

func (n *badNet) client(ctx context.Context, transport, addr string, useDial bool, o *wsnet.DialOptions) (*wsnet.Conn, error) {
	url := map[string]string{"tcp": "ws", "tls": "wss"}[transport] + "://" + addr + "/"
	if useDial {
		own := *o
		own.HTTPClient = &http.Client{
			Transport:     &http.Transport{TLSClientConfig: n.trust, DisableKeepAlives: true, MaxResponseHeaderBytes: 1 << 20},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		return wsnet.Dial(ctx, url, &own)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if transport == "tls" {
		conn = tls.Client(conn, n.trust)
	}
	return wsnet.NewClient(ctx, conn, url, o)
}

// open gives the raw peer of an endpoint in the given role over transport. The
// opening handshake is done, and glued is behind the peer's half of it, in
// the same write.
func (n *badNet) open(t *testing.T, role ws.Role, transport string, app *badApp, glued []byte) *wstest.Peer {
	t.Helper()
	switch {
	case transport == "pipe":
		ours, theirs := wstest.Pipe()
		go func() { app.serve(badConn(ours, role, &app.opts.Options), nil) }()
		p := wstest.NewPeer(t, theirs)
		p.SendBytes(glued)
		return p
	case role == ws.RoleServer:
		p := wstest.NewPeer(t, n.dial(t, transport, app))
		p.SendBytes(append(wstest.Request("/", "server.test", badOffer(&app.opts.Options)...), glued...))
		if head := p.ReadHead("the opening handshake"); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
			t.Fatalf("got %q, want a 101", head)
		}
		return p
	default:
		p := wstest.NewPeer(t, n.accept(t, transport, app.how != badWhole, app))
		head := p.ReadHead("the opening handshake")
		key := wstest.HeadField(head, "Sec-WebSocket-Key")
		p.SendBytes(append(wstest.Response(key, badAgree(wstest.HeadField(head, "Sec-WebSocket-Extensions"))...), glued...))
		return p
	}
}

// badRun runs f as a subtest, in a bubble if the transport is a pipe.
func badRun(t *testing.T, name, transport string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		if transport == "pipe" {
			synctest.Test(t, f)
			return
		}
		f(t)
	})
}
