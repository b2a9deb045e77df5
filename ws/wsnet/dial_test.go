package wsnet_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// dtEcho wants c to have a working echo at its other end, and closes it.
func dtEcho(t *testing.T, c *wsnet.Conn) {
	t.Helper()
	if err := c.Write(t.Context(), ws.OpText, []byte("Hello")); err != nil {
		t.Fatal(err)
	}
	ctRead(t, "the echo", c, ws.OpText, "Hello")
	if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
		t.Error(err)
	}
}

func dtEchoServer() *wsnet.Server {
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
	return srv
}

func TestDialTCPAndTLS(t *testing.T) {
	wstest.CheckLeaks(t)
	plain := httptest.NewServer(dtEchoServer())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(dtEchoServer())
	secure.EnableHTTP2 = true // must not be chosen
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	defer secure.Close()
	for _, u := range []string{plain.URL, "ws" + strings.TrimPrefix(plain.URL, "http")} {
		c, err := wsnet.Dial(t.Context(), u, nil)
		if err != nil {
			t.Fatal(err)
		}
		dtEcho(t, c)
	}
	for _, u := range []string{secure.URL, "ws" + strings.TrimPrefix(secure.URL, "http")} {
		c, err := wsnet.Dial(t.Context(), u, &wsnet.DialOptions{HTTPClient: secure.Client()})
		if err != nil {
			t.Fatal(err)
		}
		dtEcho(t, c)
		if _, err := wsnet.Dial(t.Context(), u, nil); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("an unknown certificate: %v", err)
		}
	}
	secure.Client().CloseIdleConnections()
}

// wss goes through a proxy by CONNECT.
func TestDialThroughProxy(t *testing.T) {
	secure := httptest.NewTLSServer(dtEchoServer())
	defer secure.Close()
	var connects atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		connects.Add(1)
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(200)
		down, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			up.Close()
			return
		}
		go func() {
			io.Copy(up, rw)
			up.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(down, up)
		down.Close()
		up.Close()
	}))
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	tr := secure.Client().Transport.(*http.Transport).Clone()
	tr.Proxy = http.ProxyURL(proxyURL)
	c, err := wsnet.Dial(t.Context(), secure.URL, &wsnet.DialOptions{HTTPClient: &http.Client{Transport: tr}})
	if err != nil {
		t.Fatal(err)
	}
	dtEcho(t, c)
	if connects.Load() != 1 {
		t.Errorf("%d CONNECTs", connects.Load())
	}
}

func TestDialSendsWhatItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *http.Request
		srv := dtEchoServer()
		srv.Options.Subprotocols = []string{"chat.v1"}
		srv.Options.OriginPatterns = []string{"example.com"}
		srv.Connect = func(r *http.Request) (context.Context, error) { got = r; return nil, nil }
		l := stServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
			srv.ServeHTTP(w, r)
		}))
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		hc := l.Client()
		hc.Jar = jar
		header := http.Header{"Origin": {"https://example.com"}, "Authorization": {"Bearer x"}}
		o := &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"chat.v2", "chat.v1"}}, HTTPClient: hc, Header: header, Host: "other.test"}
		for i := range 2 {
			c, err := wsnet.Dial(t.Context(), "ws://server.test/path?q=1", o)
			if err != nil {
				t.Fatal(err)
			}
			if c.Subprotocol() != "chat.v1" || c.Response().StatusCode != 101 || c.Response().Header.Get("Set-Cookie") != "seen=yes" {
				t.Errorf("got %q, %v", c.Subprotocol(), c.Response())
			}
			if n, err := c.Response().Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("the Response has a body: %d, %v", n, err)
			}
			cookie, _ := got.Cookie("seen")
			if got.Host != "other.test" || got.URL.String() != "/path?q=1" || got.Header.Get("Authorization") != "Bearer x" || (cookie != nil) != (i == 1) {
				t.Errorf("dial %d sent %v %v %v", i, got.Host, got.URL, got.Header)
			}
			dtEcho(t, c)
		}
		if len(header) != 2 || len(o.Header) != 2 {
			t.Errorf("Dial changed its caller's header: %v", header)
		}
		srv.Shutdown(t.Context())
	})
}

func TestDialRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("/there", dtEchoServer())
		mux.Handle("/here", http.RedirectHandler("http://elsewhere.test/there", http.StatusTemporaryRedirect))
		l := stServe(t, mux)
		_, err := wsnet.Dial(t.Context(), "ws://server.test/here", &wsnet.DialOptions{HTTPClient: l.Client()})
		if e, ok := errors.AsType[*ws.HandshakeError](err); !ok || e.Status != 307 || http.Header(e.Header).Get("Location") == "" {
			t.Errorf("not followed: %v", err)
		}
		hc := l.Client()
		hc.CheckRedirect = nil
		c, err := wsnet.Dial(t.Context(), "ws://server.test/here", &wsnet.DialOptions{HTTPClient: hc})
		if err != nil {
			t.Fatalf("followed: %v", err)
		}
		dtEcho(t, c)
	})
}

// What bounds the handshake must not bound the connection.
func TestDialLimitsEndWithTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stServe(t, dtEchoServer())
		type key struct{}
		hc := l.Client()
		hc.Timeout = time.Second
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
		c, err := wsnet.Dial(ctx, "ws://server.test/", &wsnet.DialOptions{Options: wsnet.Options{HandshakeTimeout: time.Second}, HTTPClient: hc})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Hour)
			c.Write(t.Context(), ws.OpText, []byte("later"))
		}()
		ctRead(t, "an hour later", c, ws.OpText, "later")
		if c.Context().Err() != nil || c.Context().Value(key{}) != "value" {
			t.Errorf("the connection's context: %v", c.Context())
		}
		dtEcho(t, c)
	})
}

func TestDialUnanswered(t *testing.T) {
	for name, tc := range map[string]struct {
		o    wsnet.DialOptions
		ctx  time.Duration
		want time.Duration
	}{
		"the default":       {wsnet.DialOptions{}, 0, 10 * time.Second},
		"HandshakeTimeout":  {wsnet.DialOptions{Options: wsnet.Options{HandshakeTimeout: 3 * time.Second}}, 0, 3 * time.Second},
		"the context":       {wsnet.DialOptions{}, 2 * time.Second, 2 * time.Second},
		"HTTPClient":        {wsnet.DialOptions{HTTPClient: &http.Client{Timeout: time.Second}}, 0, time.Second},
		"the context alone": {wsnet.DialOptions{Options: wsnet.Options{HandshakeTimeout: -1}}, time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := wstest.NewListener()
				defer l.Close()
				hc := l.Client()
				if tc.o.HTTPClient != nil {
					hc.Timeout = tc.o.HTTPClient.Timeout
				}
				o := tc.o
				o.HTTPClient = hc
				limited := func() (context.Context, context.CancelFunc) {
					if tc.ctx == 0 {
						return t.Context(), func() {}
					}
					return context.WithTimeout(t.Context(), tc.ctx)
				}
				ctTook(t, "Dial", tc.want, func() {
					ctx, cancel := limited()
					defer cancel()
					_, err := wsnet.Dial(ctx, "ws://server.test/", &o)
					if _, ok := errors.AsType[*ws.HandshakeError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				})
				if tc.o.HTTPClient != nil {
					return
				}
				a, b := wstest.Pipe()
				defer b.Close()
				ctTook(t, "NewClient", tc.want, func() {
					ctx, cancel := limited()
					defer cancel()
					_, err := wsnet.NewClient(ctx, a, "ws://server.test/", &tc.o)
					if _, ok := errors.AsType[*ws.HandshakeError](err); !ok {
						t.Errorf("got %v", err)
					}
				})
			})
		})
	}
}

func TestDialRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Why", "maintenance")
			w.WriteHeader(503)
			w.Write([]byte("back at noon" + strings.Repeat(".", 5000)))
		}))
		_, err := wsnet.Dial(t.Context(), "ws://server.test/", &wsnet.DialOptions{HTTPClient: l.Client()})
		e, ok := errors.AsType[*ws.HandshakeError](err)
		if !ok || e.Status != 503 || http.Header(e.Header).Get("X-Why") != "maintenance" || !strings.HasPrefix(string(e.Body), "back at noon") || len(e.Body) != 1024 {
			t.Fatalf("got %#v", err)
		}
		if !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "back at noon") {
			t.Errorf("%v says too little", err)
		}
	})
}

func TestDialBadURL(t *testing.T) {
	for _, u := range []string{"", "ftp://x/", "ws://", "ws://x/#part", "ws://x/#", "://", "ws://a b/"} {
		if _, err := wsnet.Dial(t.Context(), u, nil); err == nil {
			t.Errorf("%q was dialled", u)
		} else if _, ok := errors.AsType[*ws.HandshakeError](err); !ok {
			t.Errorf("%q: %v", u, err)
		}
	}
}

