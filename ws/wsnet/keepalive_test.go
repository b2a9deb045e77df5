package wsnet_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

func TestKeepaliveSilentPeer(t *testing.T) {
	for _, o := range []*wsnet.Options{nil, {PingInterval: 7 * time.Second, PongTimeout: 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			interval, timeout := 30*time.Second, 20*time.Second
			if o != nil {
				interval, timeout = o.PingInterval, o.PongTimeout
			}
			c, p := ctConn(t, ws.RoleServer, o)
			reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
			ctTook(t, "the ping", interval, func() {
				if f := p.ReadFrame("a ping"); f.Opcode != ws.OpPing {
					t.Errorf("got %v", f)
				}
			})
			ctTook(t, "the end", timeout, func() {
				e := ctCloseError(t, "no pong", <-reader, ws.CodeAbnormal, true)
				if !errors.Is(e, wsnet.ErrPongTimeout) {
					t.Errorf("got %v", e)
				}
			})
			p.WantEOF("no more frames to a peer that is gone")
			ctOneEnd(t, c)
		})
	}
}

func TestKeepaliveAnythingIsLife(t *testing.T) {
	for name, sign := range map[string]func(p *wstest.Peer, ping wstest.Frame){
		"the pong":         func(p *wstest.Peer, ping wstest.Frame) { p.SendFrame(wstest.Pong(string(ping.Payload))) },
		"another pong":     func(p *wstest.Peer, _ wstest.Frame) { p.SendFrame(wstest.Pong("")) },
		"a message":        func(p *wstest.Peer, _ wstest.Frame) { p.SendFrame(wstest.Text("x")) },
		"a part of a ping": func(p *wstest.Peer, _ wstest.Frame) { p.Send("89 | 80 | 37") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, &wsnet.Options{MessageTimeout: -1})
				ended := ctAsync(func() error {
					for _, err := range c.Messages(t.Context()) {
						if err != nil {
							return err
						}
					}
					return nil
				})
				f := p.ReadFrame("a ping")
				time.Sleep(19 * time.Second)
				sign(p, f)
				time.Sleep(5 * time.Second)
				ctPending(t, "alive", ended)
				if f := p.ReadFrame("then it is silent again"); f.Opcode != ws.OpPing {
					t.Errorf("got %v", f)
				}
				if !errors.Is(<-ended, wsnet.ErrPongTimeout) {
					t.Errorf("got %v", c.Err())
				}
			})
		})
	}
}

func TestKeepaliveTrafficNeedsNoPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		go func() {
			for range c.Messages(t.Context()) {
			}
		}()
		for range 30 {
			time.Sleep(20 * time.Second)
			p.SendFrame(wstest.Text("x"))
		}
		p.WantIdle("no pings")
	})
}

func TestKeepaliveOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		time.Sleep(24 * time.Hour)
		ctPending(t, "still reading", reader)
		p.WantIdle("no pings")
	})
}

// An application that does not read cannot see an answer, which is no reason
// to take the peer for dead.
func TestKeepaliveBusyApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		for range 3 {
			f := p.ReadFrame("a ping")
			p.SendFrame(wstest.Pong(string(f.Payload)))
			time.Sleep(time.Hour)
			p.SendFrame(wstest.Text("there"))
			ctRead(t, "after an hour of work", c, ws.OpText, "there")
		}
		if s := c.Stats(); s.PongsIn != 3 || s.PingsOut != 3 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

// A peer that takes a long message slowly and has nothing to say is alive.
func TestKeepaliveSlowWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, nil, 1000)
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 200_000)) })
		b := make([]byte, 1000)
		for range 180 {
			time.Sleep(time.Second)
			p.Conn().Read(b)
		}
		ctPending(t, "the reader", reader)
		ctPending(t, "the writer", writer)
	})
}

func TestKeepalivePollingReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ctConn(t, ws.RoleServer, nil)
		start := time.Now()
		for c.Err() == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			c.Read(ctx)
			cancel()
			if time.Since(start) > 3*time.Minute {
				t.Fatal("a dead peer was not noticed")
			}
		}
		if !errors.Is(c.Err(), wsnet.ErrPongTimeout) {
			t.Error(c.Err())
		}
	})
}

func TestKeepaliveTimerEndsWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, nil)
		c.CloseNow()
		time.Sleep(time.Hour)
		p.WantEOF("nothing came")
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		go c.Read(t.Context())
		type result struct {
			rtt time.Duration
			err error
		}
		ping := func(ctx context.Context) (<-chan result, wstest.Frame) {
			got := make(chan result, 1)
			go func() {
				rtt, err := c.Ping(ctx)
				got <- result{rtt, err}
			}()
			return got, p.ReadFrame("a ping")
		}

		one, f1 := ping(t.Context())
		time.Sleep(time.Second)
		two, f2 := ping(t.Context())
		time.Sleep(time.Second)
		three, f3 := ping(t.Context())
		time.Sleep(time.Second)
		p.SendFrame(wstest.Pong("nobody asked"))
		p.SendFrame(wstest.Pong(string(f2.Payload)))
		if r := <-one; r != (result{3 * time.Second, nil}) {
			t.Errorf("one, answered by the pong to two: %v", r)
		}
		if r := <-two; r != (result{2 * time.Second, nil}) {
			t.Errorf("two: %v", r)
		}
		ctPending(t, "three", three)
		p.SendFrame(wstest.Pong(string(f1.Payload))) // answered already
		ctPending(t, "three", three)
		time.Sleep(4 * time.Second)
		p.SendFrame(wstest.Pong(string(f3.Payload)))
		if r := <-three; r != (result{5 * time.Second, nil}) {
			t.Errorf("three: %v", r)
		}
		if s := c.Stats(); s.PingsOut != 3 || s.PongsIn != 2 || s.Unsolicited != 2 || s.RTT != 5*time.Second {
			t.Errorf("Stats: %+v", s)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		four, _ := ping(ctx)
		ctTook(t, "a ping without an answer", time.Second, func() {
			if r := <-four; !errors.Is(r.err, context.DeadlineExceeded) {
				t.Errorf("four: %v", r)
			}
		})
		if c.Err() != nil {
			t.Error(c.Err())
		}

		// A pong and the end in one read: the answer counts.
		five, f5 := ping(t.Context())
		p.SendBytes(append(ctMasked(true, ws.OpPong, string(f5.Payload)), ctMasked(true, ws.OpClose, "")...))
		if r := <-five; r.err != nil {
			t.Errorf("five: %v", r)
		}
		p.WantClose("the answer", ws.CodeNoStatus, "")
	})
}

func TestPingManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		go c.Read(t.Context())
		done := make(chan error, 100)
		for range cap(done) {
			go func() { _, err := c.Ping(t.Context()); done <- err }()
		}
		var last wstest.Frame
		seen := map[uint64]bool{}
		for range cap(done) {
			last = p.ReadFrame("a ping")
			seen[binary.BigEndian.Uint64(last.Payload)] = true
		}
		if len(seen) != cap(done) {
			t.Errorf("%d different payloads in %d pings", len(seen), cap(done))
		}
		p.SendFrame(wstest.Pong(string(last.Payload)))
		synctest.Wait()
		if len(done) != cap(done) {
			t.Fatalf("one pong answered %d of %d pings before it", len(done), cap(done))
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// While a writer is stuck, one pong is pending: the newest.
func TestPongsPendingAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, ctQuiet(), 1000)
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 5000)) })
		synctest.Wait()
		for i := range 50 {
			p.SendFrame(wstest.Ping(fmt.Sprint("ping ", i)))
		}
		synctest.Wait()
		p.WantFrame("the message", wstest.Binary(make([]byte, 5000)))
		p.WantFrame("the newest pong", wstest.Pong("ping 49"))
		p.WantIdle("and no other")
		if err := <-writer; err != nil {
			t.Error(err)
		}
		ctPending(t, "the reader", reader)
		if s := c.Stats(); s.PingsIn != 50 || s.PongsOut != 1 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

