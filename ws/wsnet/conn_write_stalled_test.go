package wsnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A shortStream does not keep to what io.Writer says.
type shortStream struct{ net.Conn }

func (s shortStream) Write(p []byte) (int, error) { return s.Conn.Write(p[:len(p)-1]) }

// What a stream has not written is lost, also if it does not say so.
func TestWriteToAShortStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := wstest.Pipe()
		c := wsnet.NewConn(shortStream{a}, ws.RoleServer, ctQuiet())
		defer c.CloseNow()
		if err := c.Write(t.Context(), ws.OpText, []byte("hi")); !errors.Is(err, io.ErrShortWrite) || c.Err() == nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
	})
}

// A long message that is cut off, in whatever piece, has failed.
func TestWriteLongWithoutDeadlines(t *testing.T) {
	for _, size := range []int{10, 20_000, 40_000, 90_000} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := wstest.PipeSize(size)
			c := wsnet.NewConn(ctOnlyStream{a}, ws.RoleServer, ctQuiet())
			defer c.CloseNow()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := c.Write(ctx, ws.OpBinary, make([]byte, 100_000)); err == nil || c.Err() == nil {
				t.Errorf("got %v, and the connection's end is %v", err, c.Err())
			}
		})
	}
}

// A peer has WriteTimeout from the beginning of a write on, whenever the stream's deadline
// was set.
func TestWriteTimeoutIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ctConnSize(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: 10 * time.Second}, 4)
		if err := c.Write(t.Context(), ws.OpText, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second) // the stream is full
		ctTook(t, "a write that is stuck", 10*time.Second, func() {
			if err := c.Write(t.Context(), ws.OpText, []byte(wwText)); !errors.Is(err, wsnet.ErrWriteTimeout) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// One byte each time is slow, and not stuck.
func TestWriteByteByByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: 10 * time.Second}, 1)
		done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("slowly")) })
		for _, b := range []byte("\x81\x06slowly") {
			time.Sleep(9 * time.Second)
			p.WantBytes("a byte", []byte{b})
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A startledStream says three times that a deadline has passed which nobody has set.
type startledStream struct {
	net.Conn
	times int
}

func (s *startledStream) Write(p []byte) (int, error) {
	switch s.times++; {
	case s.times <= 3:
		return 0, os.ErrDeadlineExceeded
	case s.times > 10:
		return 0, errors.New("tried again and again")
	}
	return s.Conn.Write(p)
}

// Neither the context nor WriteTimeout has ended the write: it is tried again.
func TestWriteToAStartledStream(t *testing.T) {
	for _, timeout := range []time.Duration{-1, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.Pipe()
			c := wsnet.NewConn(&startledStream{Conn: a}, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: timeout})
			defer c.CloseNow()
			if err := c.Write(t.Context(), ws.OpText, []byte("hi")); err != nil {
				t.Fatal(err)
			}
			wstest.NewPeer(t, b).WantFrame("the message", wstest.Text("hi"))
		})
	}
}

// A write under a context of the connection's that has not begun fails for what the
// connection ended for, of which the context's end is a consequence.
func TestWriteWhenTheConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 6, 6)
		ctx, cancel := context.WithCancel(c.Context())
		defer cancel()
		writer := ctAsync(func() error { return c.Write(ctx, ws.OpText, []byte("hi")) })
		synctest.Wait()
		p.Send("f1 80 | 37fa213d")
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "the reader", err, ws.CodeProtocolError, false)
		ctCloseError(t, "the writer", <-writer, ws.CodeProtocolError, false)
	})
}

// Behind a frame of which one byte is out, no Close frame can follow.
func TestCloseBehindAByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 1, 0)
		ctx, cancel := context.WithCancel(t.Context())
		writer := ctAsync(func() error { return c.Write(ctx, ws.OpText, []byte("hi")) })
		synctest.Wait()
		go p.Conn().Write(wstest.MustHex("f1 80 | 37fa213d")) // of which not all may be taken
		_, _, err := c.Read(t.Context())
		ctCloseError(t, "the reader", err, ws.CodeProtocolError, false)
		cancel()
		ctCloseError(t, "the writer", <-writer, ws.CodeProtocolError, false)
		if b := <-ctDrain(p.Conn()); string(b) != "\x81" {
			t.Errorf("got %q, want the byte and nothing behind it", b)
		}
	})
}
