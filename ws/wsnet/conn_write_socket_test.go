package wsnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// wsFull returns both ends of a socket of which the server's takes nothing until the
// filled bytes are read at the other. It is one of this machine alone: what TCP holds
// changes by itself.
func wsFull(t *testing.T) (server, client net.Conn, filled int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ws") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		os.RemoveAll(dir)
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close(); os.RemoveAll(dir) })
	for some := make([]byte, 64<<10); ; {
		server.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := server.Write(some)
		if filled += n; n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			server.SetWriteDeadline(time.Time{})
			return server, client, filled
		}
	}
}

// A socket that is full takes nothing: the message gives up when its context ends, of
// which nothing is left, and the next ones go out whole, once, and are counted when
// Write has returned, those that a socket takes in parts as well.
func TestWriteToAFullSocket(t *testing.T) {
	wstest.CheckLeaks(t)
	server, client, filled := wsFull(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := wsnet.NewConn(server, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteTimeout: -1, Trace: func(ws.TraceEvent) {
		cancel() // the frame is made, and is about to be written
	}})
	if err := c.Write(ctx, ws.OpText, []byte("never")); !errors.Is(err, context.Canceled) || c.Err() != nil {
		t.Fatalf("got %v, and the connection's end is %v", err, c.Err())
	}
	if s := c.Stats(); s.FramesOut != 0 || s.MessagesOut != 0 || s.BytesOut != 0 {
		t.Errorf("nothing is out: %+v", s)
	}
	long, err := wsnet.Prepare(ws.OpBinary, make([]byte, 16<<20)) // more than a socket holds
	if err != nil {
		t.Fatal(err)
	}
	short := func() error { return c.Write(t.Context(), ws.OpText, []byte("short")) }
	for i, tt := range []struct {
		name  string
		write func() error
		skip  int
		want  string
	}{
		{"to the full socket", short, filled, "\x81\x05short"},
		{"to an empty one", short, 0, "\x81\x05short"},
		{"in parts", func() error { return c.WritePrepared(t.Context(), long) }, 0, "\x82\x7f\x00\x00\x00\x00\x01\x00\x00\x00" + string(long.Data())},
		{"behind that", short, 0, "\x81\x05short"},
	} {
		done := ctAsync(tt.write)
		got := make([]byte, tt.skip+len(tt.want))
		if _, err := io.ReadFull(client, got); err != nil || string(got[tt.skip:]) != tt.want {
			t.Fatalf("%s: got %s, %v", tt.name, ctShort(got[tt.skip:]), err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if s, n := c.Stats(), uint64(i+1); s.MessagesOut != n || s.FramesOut != n {
			t.Errorf("%s: %+v, want %d messages", tt.name, s, n)
		}
	}
	c.CloseNow()
}
