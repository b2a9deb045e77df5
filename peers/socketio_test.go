package peers

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"framewright/engineio"
	sio "framewright/socketio"
)

// An ioServer is our server with a handler for everything that the tests do.
type ioServer struct {
	*sio.Server
	url   string
	notes chan string // what it saw
	http  *http.Server
	dials atomic.Int64
}

// startIO serves on addr, "" for a free port, until stop or the test's end.
func startIO(t *testing.T, addr string, o sio.Options) *ioServer {
	t.Helper()
	var log syncBuffer
	o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Engine.OriginPatterns = []string{"127.0.0.1:*"} // the pages come from other ports
	io, err := sio.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	s := &ioServer{Server: io, notes: make(chan string, 10_000)}
	s.handle()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	s.http = &http.Server{Handler: mux, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.dials.Add(1)
		}
	}}
	go s.http.Serve(ln)
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	return s
}

// stop ends it at once, as a crash would.
func (s *ioServer) stop() {
	s.http.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Shutdown(ctx)
}

func (s *ioServer) note(format string, args ...any) { s.notes <- fmt.Sprintf(format, args...) }

// noted wants the next note to be one of these.
func (s *ioServer) noted(t *testing.T, want ...string) {
	t.Helper()
	select {
	case got := <-s.notes:
		if !slices.Contains(want, got) {
			t.Fatalf("the server saw %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("the server did not see %q", want)
	}
}

func (s *ioServer) handle() {
	s.OnConnect(func(ctx context.Context, c *sio.Socket) error {
		if c.Recovered() {
			return nil
		}
		return c.Emit("message", "welcome")
	})
	s.OnDisconnect(func(ctx context.Context, c *sio.Socket, why sio.Reason) { s.note("left: %s", why) })
	sio.On(s, "message", func(ctx context.Context, c *sio.Socket, text string) error { return s.Emit("message", text) })
	sio.OnAck(s, "echo", func(ctx context.Context, c *sio.Socket, args sio.Args) (sio.Reply, error) {
		list, into := make([]any, args.Len()), make([]any, args.Len())
		for i := range list {
			into[i] = &list[i]
		}
		return list, args.Decode(into...)
	})
	sio.OnAck(s, "fail", func(ctx context.Context, c *sio.Socket, _ struct{}) (int, error) {
		return 0, &sio.Error{Message: "not today", Data: map[string]int{"retry": 5}}
	})
	type upload struct {
		Name  string            `json:"name"`
		Data  []byte            `json:"data"`
		Parts map[string][]byte `json:"parts"`
	}
	sio.OnAck(s, "upload", func(ctx context.Context, c *sio.Socket, u upload) (upload, error) {
		u.Name = strings.ToUpper(u.Name)
		return u, c.Emit("uploaded", u)
	})
	sio.OnAck(s, "ask", func(ctx context.Context, c *sio.Socket, args sio.Args) ([]any, error) {
		var text string
		var data []byte
		if err := args.Decode(&text, &data); err != nil {
			return nil, err
		}
		answer, err := sio.Ask[sio.Args](ctx, c, "question", text, data)
		if err != nil {
			return nil, err
		}
		return []any{text, data}, answer.Decode(&text, &data)
	})
	sio.On(s, "join", func(ctx context.Context, c *sio.Socket, room string) error { return c.Join(room) })
	sio.On2(s, "to room", func(ctx context.Context, c *sio.Socket, room, text string) error {
		return c.To(room).Emit("in room", text)
	})
	sio.On2(s, "except room", func(ctx context.Context, c *sio.Socket, room, text string) error {
		return s.Except(room).Emit("not in room", text)
	})
	sio.On(s, "disconnect me", func(ctx context.Context, c *sio.Socket, _ struct{}) error { c.Disconnect(); return nil })
	sio.On(s, "drop me", func(ctx context.Context, c *sio.Socket, _ struct{}) error { c.Drop(); return nil })

	admin := s.Of("/admin")
	admin.Use(func(ctx context.Context, c *sio.Socket) error {
		var auth struct{ Token string }
		if err := c.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "right" {
			return &sio.Error{Message: "no entry", Data: map[string]string{"hint": "the door"}}
		}
		return nil
	})
	admin.OnConnect(func(ctx context.Context, c *sio.Socket) error { return c.Emit("hello", "admin") })
	sio.OnAck(admin, "where", func(ctx context.Context, c *sio.Socket, _ struct{}) (string, error) { return c.Namespace().Name(), nil })
}

// everyIO runs a test with every client and over every transport.
func everyIO(t *testing.T, test func(t *testing.T, c *ioClient, transports []string)) {
	everyIOClient(t, func(t *testing.T, c *ioClient) {
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				transports, _ := way.options["transports"].([]string)
				test(t, c, transports)
			})
		}
	})
}

