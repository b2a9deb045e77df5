package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Two Closes at once: the first that is sent counts, for both.
func TestCloseTwiceFirstCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		first := ctAsync(func() error { return c.Close(t.Context(), 4000, "first") })
		p.WantClose("the first", 4000, "first")
		second := ctAsync(func() error { return c.Close(t.Context(), 4001, "second") })
		synctest.Wait()
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.WantEOF("and no other")
		p.Close()
		if err := errors.Join(<-first, <-second); err != nil {
			t.Error(err)
		}
		if e := ctCloseError(t, "Err", c.Err(), 4000, false); e.Reason != "first" {
			t.Errorf("the reason is %q", e.Reason)
		}
	})
}

// After our Close frame nothing else goes out, so nobody waits for the end of a message
// that was begun, nor holds up the closing handshake with it.
func TestCloseInsideAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("begun"))
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		p.WantBytes("the beginning", ctUnmasked(false, ws.OpText, "begun"))
		closed := ctAsync(func() error { return c.Close(t.Context(), 4000, "") })
		p.WantClose("in the middle of the message", 4000, "")
		ctTook(t, "a Write after it", 0, func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			ctCloseError(t, "a Write after it", c.Write(ctx, ws.OpText, []byte("more")), 4000, false)
		})
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// A Close frame that finds no way past a writer who is stuck was not sent, and nobody is
// told so.
func TestCloseBehindAStuckWriterIsNotTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var traced atomic.Int32
		o := &wsnet.Options{PingInterval: -1, WriteTimeout: -1, Trace: func(e ws.TraceEvent) {
			if e.Sent && e.Header.Opcode == ws.OpClose {
				traced.Add(1)
			}
		}}
		c, _ := ctConnSize(t, ws.RoleServer, o, 1000)
		writer := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, 5000)) })
		synctest.Wait()
		if err := c.Close(t.Context(), ws.CodeNormal, ""); !errors.Is(err, wsnet.ErrCloseTimeout) {
			t.Error(err)
		}
		<-writer
		if n := traced.Load(); n != 0 {
			t.Errorf("%d Close frames traced, none can be out", n)
		}
	})
}

// The peer may send on for CloseTimeout after it was told off, but for a second only
// after a closing handshake. CloseNow does not wait for either.
func TestCloseLingers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sends string
		code  ws.Code
		now   bool
		took  time.Duration
	}{
		{"after a violation", "f1 80 | 37fa213d", ws.CodeProtocolError, false, 7 * time.Second},
		{"after a violation, CloseNow", "f1 80 | 37fa213d", ws.CodeProtocolError, true, 0},
		{"after a closing handshake", "88 80 | 37fa213d", ws.CodeNoStatus, false, time.Second},
		{"after a closing handshake, CloseNow", "88 80 | 37fa213d", ws.CodeNoStatus, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, CloseTimeout: 7 * time.Second})
				p.Send(tt.sends)
				if _, _, err := c.Read(t.Context()); err == nil {
					t.Fatal("no error")
				}
				p.ReadFrame("our Close frame")
				p.WantEOF("our direction ends first")
				synctest.Wait()
				start := time.Now()
				if tt.now {
					if err := c.CloseNow(); !errors.Is(err, c.Err()) {
						t.Error(err)
					}
				}
				var err error
				for err == nil { // fake time: how long what is sent is taken
					if _, err = p.Conn().Write([]byte("x")); err == nil {
						time.Sleep(time.Millisecond)
					}
				}
				if took := time.Since(start); took.Round(10*time.Millisecond) != tt.took {
					t.Errorf("the peer was cut after %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// The same under the connection's own context, which has ended before the peer has
// heard: no reason to cut it short.
func TestCloseLingersUnderTheConnectionsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MaxMessage: 1000})
		closed := ctAsync(func() error {
			<-c.Context().Done()
			return c.Close(c.Context(), ws.CodeNormal, "")
		})
		sent := ctAsync(func() error {
			_, err := p.Conn().Write(ctMasked(true, ws.OpBinary, strings.Repeat("x", 900_000)))
			return err
		})
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "too big", err, ws.CodeTooBig, false)
		if err := <-sent; err != nil {
			t.Errorf("what the peer was sending: %v", err)
		}
		ctPending(t, "Close, as the peer has not ended TCP", closed)
		p.WantClose("the reason", ws.CodeTooBig, "MaxMessage")
		p.Close()
		if err := <-closed; !errors.Is(err, c.Err()) {
			t.Error(err)
		}
	})
}

