package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/peers/internal/install"
	sio "framewright/socketio"
	"framewright/socketio/client"

	"github.com/google/go-cmp/cmp"
)

// An ioBackend is a program that serves Socket.IO, and can be killed and started again
// at the same address. See socketioserver/server.mjs for what its handlers do.
type ioBackend struct {
	recovers bool // knows connection state recovery
	start    func(t *testing.T, port int) (url string, stop func())
}

// ioBackends are npm's newest and its first 4.x, python-socketio's, and ours.
func ioBackends(t *testing.T) map[string]func(t *testing.T) ioBackend {
	node := func(pkg string, recovers bool) func(t *testing.T) ioBackend {
		return func(t *testing.T) ioBackend {
			r := got(t, install.SocketIOServer(t.Context()))
			return ioBackend{recovers, func(t *testing.T, port int) (string, func()) {
				return serveProgram(t, pkg, "node", "socketioserver/server.mjs", r.Path, pkg, strconv.Itoa(port))
			}}
		}
	}
	return map[string]func(t *testing.T) ioBackend{
		"socket.io":       node("socket.io", true),
		"socket.io 4.0.0": node("socket.io-4.0.0", false),
		"python-socketio": func(t *testing.T) ioBackend {
			r := got(t, install.PythonSocketIO(t.Context()))
			return ioBackend{false, func(t *testing.T, port int) (string, func()) {
				return serveProgram(t, "python-socketio", r.Path, "socketioserver/server.py", strconv.Itoa(port))
			}}
		},
		"ours": func(t *testing.T) ioBackend { return ioBackend{true, serveOurs} },
	}
}

// serveProgram starts a server, whose last argument is its port, 0 for any.
func serveProgram(t *testing.T, name, program string, args ...string) (url string, stop func()) {
	t.Helper()
	cmd, in, out := startProgram(t, program, args...)
	type line struct {
		Port int `json:"port"`
	}
	port, ended := make(chan int, 1), make(chan struct{})
	go func() {
		defer close(ended)
		hearLines(t, name, out, func(l line) { port <- l.Port })
	}()
	stop = sync.OnceFunc(func() {
		killGroup(cmd)
		<-ended
		_ = cmd.Wait()
		_ = in.Close()
	})
	t.Cleanup(stop)
	select {
	case p := <-port:
		return fmt.Sprintf("http://127.0.0.1:%d", p), stop
	case <-ended:
		t.Fatalf("%s ended before it listened", name)
	case <-time.After(patience):
		t.Fatalf("%s does not listen", name)
	}
	return "", nil
}

// serveOurs is the same of our own server.
func serveOurs(t *testing.T, port int) (url string, stop func()) {
	t.Helper()
	addr := ""
	if port != 0 {
		addr = fmt.Sprintf("127.0.0.1:%d", port)
	}
	o := sio.Options{Recovery: &sio.Recovery{}, Engine: engineio.Options{PingInterval: 300 * time.Millisecond, PingTimeout: 5 * time.Second}}
	s := startIO(t, addr, o)
	s.OnConnect(func(ctx context.Context, c *sio.Socket) error {
		if c.Recovered() {
			return nil
		}
		return c.Emit("welcome", c.ID())
	})
	sio.On(s, "say", func(ctx context.Context, c *sio.Socket, a sio.Args) error {
		var v any
		if err := a.Decode(&v); err != nil {
			return err
		}
		return c.Emit("said", v)
	})
	sio.OnAck(s, "ask me", func(ctx context.Context, c *sio.Socket, n int) (string, error) {
		return sio.Ask[string](ctx, c, "what", n, []byte{1, 2, 3})
	})
	sio.On2(s, "tell", func(ctx context.Context, c *sio.Socket, room, text string) error {
		return s.To(room).Emit("told", text)
	})
	admin := s.Of("/secret")
	admin.Use(func(ctx context.Context, c *sio.Socket) error {
		var auth struct {
			Token *string `json:"token"`
		}
		if err := c.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token == nil || *auth.Token != "secret" {
			return &sio.Error{Message: "not you", Data: map[string]any{"token": auth.Token}}
		}
		return nil
	})
	sio.OnAck(admin, "who", func(ctx context.Context, c *sio.Socket, _ struct{}) (string, error) { return "admin", nil })
	return s.url, s.stop
}

// A goClient is our client with what its handlers have heard.
type goClient struct {
	*client.Client
	t     *testing.T
	heard chan string
}

func (c *goClient) hear(format string, args ...any) { c.heard <- fmt.Sprintf(format, args...) }

// wants waits for what the client hears next.
func (c *goClient) wants(want ...string) {
	c.t.Helper()
	for _, w := range want {
		select {
		case got := <-c.heard:
			if got != w {
				c.t.Fatalf("heard %q, want %q", got, w)
			}
		case <-time.After(patience):
			c.t.Fatalf("heard nothing, want %q", w)
		}
	}
}

