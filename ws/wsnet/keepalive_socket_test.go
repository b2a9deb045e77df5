package wsnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
)

// readFrames reads n bytes, which are frames.
func readFrames(t *testing.T, from net.Conn, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	from.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(from, b); err != nil {
		t.Fatalf("after % x: %v", b, err)
	}
	return b
}

// pingFrame is the ping with a number below 256.
func pingFrame(number byte) []byte { return []byte{0x89, 8, 0, 0, 0, 0, 0, 0, 0, number} }

// On a socket pings go out by another way than on all other streams. A peer that answers
// gets one after the other; one that does not is dead.
func TestKeepaliveSocket(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: 5 * time.Millisecond, PongTimeout: 10 * time.Second})
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.Read(context.Background())
		ended <- err
	}()
	for number := byte(1); number <= 5; number++ {
		if got := readFrames(t, client, 10); !bytes.Equal(got, pingFrame(number)) {
			t.Fatalf("ping %d: % x", number, got)
		}
		pong := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpPong, Masked: true}, pingFrame(number)[2:])
		if _, err := client.Write(pong); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.PingsOut < 4 || s.FramesOut < 4 || s.BytesOut < 40 || s.MessagesOut != 0 { // the fifth may not be counted yet
		t.Errorf("after 5 pings: %+v", s)
	}
	c.CloseNow()
	<-ended

	c, _ = innerPair(t, &Options{PingInterval: 5 * time.Millisecond, PongTimeout: 5 * time.Millisecond})
	if _, _, err := c.Read(t.Context()); !errors.Is(err, ErrPongTimeout) {
		t.Errorf("a peer that says nothing: %v", err)
	}
}

// A ping of keepalive's does not wait for the reader, as messages may, and does not go
// out beside something that is being written or waits to be: that finds out as much.
func TestKeepalivePing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(*Conn) (undo func())
		sent    bool
		want    []byte // what goes out
	}{
		{"nothing to write", func(*Conn) func() { return func() {} }, true, pingFrame(1)},
		{"the reader has more", func(c *Conn) func() { c.out.readerHasMore.Store(true); return func() {} }, true, pingFrame(1)},
		{"something is being written", func(c *Conn) func() {
			c.out.frames.try()
			return c.out.frames.release
		}, false, nil},
		{"a message waits for others", func(c *Conn) func() {
			c.out.readerHasMore.Store(true)
			if err := c.Write(context.Background(), ws.OpText, []byte("hi")); err != nil {
				t.Error(err)
			}
			return func() {}
		}, false, nil},
		{"the shortest message does", func(c *Conn) func() {
			c.out.frames.try()
			c.out.pending = []byte{0x81}
			c.out.unsent.Store(gathered)
			c.out.readerHasMore.Store(true)
			c.out.frames.release()
			return func() {}
		}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, client := innerPair(t, &Options{PingInterval: -1, WriteDelay: time.Hour})
			undo := tt.prepare(c)
			before := len(c.out.pending)
			if sent := c.alive.ping(); sent != tt.sent {
				t.Errorf("sent: %v", sent)
			}
			undo()
			if !c.out.frames.try() {
				t.Fatal("frames is still locked")
			}
			if len(c.out.pending) != before {
				t.Errorf("% x waits, %d bytes before", c.out.pending, before)
			}
			c.out.frames.release()
			if want := tt.want; want != nil {
				if got := readFrames(t, client, len(want)); !bytes.Equal(got, want) {
					t.Errorf("got % x", got)
				}
			}
			if got := c.Stats().PingsOut; got != uint64(len(tt.want)/10) {
				t.Errorf("%d pings out", got)
			}
		})
	}
}

// A look at a connection whose peer takes nothing does not hold up those at others.
func TestKeepaliveTickDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c := NewConn(struct{ io.ReadWriteCloser }{ours}, ws.RoleServer, &Options{PingInterval: -1})
		defer c.CloseNow()
		c.link.set.spans = ws.Spans{Interval: int64(time.Hour), Timeout: int64(time.Hour)}
		looked := false
		go func() {
			c.alive.tick()
			looked = true
		}()
		synctest.Wait()
		if !looked {
			t.Error("the look waits for the peer")
		}
	})
}

// A connection that is over is not looked at any more, from that moment on.
func TestKeepaliveStops(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := NewConn(a, ws.RoleServer, nil)
	if c.alive.place.due == 0 {
		t.Fatal("nobody looks")
	}
	c.CloseNow()
	if c.alive.place.due != 0 || c.link.set.timers.queues[0].first != nil {
		t.Error("it is still to be looked at")
	}
}

// A socket that takes nothing more does not hold up a ping of keepalive's: it goes out
// when there is room.
func TestKeepalivePingFullSocket(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1})
	filled, zeros := 0, make([]byte, 64<<10)
	for full := false; !full; {
		c.link.socket.Write(func(fd uintptr) bool {
			n, err := writeSocket(fd, zeros)
			full = err != nil
			filled += max(0, n)
			return true
		})
	}
	sent := make(chan bool, 1)
	go func() { sent <- c.alive.ping() }()
	select {
	case ok := <-sent:
		if !ok {
			t.Error("it says that there is no ping")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the peer")
	}
	readFrames(t, client, filled)
	if got := readFrames(t, client, 10); !bytes.Equal(got, pingFrame(1)) {
		t.Errorf("got % x", got)
	}
}

// Pings that were not sent, or that nobody waits for any more, have no pong; and there is
// no round-trip time without one.
func TestPingInVain(t *testing.T) {
	for _, tt := range []struct {
		name string
		ping func(*Conn) (time.Duration, error)
		out  uint64
	}{
		{"a context that has ended", func(c *Conn) (time.Duration, error) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return c.Ping(ctx)
		}, 0},
		{"something is being written until then", func(c *Conn) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			c.out.frames.try()
			rtt, err := c.Ping(ctx)
			if c.out.frames.try() {
				t.Error("the lock has been let go of")
			}
			c.out.frames.release()
			return rtt, err
		}, 0},
		{"nobody answers in time", func(c *Conn) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			return c.Ping(ctx)
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go io.Copy(io.Discard, theirs)
				c := NewConn(struct{ io.ReadWriteCloser }{ours}, ws.RoleServer, &Options{PingInterval: -1})
				defer c.CloseNow()
				if rtt, err := tt.ping(c); rtt != 0 || err == nil {
					t.Errorf("%v, %v", rtt, err)
				}
				go c.Read(context.Background())
				if _, err := theirs.Write(ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpPong, Masked: true}, pingFrame(1)[2:])); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if s := c.Stats(); s.PingsOut != tt.out || s.PongsIn != 0 || s.Unsolicited != 1 || s.RTT != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs)
		c := NewConn(struct{ io.ReadWriteCloser }{ours}, ws.RoleServer, &Options{PingInterval: -1})
		for _, why := range []string{"the connection ends meanwhile", "it is over"} {
			go func() {
				time.Sleep(time.Second)
				c.CloseNow()
			}()
			if rtt, err := c.Ping(context.Background()); rtt != 0 || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v, %v", why, rtt, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

// The application's own ping goes out at once, whatever messages wait for.
func TestPingDoesNotWaitForTheReader(t *testing.T) {
	c, client := innerPair(t, &Options{PingInterval: -1, WriteDelay: time.Hour})
	c.out.readerHasMore.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		c.Ping(ctx)
		close(ended)
	}()
	if got := readFrames(t, client, 10); !bytes.Equal(got, pingFrame(1)) {
		t.Errorf("got % x", got)
	}
	cancel()
	<-ended
}
