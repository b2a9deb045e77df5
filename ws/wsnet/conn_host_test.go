package wsnet_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"framewright/ws/wsnet"
)

// A page of evil.example, whose name points to 127.0.0.1 now, asks a server
// there that has no settings: its Origin is that of its Host.
func TestDNSRebinding(t *testing.T) {
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		return err
	})
	srv.Logger = slog.New(slog.DiscardHandler)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	t.Cleanup(func() { l.Close() })
	accept := httptest.NewServer(http.HandlerFunc(srv.ServeHTTP))
	t.Cleanup(accept.Close)
	for way, addr := range map[string]string{"Serve": l.Addr().String(), "net/http": accept.Listener.Addr().String()} {
		for host, want := range map[string]int{"evil.example:80": 403, addr: 101, "localhost:80": 101} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, badAsk("Host: "+host, "+Origin: http://"+host))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != want {
				t.Errorf("%s, Host %s: %v, %v, want %d", way, host, resp, err, want)
			}
			conn.Close()
		}
	}
}
