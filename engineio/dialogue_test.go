package engineio_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// The ids of the first two sessions of a dialogue.
const (
	sid1 = "00000000000000000001"
	sid2 = "00000000000000000002"
)

// A dialogue is a test's talk with a server, in a synctest bubble.
type dialogue struct {
	t   *testing.T
	srv *engineio.Server
	ln  *wstest.Listener

	mu      sync.Mutex
	log     strings.Builder
	sockets []*engineio.Socket // in the order of their handlers
	ends    []error            // what ended them, by Receive
}

// talk runs play against a server with the handler, nil for echo.
func talk(t *testing.T, o *engineio.Options, handler func(context.Context, *engineio.Socket) error, play func(d *dialogue)) {
	t.Helper()
	talkThrough(t, &http.Server{}, o, handler, play)
}

// talkThrough is talk with an http.Server that has settings of its own.
func talkThrough(t *testing.T, web *http.Server, o *engineio.Options, handler func(context.Context, *engineio.Socket) error, play func(d *dialogue)) {
	t.Helper()
	if handler == nil {
		handler = echo
	}
	talkTo(t, web, o, func(d *dialogue, o *engineio.Options) (*engineio.Server, error) {
		return engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
			d.opened(s)
			return d.ended(handler(ctx, s))
		}, o)
	}, play)
}

// opened and ended note a session and what its handler returns.
func (d *dialogue) opened(s *engineio.Socket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sockets = append(d.sockets, s)
}

func (d *dialogue) ended(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends = append(d.ends, err)
	return err
}

// talkTo is talk with a server that build makes.
func talkTo(t *testing.T, web *http.Server, o *engineio.Options, build func(*dialogue, *engineio.Options) (*engineio.Server, error), play func(d *dialogue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &dialogue{t: t, ln: wstest.NewListener()}
		opts := engineio.Options{}
		if o != nil {
			opts = *o
		}
		if opts.Logger == nil {
			opts.Logger = slog.New(slog.NewTextHandler(writer{d}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		srv, err := build(d, &opts)
		if err != nil {
			t.Fatal(err)
		}
		engineio.NumberIDs(srv)
		d.srv = srv
		mux := http.NewServeMux()
		mux.Handle("/engine.io/", srv)
		web.Handler = mux
		web.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(writer{d}, nil), slog.LevelError)
		go web.Serve(d.ln)
		defer web.Close()
		defer srv.Close()
		play(d)
	})
}

// writer is the log of a dialogue.
type writer struct{ d *dialogue }

func (w writer) Write(p []byte) (int, error) {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	return w.d.log.Write(p)
}

func (d *dialogue) logged() string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// socket returns the n-th session's, from 0.
func (d *dialogue) socket(n int) *engineio.Socket {
	d.t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if n >= len(d.sockets) {
		d.t.Fatalf("session %d did not begin; log:\n%s", n, d.log.String())
	}
	return d.sockets[n]
}

// wantEnd states why the n-th session is over; "" if it is not.
func (d *dialogue) wantEnd(n int, reason engineio.Reason) {
	d.t.Helper()
	s := d.socket(n)
	var got engineio.Reason
	if e, ok := s.Err().(*engineio.CloseError); ok {
		got = e.Reason
		if context.Cause(s.Context()) != error(e) {
			d.t.Errorf("the context's cause is %v, want %v", context.Cause(s.Context()), e)
		}
	}
	if got != reason {
		d.t.Errorf("session %d: ended by %q (%v), want %q", n, got, s.Err(), reason)
	}
}

// A request is one that may still wait for its answer.
type request struct {
	d      *dialogue
	what   string
	done   chan struct{}
	got    string
	cancel context.CancelFunc
}

// begin sends a request; method is followed by what comes behind the path.
// Header lines are "Name: value".
func (d *dialogue) begin(method, query, body string, header ...string) *request {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, method, "http://server.test/engine.io/"+query, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity") // or the transport asks for gzip by itself
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Transfer-Encoding" {
			r.ContentLength = -1
			continue
		}
		r.Header.Add(name, value)
	}
	q := &request{d: d, what: method + " " + query, done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(q.done)
		resp, err := d.ln.Client().Do(r)
		if err != nil {
			q.got = "error: " + err.Error()
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			q.got = "error: " + err.Error()
			return
		}
		q.got = render(resp, string(b))
	}()
	return q
}

// render is the status, the headers but Date and Connection, and the body.
func render(resp *http.Response, body string) string {
	var b strings.Builder
	fmt.Fprintln(&b, resp.StatusCode)
	resp.Header.Del("Date")
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
	}
	return b.String() + "\n" + body
}

// want waits for the answer.
func (q *request) want(why, want string) {
	q.d.t.Helper()
	<-q.done
	if diff := cmp.Diff(want, q.got); diff != "" {
		q.d.t.Fatalf("%s: %s (-want +got)\n%s\nlog:\n%s", why, q.what, diff, q.d.logged())
	}
}

// waits states that there is no answer yet.
func (q *request) waits(why string) {
	q.d.t.Helper()
	synctest.Wait()
	select {
	case <-q.done:
		q.d.t.Fatalf("%s: %s was answered:\n%s", why, q.what, q.got)
	default:
	}
}