// dtWrap wraps the answer's body: as a RoundTripper may that knows nothing of
// upgrades, or one that does.
type dtWrap struct {
	http.RoundTripper
	writable bool
}

func (d dtWrap) RoundTrip(r *http.Request) (*http.Response, error) {
	// without the trace that tells Dial the connection
	resp, err := d.RoundTripper.RoundTrip(r.Clone(context.Background()))
	if err == nil {
		if d.writable {
			resp.Body = ctOnlyStream{resp.Body.(io.ReadWriteCloser)}
		} else {
			resp.Body = io.NopCloser(resp.Body)
		}
	}
	return resp, err
}

func TestDialCustomRoundTripper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stServe(t, dtEchoServer())
		c, err := wsnet.Dial(t.Context(), "ws://server.test/", &wsnet.DialOptions{HTTPClient: &http.Client{Transport: dtWrap{l.Client().Transport, true}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
			t.Errorf("contexts work all the same: %v", err)
		}
		dtEcho(t, c)
	})
}

// A wss connection whose write is interrupted is over, not half dead.
func TestDialTLSCancelledWrite(t *testing.T) {
	cert := ctCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		srv, _ := stServer(func(ctx context.Context, c *wsnet.Conn) error {
			<-release
			return nil
		})
		l := wstest.NewListener()
		hs := &http.Server{Handler: srv}
		go hs.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}))
		defer hs.Close()
		hc := &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		c, err := wsnet.Dial(t.Context(), "wss://server.test/", &wsnet.DialOptions{Options: wsnet.Options{PingInterval: -1, WriteTimeout: -1}, HTTPClient: hc})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err = c.Write(ctx, ws.OpBinary, make([]byte, 100))
			cancel()
		}
		if e := ctCloseError(t, "Write", err, ws.CodeAbnormal, false); !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		ctOneEnd(t, c)
		close(release)
		srv.Shutdown(t.Context())
	})
}

func TestNewClient(t *testing.T) {
	for _, deadlines := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.Pipe()
			p := wstest.NewPeer(t, b)
			var rwc io.ReadWriteCloser = a
			if !deadlines {
				rwc = ctOnlyStream{a}
			}
			type result struct {
				c   *wsnet.Conn
				err error
			}
			dialled := make(chan result, 1)
			go func() {
				c, err := wsnet.NewClient(t.Context(), rwc, "ws://server.test:8080/chat?x=1", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"a", "b"}}})
				dialled <- result{c, err}
			}()
			head := p.ReadHead("the request")
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
			if err != nil || r.Host != "server.test:8080" || r.RequestURI != "/chat?x=1" {
				t.Fatalf("got %q, %v", head, err)
			}
			// A message comes right behind the answer, half of it.
			frame := ctUnmasked(true, ws.OpText, "Hello")
			p.SendBytes(append(wstest.Response(r.Header.Get("Sec-WebSocket-Key"), "Sec-WebSocket-Protocol: b"), frame[:4]...))
			res := <-dialled
			if res.err != nil || res.c.Subprotocol() != "b" {
				t.Fatal(res.err)
			}
			time.Sleep(time.Minute) // longer than the handshake may take
			p.SendBytes(frame[4:])
			ctRead(t, "what came early", res.c, ws.OpText, "Hello")
			res.c.CloseNow()
		})
	}
}

func TestNewClientFails(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		want   string
	}{
		"a refusal":        {"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno chat", "no chat"},
		"no HTTP":          {"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP"},
		"nothing":          {"", "no answer"},
		"a wrong accept":   {string(wstest.Response("AAAAAAAAAAAAAAAAAAAAAA==")), "Accept"},
		"endless headers":  {"HTTP/1.1 101 S\r\n" + strings.Repeat("X: y\r\n", 20_000), "65536"},
		"half of a header": {"HTTP/1.1 101 Switching", "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wstest.Pipe()
				go io.Copy(io.Discard, b)
				go func() {
					b.Write([]byte(tc.answer))
					b.(*wstest.Conn).CloseWrite()
				}()
				_, err := wsnet.NewClient(t.Context(), a, "ws://server.test/", nil)
				if _, ok := errors.AsType[*ws.HandshakeError](err); !ok || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q in it", err, tc.want)
				}
				if _, err := a.Write(nil); !errors.Is(err, net.ErrClosed) {
					t.Errorf("the stream was left open: %v", err)
				}
				b.Close()
			})
		})
	}
}
