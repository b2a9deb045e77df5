//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsh2_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A counted client counts the connections that it makes.
type counted struct {
	*wsh2.Client
	conns atomic.Int32
}

func newClient(t *testing.T, config *tls.Config) *counted {
	c := &counted{Client: &wsh2.Client{TLSConfig: config}}
	c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c.conns.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Many WebSockets share one connection, and go over to another when it is full.
func TestDial(t *testing.T) {
	wstest.CheckLeaks(t)
	server := echo()
	s := serveTLS(t, &wsh2.Server{MaxStreams: 20}, server)
	client := newClient(t, s.client.TLSClientConfig)
	url := strings.Replace(s.URL, "https", "wss", 1) + "/chat?x"
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			var seen []string
			o := &wsnet.DialOptions{HTTP2: client, Header: http.Header{"Origin": {s.URL}, "Cookie": {"a=b"}}}
			o.Subprotocols, o.Compression = []string{"mqtt", "chat"}, &ws.Compression{}
			if i == 0 {
				o.Trace = func(e ws.TraceEvent) { seen = append(seen, string(e.Handshake)) }
			}
			c, err := wsnet.Dial(t.Context(), url, o)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.CloseNow()
			if c.Subprotocol() != "chat" || c.Deflate() == nil || c.Response().ProtoMajor != 2 || c.RemoteAddr() != s.Listener.Addr().String() {
				t.Errorf("%q, %v, %v, %s", c.Subprotocol(), c.Deflate(), c.Response(), c.RemoteAddr())
			}
			text := strings.Repeat(fmt.Sprint(i, " "), 5000)
			wrote := make(chan error, 1)
			go func() { wrote <- c.Write(t.Context(), ws.OpText, []byte(text)) }()
			if _, got, err := c.Read(t.Context()); string(got) != text || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := errors.Join(<-wrote, c.Close(t.Context(), ws.CodeNormal, "")); err != nil {
				t.Error(err)
			}
			if i == 0 && (len(seen) < 2 || !strings.HasPrefix(seen[0], "CONNECT /chat?x HTTP/2.0\r\n") || strings.Contains(seen[0], "Key") || !strings.HasPrefix(seen[1], "HTTP/2.0 200 OK\r\n")) {
				t.Errorf("trace: %q", seen)
			}
		})
	}
	wg.Wait()
	if n := client.conns.Load(); n > 25 { // as fast as streams ended, 3 would do
		t.Errorf("%d connections", n)
	}
	client.Close()
	if _, err := wsnet.Dial(t.Context(), url, &wsnet.DialOptions{HTTP2: client}); err == nil {
		t.Error("a dial with a Client that is closed")
	}
}

// Who refuses says so with status and text.
func TestDialRefused(t *testing.T) {
	server := echo()
	server.Connect = func(*http.Request) (context.Context, error) {
		return nil, &ws.HandshakeError{Status: 401, Detail: "who are you?", Header: http.Header{"Www-Authenticate": {"Basic"}}}
	}
	s := serveTLS(t, &wsh2.Server{}, server)
	_, err := wsnet.Dial(t.Context(), s.URL, &wsnet.DialOptions{HTTP2: newClient(t, s.client.TLSClientConfig)})
	e, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok || e.Status != 401 || e.Rule != ws.RuleConnectStatus || !strings.Contains(string(e.Body), "who are you?") || e.Header["Www-Authenticate"] == nil {
		t.Errorf("%+v", err)
	}
}

// Servers that do not speak RFC 8441 are dialled over HTTP/1.1, and not asked each time.
func TestDialFallsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		h2   bool // net/http's HTTP/2, without the setting
	}{{"HTTP/1.1 alone", false}, {"HTTP/2 without the setting", true}} {
		t.Run(tt.name, func(t *testing.T) {
			ts := httptest.NewUnstartedServer(echo())
			ts.EnableHTTP2 = tt.h2
			ts.StartTLS()
			defer ts.Close()
			standard := ts.Client().Transport.(*http.Transport)
			client := newClient(t, standard.TLSClientConfig)
			transport := &http.Transport{TLSClientConfig: standard.TLSClientConfig.Clone(), Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(true)
			defer transport.CloseIdleConnections()
			for range 3 {
				c, err := wsnet.Dial(t.Context(), ts.URL, &wsnet.DialOptions{HTTP2: client, HTTPClient: &http.Client{Transport: transport}})
				if err != nil {
					t.Fatal(err)
				}
				if c.Response().ProtoMajor != 1 {
					t.Errorf("%s", c.Response().Proto)
				}
				if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
					t.Error(err)
				}
			}
			if n := client.conns.Load(); n != 1 {
				t.Errorf("the server was asked %d times for HTTP/2", n)
			}
		})
	}
}

