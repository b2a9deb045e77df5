package sio

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/socketio"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A world is a chat server in memory, with both transports.
type world struct {
	t   *testing.T
	hub *chat.Hub
	io  *socketio.Server
	l   *wstest.Listener
}

// inBubble runs f with a server, under fake time. The bubble does not end
// before every goroutine has, so each test is one for leaks, too.
func inBubble(t *testing.T, o chat.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	inBubbleWith(t, o, nil, f)
}

func inBubbleWith(t *testing.T, o chat.Options, so *Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, l: wstest.NewListener()}
		o.PresenceGrace = cmp.Or(o.PresenceGrace, -1)
		w.hub = chat.New(o)
		quiet := slog.New(slog.DiscardHandler)
		var err error
		w.io, err = socketio.New(&socketio.Options{Recovery: &socketio.Recovery{Want: WantsRecovery}, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		Attach(w.hub, w.io.Namespace, so)
		native := wsnet.Handler(plain.Handler(w.hub, nil))
		native.Options.PingInterval = -1
		native.Logger = quiet
		mux := http.NewServeMux()
		mux.Handle("/ws", native)
		mux.Handle("/socket.io/", w.io)
		hs := &http.Server{Handler: mux}
		go hs.Serve(w.l)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			w.hub.Close()
			if err := w.io.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if err := native.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			hs.Close()
		})
		f(t, w)
	})
}

func (w *world) open(path string) *client {
	w.t.Helper()
	c, err := wsnet.Dial(w.t.Context(), "ws://chat.test"+path, &wsnet.DialOptions{Options: wsnet.Options{PingInterval: -1, MaxMessage: -1}, HTTPClient: w.l.Client()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.CloseNow() })
	return &client{w.t, c}
}

// dial connects a Socket.IO client to the namespace "/" with auth, which may be
// empty.
func (w *world) dial(auth string) *client {
	w.t.Helper()
	c := w.open("/socket.io/?EIO=4&transport=websocket")
	if got := c.read(); !strings.HasPrefix(got, "0{") {
		w.t.Fatalf("it opens with %s", got)
	}
	c.send("40" + auth)
	return c
}

// A client is one by hand, of either transport.
type client struct {
	t *testing.T
	c *wsnet.Conn
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.c.Write(c.t.Context(), ws.OpText, []byte(text)); err != nil {
		c.t.Fatalf("sending %.200s: %v", text, err)
	}
}

// read returns the next message but Engine.IO's pings, which it answers.
func (c *client) read() string {
	c.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
		_, data, err := c.c.Read(ctx)
		cancel()
		if err != nil {
			c.t.Fatalf("nothing more came: %v", err)
		}
		if string(data) != "2" {
			return string(data)
		}
		c.send("3")
	}
}

// want reads the next packet but those about who is here.
func (c *client) want(pattern string) []string {
	c.t.Helper()
	for {
		got := c.read()
		if strings.HasPrefix(got, `42["presence"`) {
			continue
		}
		m := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(got)
		if m == nil {
			c.t.Fatalf("got %s, want %s", got, pattern)
		}
		return m
	}
}

// wantEach reads as many packets, which may come in any order.
func (c *client) wantEach(patterns ...string) {
	c.t.Helper()
	for len(patterns) > 0 {
		got := c.want("(" + strings.Join(patterns, "|") + ")")[1]
		i := slices.IndexFunc(patterns, func(p string) bool { return regexp.MustCompile("^" + p + "$").MatchString(got) })
		patterns = slices.Delete(slices.Clone(patterns), i, i+1)
	}
}

// wantJSON reads a native client's messages up to the next of a type.
func (c *client) wantJSON(typ string) map[string]any {
	c.t.Helper()
	for {
		var m map[string]any
		if err := json.Unmarshal([]byte(c.read()), &m); err != nil {
			c.t.Fatal(err)
		}
		if m["type"] == typ {
			return m
		}
	}
}