func sumOf(b []byte) uint32 {
	h := fnv.New32a()
	h.Write(b)
	return h.Sum32()
}

func filled(n int) map[string]any {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return map[string]any{"size": n, "sum": sumOf(b)}
}

func letters(n int) map[string]any {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return map[string]any{"size": n, "sum": sumOf(b), "text": true}
}

func bytesOf(hex string) map[string]any { return map[string]any{"hex": hex} }

// enter makes a socket and waits until it is connected and welcomed.
func (c *ioClient) enter(t *testing.T, conn, url string, transports []string) *ioSocket {
	t.Helper()
	s := c.open(t, conn, url, "/", transports, nil)
	s.connected("at first")
	s.gets("message", "welcome")
	return s
}

// TestSocketIOTalk is a conversation with everything in it.
func TestSocketIOTalk(t *testing.T) {
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		s := startIO(t, "", sio.Options{})
		a := c.enter(t, "a", s.url, transports)
		b := c.enter(t, "b", s.url, transports) // and a does not get it

		a.emit("message", "grüße 世界 👋 <b>")
		for _, x := range []*ioSocket{a, b} {
			x.gets("message", "grüße 世界 👋 <b>")
		}
		a.call("echo", []any{1, "two", nil, []any{true, map[string]any{"k": 2.5}}}, 1, "two", nil, []any{true, map[string]any{"k": 2.5}})
		a.call("fail", nil, map[string]any{"error": "not today", "data": map[string]any{"retry": 5}})

		a.call("echo", []any{bytesOf("00ff"), "x", bytesOf("")}, bytesOf("00ff"), "x", bytesOf(""))
		a.call("echo", []any{map[string]any{"deep": []any{bytesOf("01"), map[string]any{"er": bytesOf("0203")}}}},
			map[string]any{"deep": []any{bytesOf("01"), map[string]any{"er": bytesOf("0203")}}})
		uploaded := map[string]any{"name": "FILE", "data": filled(300_000), "parts": map[string]any{"x": bytesOf("0a"), "y": filled(1000)}}
		a.call("upload", []any{map[string]any{"name": "file", "data": map[string]any{"fill": 300_000},
			"parts": map[string]any{"x": bytesOf("0a"), "y": map[string]any{"fill": 1000}}}}, uploaded)
		a.gets("uploaded", uploaded)
		a.call("echo", []any{map[string]any{"letters": 300_000}}, letters(300_000))

		a.call("ask", []any{"how?", bytesOf("beef")}, []any{"how?", bytesOf("beef")})
		a.gets("question", "how?", bytesOf("beef"))

		b.call("join", []any{"red"})
		a.emit("to room", "red", "1")
		b.gets("in room", "1")
		a.emit("except room", "red", "2")
		a.gets("not in room", "2") // and b does not
		b.emit("to room", "red", "not to myself")
		b.call("echo", nil) // so nothing else has come
		want := "websocket"
		if len(transports) == 1 {
			want = transports[0]
		}
		a.upgraded(want)
		a.do("close", "")
		want = "left: client namespace disconnect"
		if c.python {
			s.noted(t, want, "left: transport close") // it may close the WebSocket before its writer has sent the packet
		} else {
			s.noted(t, want)
		}
		a.goes(a.says("io client disconnect", "client disconnect"))
	})
}

// upgraded waits until the transport is this.
func (s *ioSocket) upgraded(want string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got := s.do("transport", "")
		if len(got) == 1 && got[0] == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the transport is %v, want %s", got, want)
		}
		s.call("echo", nil) // a round trip, in which it may come
	}
}

