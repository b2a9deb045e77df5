//go:build linux

package window_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"framewright/bench/internal/peer"
	"framewright/bench/internal/window"
	"framewright/ws"
	"framewright/ws/wsnet"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Every server that is measured has all its replies counted, whatever the load.
func TestServers(t *testing.T) {
	for _, name := range []string{"raw TCP", "framewright", "gobwas, own buffers", "gorilla", "coder", "gws"} {
		for title, w := range map[string]window.Work{
			"short":    {Sizes: []int{32}, InFlight: 16},
			"long":     {Sizes: []int{1 << 20}, InFlight: 1, Text: true},
			"in turns": {Sizes: []int{32, 64 << 10, 125, 126}, InFlight: 4},
			"bursts":   {Sizes: []int{1 << 10}, InFlight: 16, Burst: true},
		} {
			t.Run(name+"/"+title, func(t *testing.T) {
				t.Parallel()
				s, ok := peer.ByName(name)
				if !ok {
					t.Fatal("there is no such server")
				}
				l := listen(t)
				go s.Echo(l)
				w.Raw = s.Raw
				count(t, l, w)
			})
		}
	}
}

func TestCompressed(t *testing.T) {
	for _, size := range []int{2 << 10, 64 << 10} {
		l := listen(t)
		s := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
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
		s.Options.Compression = &ws.Compression{}
		go http.Serve(l, s)
		count(t, l, window.Work{Sizes: []int{size, size - 100}, InFlight: 4, Text: true, Compressed: true})
	}
}

// count runs the load twice: no reply may be left over from the first time.
func count(t *testing.T, l net.Listener, w window.Work) {
	t.Helper()
	const conns = 3
	c, err := window.New(l.Addr().String(), conns, w)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		res, err := c.Run(5 * time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if res.Messages < int64(conns*w.InFlight) || res.Deliveries != res.Messages {
			t.Errorf("%+v: %d messages, %d deliveries", w, res.Messages, res.Deliveries)
		}
	}
}

// What a server does wrong ends the run with an error that says what.
func TestServersThatAreWrong(t *testing.T) {
	const upgraded = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	for _, test := range []struct{ name, answer, want string }{
		{"refuses", "HTTP/1.1 404 Not Found\r\n\r\n", `answered "HTTP/1.1 404`},
		{"compresses unasked", strings.TrimSuffix(upgraded, "\r\n") + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "answered"},
		{"says something else", upgraded + "\x82\x04nono", "not what was sent"},
		{"ends", upgraded, "the first reply"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := listen(t)
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				r := bufio.NewReader(c)
				for line := ""; line != "\r\n"; {
					if line, err = r.ReadString('\n'); err != nil {
						return
					}
				}
				fmt.Fprint(c, test.answer)
				_, _ = io.ReadFull(r, make([]byte, 10))
			}()
			c, err := window.New(l.Addr().String(), 1, window.Work{Sizes: []int{4}, InFlight: 1})
			if err == nil {
				c.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, expected an error with %q", err, test.want)
			}
		})
	}
}
