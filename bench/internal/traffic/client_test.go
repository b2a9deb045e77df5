//go:build linux

package traffic_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"framewright/bench/internal/peer"
	"framewright/bench/internal/traffic"
)

// serve serves f on a listener for as long as the test takes.
func serve(t *testing.T, f func(net.Listener) error) (addr string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go f(l)
	return l.Addr().String()
}

// Every server that is measured does what the others do, whatever the load.
func TestServers(t *testing.T) {
	for _, s := range peer.All {
		for name, w := range map[string]traffic.Work{
			"short":     {Size: 32, InFlight: 1},
			"many":      {Size: 1 << 10, InFlight: 16},
			"long":      {Size: 1 << 20, InFlight: 1},
			"broadcast": {Size: 128, InFlight: 16, Broadcast: true},
		} {
			f := s.Echo
			if w.Broadcast {
				f = s.Broadcast
			}
			if f == nil || s.Name == "net/http alone" {
				continue
			}
			t.Run(s.Name+"/"+name, func(t *testing.T) {
				if raceDetector && s.Name == "nbio" {
					t.Skip("nbio asks a new connection for its address while another goroutine still sets it")
				}
				t.Parallel()
				w.Raw, w.Chat, w.Fragment = s.Raw, s.Chat, s.Fragment
				c, err := traffic.New(serve(t, f), w)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for _, conns := range []int{1, 5} { // more of them while it runs
					if err := c.Grow(conns); err != nil {
						t.Fatal(err)
					}
					res, err := c.Run(5 * time.Millisecond)
					if err != nil {
						t.Fatal(err)
					}
					if res.Messages == 0 || w.Broadcast && res.Deliveries != res.Messages*int64(conns) || !w.Broadcast && res.Deliveries != res.Messages {
						t.Errorf("%d connections: %d messages and %d deliveries", conns, res.Messages, res.Deliveries)
					}
				}
			})
		}
	}
}

func TestHandshakes(t *testing.T) {
	for _, name := range []string{"framewright", "net/http alone", "gobwas"} {
		s, _ := peer.ByName(name)
		res, err := traffic.Handshakes(serve(t, s.Echo), 4, 20*time.Millisecond)
		if err != nil || res.Messages < 4 {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
}

// What a server does wrong ends the run with an error that says what.
func TestServersThatAreWrong(t *testing.T) {
	const upgraded = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	for _, test := range []struct {
		name, answer, then, want string
	}{
		{"refuses", "HTTP/1.1 404 Not Found\r\n\r\n", "", `answered "HTTP/1.1 404`},
		{"has another key's answer", strings.Replace(upgraded, "s3p", "xxx", 1) + "\r\n", "", "answered"},
		{"compresses unasked", upgraded + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "", "not offered"},
		{"speaks first", upgraded + "\r\n\x81\x00", "", "before it was asked"},
		{"says something else", upgraded + "\r\n", "\x82\x04no\x00\x00", "not what was sent"},
		{"ends", upgraded + "\r\n", "", "closed a connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr := serve(t, func(l net.Listener) error {
				c, err := l.Accept()
				if err != nil {
					return err
				}
				defer c.Close()
				b := make([]byte, 4096)
				_, _ = c.Read(b)
				fmt.Fprint(c, test.answer)
				_, _ = c.Read(b)
				fmt.Fprint(c, test.then)
				return nil
			})
			c, err := traffic.New(addr, traffic.Work{Size: 4, InFlight: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			err = c.Grow(1)
			if err == nil {
				_, err = c.Run(time.Millisecond)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, expected an error with %q", err, test.want)
			}
		})
	}
}
