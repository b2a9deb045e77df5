package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// cgWrites notes what every Write of a stream was given.
type cgWrites struct {
	net.Conn
	mu     sync.Mutex
	writes [][]byte
}

func (w *cgWrites) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.writes = append(w.writes, bytes.Clone(p))
	w.mu.Unlock()
	return w.Conn.Write(p)
}

func (w *cgWrites) sizes() (sizes []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.writes {
		sizes = append(sizes, len(p))
	}
	return sizes
}

// cgServer returns an endpoint whose writes are noted, and its peer.
func cgServer(t *testing.T, o *wsnet.Options, size int) (*wsnet.Conn, *cgWrites, *wstest.Peer) {
	t.Helper()
	a, b := wstest.PipeSize(size)
	w := &cgWrites{Conn: b}
	c := wsnet.NewConn(w, ws.RoleServer, o)
	t.Cleanup(func() { c.CloseNow() })
	return c, w, wstest.NewPeer(t, a)
}

// cgMessages returns n masked text messages, and the unmasked ones that echo
// them.
func cgMessages(n, size int) (in, out []byte) {
	for i := range n {
		text := fmt.Sprintf("%0*d", size, i)
		in = append(in, ctMasked(true, ws.OpText, text)...)
		out = append(out, ctUnmasked(true, ws.OpText, text)...)
	}
	return in, out
}

func cgEcho(ctx context.Context, c *wsnet.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
			return err
		}
	}
	return nil
}

// What comes together is answered together, in the same frames; what comes
// alone is answered alone, before the reader waits.
func TestGatherReplies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		delay  time.Duration
		n      int
		writes []int
	}{
		{"one message", 0, 1, []int{2 + 4}},
		{"two", 0, 2, []int{2 * (2 + 4)}},
		{"sixteen", 0, 16, []int{16 * (2 + 4)}},
		{"without gathering", -1, 3, []int{6, 6, 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := ctQuiet()
				o.WriteDelay = tt.delay
				c, w, peer := cgServer(t, o, wstest.DefaultPipeSize)
				in, out := cgMessages(tt.n, 4)
				peer.SendBytes(in)
				go cgEcho(t.Context(), c)
				start := time.Now()
				peer.WantBytes("the echo", out)
				if d := time.Since(start); d != 0 {
					t.Errorf("the echo took %v", d)
				}
				if diff := cmp.Diff(tt.writes, w.sizes()); diff != "" {
					t.Errorf("bytes of each write (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The buffer holds the beginning of one more message: the reader has to wait,
// so what was gathered goes out first.
func TestGatherBeforeWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w, peer := cgServer(t, ctQuiet(), wstest.DefaultPipeSize)
		in, out := cgMessages(4, 4)
		peer.SendBytes(in[:len(in)-1])
		go cgEcho(t.Context(), c)
		start := time.Now()
		peer.WantBytes("three of four", out[:3*6])
		if d := time.Since(start); d != 0 {
			t.Errorf("they took %v", d)
		}
		peer.SendBytes(in[len(in)-1:])
		peer.WantBytes("the fourth", out[3*6:])
		if diff := cmp.Diff([]int{3 * 6, 6}, w.sizes()); diff != "" {
			t.Errorf("bytes of each write (-want +got):\n%s", diff)
		}
	})
}

// A handler that does something else after it has written does not hold its
// answer back, nor what it writes meanwhile.
func TestGatherBusyHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, peer := cgServer(t, ctQuiet(), wstest.DefaultPipeSize)
		in, out := cgMessages(3, 4)
		peer.SendBytes(in)
		ctRead(t, "the first", c, ws.OpText, "0000")
		start := time.Now()
		if err := c.Write(t.Context(), ws.OpText, []byte("0000")); err != nil {
			t.Fatal(err)
		}
		peer.WantBytes("its answer", out[:6])
		if d := time.Since(start); d > 2*time.Millisecond {
			t.Errorf("the answer took %v", d)
		}
		start = time.Now()
		if err := c.Write(t.Context(), ws.OpText, []byte("0001")); err != nil {
			t.Fatal(err)
		}
		peer.WantBytes("what it writes then", out[6:12])
		if d := time.Since(start); d != 0 {
			t.Errorf("that took %v: it is the reader that is late", d)
		}
	})
}