func TestSocketIONamespaces(t *testing.T) {
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		s := startIO(t, "", sio.Options{})
		in := c.open(t, "in", s.url, "/admin", transports, map[string]any{"token": "right"})
		in.connected("with the right token")
		in.gets("hello", "admin")
		in.call("where", nil, "/admin")
		for conn, tt := range map[string]struct {
			namespace, message string
			auth               any
			data               []any
		}{
			"wrong":   {"/admin", "no entry", map[string]any{"token": "wrong"}, []any{map[string]any{"hint": "the door"}}},
			"none":    {"/admin", "no entry", nil, []any{map[string]any{"hint": "the door"}}},
			"nowhere": {"/nowhere", "Invalid namespace", nil, nil},
		} {
			out := c.open(t, conn, s.url, tt.namespace, transports, tt.auth)
			e := out.next("refused")
			if e.Event != "connect_error" || e.Reason != tt.message || fmt.Sprint(e.Args) != fmt.Sprint(plainJSON(append([]any{}, tt.data...))) {
				t.Errorf("%s: %+v, want it refused with %q and %v", conn, e, tt.message, tt.data)
			}
		}
	})
}

func TestSocketIODisconnects(t *testing.T) {
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		s := startIO(t, "", sio.Options{})
		a := c.enter(t, "a", s.url, transports)
		a.emit("drop me")
		s.noted(t, "left: forced close")
		a.goes("transport close", "transport error", "server disconnect")
		if c.python && len(transports) == 1 && transports[0] == "polling" {
			// It takes the end of a session for final if it is told by a packet.
			a = c.open(t, "a", s.url, "/", transports, nil)
		}
		a.connected("again")
		a.gets("message", "welcome")
		a.emit("disconnect me")
		s.noted(t, "left: server namespace disconnect")
		a.goes(a.says("io server disconnect", "server disconnect"))
	})
}

// TestSocketIORestart: the server goes and comes back at the same address.
func TestSocketIORestart(t *testing.T) {
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		s := startIO(t, "", sio.Options{})
		a := c.enter(t, "a", s.url, transports)
		a.call("echo", []any{"x"}, "x")
		s.stop()
		a.goes("transport close", "transport error")
		startIO(t, strings.TrimPrefix(s.url, "http://"), sio.Options{})
		a.connected("to the new one")
		a.gets("message", "welcome")
		a.call("echo", []any{"y"}, "y")
	})
}

// TestSocketIOHeartbeats: an idle client stays, one that does not answer is
// cut, and a client gives a server up that says nothing.
func TestSocketIOHeartbeats(t *testing.T) {
	t.Parallel()
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		t.Parallel() // it waits more than it works
		s := startIO(t, "", sio.Options{Engine: engineio.Options{PingInterval: 100 * time.Millisecond, PingTimeout: 2 * time.Second}})
		proxy := startFreezer(t, strings.TrimPrefix(s.url, "http://"))
		a := c.open(t, "a", "http://"+proxy.addr, "/", transports, nil)
		a.connected("at first")
		a.gets("message", "welcome")
		idle := time.NewTimer(2200 * time.Millisecond) // longer than interval and timeout together: that long it lives by pongs alone
		defer idle.Stop()
		select {
		case note := <-s.notes:
			t.Fatalf("an idle client has %s", note)
		case <-idle.C:
		}
		a.call("echo", []any{"still here"}, "still here")
		proxy.freeze()
		s.noted(t, "left: ping timeout")
		a.goes("ping timeout", "transport error", "transport close")
		proxy.thaw()
		a.connected("again")
	})
}

