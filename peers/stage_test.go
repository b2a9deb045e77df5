package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A gate stands between browsers and the server. It can be shut for WebSockets,
// which cuts those that there are, while pages still go through. (DevTools can
// emulate a page that is offline, but leave WebSockets as they are.)
type gate struct {
	listener net.Listener
	to       func() string
	wg       sync.WaitGroup

	mu      sync.Mutex
	shut    bool
	sockets map[net.Conn]*atomic.Bool // true: silenced
	refused int                       // WebSockets since the gate was shut
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, to: func() string { return to }, sockets: make(map[net.Conn]*atomic.Bool)}
	ctx, cancel := context.WithCancel(context.Background())
	g.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.carry(ctx, c) })
		}
	})
	t.Cleanup(func() {
		cancel()
		l.Close()
		g.wg.Wait()
	})
	return g
}

func (g *gate) url() string { return "http://" + g.listener.Addr().String() + "/" }

// carry carries one connection. What it asks for first says what it is: a
// browser takes a new one for each WebSocket.
func (g *gate) carry(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	r := bufio.NewReader(c)
	first, err := r.Peek(len("GET /ws"))
	if err != nil {
		return
	}
	silent := new(atomic.Bool)
	if string(first) == "GET /ws" {
		if !g.enter(c, silent) {
			return
		}
		defer g.leave(c)
	}
	s, err := net.Dial("tcp", g.to())
	if err != nil {
		return
	}
	defer s.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(hole{s, silent}, r)
		s.Close()
	})
	_, _ = io.Copy(hole{c, silent}, s)
	c.Close()
	wg.Wait()
}

// A hole is a way on which everything is lost once it is silent.
type hole struct {
	io.Writer
	silent *atomic.Bool
}

func (h hole) Write(p []byte) (int, error) {
	if h.silent.Load() {
		return len(p), nil
	}
	return h.Writer.Write(p)
}

func (g *gate) enter(c net.Conn, silent *atomic.Bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		g.refused++
		return false
	}
	g.sockets[c] = silent
	return true
}

func (g *gate) leave(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sockets, c)
}

// close cuts every WebSocket and lets none through.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.refused = true, 0
	for c := range g.sockets {
		c.Close()
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// silence lets nothing through any more on the WebSockets that there are, either
// way, and cuts none: as when a network goes away.
func (g *gate) silence() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, silent := range g.sockets {
		silent.Store(true)
	}
}

// cut cuts every WebSocket once.
func (g *gate) cut() {
	g.close()
	g.open()
}

// A robot is somebody who chats without a browser.
type robot struct {
	t    *testing.T
	c    *wsnet.Conn
	id   string // of the person
	sent int
}

// joins makes a robot and takes it into rooms.
func joins(t *testing.T, url, name string, rooms ...string) *robot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := wsnet.Dial(ctx, url+"ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	r := &robot{t: t, c: c}
	r.asks(map[string]any{"type": "hello", "name": name, "secret": "the secret of a robot called " + name})
	r.id = r.hears("welcome", "").You.ID
	for _, room := range rooms {
		r.asks(map[string]any{"type": "join", "room": room})
		r.hears("joined", "")
	}
	return r
}

func (r *robot) asks(request map[string]any) {
	r.t.Helper()
	b, err := json.Marshal(request)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := r.c.Write(ctx, ws.OpText, b); err != nil {
		r.t.Fatal(err)
	}
}

// heard is what a robot looks at in an event.
type heard struct {
	Type, ID, Room, Cursor, Code, Text string

	You, From struct{ ID, Name string }
}

// hears reads until an event of that type, with that id if it is not empty.
func (r *robot) hears(kind, id string) heard {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for {
		_, data, err := r.c.Read(ctx)
		if err != nil {
			r.t.Fatalf("waiting for %s %s: %v", kind, id, err)
		}
		var h heard
		if err := json.Unmarshal(data, &h); err != nil {
			r.t.Fatal(err)
		}
		if h.Type == "error" && kind != "error" {
			r.t.Fatalf("waiting for %s %s: the server says %s: %s", kind, id, h.Code, h.Text)
		}
		if h.Type == kind && (id == "" || h.ID == id) {
			return h
		}
	}
}

// ends reads until the server has closed the connection.
func (r *robot) ends() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for {
		if _, _, err := r.c.Read(ctx); err != nil {
			if ctx.Err() != nil {
				r.t.Fatalf("the server has not closed the connection within %v", patience)
			}
			return
		}
	}
}

// says sends texts to a room and waits until they are stored.
func (r *robot) says(room string, texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		r.sent++
		r.asks(map[string]any{"type": "send", "room": room, "id": fmt.Sprint("m", r.sent), "text": text})
		r.hears("ack", fmt.Sprint("m", r.sent))
	}
}

// series are texts: prefix 1, prefix 2 and so on.
func series(prefix string, from, to int) []string {
	var texts []string
	for i := from; i <= to; i++ {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %d", prefix, i)))
	}
	return texts
}
