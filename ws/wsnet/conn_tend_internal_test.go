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

// What was gathered goes out when its writer lets go, if the reader has nothing more by
// then: WriteDelay is not waited for.
func TestGatheredGoesOutWithItsWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		c := NewConn(a, ws.RoleServer, &Options{PingInterval: -1, WriteDelay: time.Hour})
		defer c.CloseNow()
		got := make(chan string, 1)
		go func() {
			p := make([]byte, 100)
			n, _ := b.Read(p)
			got <- string(p[:n])
		}()
		out := &c.out
		if _, err := out.lockMessage(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		out.readerHasMore.Store(true)
		if err := out.encoded(t.Context(), ws.OpText, []byte("hi"), nil, false, true); err != nil {
			t.Fatal(err)
		}
		out.readerHasMore.Store(false)
		start := time.Now()
		out.unlock(t.Context())
		if p := <-got; p != "\x81\x02hi" || time.Since(start) != 0 {
			t.Errorf("got %q after %v", p, time.Since(start))
		}
	})
}

// CloseNow sends what was gathered although the deadline of an earlier write has passed,
// and nothing behind half a frame.
func TestLastPush(t *testing.T) {
	for _, broken := range []bool{false, true} {
		c, client := innerPair(t, &Options{PingInterval: -1, WriteDelay: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		c.out.readerHasMore.Store(true)
		if err := c.Write(ctx, ws.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		cancel()
		c.out.frames.acquireAfter(nil)
		c.out.interrupt.limit(1) // the beginning of time
		c.out.broken = broken
		c.out.frames.release()
		c.CloseNow()
		want := "\x81\x04last"
		if broken {
			want = ""
		}
		if got, _ := io.ReadAll(client); string(got) != want {
			t.Errorf("broken %v: got %q, want %q", broken, got, want)
		}
	}
}

// A connection that is over keeps no buffer for what it will not send, and no timer.
func TestDropKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		c := NewConn(a, ws.RoleServer, &Options{PingInterval: -1, WriteDelay: time.Hour})
		c.out.readerHasMore.Store(true)
		if err := c.Write(t.Context(), ws.OpText, []byte("never")); err != nil {
			t.Fatal(err)
		}
		c.CloseNow()
		<-c.gone.done()
		if out := &c.out; out.pending != nil || out.buffer != nil || out.unsent.Load() != sentAll || out.late == nil || out.late.Stop() {
			t.Errorf("pending %q, buffer %p, unsent %d, the timer %v", out.pending, out.buffer, out.unsent.Load(), out.late)
		}
	})
}
