package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/socketio"
	"framewright/ws/wstest"
)

// world is our own server in memory, under fake time, and what handlers have noted.
type world struct {
	t  *testing.T
	o  socketio.Options
	up func(io *socketio.Server) // sets its handlers

	mu    sync.Mutex
	l     *wstest.Listener
	io    *socketio.Server
	hs    *http.Server
	conns []net.Conn // to it
	notes []string
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// wantNotes waits until all is quiet and compares what was noted since the last time.
func (w *world) wantNotes(why string, want ...string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got, want := strings.Join(w.notes, "\n"), strings.Join(want, "\n"); got != want {
		w.t.Errorf("%s: got\n%s\nwant\n%s", why, got, want)
	}
	w.notes = nil
}

// start starts a server, in place of the one that was killed.
func (w *world) start() {
	w.t.Helper()
	o := w.o
	o.Logger = slog.New(slog.DiscardHandler)
	io, err := socketio.New(&o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.up(io)
	hs := &http.Server{Handler: io}
	l := wstest.NewListener()
	w.mu.Lock()
	w.l, w.io, w.hs = l, io, hs
	w.mu.Unlock()
	go hs.Serve(l)
}

// cut cuts all connections, as a network would that is gone.
func (w *world) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// stop kills the server: its connections are cut.
func (w *world) stop() {
	w.hs.Close()
	w.cut()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.io.Shutdown(ctx); err != nil {
		w.t.Error(err)
	}
}

// client is a http.Client whose connections go to the server that is there.
func (w *world) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
			w.mu.Lock()
			l := w.l
			w.mu.Unlock()
			if c, err = l.DialContext(ctx, network, addr); err == nil {
				w.mu.Lock()
				w.conns = append(w.conns, c)
				w.mu.Unlock()
			}
			return c, err
		},
	}}
}

// inBubble runs f with a server. The bubble does not end before every goroutine has,
// so each test is one for leaks, too.
func inBubble(t *testing.T, o socketio.Options, up func(io *socketio.Server), f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, o: o, up: up}
		w.start()
		t.Cleanup(func() { w.stop() })
		f(t, w)
	})
}

// options are those of a client of the world's server.
func (w *world) options(o Options) *Options {
	o.Engine.HTTPClient = w.client()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &o
}

// dial connects a client whose handlers set gives it.
func (w *world) dial(o Options, set func(c *Client)) *Client {
	w.t.Helper()
	c, err := New("http://io.test", w.options(o))
	if err != nil {
		w.t.Fatal(err)
	}
	if set != nil {
		set(c)
	}
	w.t.Cleanup(func() { c.Close() })
	if err := c.Connect(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) close(c *Client) {
	w.t.Helper()
	if err := c.Close(); err != nil {
		w.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	if err := c.Wait(ctx); err != nil {
		w.t.Errorf("Wait: %v", err)
	}
}

// ways are the transports that a client may take.
var ways = []struct {
	name string
	o    engine.Options
}{
	{"polling", engine.Options{Transports: []string{engineio.Polling}}},
	{"WebSocket", engine.Options{Transports: []string{engineio.WebSocket}}},
	{"upgrade", engine.Options{}},
}

// everyWay runs a test over each.
func everyWay(t *testing.T, f func(t *testing.T, o Options)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) { f(t, Options{Engine: way.o}) })
	}
}

func causeOf[E error](t *testing.T, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("%v, want a %T", err, e)
	}
	return e
}