// A closingStream takes its time to close, and to end its sending direction.
type closingStream struct {
	net.Conn
	closing atomic.Bool
	closed  atomic.Bool
	mu      sync.Mutex
	writeBy time.Time // the deadline when the sending direction was ended
	by      time.Time
}

func (s *closingStream) Close() error {
	if s.closing.CompareAndSwap(false, true) { // not a sync.Once, for which the bubble's time would stand still
		time.Sleep(3 * time.Second)
		s.closed.Store(true)
	}
	return s.Conn.Close()
}

func (s *closingStream) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	s.by = at
	s.mu.Unlock()
	return s.Conn.SetWriteDeadline(at)
}

func (s *closingStream) CloseWrite() error {
	synctest.Wait() // all that is about to happen has
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy = s.by
	return s.Conn.(*wstest.Conn).CloseWrite()
}

// Close returns when the stream is closed, also if its context has ended before.
func TestCloseWaitsForTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		defer b.Close()
		s := &closingStream{Conn: a}
		c := wsnet.NewConn(s, ws.RoleServer, ctQuiet())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Close(ctx, ws.CodeNormal, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if !s.closed.Load() {
			t.Error("Close has returned, and the stream is not closed")
		}
	})
}

// Ending the sending direction is a write over TLS. Close may be under a context that
// ends with the connection: then that must not reach this write.
func TestCloseEndsSendingWithoutItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		s := &closingStream{Conn: a}
		c := wsnet.NewConn(s, ws.RoleServer, ctQuiet())
		p := wstest.NewPeer(t, b)
		ctx, cancel := context.WithCancel(c.Context()) // another one, so that it is watched
		defer cancel()
		closed := ctAsync(func() error { return c.Close(ctx, ws.CodeNormal, "") })
		p.WantClose("ours", ws.CodeNormal, "")
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := s.writeBy; !at.IsZero() && at.Before(time.Now().Add(-time.Hour)) {
			t.Errorf("the sending direction was ended under the deadline %v, which had passed", at)
		}
	})
}

// Behind our Close frame 65,536 frames of the peer's are taken for what was on its way,
// the Close frame is one more.
func TestCloseTakesWhatWasOnItsWay(t *testing.T) {
	for _, more := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, ctQuiet())
			closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeGoingAway, "") })
			p.WantClose("ours", ws.CodeGoingAway, "")
			p.SendBytes(bytes.Repeat(ctMasked(true, ws.OpText, "x"), 64<<10+more))
			p.SendFrame(wstest.Close(ws.CodeNormal, ""))
			p.Close()
			if err := <-closed; errors.Is(err, wsnet.ErrStillSending) != (more > 0) {
				t.Errorf("%d more: got %v", more, err)
			}
		})
	}
}

// A server masks nothing, so it needs no randomness.
func TestServerNeedsNoRandomness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, Rand: noRandomness{}})
		if err := c.Write(t.Context(), ws.OpText, []byte("hi")); err != nil {
			t.Error(err)
		}
		p.WantFrame("a message", wstest.Text("hi"))
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeNormal, "") })
		p.WantClose("and the end", ws.CodeNormal, "")
		p.SendFrame(wstest.Close(ws.CodeNormal, ""))
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) { return 0, errors.New("no randomness") }
