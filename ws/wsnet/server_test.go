package wsnet_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// stServe runs an HTTP server on a listener in memory until the test ends.
func stServe(t *testing.T, h http.Handler, configure ...func(*http.Server)) *wstest.Listener {
	t.Helper()
	l := wstest.NewListener()
	if srv, ok := h.(*wsnet.Server); ok && stAlone && len(configure) == 0 {
		go srv.Serve(l)
		t.Cleanup(func() { l.Close() })
		return l
	}
	hs := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	for _, f := range configure {
		f(hs)
	}
	go hs.Serve(l)
	t.Cleanup(func() { hs.Close() })
	return l
}

// stServer is a Server that keeps its log in a buffer.
func stServer(handle func(context.Context, *wsnet.Conn) error) (*wsnet.Server, *stLog) {
	srv, log := wsnet.Handler(handle), new(stLog)
	srv.Logger = slog.New(slog.NewTextHandler(log, nil))
	return srv, log
}

type stLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *stLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *stLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stPeer connects to l and does not do the handshake.
func stPeer(t *testing.T, l *wstest.Listener) *wstest.Peer {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	return wstest.NewPeer(t, conn)
}

// stRefused wants an answer that is not 101.
func stRefused(t *testing.T, l *wstest.Listener, status int, lines ...string) string {
	t.Helper()
	p := stPeer(t, l)
	p.SendBytes(wstest.Request("/", "server.test", lines...))
	head := p.ReadHead("the refusal")
	if !strings.HasPrefix(head, fmt.Sprintf("HTTP/1.1 %d ", status)) {
		t.Errorf("want status %d, got %q", status, head)
	}
	p.Close()
	return head
}

func stWait(ctx context.Context, c *wsnet.Conn) error {
	_, _, err := c.Read(ctx)
	return err
}

// TestServerReturnValues holds the table in Server.Handler's comment.
func TestServerReturnValues(t *testing.T) {
	mine := errors.New("the database is on fire")
	for _, tc := range []struct {
		name   string
		handle func(context.Context, *wsnet.Conn) error
		code   ws.Code
		reason string
		logged string
	}{
		{"nil", func(context.Context, *wsnet.Conn) error { return nil }, ws.CodeNormal, "", ""},
		{"a CloseError of its own", func(context.Context, *wsnet.Conn) error {
			return fmt.Errorf("limit: %w", &ws.CloseError{Code: 4003, Reason: "too many rooms"})
		}, 4003, "too many rooms", ""},
		{"a CloseError with a long reason", func(context.Context, *wsnet.Conn) error {
			return &ws.CloseError{Code: 4003, Reason: strings.Repeat("€", 100)}
		}, 4003, strings.Repeat("€", 41), ""},
		{"a CloseError whose reason is not UTF-8", func(context.Context, *wsnet.Conn) error {
			return &ws.CloseError{Code: 4003, Reason: "caf\xe9"}
		}, 4003, "caf\uFFFD", ""},
		{"a CloseError without a code", func(context.Context, *wsnet.Conn) error {
			return &ws.CloseError{Code: ws.CodeNoStatus}
		}, ws.CodeNoStatus, "", ""},
		{"another connection's end", func(context.Context, *wsnet.Conn) error {
			return &ws.CloseError{Code: ws.CodeNormal, Remote: true}
		}, ws.CodeInternalError, "", "level=ERROR"},
		{"a code that cannot be sent", func(context.Context, *wsnet.Conn) error {
			return &ws.CloseError{Code: ws.CodeAbnormal}
		}, ws.CodeInternalError, "", "level=ERROR"},
		{"another error", func(context.Context, *wsnet.Conn) error { return mine }, ws.CodeInternalError, "", mine.Error()},
		{"a panic", func(context.Context, *wsnet.Conn) error { panic("what now") }, ws.CodeInternalError, "", "what now"},
		{"an unfinished message", func(ctx context.Context, c *wsnet.Conn) error {
			w, err := c.Writer(ctx, ws.OpText)
			if err != nil {
				return err
			}
			w.Write([]byte("half a"))
			return nil
		}, ws.CodeNormal, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, log := stServer(tc.handle)
				p := stPeer(t, stServe(t, srv))
				p.Upgrade()
				p.WantClose("the handler returned", tc.code, tc.reason)
				p.SendFrame(wstest.Close(tc.code, ""))
				p.WantEOF("the server first")
				p.Close()
				synctest.Wait()
				if s := log.String(); (s == "") != (tc.logged == "") || !strings.Contains(s, tc.logged) {
					t.Errorf("log: %q, want %q in it", s, tc.logged)
				}
				if n := srv.Count(); n != 0 {
					t.Errorf("Count = %d", n)
				}
			})
		})
	}
}

