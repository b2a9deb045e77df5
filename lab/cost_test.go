package lab

import (
	"context"
	"io"
	"strings"
	"testing"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

const request = "GET /ws?x=y HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// oneFrame is a connection on which a request comes, and then a message.
type oneFrame struct {
	io.Reader
}

func (oneFrame) Write(p []byte) (int, error) { return len(p), nil }
func (oneFrame) Close() error                { return nil }

// comeAndGo has one connection, from the handshake to the first message.
func comeAndGo(tb testing.TB, o *wsnet.ServerOptions) {
	c, err := wsnet.AcceptStream(context.Background(), oneFrame{strings.NewReader(request + "\x81\x82\x00\x00\x00\x00Hi")}, o)
	if err != nil {
		tb.Fatal(err)
	}
	if _, _, err := c.Read(context.Background()); err != nil {
		tb.Fatal(err)
	}
	c.CloseNow()
}

func costs() map[string]*wsnet.ServerOptions {
	quiet := wsnet.Options{PingInterval: -1}
	return map[string]*wsnet.ServerOptions{
		"without the lab":        {Options: quiet},
		"with it, and no secret": {Options: quiet, TraceTarget: New(&Options{}).Trace},
	}
}

// A connection that no page watches costs nothing for the lab.
func TestAllocsWithoutASecret(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("under the race detector a pool forgets at random")
	}
	got := map[string]float64{}
	for range 5 { // a collection in the middle empties pools: the least of several runs is what it costs
		for name, o := range costs() {
			n := testing.AllocsPerRun(200, func() { comeAndGo(t, o) })
			if least, ok := got[name]; !ok || n < least {
				got[name] = n
			}
		}
	}
	if a, b := got["without the lab"], got["with it, and no secret"]; b > a+0.5 {
		t.Errorf("%.1f allocations with the lab, %.1f without", b, a)
	}
}

func BenchmarkConnection(b *testing.B) {
	for name, o := range costs() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				comeAndGo(b, o)
			}
		})
	}
}
