package wsnet_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// stAlone has stServe use Server.Serve, without net/http.
var stAlone bool

// What a Server does behind net/http it does alone.
func TestServeAlone(t *testing.T) {
	stAlone = true
	defer func() { stAlone = false }()
	for _, tt := range []struct {
		name string
		test func(*testing.T)
	}{
		{"ReturnValues", TestServerReturnValues},
		{"PeerEnds", TestServerPeerEnds},
		{"WaitsForTheEndOfTCP", TestServerWaitsForTheEndOfTCP},
		{"HandlerEndsItsGoroutine", TestServerHandlerEndsItsGoroutine},
		{"ShutdownCuts", TestServerShutdownCuts},
		{"Limits", TestServerLimits},
		{"Connect", TestServerConnect},
		{"ConnectPanics", TestServerConnectPanics},
		{"LeavesNothing", TestServerLeavesNothing},
	} {
		t.Run(tt.name, tt.test)
	}
}

// svStart serves s on a TCP address until the test ends.
func svStart(t *testing.T, s *wsnet.Server) string {
	t.Helper()
	l := svListen(t)
	svServe(t, s, l)
	return l.Addr().String()
}

func svListen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// svServe serves s on l until the test ends.
func svServe(t *testing.T, s *wsnet.Server, l net.Listener) {
	done := ctAsync(func() error { return s.Serve(l) })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != wsnet.ErrServerClosed {
			t.Errorf("Serve: %v, want ErrServerClosed", err)
		}
	})
}

// svDiffers says where Serve answers other than net/http and Accept do: it is
// stricter about lines.
var svDiffers = map[string]int{
	"a folded header":           400,
	"a folded Upgrade":          400,
	"a fold in a value of ours": 400,
	"bare line feeds":           400,
}

// The rows about the opening handshake, against Serve.
func TestBadInputServe(t *testing.T) {
	wstest.CheckLeaks(t)
	for _, row := range badRequests() {
		t.Run(row.name, func(t *testing.T) {
			o := wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1}}
			if row.opts != nil {
				o = *row.opts
			}
			if o.Hosts == nil {
				o.Hosts = []string{"*"}
			}
			for _, way := range []string{badWhole, badBytes} {
				t.Run(way, func(t *testing.T) { svAsk(t, &o, row, way) })
			}
		})
	}
}

func svAsk(t *testing.T, o *wsnet.ServerOptions, row badRequest, way string) {
	s := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		return err
	})
	s.Options, s.Logger = *o, slog.New(slog.DiscardHandler)
	l := svListen(t)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		l.Close()
		t.Fatal(err)
	}
	defer conn.Close()
	// The first bytes are there before anybody accepts. On a busy machine a
	// client may come too late for a short HandshakeTimeout, and who has sent
	// nothing by then gets no answer.
	first := row.send[:min(len(row.send), 4<<10)]
	if way == badBytes {
		first = row.send[:1]
	}
	rest := row.send[len(first):]
	if _, err := io.WriteString(conn, first); err != nil {
		t.Error(err)
	}
	svServe(t, s, l)
	if way == badBytes && len(row.send) < 20000 {
		for i := range len(rest) {
			if _, err := io.WriteString(conn, rest[i:i+1]); err != nil {
				break // it has heard enough
			}
		}
	} else {
		io.WriteString(conn, rest)
	}
	status := row.status
	if other := svDiffers[row.name]; other != 0 {
		status = other
	}
	method, _, _ := strings.Cut(row.send, " ")
	r := bufio.NewReader(conn)
	resp, body := badResponse(t, conn, r, method)
	if resp.StatusCode != status {
		t.Fatalf("got status %d (%q), want %d", resp.StatusCode, body, status)
	}
	if status == http.StatusSwitchingProtocols {
		for _, line := range row.header {
			name, value, _ := strings.Cut(line, ": ")
			if got := resp.Header.Get(strings.TrimPrefix(name, "-")); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		conn.Write(badWire(ws.RoleServer, "88 02 | 03e8"))
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, wstest.MustHex("88 02 | 03e8")) {
			t.Errorf("after a Close frame: % x, %v", got, err)
		}
		return
	}
	if !resp.Close {
		t.Error("no Connection: close")
	}
	if method != http.MethodHead && body == "" {
		t.Error("the answer says nothing")
	}
	if _, err := io.Copy(io.Discard, r); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}

// A request that drips in, and one that never comes.
func TestServeSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log := stServer(stWait)
		s.Options.HandshakeTimeout = 3 * time.Second
		l := wstest.NewListener()
		go s.Serve(l)
		defer l.Close()
		silent, drip := stPeer(t, l), stPeer(t, l)
		ctTook(t, "waiting for a request", 3*time.Second, func() {
			go drip.SendBytes([]byte("GET / HTTP/1.1\r\n"))
			silent.WantEOF("no request, no answer")
		})
		if head := drip.ReadHead("the refusal"); !strings.HasPrefix(head, "HTTP/1.1 408 ") || !strings.Contains(head, "Connection: close") {
			t.Errorf("%q", head)
		}
		drip.Close()
		synctest.Wait()
		if s := log.String(); strings.Count(s, "refused") != 1 || !strings.Contains(s, "HandshakeTimeout") {
			t.Errorf("log: %s", s)
		}
	})
}