// The connection's own end, returned by the handler, is no failure.
func TestServerPeerEnds(t *testing.T) {
	for name, end := range map[string]func(p *wstest.Peer){
		"close":     func(p *wstest.Peer) { p.SendFrame(wstest.Close(ws.CodeGoingAway, "")) },
		"lost":      func(p *wstest.Peer) { p.Close() },
		"violation": func(p *wstest.Peer) { p.Send("f1 80 | 37fa213d") },
	} {
		synctest.Test(t, func(t *testing.T) {
			var cause error
			srv, log := stServer(func(ctx context.Context, c *wsnet.Conn) error {
				err := stWait(ctx, c)
				<-ctx.Done()
				if cause = context.Cause(ctx); !errors.Is(err, cause) {
					t.Errorf("%s: the handler's context ends with %v, Read with %v", name, cause, err)
				}
				return err
			})
			p := stPeer(t, stServe(t, srv))
			p.Upgrade()
			end(p)
			if name != "lost" {
				p.ReadFrame("the answer")
				p.Close()
			}
			synctest.Wait()
			if _, ok := cause.(*ws.CloseError); !ok || log.String() != "" {
				t.Errorf("%s: cause %v, log %q", name, cause, log)
			}
		})
	}
}

// A connection counts until its stream is closed, not until its handler is
// through.
func TestServerWaitsForTheEndOfTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(stWait)
		p := stPeer(t, stServe(t, srv))
		p.Upgrade()
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.WantClose("the answer", ws.CodeNormal, "")
		synctest.Wait()
		if n := srv.Count(); n != 1 {
			t.Errorf("Count = %d", n)
		}
		ctTook(t, "Shutdown", time.Second, func() {
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestServerHandlerEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(func(context.Context, *wsnet.Conn) error { runtime.Goexit(); return nil })
		p := stPeer(t, stServe(t, srv))
		p.Upgrade()
		p.WantEOF("nobody is there")
		if err := srv.Shutdown(t.Context()); err != nil || srv.Count() != 0 {
			t.Error(err, srv.Count())
		}
	})
}

func TestServerShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, log := stServer(stWait)
		l := stServe(t, srv)
		peers := make([]*wstest.Peer, 10)
		for i := range peers {
			peers[i] = stPeer(t, l)
			peers[i].Upgrade()
		}
		done := ctAsync(func() error { return srv.Shutdown(t.Context()) })
		second := ctAsync(func() error { return srv.Shutdown(t.Context()) })
		for _, p := range peers {
			p.WantClose("all are told", ws.CodeGoingAway, "shutting down")
		}
		if head := stRefused(t, l, 503); wstest.HeadField(head, "Retry-After") != "5" {
			t.Errorf("no Retry-After: %q", head)
		}
		ctPending(t, "Shutdown", done)
		for _, p := range peers {
			p.SendFrame(wstest.Close(ws.CodeGoingAway, ""))
			p.WantEOF("the end")
			p.Close()
		}
		for _, ch := range []<-chan error{done, second} {
			if err := <-ch; err != nil {
				t.Error(err)
			}
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("once more: %v", err)
		}
		if s := log.String(); strings.Contains(s, "ERROR") || !strings.Contains(s, "shutting down") {
			t.Errorf("log: %q", s)
		}
	})
}

func TestServerShutdownCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		srv, _ := stServer(func(ctx context.Context, c *wsnet.Conn) error {
			c.Write(ctx, ws.OpText, []byte("ready"))
			<-release // does not care that the connection is over
			return nil
		})
		p := stPeer(t, stServe(t, srv))
		p.Upgrade()
		p.WantFrame("served", wstest.Text("ready"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ctTook(t, "Shutdown", time.Second, func() {
			if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
		p.WantClose("told", ws.CodeGoingAway, "")
		p.WantEOF("and cut")
		if srv.Count() != 1 {
			t.Error("a connection is gone although its handler is not")
		}
		close(release)
		if err := srv.Shutdown(t.Context()); err != nil || srv.Count() != 0 {
			t.Error(err, srv.Count())
		}
	})
}

func TestServerConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var traced int
		srv, log := stServer(func(ctx context.Context, c *wsnet.Conn) error {
			return &ws.CloseError{Code: 4000, Reason: fmt.Sprintf("%v, %v", ctx.Value(key{}), c.Context().Value(key{}))}
		})
		srv.Options.Trace = func(e ws.TraceEvent) {
			if e.Handshake != "" && !e.Sent {
				traced++
			}
		}
		srv.Connect = func(r *http.Request) (context.Context, error) {
			switch user := r.Header.Get("X-User"); user {
			case "":
				return nil, &ws.HandshakeError{Status: 401, Detail: "who are you?", Header: http.Header{"Www-Authenticate": {"Basic"}}}
			case "mallory":
				return nil, errors.New("not you")
			default:
				return context.WithValue(r.Context(), key{}, user), nil
			}
		}
		l := stServe(t, srv)
		if head := stRefused(t, l, 401); wstest.HeadField(head, "WWW-Authenticate") != "Basic" {
			t.Errorf("got %q", head)
		}
		stRefused(t, l, 403, "X-User: mallory")
		synctest.Wait() // the log comes after the answer
		if s := log.String(); strings.Count(s, "ws: refused") != 2 || !strings.Contains(s, "not you") {
			t.Errorf("log: %q", s)
		}
		traced = 0
		p := stPeer(t, l)
		p.Upgrade("X-User: alice")
		p.WantClose("its values arrive", 4000, "alice, alice")
		p.Close()
		synctest.Wait()
		if traced != 1 {
			t.Errorf("the request was traced %d times", traced)
		}
	})
}

func TestServerConnectPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(stWait)
		srv.MaxConns, srv.MaxPerAddress = 1, 1
		srv.Connect = func(r *http.Request) (context.Context, error) {
			if r.Header.Get("X-Panic") != "" {
				panic("hook")
			}
			return nil, nil
		}
		l := stServe(t, srv)
		p := stPeer(t, l)
		p.SendBytes(wstest.Request("/", "server.test", "X-Panic: please"))
		p.WantEOF("net/http hangs up")
		p = stPeer(t, l)
		p.Upgrade() // its place is free again
		p.Close()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestServerLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(stWait)
		srv.MaxConns, srv.MaxPerAddress = 3, 2
		srv.RetryAfter = 90*time.Second + 1
		srv.Address = func(r *http.Request) string { return r.Header.Get("X-From") }
		var told []ws.RuleID
		srv.Refused = func(_ *http.Request, err *ws.HandshakeError) { told = append(told, err.Rule) }
		l := stServe(t, srv)
		a, b, c := stPeer(t, l), stPeer(t, l), stPeer(t, l)
		a.Upgrade("X-From: one")
		b.Upgrade("X-From: one")
		if head := stRefused(t, l, 429, "X-From: one"); wstest.HeadField(head, "Retry-After") != "91" {
			t.Errorf("got %q", head)
		}
		c.Upgrade("X-From: two")
		stRefused(t, l, 503, "X-From: two")
		a.Close()
		synctest.Wait()
		if want := []ws.RuleID{ws.RulePerAddress, ws.RuleConnections}; !slices.Equal(told, want) {
			t.Errorf("Refused was told %v, want %v", told, want)
		}
		if n := srv.Count(); n != 2 {
			t.Errorf("Count = %d", n)
		}
		d := stPeer(t, l)
		d.Upgrade("X-From: one")
		for _, p := range []*wstest.Peer{b, c, d} {
			p.Close()
		}
		if err := srv.Shutdown(t.Context()); err != nil || srv.Count() != 0 {
			t.Error(err, srv.Count())
		}
	})
}

