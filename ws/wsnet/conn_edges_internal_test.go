package wsnet

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
)

// innerPair returns a server's end over a socket, and the other end.
func innerPair(t *testing.T, o *Options) (*Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(server, ws.RoleServer, o)
	t.Cleanup(func() { c.CloseNow(); client.Close() })
	return c, client
}

// CloseNow and a reader that is about to wait both send what was gathered: the
// second finds that it is out.
func TestGatheredGoesOutOnce(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1, WriteDelay: time.Hour})
	c.out.readerHasMore.Store(true)
	if err := c.Write(t.Context(), ws.OpText, []byte("once")); err != nil {
		t.Fatal(err)
	}
	c.out.lastPush()
	c.out.beforeReading()
	if got := c.Stats().BytesOut; got != 6 {
		t.Errorf("%d bytes out, want 6", got)
	}
	c.link.stream.Close()
	if got, _ := io.ReadAll(client); string(got) != "\x81\x04once" {
		t.Errorf("got %q, want the message once", got)
	}
}

// A message is gathered; before its writer lets go, the reader's buffer is
// empty for a moment, so that it looks as if the message were to go out now;
// but the next in line sends nothing, and then the reader has more. The message
// is not held for ever.
func TestGatheredIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		c := NewConn(a, ws.RoleServer, &Options{PingInterval: -1})
		defer c.CloseNow()
		ctx := t.Context()
		got := make(chan string, 1)
		go func() {
			p := make([]byte, 100)
			n, _ := b.Read(p)
			got <- string(p[:n])
		}()
		out := &c.out
		if _, err := out.lockMessage(ctx, false); err != nil {
			t.Fatal(err)
		}
		c.out.readerHasMore.Store(true)
		if err := out.encoded(ctx, ws.OpText, []byte("hi"), nil, false, true); err != nil {
			t.Fatal(err)
		}
		next, ended := context.WithCancel(ctx)
		go func() {
			out.frames.acquireAfter(nil)
			c.out.readerHasMore.Store(true)
			out.unlock(next)
		}()
		synctest.Wait() // the next stands in line
		ended()
		c.out.readerHasMore.Store(false)
		out.unlock(ctx)
		select {
		case p := <-got:
			if p != "\x81\x02hi" {
				t.Errorf("got %q", p)
			}
		case <-time.After(time.Minute):
			t.Error("the message is still held after a minute")
		}
	})
}

// The cause of a connection's context is the connection's end from the moment
// on in which the context has one.
func TestContextCauseAtOnce(t *testing.T) {
	var l lifetime
	l.base = context.Background()
	l.Done()
	e := &ws.CloseError{Code: ws.CodeGoingAway}
	l.end.Store(e) // what finish does first
	if got := context.Cause(&l); got != e {
		t.Errorf("the cause is %v, want %v", got, e)
	}
}
