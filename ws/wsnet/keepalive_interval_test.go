package wsnet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// keepaliveSpans are intervals below, at, above and far below their timeouts,
// in multiples and not.
var keepaliveSpans = []struct{ interval, timeout time.Duration }{
	{2 * time.Second, 20 * time.Second},
	{2 * time.Second, 21 * time.Second},
	{20 * time.Second, 20 * time.Second},
	{30 * time.Second, 20 * time.Second},
	{20 * time.Second, 30 * time.Second},
	{time.Second, time.Minute + time.Millisecond},
}

func keepaliveEach(t *testing.T, f func(t *testing.T, c *wsnet.Conn, p *wstest.Peer, interval, timeout time.Duration)) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, d := range keepaliveSpans {
			t.Run(fmt.Sprintf("%v/%v,%v", role, d.interval, d.timeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p := ctConn(t, role, &wsnet.Options{PingInterval: d.interval, PongTimeout: d.timeout})
					go func() {
						for range c.Messages(t.Context()) {
						}
					}()
					f(t, c, p, d.interval, d.timeout)
					c.CloseNow()
				})
			})
		}
	}
}

// A peer that answers gets its next ping after a silence of one to two
// intervals, however long the timeout is: what lies in between may cut a
// connection that is silent for longer.
func TestKeepaliveInterval(t *testing.T) {
	for _, late := range []time.Duration{0, 700 * time.Millisecond} {
		keepaliveEach(t, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer, interval, timeout time.Duration) {
			p.Timeout = 10 * time.Minute
			last := time.Now()
			for n := range 20 {
				f := p.ReadFrame("a ping")
				if silent := time.Since(last); f.Opcode != ws.OpPing || silent < interval || silent > 2*interval {
					t.Fatalf("%v after a silence of %v, want ping %d after %v to twice that", f, silent, n, interval)
				}
				time.Sleep(late)
				last = time.Now()
				p.SendFrame(wstest.Pong(string(f.Payload)))
			}
			if c.Err() != nil {
				t.Error(c.Err())
			}
		})
	}
}

// A peer that does not answer is dead PongTimeout after the ping, not earlier
// or later, and gets no second ping.
func TestKeepaliveTimeout(t *testing.T) {
	keepaliveEach(t, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer, interval, timeout time.Duration) {
		p.Timeout = 10 * time.Minute
		for range 3 { // it has answered before
			f := p.ReadFrame("a ping")
			p.SendFrame(wstest.Pong(string(f.Payload)))
		}
		p.ReadFrame("the ping that has no answer")
		ctTook(t, "the end", timeout, func() { <-c.Context().Done() })
		if !errors.Is(c.Err(), wsnet.ErrPongTimeout) {
			t.Error(c.Err())
		}
		p.WantEOF("no second ping")
	})
}

// The answer may take nearly as long as PongTimeout; and data is as good as a
// pong, also for one who never sends pongs.
func TestKeepaliveLateSign(t *testing.T) {
	for _, sign := range []string{"pong", "data"} {
		keepaliveEach(t, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer, interval, timeout time.Duration) {
			p.Timeout = 10 * time.Minute
			for range 5 {
				f := p.ReadFrame("a ping")
				time.Sleep(timeout - time.Millisecond)
				if sign == "pong" {
					p.SendFrame(wstest.Pong(string(f.Payload)))
				} else {
					p.SendFrame(wstest.Text("x"))
				}
			}
			f := p.ReadFrame("the last ping")
			ctTook(t, "the end", timeout, func() { <-c.Context().Done() })
			if f.Opcode != ws.OpPing || !errors.Is(c.Err(), wsnet.ErrPongTimeout) {
				t.Error(f, c.Err())
			}
		})
	}
}

// Where something comes in every interval nothing is asked.
func TestKeepaliveBusyConnection(t *testing.T) {
	keepaliveEach(t, func(t *testing.T, c *wsnet.Conn, p *wstest.Peer, interval, timeout time.Duration) {
		message := ctUnmasked(true, ws.OpText, "x")
		if c.Role() == ws.RoleServer {
			message = ctMasked(true, ws.OpText, "x")
		}
		for range 50 {
			time.Sleep(interval - time.Millisecond)
			p.SendBytes(message)
		}
		p.WantIdle("no pings")
	})
}

// An application that works for longer than PongTimeout and then reads finds
// what came meanwhile, or that nothing did.
func TestKeepaliveIntervalBusyApplication(t *testing.T) {
	for _, answers := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: 2 * time.Second, PongTimeout: 15 * time.Second})
			f := p.ReadFrame("a ping")
			if answers {
				p.SendFrame(wstest.Pong(string(f.Payload)))
			}
			time.Sleep(time.Minute)
			if c.Err() != nil {
				t.Fatal("nobody has looked yet", c.Err())
			}
			reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if dead := errors.Is(c.Err(), wsnet.ErrPongTimeout); dead == answers {
				t.Errorf("answered: %v, and the end is %v", answers, c.Err())
			}
			c.CloseNow()
			<-reader
		})
	}
}

// Connections of a server share their timers: each has its own pings on time.
func TestKeepaliveIntervalOfMany(t *testing.T) {
	const interval, timeout = 2 * time.Second, 21 * time.Second
	synctest.Test(t, func(t *testing.T) {
		l := stServe(t, &wsnet.Server{
			Handler: func(ctx context.Context, c *wsnet.Conn) error {
				for range c.Messages(ctx) {
				}
				return nil
			},
			Options: wsnet.ServerOptions{Options: wsnet.Options{PingInterval: interval, PongTimeout: timeout}},
		})
		type seen struct {
			pings []time.Duration // since the handshake
			end   time.Duration
		}
		results := make([]chan seen, 6)
		for i := range results {
			results[i] = make(chan seen, 1)
			p := stPeer(t, l)
			p.Timeout = time.Minute
			p.Upgrade()
			go func(start time.Time) {
				var s seen
				for range 3 {
					f := p.ReadFrame("a ping")
					s.pings = append(s.pings, time.Since(start))
					if i%2 == 0 || len(s.pings) < 3 {
						p.SendFrame(wstest.Pong(string(f.Payload)))
					}
				}
				if i%2 == 0 {
					p.SendFrame(wstest.Close(ws.CodeNormal, ""))
					p.WantClose("the answer", ws.CodeNormal, "")
				} else {
					p.WantEOF("dead")
				}
				s.end = time.Since(start)
				results[i] <- s
			}(time.Now())
			time.Sleep(300 * time.Millisecond)
		}
		s := time.Second
		for i, r := range results {
			want := seen{pings: []time.Duration{2 * s, 6 * s, 10 * s}, end: 10 * s}
			if i%2 == 1 {
				want.end = 10*s + timeout
			}
			if diff := cmp.Diff(want, <-r, cmp.AllowUnexported(seen{})); diff != "" {
				t.Errorf("peer %d (-want +got):\n%s", i, diff)
			}
		}
	})
}
