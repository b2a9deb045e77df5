package admin

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

	gocmp "github.com/google/go-cmp/cmp"

	"framewright/socketio"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

const password = "a password of the tests"

// A world is a server in memory with an admin's namespace, under fake time.
type world struct {
	t  *testing.T
	io *socketio.Server
	l  *wstest.Listener
}

// inBubble runs f with a server. The bubble does not end before every goroutine has, so
// each test is one for leaks, too.
func inBubble(t *testing.T, o Options, so socketio.Options, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		so.Logger = slog.New(slog.DiscardHandler)
		so.Engine.PingInterval = 1000 * time.Hour
		io, err := socketio.New(&so)
		if err != nil {
			t.Fatal(err)
		}
		o.Password, o.ServerID, o.Logger = password, "one", so.Logger
		if err := Instrument(io, o); err != nil {
			t.Fatal(err)
		}
		w := &world{t, io, wstest.NewListener()}
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

// A client is one by hand.
type client struct {
	t *testing.T
	c *wsnet.Conn
}

func (w *world) dial(namespace, auth string) *client {
	w.t.Helper()
	c, err := wsnet.Dial(w.t.Context(), "ws://io.test/socket.io/?EIO=4&transport=websocket", &wsnet.DialOptions{
		Options: wsnet.Options{PingInterval: -1, MaxMessage: -1}, HTTPClient: w.l.Client(),
		Header: http.Header{"Cookie": {"key=secret"}, "X-Long": {strings.Repeat("x", 2000)}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.CloseNow() })
	r := &client{w.t, c}
	r.read() // the open packet
	r.send("40" + namespace + auth)
	return r
}

// user is a client of the namespace "/".
func (w *world) user() *client {
	w.t.Helper()
	c := w.dial("", "")
	c.want(`40{"sid":"\w+"}`)
	return c
}

// page is one that has shown the password. What it is told of itself is read.
func (w *world) page() *client {
	w.t.Helper()
	c := w.dial("/admin,", `{"username":"admin","password":"`+password+`"}`)
	c.want(`40/admin,{"sid":"\w+"}`)
	return c
}

func (c *client) send(packet string) {
	c.t.Helper()
	if err := c.c.Write(c.t.Context(), ws.OpText, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next message, "" if there is none any more.
func (c *client) read() string {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	_, data, err := c.c.Read(ctx)
	if err != nil {
		return ""
	}
	return string(data)
}

func (c *client) want(pattern string) []string {
	c.t.Helper()
	got := c.read()
	m := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(got)
	if m == nil {
		c.t.Fatalf("got %q, want %s", got, pattern)
	}
	return m
}

// event returns the arguments of the next event of a name. Others before it are left out.
func (c *client) event(name string) []any {
	c.t.Helper()
	for {
		got := c.read()
		if got == "" {
			c.t.Fatalf("no %s came any more", name)
		}
		if args, ok := asEvent(got); ok && args[0] == name {
			return args[1:]
		}
	}
}

func asEvent(packet string) (args []any, ok bool) {
	text, ok := strings.CutPrefix(packet, "42/admin,")
	return args, ok && json.Unmarshal([]byte(text), &args) == nil
}

// wantEvent reads the next event of a name and compares its arguments but times.
func (c *client) wantEvent(name string, want ...any) {
	c.t.Helper()
	got := c.event(name)
	for i, v := range got {
		if text, ok := v.(string); ok && isMoment.MatchString(text) {
			got[i] = "(time)"
		}
	}
	if d := gocmp.Diff(want, got); d != "" {
		c.t.Fatalf("%s (-want +got):\n%s", name, d)
	}
}

var isMoment = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// id is the one of the only socket of the namespace "/".
func (w *world) id() string {
	w.t.Helper()
	list := w.io.Sockets()
	if len(list) != 1 {
		w.t.Fatalf("there are %d sockets, want 1", len(list))
	}
	return list[0].ID()
}

// sorted is a list of strings from JSON.
func sorted(v any) (list []string) {
	all, _ := v.([]any)
	for _, one := range all {
		text, _ := one.(string)
		list = append(list, text)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}