// WriteDelay is kept however young the newest message is.
func TestGatherLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := ctQuiet()
		o.WriteDelay = 10 * time.Millisecond
		c, w, peer := cgServer(t, o, wstest.DefaultPipeSize)
		in, _ := cgMessages(40, 4)
		peer.SendBytes(in)
		for range 15 {
			_, msg, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Write(t.Context(), ws.OpText, msg); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond) // under fake time: the handler's work
		}
		synctest.Wait()
		for _, n := range w.sizes() {
			if n > 10*6 {
				t.Errorf("%d messages waited for each other, 10 in 20 ms at the most", n/6)
			}
		}
		if len(w.sizes()) == 0 {
			t.Error("nothing was written in 30 ms")
		}
	})
}

// More than the buffer holds goes out when it is full; and a long message
// overtakes nothing.
func TestGatherFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w, peer := cgServer(t, ctQuiet(), 1<<20)
		in, out := cgMessages(100, 1000)
		long := bytes.Repeat([]byte("x"), 200<<10)
		in = append(append(in, ctMasked(true, ws.OpText, string(long))...), in...)
		out = append(append(out, ctUnmasked(true, ws.OpText, string(long))...), out...)
		go cgEcho(t.Context(), c)
		peer.SendBytes(in)
		peer.WantBytes("the echo", out)
		if n := len(w.sizes()); n > 30 {
			t.Errorf("%d writes for 201 messages", n)
		}
	})
}

// A peer that sends and does not read makes the writer wait, not the reader.
func TestGatherStuckPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, peer := cgServer(t, ctQuiet(), 64)
		ctx := t.Context()
		in, out := cgMessages(100, 10)
		fed := ctAsync(func() error { _, err := peer.Conn().Write(in); return err })
		for i := range 10 {
			_, msg, err := c.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if i < 3 {
				if err := c.Write(ctx, ws.OpText, msg); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 90 {
			if _, _, err := c.Read(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-fed; err != nil {
			t.Fatal(err)
		}
		peer.WantBytes("what was written", out[:3*12])
	})
}

// What Write has said is written goes out before the connection is closed,
// over a socket even if it is cut.
func TestGatherClosing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		close func(*wsnet.Conn)
	}{
		{"Close", func(c *wsnet.Conn) { c.Close(context.Background(), ws.CodeNormal, "") }},
		{"CloseNow", func(c *wsnet.Conn) { c.CloseNow() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wstest.CheckLeaks(t)
			server, client := cgTCP(t)
			o := ctQuiet()
			o.WriteDelay = time.Hour
			c := wsnet.NewConn(server, ws.RoleServer, o)
			in, out := cgMessages(3, 4)
			if _, err := client.Write(in); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"0000", "0001"} {
				ctRead(t, "a message", c, ws.OpText, text)
				if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			got := ctDrain(client)
			done := ctAsync(func() error { tt.close(c); return nil })
			if b := <-got; !bytes.HasPrefix(b, out[:12]) {
				t.Errorf("the peer got % x", b)
			}
			client.Close()
			<-done
		})
	}
}

// cgTCP returns both ends of a connection on the loopback interface.
func cgTCP(t *testing.T) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

// Over a socket: everything comes, in order, however it was cut, and a stuck
// peer does not hold the reader.
func TestGatherTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	server, client := cgTCP(t)
	c := wsnet.NewConn(server, ws.RoleServer, ctQuiet())
	done := ctAsync(func() error { return cgEcho(t.Context(), c) })
	in, out := cgMessages(50, 700)
	for _, step := range []int{1, 7, 1000, 5000, len(in)} {
		got := make(chan []byte, 1)
		go func() {
			b := make([]byte, len(out))
			n := 0
			for n < len(b) {
				k, err := client.Read(b[n:])
				if err != nil {
					break
				}
				n += k
			}
			got <- b[:n]
		}()
		for rest := in; len(rest) > 0; {
			n := min(step, len(rest))
			if _, err := client.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !bytes.Equal(<-got, out) {
			t.Fatalf("in steps of %d the echo differs", step)
		}
	}
	client.Close()
	if err := <-done; err == nil {
		t.Error("no error at the end")
	}
}