// A pong that cannot go out does not hold a reader past its context, and is
// not lost.
func TestPongDoesNotHoldTheReader(t *testing.T) {
	cert := ctCertificate(t)
	for _, over := range []string{"a pipe", "TLS"} {
		t.Run(over, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wstest.PipeSize(4096)
				var mine, other net.Conn = a, b
				filled, size := 4, 1019 // 1023 bytes a frame
				if over == "TLS" {
					mine, other = ctTLS(t, a, b, cert, ws.RoleServer)
					filled, size = 32, 100 // 124 bytes a record
				}
				c := wsnet.NewConn(mine, ws.RoleServer, ctQuiet())
				defer c.CloseNow()
				for range filled {
					if err := c.Write(t.Context(), ws.OpBinary, make([]byte, size)); err != nil {
						t.Fatal(err)
					}
				}
				p := wstest.NewPeer(t, other)
				ping := strings.Repeat("x", 120)
				p.SendBytes(ctMasked(true, ws.OpPing, ping))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				ctTook(t, "Read", time.Second, func() {
					if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
						t.Fatalf("got %v", err)
					}
				})
				reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
				for range filled {
					if f := p.ReadFrame("what was sent before"); f.Opcode != ws.OpBinary {
						t.Fatalf("got %v", f)
					}
				}
				p.WantFrame("the pong", wstest.Pong(ping))
				ctPending(t, "the reader", reader)
			})
		})
	}
}

// A pong that a writer was to send is not lost when the writer's context ends.
func TestPongLeftToACancelledWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, ctQuiet(), 1000)
		full := make([]byte, 996)
		if err := c.Write(t.Context(), ws.OpBinary, full); err != nil {
			t.Fatal(err)
		}
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		writer := ctAsync(func() error { return c.Write(ctx, ws.OpText, nil) })
		synctest.Wait()
		p.SendFrame(wstest.Ping("waiting"))
		if err := <-writer; !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
			t.Fatal(err)
		}
		p.WantFrame("what was sent", wstest.Binary(full))
		p.Timeout = time.Minute
		p.WantFrame("the pong, although nobody writes", wstest.Pong("waiting"))
		ctPending(t, "the reader", reader)
	})
}

// Connections with the same settings share their timers: each has its ping on
// time, whichever of the others end before it, answer, or are dead.
func TestKeepaliveOfMany(t *testing.T) {
	const interval, timeout = 30 * time.Second, 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var mu sync.Mutex
		var lost []time.Duration
		l := stServe(t, &wsnet.Server{
			Handler: func(ctx context.Context, c *wsnet.Conn) error {
				for _, err := range c.Messages(ctx) {
					if errors.Is(err, wsnet.ErrPongTimeout) {
						mu.Lock()
						lost = append(lost, time.Since(started))
						mu.Unlock()
					}
				}
				return nil
			},
			Options: wsnet.ServerOptions{Options: wsnet.Options{PingInterval: interval, PongTimeout: timeout}},
		})
		// One a second; the first, the last and one between end early, one
		// talks, and two never answer.
		peers := make([]*wstest.Peer, 8)
		for i := range peers {
			peers[i] = stPeer(t, l)
			peers[i].Upgrade()
			time.Sleep(time.Second)
		}
		for _, i := range []int{3, 0, 7} {
			peers[i].SendFrame(wstest.Close(ws.CodeNormal, ""))
			peers[i].WantClose("the answer", ws.CodeNormal, "")
		}
		peers[1].SendFrame(wstest.Text("x")) // counts for the first look, not for the second

		var pings []time.Duration
		for _, i := range []int{2, 4, 5, 6, 1} {
			f := peers[i].ReadFrame("a ping")
			if f.Opcode != ws.OpPing {
				t.Fatalf("peer %d got %v", i, f)
			}
			pings = append(pings, time.Since(started))
			if i != 4 && i != 6 {
				peers[i].SendFrame(wstest.Pong(string(f.Payload)))
			}
		}
		s := time.Second
		if diff := cmp.Diff([]time.Duration{32 * s, 34 * s, 35 * s, 36 * s, 61 * s}, pings); diff != "" {
			t.Errorf("pings at (-want +got):\n%s", diff)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]time.Duration{54 * s, 56 * s}, lost); diff != "" {
			t.Errorf("lost at (-want +got):\n%s", diff)
		}
	})
}
