//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsnet_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// TestConnectNetHTTP has net/http's own HTTP/2 carry WebSockets, which it does only
// if the environment says so when the process starts: so it runs TestConnectChild in
// another.
func TestConnectNetHTTP(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestConnectChild$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1", "FRAMEWRIGHT_CONNECT=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestConnectChild/an_echo") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A tunnelled is a client's end of a stream of HTTP/2, through net/http.
type tunnelled struct {
	io.ReadCloser
	io.WriteCloser
}

func (t tunnelled) Close() error { t.WriteCloser.Close(); return t.ReadCloser.Close() }

func TestConnectChild(t *testing.T) {
	if os.Getenv("FRAMEWRIGHT_CONNECT") == "" {
		t.Skip("TestConnectNetHTTP runs this in a process of its own, where net/http takes an extended CONNECT")
	}
	ended := make(chan error, 1)
	s := &wsnet.Server{
		Options: wsnet.ServerOptions{Options: wsnet.Options{Subprotocols: []string{"chat"}}},
		Handler: func(ctx context.Context, c *wsnet.Conn) error {
			for m, err := range c.Messages(ctx) {
				if err != nil {
					ended <- err
					return err
				}
				if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
					return err
				}
			}
			return nil
		},
	}
	hs := httptest.NewUnstartedServer(s)
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	// net/http's own client does not take the name of a pseudo-header.
	client := &http2.Transport{TLSClientConfig: hs.Client().Transport.(*http.Transport).TLSClientConfig}
	defer client.CloseIdleConnections()
	ask := func(t *testing.T, spoil func(*http.Request)) (*http.Response, tunnelled) {
		r, w := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "CONNECT", hs.URL+"/chat", r)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"mqtt, chat"}}
		spoil(req)
		resp, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp, tunnelled{resp.Body, w}
	}
	t.Run("an echo", func(t *testing.T) {
		resp, rwc := ask(t, func(*http.Request) {})
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Sec-Websocket-Protocol") != "chat" {
			t.Fatalf("%s %d, %v", resp.Proto, resp.StatusCode, resp.Header)
		}
		c := wsnet.NewConn(rwc, ws.RoleClient, nil)
		for _, text := range []string{"Hello", strings.Repeat("x", 100_000)} {
			if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); string(got) != text || err != nil {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
		}
		if err := c.Close(t.Context(), ws.CodeNormal, "bye"); err != nil {
			t.Error(err)
		}
		if err := <-ended; ws.CloseStatus(err) != ws.CodeNormal {
			t.Error(err)
		}
	})
	t.Run("a client that is gone", func(t *testing.T) {
		_, rwc := ask(t, func(*http.Request) {})
		rwc.Close()
		if err := <-ended; ws.CloseStatus(err) != ws.CodeAbnormal {
			t.Error(err)
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		resp, rwc := ask(t, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
		defer rwc.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 403 || !strings.Contains(string(body), "§10.2") {
			t.Errorf("%d: %s", resp.StatusCode, body)
		}
	})
	t.Run("a server that ends it", func(t *testing.T) {
		resp, rwc := ask(t, func(*http.Request) {})
		defer rwc.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		down := make(chan error, 1)
		go func() { down <- s.Shutdown(ctx) }()
		c := wsnet.NewConn(rwc, ws.RoleClient, nil)
		if _, _, err := c.Read(ctx); ws.CloseStatus(err) != ws.CodeGoingAway {
			t.Errorf("status %d, then %v", resp.StatusCode, err)
		}
		<-ended
		if err := <-down; err != nil {
			t.Error(err)
		}
	})
}
