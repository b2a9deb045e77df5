package wsnet

import (
	"context"
	"io"
	"net"
	"strings"
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

// The answer to a Close frame goes out although CloseNow comes at once and another
// goroutine has the sending direction, as one does that sends what was gathered. If that
// is for long, CloseNow does not wait for it.
func TestCloseNowPaysWhatIsOwed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wire  string
		held  time.Duration
		want  string
		takes time.Duration
	}{
		{"an answer", "\x88\x82\x00\x00\x00\x00\x03\xe8", 10 * time.Millisecond, "\x88\x02\x03\xe8", 10 * time.Millisecond},
		{"a violation", "\x83\x80\x00\x00\x00\x00", 10 * time.Millisecond, "\x88\x1d\x03\xea", 10 * time.Millisecond},
		{"held for long", "\x88\x82\x00\x00\x00\x00\x03\xe8", time.Second, "", lastWord},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				defer b.Close()
				c := NewConn(a, ws.RoleServer, &Options{PingInterval: -1})
				c.out.frames.acquireAfter(nil)
				go io.WriteString(b, tt.wire)
				if _, _, err := c.Read(t.Context()); err == nil {
					t.Fatal("that is no message")
				}
				got := make(chan []byte)
				go func() {
					p, _ := io.ReadAll(b)
					got <- p
				}()
				time.AfterFunc(tt.held, c.out.frames.release)
				start := time.Now()
				c.CloseNow()
				if took := time.Since(start); took != tt.takes {
					t.Errorf("CloseNow took %v, want %v", took, tt.takes)
				}
				if p := <-got; !strings.HasPrefix(string(p), tt.want) || tt.want == "" && len(p) > 0 {
					t.Errorf("got % x, want % x", p, tt.want)
				}
				<-c.gone.done()
			})
		})
	}
}