// stWrapped hides all of a ResponseWriter but Unwrap.
type stWrapped struct{ w http.ResponseWriter }

func (s stWrapped) Header() http.Header         { return s.w.Header() }
func (s stWrapped) Write(p []byte) (int, error) { return s.w.Write(p) }
func (s stWrapped) WriteHeader(status int)      { s.w.WriteHeader(status) }
func (s stWrapped) Unwrap() http.ResponseWriter { return s.w }

func TestServerBehindMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		srv, _ := stServer(func(ctx context.Context, c *wsnet.Conn) error {
			_, p, err := c.Read(ctx)
			if err != nil {
				return err
			}
			return c.Write(ctx, ws.OpText, fmt.Appendf(nil, "%s %v %s", p, ctx.Value(key{}), c.Subprotocol()))
		})
		srv.Options.Subprotocols = []string{"v2", "v1"}
		l := stServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "42"})
			srv.ServeHTTP(stWrapped{w}, r.WithContext(context.WithValue(r.Context(), key{}, "value")))
		}))
		// The first frames come with the request, and the rest in between.
		p := stPeer(t, l)
		frame := ctMasked(true, ws.OpText, "early")
		p.SendBytes(append(wstest.Request("/", "server.test", "Sec-WebSocket-Protocol: v1, v2"), frame[:8]...))
		head := p.ReadHead("the answer")
		if wstest.HeadField(head, "Set-Cookie") != "session=42" || wstest.HeadField(head, "Sec-WebSocket-Protocol") != "v2" {
			t.Errorf("got %q", head)
		}
		p.SendBytes(frame[8:])
		p.WantFrame("what came early", wstest.Text("early value v2"))
		p.WantClose("the end", ws.CodeNormal, "")
	})
}

func TestServerCannotHijack(t *testing.T) {
	srv, log := stServer(stWait)
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://server.test/", nil)
	for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": wstest.RequestKey} {
		r.Header.Set(k, v)
	}
	srv.ServeHTTP(rec, r)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "Unwrap") || !strings.Contains(log.String(), "Unwrap") {
		t.Errorf("got %d %q, log %q", rec.Code, rec.Body, log)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// What http.Server set for the request must not fire in the connection.
func TestServerLeftoverTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(func(ctx context.Context, c *wsnet.Conn) error {
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
					return err
				}
			}
			return nil
		})
		srv.Options.PingInterval = -1
		l := stServe(t, srv, func(hs *http.Server) {
			hs.ReadTimeout, hs.ReadHeaderTimeout, hs.WriteTimeout, hs.IdleTimeout = time.Second, time.Second, time.Second, time.Second
		})
		p := stPeer(t, l)
		p.Upgrade()
		for range 3 {
			time.Sleep(time.Hour)
			p.SendFrame(wstest.Text("still there?"))
			p.WantFrame("an hour later", wstest.Text("still there?"))
		}
		p.Close()
	})
}

// The goroutine that net/http grew for the request does not stay with the
// connection.
func TestServerRequestGoroutineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := make(chan bool, 1)
		srv, _ := stServer(stWait)
		l := stServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			srv.ServeHTTP(w, r)
			returned <- true
		}))
		p := stPeer(t, l)
		p.Upgrade()
		<-returned
		if srv.Count() != 1 {
			t.Error("ServeHTTP returned, and the connection is gone")
		}
		p.Close()
	})
}

