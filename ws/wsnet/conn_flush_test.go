package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// wwGather makes what c writes next wait for more.
func wwGather(t *testing.T, c *wsnet.Conn, p *wstest.Peer) {
	t.Helper()
	p.SendBytes(bytes.Repeat(ctMasked(true, ws.OpText, "x"), 2))
	synctest.Wait()
	ctRead(t, "the first of two", c, ws.OpText, "x")
}

// Flush sends what was gathered, counts it, and says when it could not; then it stays.
func TestFlushGathered(t *testing.T) {
	for _, room := range []int{0, 1, 5, 6} { // of the six bytes of a frame
		synctest.Test(t, func(t *testing.T) {
			c, p := wwConn(t, wwOptions(), false, 20, 20-room)
			wwGather(t, c, p)
			if err := c.Write(t.Context(), ws.OpText, []byte("last")); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := c.Flush(ctx); (err == nil) != (room == 6) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("room for %d bytes: got %v", room, err)
			}
			p.WantBytes("what was there", make([]byte, 20-room))
			p.WantBytes("what was gathered", ctUnmasked(true, ws.OpText, "last"))
			synctest.Wait()
			if s := c.Stats(); s.FramesOut != 1 || s.MessagesOut != 1 || s.BytesOut != 6 {
				t.Errorf("room for %d bytes: %+v", room, s)
			}
		})
	}
}

// Flush of nothing writes nothing: over TLS that would be a record.
func TestFlushNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w, _ := cgServer(t, wwOptions(), 100)
		if err := c.Flush(t.Context()); err != nil || len(w.sizes()) > 0 {
			t.Errorf("got %v, and writes of %v", err, w.sizes())
		}
	})
}

// A cancelStream ends a context with what it is given to write.
type cancelStream struct {
	net.Conn
	cancel context.CancelFunc
}

func (s cancelStream) Write(p []byte) (int, error) {
	defer s.cancel()
	return s.Conn.Write(p)
}

// All is out: that the context has ended since is no error.
func TestFlushInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, b := wstest.Pipe()
		c, p := wsnet.NewConn(cancelStream{a, cancel}, ws.RoleServer, wwOptions()), wstest.NewPeer(t, b)
		defer c.CloseNow()
		wwGather(t, c, p)
		if err := c.Write(t.Context(), ws.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		if err := c.Flush(ctx); err != nil || ctx.Err() == nil {
			t.Errorf("got %v", err)
		}
	})
}

// A message that gives up behind others that were gathered does not take them with it,
// and they go out when the peer takes them.
func TestWriteGivesUpBehindOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 20, 20)
		wwGather(t, c, p)
		if err := c.Write(t.Context(), ws.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		ctRead(t, "the second of two", c, ws.OpText, "x")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Write(ctx, ws.OpText, []byte(wwText)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.WantBytes("what was there", make([]byte, 20))
		p.WantBytes("what was gathered", ctUnmasked(true, ws.OpText, "last"))
		p.WantIdle("and no more")
		if s := c.Stats(); s.FramesOut != 1 || s.MessagesOut != 1 || c.Err() != nil {
			t.Errorf("%+v, %v", s, c.Err())
		}
	})
}

// Nor is one written that a broken stream has not taken, whatever stood before it.
func TestWriteBehindOthersToABrokenStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 1000, 0)
		wwGather(t, c, p)
		if err := c.Write(t.Context(), ws.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		ctRead(t, "the second of two", c, ws.OpText, "x")
		p.Reset()
		if err := c.Write(t.Context(), ws.OpText, []byte("lost")); err == nil || c.Err() == nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
	})
}

// What Flush may keep, because it is others' messages, a message of its own may not: half
// of it cannot be taken back.
func TestWriteHalfSentAfterAFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 20, 0)
		wwGather(t, c, p)
		c.Write(t.Context(), ws.OpText, []byte("last"))
		c.Flush(t.Context())
		p.WantBytes("what was gathered", ctUnmasked(true, ws.OpText, "last"))
		ctRead(t, "the second of two", c, ws.OpText, "x")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Write(ctx, ws.OpText, []byte(wwText)); err == nil || c.Err() == nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
	})
}
