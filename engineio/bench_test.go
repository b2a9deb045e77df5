package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"framewright/engineio"
	"framewright/ws/wsnet"
)

// BenchmarkBroadcast sends one prepared message to 100 sessions over TCP on
// loopback and waits until all have it; an operation is one delivery.
func BenchmarkBroadcast(b *testing.B) {
	const receivers = 100
	srv, clients := connected(b, receivers)
	p, err := engineio.Prepare(engineio.Text(`2["message","hello from one of us to all of you"]`))
	if err != nil {
		b.Fatal(err)
	}
	got := make(chan error, receivers)
	for _, c := range clients {
		go func() {
			var buf []byte
			for {
				var err error
				if _, buf, err = c.ReadAppend(context.Background(), buf[:0]); err != nil {
					return
				}
				got <- nil
			}
		}()
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%receivers == 0 {
			for s := range srv.Sockets() {
				if err := s.SendPrepared(p); err != nil {
					b.Fatal(err)
				}
			}
			for range receivers {
				<-got
			}
		}
		n++
	}
}

// BenchmarkIdle reports what a session on a WebSocket holds while nothing
// happens, on the server's side alone.
func BenchmarkIdle(b *testing.B) {
	const sessions = 1000
	for b.Loop() {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		srv, err := engineio.NewServer(wait, nil)
		if err != nil {
			b.Fatal(err)
		}
		web := &http.Server{Handler: srv}
		go web.Serve(ln)
		before := inUse()
		var conns []net.Conn
		for range sessions {
			c, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
			if _, err := io.ReadFull(c, make([]byte, 129+109)); err != nil {
				b.Fatal(err)
			}
			conns = append(conns, c)
		}
		time.Sleep(100 * time.Millisecond) // let goroutines come to rest; nothing depends on it
		b.ReportMetric(float64(inUse()-before)/sessions, "B/session")
		for _, c := range conns {
			c.Close()
		}
		srv.Close()
		web.Close()
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// connected returns a server and clients of it.
func connected(b *testing.B, n int) (*engineio.Server, []*wsnet.Conn) {
	b.Helper()
	srv, err := engineio.NewServer(wait, nil)
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(srv)
	b.Cleanup(func() {
		srv.Close()
		web.Close()
	})
	var clients []*wsnet.Conn
	for range n {
		c, err := wsnet.Dial(b.Context(), web.URL+"/engine.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := c.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.CloseNow() })
		clients = append(clients, c)
	}
	return srv, clients
}