func TestServerLeavesNothing(t *testing.T) {
	for _, over := range []string{"TCP", "TLS"} {
		t.Run(over, func(t *testing.T) {
			wstest.CheckLeaks(t)
			srv, log := stServer(stWait)
			hs := httptest.NewUnstartedServer(srv)
			if hs.Start(); over == "TLS" {
				hs.Close()
				hs = httptest.NewTLSServer(srv)
			}
			var wg, stay sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					c, err := wsnet.Dial(t.Context(), hs.URL, &wsnet.DialOptions{HTTPClient: hs.Client()})
					if err != nil {
						t.Error(err)
						return
					}
					switch i % 4 {
					case 0:
						if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
							t.Error(err)
						}
					case 1:
						c.CloseNow()
					case 2: // the server answers a message by closing
						if err := c.Write(t.Context(), ws.OpText, nil); err != nil {
							t.Error(err)
						}
						_, _, err := c.Read(t.Context())
						ctCloseError(t, "the server's Close", err, ws.CodeNormal, true)
					case 3: // stays until Shutdown
						stay.Go(func() {
							_, _, err := c.Read(t.Context())
							ctCloseError(t, "Shutdown", err, ws.CodeGoingAway, true)
						})
					}
				})
			}
			wg.Wait()
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			stay.Wait()
			hs.Close()
			if s := log.String(); strings.Contains(s, "ERROR") {
				t.Errorf("log: %s", s)
			}
		})
	}
}

// Shutdown while connections come and go finds every one of them.
func TestServerShutdownRaces(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			srv, _ := stServer(stWait)
			l := stServe(t, srv)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					c, err := wsnet.Dial(t.Context(), "ws://server.test/", &wsnet.DialOptions{HTTPClient: l.Client()})
					if err != nil {
						if e, ok := errors.AsType[*ws.HandshakeError](err); !ok || e.Status != 503 {
							t.Error(err)
						}
						return
					}
					_, _, err = c.Read(t.Context())
					ctCloseError(t, "Shutdown", err, ws.CodeGoingAway, true)
				})
			}
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			wg.Wait()
			synctest.Wait()
			if n := srv.Count(); n != 0 {
				t.Errorf("Count = %d", n)
			}
		})
	}
}

// Accept alone: the caller owns the connection.
func TestAcceptOutlivesTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan *wsnet.Conn, 1)
		l := stServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := wsnet.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
			}
			conns <- c
		}))
		p := stPeer(t, l)
		p.Upgrade()
		c := <-conns
		synctest.Wait()
		if c.Err() != nil || c.Context().Err() != nil || c.Response() != nil || !strings.HasPrefix(c.RemoteAddr(), "192.0.2.2:") {
			t.Errorf("%v, %v, %q", c.Err(), c.Response(), c.RemoteAddr())
		}
		p.SendFrame(wstest.Text("Hello"))
		ctRead(t, "after the handler returned", c, ws.OpText, "Hello")
		c.CloseNow()
	})
}

// A stHijacker is a server that, unlike net/http, leaves its deadlines on a
// connection it gives away.
type stHijacker struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h stHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.conn.SetDeadline(time.Now().Add(time.Second))
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func TestAcceptClearsDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		p := wstest.NewPeer(t, b)
		r := httptest.NewRequest("GET", "http://server.test/", nil)
		for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": wstest.RequestKey} {
			r.Header.Set(k, v)
		}
		c, err := wsnet.Accept(stHijacker{httptest.NewRecorder(), a}, r, &wsnet.ServerOptions{Options: *ctQuiet()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		p.ReadHead("the answer")
		time.AfterFunc(time.Hour, func() { b.Write(ctMasked(true, ws.OpText, "Hello")) })
		ctRead(t, "an hour later", c, ws.OpText, "Hello")
		if err := c.Write(t.Context(), ws.OpText, nil); err != nil {
			t.Error(err)
		}
	})
}