// A read over a socket that is interrupted anywhere, also inside of a header,
// loses nothing.
func TestReadInterruptedTCP(t *testing.T) {
	server, client := cgTCP(t)
	c := wsnet.NewConn(server, ws.RoleServer, ctQuiet())
	defer c.CloseNow()
	in, _ := cgMessages(3, 130) // with a header of 8 bytes
	for n := range len(in) {
		if _, err := client.Write(in[n : n+1]); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, msg, err := c.Read(ctx)
		cancel()
		size := len(in) / 3
		if whole := (n+1)%size == 0; !whole && errors.Is(err, context.DeadlineExceeded) {
			continue
		} else if !whole {
			t.Fatalf("after %d bytes: %q, %v", n+1, msg, err)
		}
		if err != nil { // it came too late for that context
			_, msg, err = c.Read(t.Context())
		}
		if want := fmt.Sprintf("%0*d", 130, n/size); err != nil || string(msg) != want {
			t.Fatalf("after %d bytes: %q, %v, want %q", n+1, msg, err, want)
		}
	}
}

// A context that ends while what was gathered goes out: a message of which
// nothing was sent is not sent; what was said to be written is.
func TestGatherInterrupted(t *testing.T) {
	for _, tt := range []struct {
		name string
		room int // of the pipe
		want int // messages that arrive
		ok   bool
	}{
		{"before the message", 10, 2, false},
		{"at its beginning", 12, 2, false},
		{"inside of it", 13, 3, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, out := cgMessages(3, 4)
				a, b := wstest.PipeSize(tt.room)
				c := wsnet.NewConn(struct {
					net.Conn
				}{&cgPrefix{Conn: b, early: in}}, ws.RoleServer, ctQuiet())
				defer c.CloseNow()
				ctx, cancel := context.WithCancel(t.Context())
				for _, text := range []string{"0000", "0001"} {
					ctRead(t, "a message", c, ws.OpText, text)
					if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				ctRead(t, "the last", c, ws.OpText, "0002")
				last := ctAsync(func() error { return c.Write(ctx, ws.OpText, []byte("0002")) })
				synctest.Wait()
				cancel()
				err := <-last
				if tt.ok != (err == nil) || err != nil && !errors.Is(err, context.Canceled) {
					t.Fatalf("the interrupted write: %v", err)
				}
				p := wstest.NewPeer(t, a)
				p.WantBytes("what was written", out[:tt.want*6])
				go c.Write(t.Context(), ws.OpText, []byte("next"))
				p.WantBytes("what is written next", ctUnmasked(true, ws.OpText, "next"))
			})
		})
	}
}

// cgPrefix gives early to the first Read.
type cgPrefix struct {
	net.Conn
	early []byte
}

func (p *cgPrefix) Read(b []byte) (int, error) {
	if len(p.early) > 0 {
		n := copy(b, p.early)
		p.early = p.early[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// Several prepared messages go out with one write, each a frame of its own.
func TestWritePreparedBatch(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		t.Run(role.String(), func(t *testing.T) {
			a, b := wstest.Pipe()
			w := &cgWrites{Conn: a}
			c := wsnet.NewConn(w, role, ctQuiet())
			defer c.CloseNow()
			other := wsnet.NewConn(b, 1-role, ctQuiet())
			defer other.CloseNow()
			var batch []*wsnet.Prepared
			for i := range 16 {
				p, err := wsnet.Prepare(ws.OpText, fmt.Appendf(nil, "message %d", i))
				if err != nil {
					t.Fatal(err)
				}
				batch = append(batch, p)
			}
			if err := c.WritePrepared(t.Context(), batch...); err != nil {
				t.Fatal(err)
			}
			if err := c.WritePrepared(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range 16 {
				ctRead(t, "in order", other, ws.OpText, fmt.Sprintf("message %d", i))
			}
			if n := len(w.sizes()); n != 1 {
				t.Errorf("%d writes for 16 messages", n)
			}
		})
	}
}
