//lint:file-ignore SA1019 Transport of net/http, which is named in its place, cannot send an extended CONNECT.

package wsh2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsh2"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

func TestEcho(t *testing.T) {
	wstest.CheckLeaks(t)
	s := serveTLS(t, &wsh2.Server{}, echo())
	resp, rwc := s.connect(t, "/", http.Header{"Sec-Websocket-Protocol": {"mqtt, chat"}, "Origin": {s.URL}})
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.Header.Get("Sec-Websocket-Protocol") != "chat" || resp.Header.Get("Sec-Websocket-Accept") != "" {
		t.Fatalf("%s %d, %v", resp.Proto, resp.StatusCode, resp.Header)
	}
	c := wsnet.NewConn(rwc, ws.RoleClient, &wsnet.Options{MaxMessage: 4 << 20})
	for _, size := range []int{0, 1, 125, 126, 16 << 10, 65_535, 65_536, 1 << 20} {
		text := []byte(strings.Repeat("x", size))
		wrote := make(chan error, 1)
		go func() { wrote <- c.Write(t.Context(), ws.OpText, text) }()
		if _, got, err := c.Read(t.Context()); !bytes.Equal(got, text) || err != nil {
			t.Fatalf("%d bytes of %d, %v", len(got), size, err)
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(t.Context(), ws.CodeNormal, "bye"); err != nil {
		t.Error(err)
	}
}

// Many WebSockets and the page share one connection, and do not disturb each other.
func TestManyOnOneConnection(t *testing.T) {
	wstest.CheckLeaks(t)
	var conns sync.Map
	mux := http.NewServeMux()
	mux.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns.Store(r.RemoteAddr, true)
		if r.Method == http.MethodConnect {
			echo().ServeHTTP(w, r)
			return
		}
		io.WriteString(w, strings.Repeat("page ", 20_000))
	}))
	s := serveTLS(t, &wsh2.Server{}, mux)
	var wg sync.WaitGroup
	for i := range 50 {
		c := s.dial(t, nil)
		wg.Go(func() {
			for j := range 20 {
				text := fmt.Appendf(nil, "%d of %d, %s", j, i, strings.Repeat(".", rand.IntN(3000)))
				if err := c.Write(t.Context(), ws.OpText, text); err != nil {
					t.Error(err)
					return
				}
				if _, got, err := c.Read(t.Context()); !bytes.Equal(got, text) || err != nil {
					t.Errorf("%q, %v", got, err)
					return
				}
			}
			if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
			resp, err := s.client.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); len(body) != 100_000 || err != nil {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
	wg.Wait()
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// What is refused has its status and text, and no 200 before it.
func TestRefusals(t *testing.T) {
	server := echo()
	server.Connect = func(r *http.Request) (context.Context, error) {
		if r.URL.Path == "/secret" {
			return nil, &ws.HandshakeError{Status: 401, Detail: "who are you?", Header: http.Header{"Www-Authenticate": {"Basic"}}}
		}
		return nil, nil
	}
	s := serveTLS(t, &wsh2.Server{}, server)
	for _, tt := range []struct {
		name, path string
		header     http.Header
		status     int
		text       string
	}{
		{"no subprotocol in common", "/", http.Header{"Sec-Websocket-Protocol": {"mqtt"}}, 200, ""},
		{"a foreign origin", "/", http.Header{"Origin": {"https://evil.example"}}, 403, "(§10.2)"},
		{"a plain origin", "/", http.Header{"Origin": {strings.Replace(s.URL, "https", "http", 1)}}, 403, "(§10.2)"},
		{"nobody", "/secret", nil, 401, "who are you?"},
		{"another protocol", "/", http.Header{":protocol": {"connect-udp"}}, 501, "(RFC 8441 §5)"},
		{"version 8", "/", http.Header{"Sec-Websocket-Version": {"8"}}, 400, "(RFC 8441 §5)"},
		{"no version", "/", http.Header{"Sec-Websocket-Version": nil}, 200, ""},
		{"extensions that are none", "/", http.Header{"Sec-Websocket-Extensions": {"x;"}}, 400, "(§9.1)"},
		{"compression", "/", http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}, 200, ""},
		{"long headers", "/", http.Header{"X-Long": {strings.Repeat("x", 9<<10)}}, 431, "(§10.4)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, rwc := s.connect(t, tt.path, tt.header)
			defer rwc.Close()
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d", resp.StatusCode)
			}
			if tt.status == 200 {
				return
			}
			body, err := io.ReadAll(resp.Body)
			if !strings.Contains(string(body), tt.text) || err != nil {
				t.Errorf("%q, %v", body, err)
			}
			if tt.status == 401 && resp.Header.Get("Www-Authenticate") != "Basic" {
				t.Errorf("headers: %v", resp.Header)
			}
		})
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(body), "CONNECT is needed") {
		t.Errorf("a GET: %d, %s", resp.StatusCode, body)
	}
}

