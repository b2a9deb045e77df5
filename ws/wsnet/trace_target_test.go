package wsnet_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// TraceTarget chooses connections, whose events go there from the request on, and to
// Trace as well; the others have no trace.
func TestTraceTarget(t *testing.T) {
	t.Run("and Trace", func(t *testing.T) { testTraceTarget(t, true) })
	t.Run("alone", func(t *testing.T) { testTraceTarget(t, false) })
}

func testTraceTarget(t *testing.T, both bool) {
	wstest.CheckLeaks(t)
	var mu sync.Mutex
	var all, one []string
	numbers := map[uint64]bool{} // of connections that one is about
	parsed := false              // net/http has read the request
	keep := func(to *[]string) func(ws.TraceEvent) {
		return func(e ws.TraceEvent) {
			mu.Lock()
			defer mu.Unlock()
			line, _, _ := strings.Cut(e.Handshake, "\r\n")
			if to == &one {
				numbers[uint64(e.Conn)] = true
			}
			if asked := strings.HasPrefix(line, "GET"); line != "" && (e.Sent == asked || e.Parsed != (parsed && asked)) {
				t.Errorf("%s: sent: %v, parsed: %v", line, e.Sent, e.Parsed)
			}
			if line == "" {
				line = fmt.Sprintf("%v %q", e.Header.Opcode, e.Payload)
			}
			*to = append(*to, line)
		}
	}
	srv := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		op, p, err := c.Read(ctx)
		if err == nil {
			err = c.Write(ctx, op, p)
		}
		c.Read(ctx)
		return err
	})
	if both {
		srv.Options.Trace = keep(&all)
	}
	srv.Options.TraceTarget = func(target string) func(ws.TraceEvent) {
		if target != "/?lab=x" {
			return nil
		}
		return keep(&one)
	}
	viaHTTP := httptest.NewServer(srv)
	defer viaHTTP.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	for name, url := range map[string]string{"net/http": "ws" + strings.TrimPrefix(viaHTTP.URL, "http"), "Serve": "ws://" + l.Addr().String()} {
		all, one = nil, nil
		clear(numbers)
		parsed = name == "net/http"
		for _, path := range []string{"/?lab=x", "/?other=x"} {
			c, err := wsnet.Dial(t.Context(), url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Write(t.Context(), ws.OpText, []byte("hi"))
			c.Read(t.Context())
			c.Close(t.Context(), ws.CodeNormal, "")
		}
		want := []string{"GET /?lab=x HTTP/1.1", "HTTP/1.1 101 Switching Protocols", `text "hi"`, `text "hi"`, `close "\x03\xe8"`, `close "\x03\xe8"`}
		mu.Lock()
		if d := cmp.Diff(want, one); d != "" {
			t.Errorf("%s, what was chosen: %s", name, d)
		}
		if len(numbers) != 1 || numbers[0] {
			t.Errorf("%s: one connection has the numbers %v", name, numbers)
		}
		want = append(want, want...)
		want[6] = "GET /?other=x HTTP/1.1"
		if d := cmp.Diff(want, all); both && d != "" {
			t.Errorf("%s, all: %s", name, d)
		}
		mu.Unlock()
	}
	srv.Shutdown(context.Background())
	<-served
}