// TestClientAgainst has what servers do that they should not.
func TestClientAgainst(t *testing.T) {
	connect := http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}
	for _, tt := range []struct {
		name   string
		serve  func(r *raw)
		want   string // in the error
		after  time.Duration
		within time.Duration // the context
	}{
		{"no SETTINGS", func(r *raw) {}, "no answer", 10 * time.Second, time.Hour},
		{"no answer", func(r *raw) { r.fr.WriteSettings(connect) }, "deadline exceeded", 10 * time.Second, time.Hour},
		{"no patience", func(r *raw) { r.fr.WriteSettings(connect) }, "deadline exceeded", time.Second, time.Second},
		{"another protocol", func(r *raw) { io.WriteString(r, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "FRAME_SIZE_ERROR", 0, time.Hour},
		{"the setting, 2", func(r *raw) {
			r.fr.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 2})
		}, "RFC 8441 §3", 0, time.Hour},
		{"a reset", func(r *raw) { r.fr.WriteSettings(connect); r.next(); r.fr.WriteRSTStream(1, http2.ErrCodeCancel) }, "CANCEL", 0, time.Hour},
		{"an answer that has Upgrade", func(r *raw) {
			r.fr.WriteSettings(connect)
			r.next()
			r.answer(1, ":status", "200", "upgrade", "websocket")
		}, "RFC 8441 §5", 0, time.Hour},
		{"a subprotocol that nobody asked for", func(r *raw) {
			r.fr.WriteSettings(connect)
			r.next()
			r.answer(1, ":status", "200", "sec-websocket-protocol", "mqtt")
		}, "§4.1", 0, time.Hour},
		{"an answer without end", func(r *raw) {
			r.fr.WriteSettings(connect)
			r.next()
			r.answer(1, ":status", "200", "a", strings.Repeat("x", 20<<10), "b", strings.Repeat("x", 20<<10))
		}, "MaxHeaderBytes", 0, time.Hour},
		{"a refusal whose text does not come", func(r *raw) { r.fr.WriteSettings(connect); r.next(); r.answer(1, ":status", "403") }, "status 403", 10 * time.Second, time.Hour},
		{"no streams at all", func(r *raw) {
			r.fr.WriteSettings(connect, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		}, "no more streams", 0, time.Hour},
		{"nothing but refusals", func(r *raw) {
			r.fr.WriteSettings(connect)
			r.next()
			r.fr.WriteRSTStream(1, http2.ErrCodeRefusedStream)
		}, "REFUSED_STREAM", 0, time.Hour},
		{"GOAWAY", func(r *raw) { r.fr.WriteSettings(connect); r.next(); r.fr.WriteGoAway(0, http2.ErrCodeNo, nil) }, "no answer", 0, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &wsh2.Client{Plain: true}
				var wg sync.WaitGroup
				defer wg.Wait()
				defer client.Close()
				client.DialContext = func(context.Context, string, string) (net.Conn, error) {
					a, b := wstest.Pipe()
					wg.Go(func() {
						defer a.Close()
						io.ReadFull(a, make([]byte, len(http2.ClientPreface)))
						r := newRaw(t, a)
						tt.serve(r)
						for { // until the client has enough
							if _, err := r.fr.ReadFrame(); err != nil {
								return
							}
						}
					})
					return b, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.within)
				defer cancel()
				start := time.Now()
				c, err := wsnet.Dial(ctx, "ws://example.com/", &wsnet.DialOptions{HTTP2: client})
				if c != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
				if _, ok := errors.AsType[*ws.HandshakeError](err); !ok {
					t.Errorf("%T", err)
				}
				if d := time.Since(start); d != tt.after {
					t.Errorf("after %v, want %v", d, tt.after)
				}
			})
		})
	}
}

// answer sends a server's answer.
func (r *raw) answer(id uint32, fields ...string) {
	r.hp.Reset()
	for i := 0; i < len(fields); i += 2 {
		r.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	b := r.hp.Bytes()
	first := b[:min(len(b), 16<<10)]
	r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(first) == len(b)})
	for b = b[len(first):]; len(b) > 0; {
		part := b[:min(len(b), 16<<10)]
		b = b[len(part):]
		r.fr.WriteContinuation(id, len(b) == 0, part)
	}
}

// A connection without streams ends; the next dial makes another.
func TestClientIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := wstest.NewListener()
		s := &wsh2.Server{Handler: echo(), Logger: slog.New(slog.DiscardHandler)}
		rest := s.Listener(l)
		conns := 0
		client := &wsh2.Client{Plain: true, IdleTimeout: time.Minute, DialContext: func(context.Context, string, string) (net.Conn, error) {
			conns++
			return l.Dial()
		}}
		for range 2 {
			for range 3 {
				c, err := wsnet.Dial(t.Context(), "ws://example.com/", &wsnet.DialOptions{HTTP2: client})
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(2 * time.Minute)
		}
		if conns != 2 {
			t.Errorf("%d connections, want 2", conns)
		}
		client.Close()
		if err := errors.Join(s.Shutdown(t.Context()), rest.Close()); err != nil {
			t.Error(err)
		}
	})
}
