package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/peers/internal/install"
	"framewright/peers/socketio"
)

// An ioLine is what a Socket.IO client says: see socketio/driver.js.
type ioLine struct {
	N         int    `json:"n,omitempty"`
	Err       string `json:"error,omitempty"`
	Conn      string `json:"conn,omitempty"`
	Event     string `json:"event,omitempty"`
	SID       string `json:"sid,omitempty"`
	Recovered bool   `json:"recovered,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Name      string `json:"name,omitempty"`
	Args      []any  `json:"args,omitempty"`
}

func (l ioLine) problem() string { return l.Err }

// An ioClient is a program, or a page, that has Socket.IO sockets.
type ioClient struct {
	name     string
	recovers bool // knows connection state recovery
	python   bool
	tell     func(ctx context.Context, command map[string]any) error

	mu      sync.Mutex
	n       int
	answers map[int]chan ioLine
	sockets map[string]*ioSocket
	dead    chan struct{}
}

// An ioSocket is one of its sockets.
type ioSocket struct {
	t      *testing.T
	client *ioClient
	conn   string

	mu     sync.Mutex
	events []ioLine
	wake   chan struct{}
}

func newIOClient(name string) *ioClient {
	return &ioClient{name: name, answers: map[int]chan ioLine{}, sockets: map[string]*ioSocket{}, dead: make(chan struct{})}
}

// hear takes in a line that the client says.
func (c *ioClient) hear(l ioLine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.N != 0 {
		c.answers[l.N] <- l // has room for one
		delete(c.answers, l.N)
		return
	}
	s := c.sockets[l.Conn]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, l)
	close(s.wake)
	s.wake = make(chan struct{})
}

func (c *ioClient) ask(ctx context.Context, command map[string]any) (ioLine, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer := make(chan ioLine, 1)
	c.mu.Lock()
	c.n++
	command["n"] = c.n
	c.answers[c.n] = answer
	err := c.tell(ctx, command)
	c.mu.Unlock()
	if err != nil {
		return ioLine{}, err
	}
	return answerTo(ctx, command["command"], answer, c.dead)
}

// scriptIO starts a client that takes commands on its standard input.
func scriptIO(t *testing.T, name, program string, args ...string) *ioClient {
	t.Helper()
	c := newIOClient(name)
	cmd, in, out := startProgram(t, program, args...)
	c.tell = func(_ context.Context, command map[string]any) error { return tellLine(in, command) }
	go func() {
		defer close(c.dead)
		hearLines(t, name, out, c.hear)
	}()
	t.Cleanup(func() {
		_ = in.Close()
		killGroup(cmd) // python-socketio's threads would see to their reconnections
		<-c.dead
		_ = cmd.Wait()
	})
	return c
}

// socketIOPackages are the versions of socket.io-client in socketio/package.json.
var socketIOPackages = []string{"socket.io-client", "socket.io-client-4.0.1"}

// everyIOClient runs a test with every client.
func everyIOClient(t *testing.T, test func(t *testing.T, c *ioClient)) {
	for _, pkg := range socketIOPackages {
		t.Run("node "+pkg, func(t *testing.T) {
			r := got(t, install.SocketIO(t.Context()))
			c := scriptIO(t, pkg, "node", "socketio/client.mjs", r.Path, pkg)
			c.recovers = pkg == "socket.io-client"
			test(t, c)
		})
	}
	for _, kind := range []string{"sync", "async"} {
		t.Run("python-socketio "+kind, func(t *testing.T) {
			r := got(t, install.PythonSocketIO(t.Context()))
			c := scriptIO(t, "python-socketio "+kind, r.Path, "socketio/python/client.py", kind)
			c.python = true
			test(t, c)
		})
	}
	var b *browser
	for _, pkg := range append([]string{ownSocketIO}, socketIOPackages...) {
		t.Run("Chromium "+pkg, func(sub *testing.T) {
			if b == nil {
				b = startBrowser(t) // for the second page, too
			}
			t := sub
			c := pageIO(t, b, pkg)
			c.recovers = pkg == "socket.io-client" || pkg == ownSocketIO
			test(t, c)
		})
	}
}

// ownSocketIO is the client that our server's own page uses.
const ownSocketIO = "framewright"

// scriptOf returns what a page loads of a version of socket.io-client.
func scriptOf(t *testing.T, pkg string) string {
	t.Helper()
	if pkg == ownSocketIO {
		server := buildServer(t)
		server.start(t)
		defer server.kill()
		return fetched(t, server.url()+"socket.io/socket.io.js")
	}
	r := got(t, install.SocketIO(t.Context()))
	return readFile(t, filepath.Join(r.Path, "node_modules", pkg, "dist", "socket.io.js"))
}

// fetched returns what is at an address.
func fetched(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(body)
}

// pageIO opens a page with a version of socket.io-client. It is of another
// origin than the servers of the tests, which have to allow it.
func pageIO(t *testing.T, b *browser, pkg string) *ioClient {
	t.Helper()
	origin := servePage(t, `<!doctype html><title>Socket.IO</title><script src="/socket.io.js"></script><script src="/driver.js"></script>`,
		map[string]string{"/socket.io.js": scriptOf(t, pkg), "/driver.js": socketio.Driver + `
			const events = [];
			let waiting;
			const act = socketDriver(io, (e) => { events.push(e); waiting?.(events.splice(0)); waiting = undefined; });
			globalThis.peer = {
				next: () => new Promise((done) => { if (events.length) done(events.splice(0)); else waiting = done; }),
				act,
			};`})
	p, err := b.open(t, "socketio", origin)
	if err != nil {
		t.Fatal(err)
	}
	c := newIOClient("Chromium " + pkg)
	ended := make(chan struct{})
	c.tell = func(ctx context.Context, command map[string]any) error {
		n := command["n"].(int)
		go func() {
			l, err := evaluate[ioLine](ctx, p, call("act", command))
			l.N = n
			if err != nil {
				l.Err = err.Error()
			}
			if ctx.Err() == nil {
				c.hear(l)
			}
		}()
		return nil
	}
	go func() {
		defer close(ended)
		for {
			events, err := evaluate[[]ioLine](p.ctx, p, call("next"))
			if err != nil {
				return
			}
			for _, e := range events {
				c.hear(e)
			}
		}
	}()
	t.Cleanup(func() { p.close(); <-ended })
	return c
}

// open makes a socket; auth may be nil, and transports to leave them to the
// client.
func (c *ioClient) open(t *testing.T, conn, url, namespace string, transports []string, auth any) *ioSocket {
	t.Helper()
	c.mu.Lock()
	conn = fmt.Sprintf("%s%d", conn, len(c.sockets))
	s := &ioSocket{t: t, client: c, conn: conn, wake: make(chan struct{})}
	c.sockets[conn] = s
	c.mu.Unlock()
	command := map[string]any{"command": "open", "conn": conn, "url": url, "namespace": namespace}
	if transports != nil {
		command["transports"] = transports
	}
	if auth != nil {
		command["auth"] = auth
	}
	if _, err := c.ask(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // or it would go on trying to connect
		_, _ = c.ask(context.Background(), map[string]any{"command": "close", "conn": conn})
	})
	return s
}

func (s *ioSocket) do(command, name string, args ...any) []any {
	s.t.Helper()
	l, err := s.client.ask(s.t.Context(), map[string]any{"command": command, "conn": s.conn, "name": name, "args": append([]any{}, args...)})
	if err != nil {
		s.t.Fatalf("%s %s %s: %v\nit saw: %+v", s.conn, command, name, err, s.events)
	}
	return l.Args
}

func (s *ioSocket) emit(name string, args ...any) { s.t.Helper(); s.do("emit", name, args...) }

// call wants the acknowledgement of an event to be this.
func (s *ioSocket) call(name string, args []any, want ...any) {
	s.t.Helper()
	if diff := cmp.Diff(plainJSON(append([]any{}, want...)), plainJSON(append([]any{}, s.do("call", name, args...)...))); diff != "" {
		s.t.Fatalf("%s: %s was acknowledged with (-want +got)\n%s", s.conn, name, diff)
	}
}

// plainJSON is v as it looks after it has gone through JSON.
func plainJSON(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests' own values
	}
	var p any
	if err := json.Unmarshal(b, &p); err != nil {
		panic(err)
	}
	return p
}

// next waits for the next event that is not one of those that may come at any
// time.
func (s *ioSocket) next(why string, skip ...string) ioLine {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		s.mu.Lock()
		for len(s.events) > 0 {
			e := s.events[0]
			s.events = s.events[1:]
			if e.Event == "upgrade" || slices.Contains(skip, e.Event) {
				continue
			}
			s.mu.Unlock()
			return e
		}
		wake := s.wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-s.client.dead:
			s.t.Fatalf("%s: %s: the client is gone", s.conn, why)
		case <-ctx.Done():
			s.t.Fatalf("%s: %s: nothing came within %v", s.conn, why, patience)
		}
	}
}

// connected waits until the socket is connected.
func (s *ioSocket) connected(why string) ioLine {
	s.t.Helper()
	e := s.next(why, "connect_error")
	if e.Event == "received" && s.client.python { // which may tell of both in threads of their own
		early := e
		e = s.next(why, "connect_error")
		s.mu.Lock()
		s.events = slices.Insert(s.events, 0, early)
		s.mu.Unlock()
	}
	if e.Event != "connect" {
		s.t.Fatalf("%s: %s: got %+v, want it to connect", s.conn, why, e)
	}
	return e
}

// gets wants the next event to be this.
func (s *ioSocket) gets(name string, args ...any) {
	s.t.Helper()
	e := s.next(name)
	if e.Event != "received" || e.Name != name {
		s.t.Fatalf("%s: got %+v, want %s", s.conn, e, name)
	}
	if diff := cmp.Diff(plainJSON(append([]any{}, args...)), plainJSON(append([]any{}, e.Args...))); diff != "" {
		s.t.Fatalf("%s: %s has (-want +got)\n%s", s.conn, name, diff)
	}
}

// goes wants the socket to be disconnected, for one of these reasons.
func (s *ioSocket) goes(reasons ...string) {
	s.t.Helper()
	e := s.next("disconnect", "connect_error")
	for _, r := range reasons {
		if e.Event == "disconnect" && e.Reason == r {
			return
		}
	}
	s.t.Fatalf("%s: got %+v, want it to be disconnected because of %q", s.conn, e, reasons)
}

// js returns reason for clients in JavaScript, and python for those in Python.
func (s *ioSocket) says(js, python string) string {
	if s.client.python {
		return python
	}
	return js
}