// A message handler that does not read stops its own stream, and no other.
func TestBackpressure(t *testing.T) {
	wstest.CheckLeaks(t)
	release := make(chan struct{})
	server := echo()
	echoes := server.Handler
	server.Handler = func(ctx context.Context, c *wsnet.Conn) error {
		if c.Subprotocol() == "chat" { // the lazy one
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
		return echoes(ctx, c)
	}
	s := serveTLS(t, &wsh2.Server{}, server)
	_, rwc := s.connect(t, "/", http.Header{"Sec-Websocket-Protocol": {"chat"}})
	lazy := wsnet.NewConn(rwc, ws.RoleClient, &wsnet.Options{WriteTimeout: -1})
	defer lazy.CloseNow()
	sent := make(chan int, 1)
	go func() {
		n := 0
		for ; n < 300; n++ {
			if lazy.Write(t.Context(), ws.OpBinary, make([]byte, 10_000)) != nil {
				break
			}
		}
		sent <- n
	}()
	other := s.dial(t, nil)
	for range 300 { // 3 MiB, while the lazy one's window is closed
		if err := other.Write(t.Context(), ws.OpBinary, make([]byte, 10_000)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := other.Read(t.Context()); len(got) != 10_000 || err != nil {
			t.Fatal(len(got), err)
		}
	}
	select {
	case n := <-sent:
		t.Errorf("%d messages went to somebody who does not read", n)
	default:
	}
	other.Close(t.Context(), ws.CodeNormal, "")
	close(release)
	for i := range 300 {
		if _, got, err := lazy.Read(t.Context()); len(got) != 10_000 || err != nil {
			t.Fatal(i, len(got), err)
		}
	}
	if n := <-sent; n != 300 {
		t.Errorf("%d messages were sent", n)
	}
}

// A context that ends takes nothing from a connection, as over TCP.
func TestContextsAreHarmless(t *testing.T) {
	s := serveTLS(t, &wsh2.Server{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsnet.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			ended, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			for range 3 {
				if _, _, err := c.Read(ended); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("read: %v", err)
				}
			}
			c.Write(context.Background(), ws.OpText, []byte("still here"))
			_, text, _ := c.Read(context.Background())
			c.Close(context.Background(), ws.CodeNormal, string(text))
		}()
	}))
	c := s.dial(t, nil)
	if _, got, err := c.Read(t.Context()); string(got) != "still here" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if err := c.Write(t.Context(), ws.OpText, []byte("so am I")); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Read(t.Context())
	if e, ok := errors.AsType[*ws.CloseError](err); !ok || e.Code != ws.CodeNormal || e.Reason != "so am I" {
		t.Error(err)
	}
}

// A client that resets its stream, or is gone, ends the WebSocket and nothing else.
func TestClientGone(t *testing.T) {
	wstest.CheckLeaks(t)
	ended := make(chan error, 2)
	server := echo()
	server.Handler = func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		ended <- err
		return err
	}
	s := serveTLS(t, &wsh2.Server{}, server)
	_, rwc := s.connect(t, "/", nil)
	staying := s.dial(t, nil)
	rwc.Close()
	if err := <-ended; ws.CloseStatus(err) != ws.CodeAbnormal {
		t.Error(err)
	}
	if err := staying.Close(t.Context(), ws.CodeNormal, ""); err != nil {
		t.Error(err)
	}
	if err := <-ended; ws.CloseStatus(err) != ws.CodeNormal {
		t.Error(err)
	}
}
