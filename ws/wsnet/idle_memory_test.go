//go:build unix

package wsnet_test

import (
	"bytes"
	"context"
	"math"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// The goroutine of a connection that waits has the 2 KiB of stack that it began
// with, whatever has come before: the loop of the README never goes deeper.
// A stack that has grown to 4 KiB is not made smaller, so one ping would be
// enough to cost every connection half as much again.
func TestIdleStack(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("the race detector needs stack of its own")
	}
	const one = 2<<10 + 512 // a stack as it begins, and something for the measuring
	for _, tt := range []struct {
		name  string
		ping  time.Duration // PingInterval
		limit uint64        // bytes of stack for a connection
		visit func(p *wstest.Peer, c *wsnet.Conn)
	}{
		{"nothing", -1, one, func(*wstest.Peer, *wsnet.Conn) {}},
		{"a message", -1, one, func(p *wstest.Peer, _ *wsnet.Conn) {
			p.SendFrame(wstest.Text("hello"))
			p.WantFrame("its echo", wstest.Text("hello"))
		}},
		{"a message in fragments", -1, one, func(p *wstest.Peer, _ *wsnet.Conn) {
			p.SendBytes(slices.Concat(ctMasked(false, ws.OpText, "hel"), ctMasked(true, ws.OpContinuation, "lo")))
			p.WantFrame("its echo", wstest.Text("hello"))
		}},
		// What waits inside a message waits deeper, and keeps the stack for it.
		{"a message whose end is waited for", -1, 4<<10 + 512, func(p *wstest.Peer, c *wsnet.Conn) {
			p.SendBytes(ctMasked(false, ws.OpText, "hel"))
			p.SendBytes(ctMasked(true, ws.OpContinuation, "lo"))
			p.WantFrame("its echo", wstest.Text("hello"))
		}},
		{"the peer's ping", -1, one, func(p *wstest.Peer, _ *wsnet.Conn) {
			p.SendFrame(wstest.Ping("are you there?"))
			p.WantFrame("the pong", wstest.Pong("are you there?"))
		}},
		{"keepalive's ping", time.Second / 2, one, func(p *wstest.Peer, c *wsnet.Conn) {
			p.SendFrame(wstest.Pong(string(p.ReadFrame("a ping").Payload)))
			for c.Stats().PongsIn == 0 {
				runtime.Gosched()
			}
			p.SendFrame(wstest.Text("hello"))
			for p.ReadFrame("its echo, and pings before it").Opcode != ws.OpText {
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The stacks of goroutines that have ended are used again, so each
			// row has a process of its own.
			const own = "FRAMEWRIGHT_TEST_IDLE_STACK"
			if os.Getenv(own) == "" {
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
				cmd.Env = append(os.Environ(), own+"=1")
				out, err := cmd.CombinedOutput()
				if err != nil || !bytes.Contains(out, []byte("bytes of stack")) {
					t.Errorf("%v\n%s", err, out)
				}
				return
			}
			const conns = 500
			opened := make(chan *wsnet.Conn, 1)
			addr := svStart(t, &wsnet.Server{
				Options: wsnet.ServerOptions{Options: wsnet.Options{PingInterval: tt.ping, PongTimeout: time.Hour}, Hosts: []string{"*"}}, // most pings get no answer
				Handler: func(ctx context.Context, c *wsnet.Conn) error {
					opened <- c
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
			})
			visit := func(conns int) {
				peers, ours := make([]*wstest.Peer, conns), make([]*wsnet.Conn, conns)
				for i := range peers {
					c, err := net.Dial("tcp", addr)
					if err != nil {
						t.Fatal(err)
					}
					peers[i] = wstest.NewPeer(t, c)
					peers[i].Upgrade()
					ours[i] = <-opened
				}
				for i, p := range peers {
					tt.visit(p, ours[i])
				}
			}
			visit(1) // so that what is made once is there
			before := stacks()
			visit(conns)
			// Whatever else is running now and has not ended counts too, so the
			// least of some measurements is nearest to what is meant.
			got := uint64(math.MaxUint64)
			for range 10 {
				if got = min(got, (max(stacks(), before)-before)/conns); got <= tt.limit {
					break
				}
				runtime.Gosched()
			}
			t.Logf("%d bytes of stack for each connection", got)
			if got > tt.limit {
				t.Errorf("want at most %d", tt.limit)
			}
		})
	}
}

// stacks returns how many bytes the stacks of all goroutines take that have not
// ended.
func stacks() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.StackInuse
}