// TestSocketIORecovery: a client that is cut gets what it has missed.
func TestSocketIORecovery(t *testing.T) {
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		if !c.recovers {
			t.Skip("this client does not know connection state recovery")
		}
		s := startIO(t, "", sio.Options{Recovery: &sio.Recovery{}})
		quiet := s.Of("/quiet") // sends nothing by itself
		q := c.open(t, "q", s.url, "/quiet", transports, nil)
		sid := q.connected("at first").SID
		drop := func(missed ...string) {
			t.Helper()
			for _, x := range quiet.Sockets() {
				if err := x.Join("room"); err != nil {
					t.Fatal(err)
				}
				x.Drop() // what is sent from here on does not reach it
			}
			for _, text := range missed {
				if err := quiet.To("room").Emit("missed", text); err != nil {
					t.Fatal(err)
				}
			}
			q.goes("transport close", "transport error")
		}
		// What was missed comes before it is told that it is connected: only
		// socket.recovered says so to the program.
		back := func(missed ...string) {
			t.Helper()
			for _, text := range missed {
				e := q.next(text, "connect_error")
				if e.Name != "missed" || len(e.Args) != 2 || e.Args[0] != text {
					t.Fatalf("got %+v, want %s", e, text)
				}
			}
			if e := q.connected("back"); !e.Recovered || e.SID != sid {
				t.Fatalf("got %+v, want it recovered as %s", e, sid)
			}
		}
		drop("one") // it has received nothing yet
		back("one")
		drop("two", "three")
		back("two", "three")
		drop()
		back()
		quiet.Emit("live", 1)
		if e := q.next("live"); e.Name != "live" {
			t.Fatalf("got %+v", e)
		}
	})
}

// TestSocketIOOrder: numbered events go both ways while the transport changes;
// none is lost, doubled or out of order.
func TestSocketIOOrder(t *testing.T) {
	const events = 1500
	everyIO(t, func(t *testing.T, c *ioClient, transports []string) {
		s := startIO(t, "", sio.Options{})
		n := s.Of("/count")
		var mu sync.Mutex
		var came []int
		all := make(chan struct{})
		sio.On(n, "number", func(ctx context.Context, x *sio.Socket, i int) error {
			mu.Lock()
			defer mu.Unlock()
			if came = append(came, i); len(came) == events {
				close(all)
			}
			return nil
		})
		n.OnConnect(func(ctx context.Context, x *sio.Socket) error {
			go func() {
				pace := time.NewTicker(time.Millisecond)
				defer pace.Stop()
				for i := range events {
					if x.Ready(ctx) != nil || x.Emit("number", i) != nil {
						return
					}
					if i%10 == 9 {
						<-pace.C
					}
				}
			}()
			return nil
		})
		a := c.open(t, "a", s.url, "/count", transports, nil)
		a.connected("at first")
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.ask(t.Context(), map[string]any{"command": "count", "conn": a.conn, "name": "number", "n_events": events})
			if err != nil {
				t.Error(err)
			}
		})
		var got []int
		for range events {
			e := a.next("number")
			if e.Name != "number" || len(e.Args) != 1 {
				t.Fatalf("got %+v, want a number", e)
			}
			got = append(got, int(e.Args[0].(float64)))
		}
		wg.Wait()
		if strings.HasSuffix(c.name, "sync") && !strings.HasSuffix(c.name, "async") {
			slices.Sort(got) // this client has a thread for each event, which run as they like
		}
		select {
		case <-all:
		case <-time.After(patience):
			t.Errorf("%d of %d events have come", len(came), events)
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range events {
			if came[i] != i || got[i] != i {
				t.Fatalf("event %d is number %d at the server and %d at the client", i, came[i], got[i])
			}
		}
	})
}

// A freezer is a TCP proxy that can stop forwarding without a word.
type freezer struct {
	addr string

	mu     sync.Mutex
	frozen chan struct{} // closed by thaw; nil while it forwards
	conns  []net.Conn
}

func startFreezer(t *testing.T, to string) *freezer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &freezer{addr: ln.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			f.mu.Lock()
			f.conns = append(f.conns, in, out)
			f.mu.Unlock()
			wg.Go(func() { f.pipe(in, out) })
			wg.Go(func() { f.pipe(out, in) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		f.thaw()
		f.mu.Lock()
		for _, c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		wg.Wait()
	})
	return f
}

func (f *freezer) pipe(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		f.mu.Lock()
		frozen := f.frozen
		f.mu.Unlock()
		if frozen != nil {
			<-frozen
			return // what was on its way is lost
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = make(chan struct{})
}

// thaw forwards new connections again; the old ones are gone.
func (f *freezer) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.frozen != nil {
		close(f.frozen)
		f.frozen = nil
		for _, c := range f.conns {
			c.Close()
		}
	}
}

// servePage serves a page and its files, and returns its address.
func servePage(t *testing.T, html string, files map[string]string) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, ok := files[r.URL.Path]; ok {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			fmt.Fprint(w, text)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, html)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