func newGoClient(t *testing.T, url string, transports []string) *goClient {
	t.Helper()
	token := "wrong"
	var log syncBuffer
	c := &goClient{t: t, heard: make(chan string, 1000)}
	var err error
	c.Client, err = client.New(url, &client.Options{
		Engine:         engine.Options{Transports: transports},
		ReconnectDelay: 50 * time.Millisecond, ReconnectDelayMax: 200 * time.Millisecond, AckTimeout: patience, ConnectTimeout: patience,
		AuthFunc: func(ctx context.Context, namespace string) (any, error) {
			if namespace == "/" {
				return nil, nil
			}
			defer func() { token = "secret" }() // once it was refused
			return map[string]string{"token": token}, nil
		},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if t.Failed() {
			t.Logf("the client's log:\n%s", log.String())
		}
	})
	client.On(c, "welcome", func(ctx context.Context, s *client.Socket, id string) error {
		c.hear("welcome %t", id == s.ID())
		return nil
	})
	client.On(c, "said", func(ctx context.Context, s *client.Socket, v any) error { c.hear("said %v", v); return nil })
	client.On(c, "told", func(ctx context.Context, s *client.Socket, text string) error { c.hear("told %s", text); return nil })
	client.OnAck(c, "what", func(ctx context.Context, s *client.Socket, a client.Args) (string, error) {
		var n int
		var b []byte
		err := a.Decode(&n, &b)
		return fmt.Sprintf("%d %v", n, b), err
	})
	c.OnDisconnect(func(ctx context.Context, s *client.Socket, why client.Reason) {
		if why == client.ServerDisconnect || why == client.ClientDisconnect {
			c.hear("%s", why)
		} else {
			c.hear("lost")
		}
	})
	return c
}

// TestGoClient: our client with every server, by every way. It hears and is heard, asks
// and is asked, in order, with binary in any place; has namespaces, and is refused; is
// told what its room is; and comes back by itself to a server that was killed.
func TestGoClient(t *testing.T) {
	for name, get := range ioBackends(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := get(t)
			for _, way := range ways {
				t.Run(way.name, func(t *testing.T) {
					t.Parallel()
					transports, _ := way.options["transports"].([]string)
					testGoClient(t, b, transports, way.transports[len(way.transports)-1])
				})
			}
		})
	}
}

func testGoClient(t *testing.T, b ioBackend, transports []string, last string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url, stop := b.start(t, 0)
	c := newGoClient(t, url, transports)
	if err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	c.wants("welcome true")
	const n = 300 // across the upgrade
	for i := range n {
		if err := c.Emit("say", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		c.wants(fmt.Sprintf("said %d", i))
	}

	sent := map[string]any{"name": "ü€😀<&>", "parts": []any{[]byte{0, 255}, "x", map[string]any{"deep": make([]byte, 100_000)}}, "n": nil}
	answer, err := client.Ask[client.Args](ctx, c, "echo", sent, 7.0)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	var seven float64
	if err := answer.Decode(&back, &seven); err != nil || seven != 7 {
		t.Fatal(seven, err)
	}
	if d := cmp.Diff(any(sent), back); d != "" {
		t.Errorf("binary in its places (-want +got):\n%.500s", d)
	}
	if s, err := client.Ask[string](ctx, c, "ask me", 5); s != "5 [1 2 3]" || err != nil {
		t.Fatalf("asked: %q, %v", s, err)
	}
	if _, err := client.Ask[client.Args](ctx, c, "join", "room"); err != nil {
		t.Fatal(err)
	}
	c.Emit("tell", "elsewhere", "others")
	c.Emit("tell", "room", "us")
	c.wants("told us")

	admin := c.Of("/secret")
	if e, ok := errors.AsType[*client.ConnectError](admin.Connect(ctx)); !ok || e.Message != "not you" || e.Namespace != "/secret" {
		t.Fatalf("refused: %v", e)
	} else if d := cmp.Diff(`{"token":"wrong"}`, compact(t, e.Data)); d != "" {
		t.Errorf("the refusal's data (-want +got):\n%s", d)
	}
	if err := admin.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if who, err := client.Ask[string](ctx, admin, "who"); who != "admin" || err != nil {
		t.Fatal(who, err)
	}
	if err := c.Of("/nowhere").Connect(ctx); err == nil {
		t.Error("a namespace that there is not was connected")
	}
	if got := c.Transport(); got != last {
		t.Errorf("by %s, want %s", got, last)
	}
	if _, err := client.Ask[client.Args](ctx, c, "echo"); err != nil { // over some heartbeats
		t.Fatal(err)
	}

	if b.recovers {
		testGoRecovery(t, c)
	}

	// Killed and started again.
	stop()
	c.wants("lost")
	if err := c.Emit("say", "while away"); err != nil {
		t.Fatal(err)
	}
	var port int
	fmt.Sscanf(url, "http://127.0.0.1:%d", &port)
	b.start(t, port) // and stopped with the test
	c.wants("welcome true", "said while away")
	if who, err := client.Ask[string](ctx, admin, "who"); who != "admin" || err != nil {
		t.Fatalf("the other namespace: %q, %v", who, err)
	}

	// Ended by the server: the namespace stays ended, the client is not.
	c.Emit("disconnect me")
	c.wants(string(client.ServerDisconnect))
	if err := c.Emit("say", 1); !errors.Is(err, client.ErrClosed) {
		t.Fatal(err)
	}
	if who, err := client.Ask[string](ctx, admin, "who"); who != "admin" || err != nil {
		t.Fatalf("the other namespace: %q, %v", who, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Wait(ctx); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

// testGoRecovery loses the connection, and has everything again.
func testGoRecovery(t *testing.T, c *goClient) {
	t.Helper()
	id := c.ID()
	c.Emit("tell", "room", "before")
	c.wants("told before")
	c.Drop()
	c.wants("lost")
	c.Emit("tell", "room", "after")
	c.wants("told after") // still in the room
	if c.ID() != id || !c.Recovered() {
		t.Errorf("recovered: %t, the same id: %t", c.Recovered(), c.ID() == id)
	}
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return b.String()
}
