//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsh2_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/net/http2"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
)

// echo is a WebSocket server that sends every message back.
func echo() *wsnet.Server {
	return &wsnet.Server{
		Logger:  slog.New(slog.DiscardHandler),
		Options: wsnet.ServerOptions{Options: wsnet.Options{Subprotocols: []string{"chat"}, Compression: &ws.Compression{}}},
		Handler: func(ctx context.Context, c *wsnet.Conn) error {
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// A secure is a server over TLS, to which both kinds of client go.
type secure struct {
	*httptest.Server
	h2       *wsh2.Server
	client   *http2.Transport // takes the name of a pseudo-header
	standard *http.Transport  // does not
}

// serveTLS serves h over TLS until the test ends.
func serveTLS(t *testing.T, s *wsh2.Server, h http.Handler) *secure {
	t.Helper()
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	ts := httptest.NewUnstartedServer(h)
	s.Attach(ts.Config)
	ts.TLS = ts.Config.TLSConfig
	ts.StartTLS()
	standard := ts.Client().Transport.(*http.Transport).Clone()
	standard.ForceAttemptHTTP2 = true
	client := &http2.Transport{TLSClientConfig: standard.TLSClientConfig.Clone()}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		standard.CloseIdleConnections()
		s.Close()
		ts.Close()
	})
	return &secure{ts, s, client, standard}
}

// A tunnelled is a client's end of a stream.
type tunnelled struct {
	io.ReadCloser
	io.WriteCloser
}

func (t tunnelled) Close() error { t.WriteCloser.Close(); return t.ReadCloser.Close() }

// connect asks for a WebSocket; header is what it says besides.
func (s *secure) connect(t *testing.T, path string, header http.Header) (*http.Response, io.ReadWriteCloser) {
	t.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodConnect, s.URL+path, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp, tunnelled{resp.Body, w}
}

// dial is connect, which succeeds.
func (s *secure) dial(t *testing.T, o *wsnet.Options) *wsnet.Conn {
	t.Helper()
	resp, rwc := s.connect(t, "/", nil)
	if resp.StatusCode != 200 {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d: %s", resp.StatusCode, body)
	}
	return wsnet.NewConn(rwc, ws.RoleClient, o)
}