// giveUp ends the request from the client's side.
func (q *request) giveUp() {
	q.cancel()
	<-q.done
	synctest.Wait()
}

// The answers.

func ok(body string) string { return text(200, body) }

func text(status int, body string) string {
	vary := "Origin"
	if len(body) > 1024 { // it might have been compressed
		vary += ", Accept-Encoding"
	}
	return fmt.Sprintf("%d\nCache-Control: no-store\nContent-Length: %d\nContent-Type: text/plain; charset=UTF-8\nVary: %s\nX-Content-Type-Options: nosniff\n\n%s", status, len(body), vary, body)
}

func refused(status, code int, message string, more ...string) string {
	body := fmt.Sprintf(`{"code":%d,"message":"%s"}`, code, message)
	lines := append(more, "Cache-Control: no-store", fmt.Sprintf("Content-Length: %d", len(body)), "Content-Type: application/json", "X-Content-Type-Options: nosniff")
	if !slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "Vary") }) {
		lines = append(lines, "Vary: Origin")
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d\n%s\n\n%s", status, strings.Join(lines, "\n"), body)
}

func opened(sid, upgrades string) string {
	return `0{"sid":"` + sid + `","upgrades":` + upgrades + `,"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
}

const (
	handshake = "?EIO=4&transport=polling&t=abc"
	session   = "?EIO=4&transport=polling&sid=" + sid1
	upgrading = "?EIO=4&transport=websocket&sid=" + sid1
)

// open opens a session by polling.
func (d *dialogue) open() {
	d.t.Helper()
	d.begin("GET", handshake, "").want("the handshake", ok(opened(sid1, `["websocket"]`)))
}

func (d *dialogue) get(why, want string) {
	d.t.Helper()
	d.begin("GET", session, "").want(why, ok(want))
}

func (d *dialogue) post(why, body string) {
	d.t.Helper()
	d.begin("POST", session, body).want(why, ok("ok"))
	synctest.Wait() // the handler has answered, if it does
}

// A socket is the client's end of a WebSocket connection.
type socket struct{ *wstest.Peer }

// dial opens a WebSocket and wants this head of the answer, without the lines
// of every handshake.
func (d *dialogue) dial(query string, header ...string) socket {
	d.t.Helper()
	p, head := d.upgrade(query, header...)
	const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + wstest.RequestAccept + "\r\n\r\n"
	if diff := cmp.Diff(want, head); diff != "" {
		d.t.Fatalf("upgrade (-want +got)\n%s", diff)
	}
	return socket{p}
}

func (d *dialogue) upgrade(query string, header ...string) (*wstest.Peer, string) {
	d.t.Helper()
	conn, err := d.ln.Dial()
	if err != nil {
		d.t.Fatal(err)
	}
	p := wstest.NewPeer(d.t, conn)
	p.SendBytes(wstest.Request("/engine.io/"+query, "server.test", header...))
	return p, p.ReadHead("the answer to an upgrade")
}

func (s socket) text(text string) { s.frame(ws.OpText, []byte(text)) }

func (s socket) binary(literal string) { s.frame(ws.OpBinary, wstest.MustHex(literal)) }

func (s socket) frame(op ws.Opcode, payload []byte) {
	s.SendBytes(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: op, Masked: true, Key: wstest.Key}, payload))
}

func (s socket) wantText(why, text string) { s.WantFrame(why, wstest.Text(text)) }

// openWebSocket opens a session by WebSocket.
func (d *dialogue) openWebSocket() socket {
	d.t.Helper()
	c := d.dial("?EIO=4&transport=websocket")
	c.wantText("open", opened(sid1, "[]"))
	return c
}

// connect opens a session by WebSocket and returns both ends.
func (d *dialogue) connect() (socket, *engineio.Socket) {
	d.t.Helper()
	c := d.openWebSocket()
	return c, d.socket(0)
}

// poll begins a request that finds nothing and waits.
func (d *dialogue) poll() *request {
	d.t.Helper()
	q := d.begin("GET", session, "")
	q.waits("there is nothing")
	return q
}

// probe opens a WebSocket for the session that open has opened, and has its
// probe answered.
func (d *dialogue) probe() socket {
	d.t.Helper()
	c := d.dial(upgrading)
	c.text("2probe")
	c.wantText("the probe's answer", "3probe")
	return c
}

// wantGone states that the server does not know the session any more.
func (d *dialogue) wantGone() {
	d.t.Helper()
	d.begin("GET", session, "").want("the session is gone", refused(400, 1, "Session ID unknown"))
}

// wantTook states how much time has passed since began, to the nanosecond.
func (d *dialogue) wantTook(what string, began time.Time, want time.Duration) {
	d.t.Helper()
	if got := time.Since(began); got != want {
		d.t.Errorf("%s came after %v, want %v", what, got, want)
	}
}

// raw opens a connection and sends bytes.
func (d *dialogue) raw(bytes string) *wstest.Peer {
	d.t.Helper()
	conn, err := d.ln.Dial()
	if err != nil {
		d.t.Fatal(err)
	}
	p := wstest.NewPeer(d.t, conn)
	if bytes != "" {
		p.SendBytes([]byte(bytes))
	}
	return p
}