// Shutdown ends a handshake that is under way, and Serve.
func TestServeShutdownDuringHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := stServer(stWait)
		l := wstest.NewListener()
		served := ctAsync(func() error { return s.Serve(l) })
		p := stPeer(t, l)
		p.SendBytes([]byte("GET / HT"))
		synctest.Wait()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != wsnet.ErrServerClosed {
			t.Error(err)
		}
		p.Close()
		if err := s.Serve(wstest.NewListener()); err != wsnet.ErrServerClosed {
			t.Errorf("Serve after Shutdown: %v", err)
		}
	})
}

func TestAcceptStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		p := wstest.NewPeer(t, a)
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "value")
		done := make(chan *wsnet.Conn)
		go func() {
			c, err := wsnet.AcceptStream(ctx, b, &wsnet.ServerOptions{Options: wsnet.Options{Subprotocols: []string{"chat"}, PingInterval: -1}})
			if err != nil {
				t.Error(err)
			}
			done <- c
		}()
		p.SendBytesSlowly(wstest.Request("/", "server.test", "Sec-WebSocket-Protocol: x, chat"))
		p.SendBytes(wstest.MustHex("81 85 | 37fa213d | 7f9f4d5158"))
		if got := wstest.HeadField(p.ReadHead("the answer"), "Sec-WebSocket-Protocol"); got != "chat" {
			t.Errorf("subprotocol %q", got)
		}
		c := <-done
		defer c.CloseNow()
		if c.Subprotocol() != "chat" || c.Context().Value(key{}) != "value" {
			t.Error(c.Subprotocol(), c.Context().Value(key{}))
		}
		ctRead(t, "sent with the request", c, ws.OpText, "Hello")
	})
	synctest.Test(t, func(t *testing.T) {
		_, b := wstest.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctTook(t, "waiting", time.Second, func() {
			if _, err := wsnet.AcceptStream(ctx, b, nil); !errors.Is(err, ctx.Err()) {
				t.Errorf("got %v, want what ended the context", err)
			}
		})
	})
}

func TestParseRequest(t *testing.T) {
	for _, tt := range []struct {
		name string
		send string
		want *ws.Request // nil: an error
	}{
		{"the RFC's own (§1.2)", "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
			&ws.Request{Method: "GET", Target: "/chat", Major: 1, Minor: 1, Host: "server.example.com", Header: http.Header{
				"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
				"Origin": {"http://example.com"}, "Sec-Websocket-Protocol": {"chat, superchat"}, "Sec-Websocket-Version": {"13"}}}},
		{"names in any case, values twice, white space around", "GET / HTTP/1.1\r\nhOST:a\r\nx-TWO-words: \t b \t\r\nX-Two-Words:c\r\n\r\n",
			&ws.Request{Method: "GET", Target: "/", Major: 1, Minor: 1, Host: "a", Header: http.Header{"X-Two-Words": {"b", "c"}}}},
		{"a body", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
			&ws.Request{Method: "POST", Target: "/", Major: 1, Length: 3, Header: http.Header{"Content-Length": {"3"}}}},
		{"nothing but a method", "GET\r\n\r\n", nil},
		{"two spaces", "GET  / HTTP/1.1\r\n\r\n", nil},
		{"no version", "GET /\r\n\r\n", nil},
		{"another protocol", "GET / HTTPS/1.1\r\n\r\n", nil},
		{"a long version", "GET / HTTP/1.10\r\n\r\n", nil},
		{"a colon first", "GET / HTTP/1.1\r\n: a\r\n\r\n", nil},
		{"an empty line first", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range len(tt.send) {
				if strings.Contains(tt.send[:n], "\r\n\r\n") {
					break
				}
				if _, n, err := ws.ParseRequest([]byte(tt.send[:n])); n != 0 || err != nil {
					t.Fatalf("of %q: %d, %v", tt.send[:n], n, err)
				}
			}
			r, n, err := ws.ParseRequest([]byte(tt.send + "more"))
			if tt.want == nil {
				if e, ok := errors.AsType[*ws.HandshakeError](err); !ok || e.Status != 400 || e.Section == "" {
					t.Fatalf("got %+v, %v", r, err)
				}
				return
			}
			if err != nil || n != len(tt.send) {
				t.Fatal(n, err)
			}
			if diff := cmp.Diff(tt.want, r, cmp.FilterPath(func(p cmp.Path) bool {
				return slices.Contains([]string{".head"}, p.Last().String())
			}, cmp.Ignore())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A context that ends between the answer and AcceptStream's return has ended too
// late: it leaves no deadline behind on the connection.
func TestAcceptStreamContextTooLate(t *testing.T) {
	a, b := wstest.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	late := &lateConn{Conn: b, cancel: cancel, interrupted: make(chan struct{})}
	p := wstest.NewPeer(t, a)
	p.SendBytes(wstest.Request("/", "server.example.com"))
	c, err := wsnet.AcceptStream(ctx, late, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	p.ReadHead("the answer")
	p.SendFrame(wstest.Text("still here"))
	if _, msg, err := c.Read(t.Context()); err != nil || string(msg) != "still here" {
		t.Errorf("got %q, %v", msg, err)
	}
}

// A lateConn cancels once its deadline is taken away, and goes on when that has
// set another one.
type lateConn struct {
	net.Conn
	cancel      context.CancelFunc
	once        sync.Once
	interrupted chan struct{}
}

func (l *lateConn) SetDeadline(at time.Time) error {
	err := l.Conn.SetDeadline(at)
	if !at.IsZero() {
		if at.Before(time.Now()) {
			close(l.interrupted)
		}
		return err
	}
	l.once.Do(func() {
		l.cancel()
		<-l.interrupted
	})
	return err
}
