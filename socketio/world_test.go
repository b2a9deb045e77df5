package socketio

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// world is a server in memory, under fake time.
type world struct {
	t  *testing.T
	io *Server
	l  *wstest.Listener

	mu    sync.Mutex
	notes []string
}

// note records what a handler saw.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// wantNotes waits until all is quiet and compares what was noted since the last
// time.
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

// inBubble runs f with a server. The bubble does not end before every goroutine
// has, so each test is one for leaks, too.
func inBubble(t *testing.T, o Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Logger = slog.New(slog.DiscardHandler) // tests panic on purpose
		io, err := New(&o)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, io: io, l: wstest.NewListener()}
		hs := &http.Server{Handler: io}
		go hs.Serve(w.l)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := io.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			hs.Close()
		})
		f(t, w)
	})
}

// raw is a client that speaks Socket.IO by hand.
type raw struct {
	t *testing.T
	c *wsnet.Conn
}

func (w *world) dial() *raw {
	w.t.Helper()
	c, err := wsnet.Dial(w.t.Context(), "ws://io.test/socket.io/?EIO=4&transport=websocket", &wsnet.DialOptions{
		Options:    wsnet.Options{PingInterval: -1, MaxMessage: -1},
		HTTPClient: w.l.Client(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.CloseNow() })
	r := &raw{w.t, c}
	if open := r.read("the open packet"); !strings.HasPrefix(open, "0{") {
		w.t.Fatalf("it opened with %s", open)
	}
	return r
}

// in dials and connects to the namespace "/".
func (w *world) in() *raw {
	w.t.Helper()
	r := w.dial()
	r.send(`40`)
	r.want("the answer to CONNECT", `40{"sid":"…"}`)
	return r
}

func (r *raw) send(packets ...string) {
	r.t.Helper()
	for _, p := range packets {
		if err := r.c.Write(r.t.Context(), ws.OpText, []byte(p)); err != nil {
			r.t.Fatalf("sending %.200s: %v", p, err)
		}
	}
}

func (r *raw) sendBinary(b ...byte) {
	r.t.Helper()
	if err := r.c.Write(r.t.Context(), ws.OpBinary, b); err != nil {
		r.t.Fatal(err)
	}
}

// read returns the next message but pings, which it answers; a binary one in
// hexadecimal.
func (r *raw) read(why string) string {
	r.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
		op, data, err := r.c.Read(ctx)
		cancel()
		switch {
		case err != nil:
			r.t.Fatalf("%s: nothing more came: %v", why, err)
		case string(data) == "2":
			r.send("3")
		case op == ws.OpBinary:
			return fmt.Sprintf("%x", data)
		default:
			return string(data)
		}
	}
}

var random = regexp.MustCompile(`"(sid|pid)":"[^"]*"`)

// want reads messages, which must be these; the ids are not compared.
func (r *raw) want(why string, want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := random.ReplaceAllString(r.read(why), `"$1":"…"`); got != w {
			r.t.Fatalf("%s: got\n%s\nwant\n%s", why, got, w)
		}
	}
}

// wantIdle holds that nothing has come.
func (r *raw) wantIdle(why string) {
	r.t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Millisecond)
	defer cancel()
	if _, data, err := r.c.Read(ctx); err == nil {
		r.t.Fatalf("%s: got %s, want nothing", why, data)
	}
}

// wantClosed reads until the connection is closed, and nothing but a close
// packet may come before.
func (r *raw) wantClosed(why string) {
	r.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
		_, data, err := r.c.Read(ctx)
		cancel()
		if err != nil {
			if r.c.Err() == nil {
				r.t.Fatalf("%s: the connection is still open", why)
			}
			return
		}
		switch string(data) {
		case "2":
			r.send("3")
		case "1":
		default:
			r.t.Fatalf("%s: got %s, want the end", why, data)
		}
	}
}
