package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// wvLong is more than a socket holds.
var wvLong = make([]byte, 16<<20)

// A long message over TCP: a server's goes out as it lies in memory, a client's masked.
func TestWriteLongOverTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	a, b := cgTCP(t)
	s, c := wsnet.NewConn(a, ws.RoleServer, ctQuiet()), wsnet.NewConn(b, ws.RoleClient, ctQuiet())
	long := bytes.Repeat([]byte("0123456789"), 20_000)
	for _, end := range []struct {
		from, to *wsnet.Conn
		size     uint64
	}{{s, c, 10}, {c, s, 14}} {
		done := ctAsync(func() error { return end.from.Write(t.Context(), ws.OpBinary, long) })
		ctRead(t, "from the "+end.from.Role().String(), end.to, ws.OpBinary, string(long))
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := end.from.Stats().BytesOut; got != end.size+uint64(len(long)) {
			t.Errorf("the %v: %d bytes out, want %d", end.from.Role(), got, end.size+uint64(len(long)))
		}
	}
	s.CloseNow()
	c.CloseNow()
}

// One that finds the socket full gives up when its context ends, and nothing of it is
// left; a Close frame can still be sent.
func TestWriteLongToAFullSocket(t *testing.T) {
	wstest.CheckLeaks(t)
	server, client, filled := wsFull(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := wsnet.NewConn(server, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: -1, Trace: func(ws.TraceEvent) { cancel() }})
	if err := c.Write(ctx, ws.OpBinary, wvLong); !errors.Is(err, context.Canceled) || c.Err() != nil {
		t.Fatalf("got %v, and the connection's end is %v", err, c.Err())
	}
	if s := c.Stats(); s.FramesOut != 0 || s.MessagesOut != 0 || s.BytesOut != 0 {
		t.Errorf("nothing is out: %+v", s)
	}
	drained := ctDrain(client)
	client.Write(wstest.MustHex("f1 80 | 37fa213d"))
	_, _, err := c.Read(t.Context())
	ctCloseError(t, "RSV", err, ws.CodeProtocolError, false)
	if got := <-drained; !bytes.HasPrefix(got[filled:], []byte("\x88")) {
		t.Errorf("got %s, want a Close frame", ctShort(got[filled:]))
	}
	client.Close()
	c.Close(t.Context(), ws.CodeNormal, "")
}

// Behind a part of one, no Close frame can follow.
func TestCloseBehindAPartOfALongMessage(t *testing.T) {
	wstest.CheckLeaks(t)
	server, client := cgTCP(t)
	c := wsnet.NewConn(server, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: -1})
	ctx, cancel := context.WithCancel(t.Context())
	writer := ctAsync(func() error { return c.Write(ctx, ws.OpBinary, wvLong) })
	if _, err := io.ReadFull(client, make([]byte, 10)); err != nil { // its header
		t.Fatal(err)
	}
	client.Write(wstest.MustHex("f1 80 | 37fa213d"))
	_, _, err := c.Read(t.Context())
	ctCloseError(t, "the reader", err, ws.CodeProtocolError, false)
	cancel()
	ctCloseError(t, "the writer", <-writer, ws.CodeProtocolError, false)
	got, err := io.ReadAll(client)
	if err != nil || len(got) >= len(wvLong) || bytes.IndexByte(got, 0x88) >= 0 {
		t.Errorf("got %d bytes, %v, want a part of the message and nothing behind it", len(got), err)
	}
	client.Close()
	c.Close(t.Context(), ws.CodeNormal, "")
}

// A peer that takes nothing of a long message for WriteTimeout is cut.
func TestWriteLongTimeout(t *testing.T) {
	wstest.CheckLeaks(t)
	server, _ := cgTCP(t)
	c := wsnet.NewConn(server, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: 50 * time.Millisecond})
	if err := c.Write(t.Context(), ws.OpBinary, wvLong); !errors.Is(err, wsnet.ErrWriteTimeout) {
		t.Errorf("got %v", err)
	}
	c.CloseNow()
}
