package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// lendPair is a server's Conn over TCP, whose read buffers are lent, and the peer.
func lendPair(t *testing.T, o *wsnet.Options) (*wsnet.Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := wsnet.NewConn(s, ws.RoleServer, o)
	t.Cleanup(func() { c.CloseNow() })
	return c, peer
}

// lendSend sends messages in one write.
func lendSend(t *testing.T, peer net.Conn, messages ...string) {
	t.Helper()
	var wire []byte
	for _, m := range messages {
		wire = append(wire, ctMasked(true, ws.OpBinary, m)...)
	}
	if _, err := peer.Write(wire); err != nil {
		t.Fatal(err)
	}
}

// lendText is n bytes that no other k gives.
func lendText(k, n int) string {
	return string(bytes.Repeat(fmt.Appendf(nil, "%07d|", k), n/8+1)[:n])
}

// Of messages of all sizes, one after the other and many at once, each is what
// was sent, and has no room in which something else lies.
func TestMessagesOfAllSizes(t *testing.T) {
	c, peer := lendPair(t, ctQuiet())
	rnd := rand.New(rand.NewPCG(1, 2))
	var sizes []int
	for _, n := range []int{1, 125, 126, 4 << 10, 4<<10 - 8, 32 << 10, 32<<10 - 8, 32<<10 + 1, 64 << 10, 72<<10 - 8, 72<<10 + 1, 136 << 10, 256 << 10, 1 << 20} {
		sizes = append(sizes, n, n, n, 1, n)
	}
	for range 200 {
		sizes = append(sizes, 1+rnd.IntN(1<<(1+rnd.IntN(18))))
	}
	go func() {
		var wire []byte
		for k, n := range sizes {
			if wire = append(wire, ctMasked(true, ws.OpBinary, lendText(k, n))...); rnd.IntN(3) > 0 {
				peer.Write(wire)
				wire = wire[:0]
			}
		}
		peer.Write(wire)
		peer.(*net.TCPConn).CloseWrite()
	}()
	k := 0
	for m, err := range c.Messages(t.Context()) {
		if err != nil {
			if _, ok := errors.AsType[*ws.CloseError](err); !ok || k != len(sizes) {
				t.Errorf("after %d of %d messages: %v", k, len(sizes), err)
			}
			return
		}
		if want := lendText(k, sizes[k]); string(m.Data) != want {
			t.Fatalf("message %d of %d bytes: got %d, %.40q, want %.40q", k, sizes[k], len(m.Data), m.Data, want)
		}
		if cap(m.Data) != len(m.Data) {
			t.Fatalf("message %d has %d bytes and room for %d", k, len(m.Data), cap(m.Data))
		}
		k++
	}
}

// What Messages yielded stays as it is until the next iteration, whatever happens
// meanwhile: another goroutine reads on, or the connection ends and others use
// its buffers.
func TestMessagesDataIsNobodyElses(t *testing.T) {
	for _, size := range []int{20, 3000, 20 << 10, 60 << 10, 300 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c, peer := lendPair(t, ctQuiet())
			want := lendText(1, size)
			for range 3 { // the buffers get their sizes
				lendSend(t, peer, want)
				if _, _, err := c.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			lendSend(t, peer, want)
			for m, err := range c.Messages(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				lendSend(t, peer, lendText(2, size), lendText(3, size))
				for k := range 2 { // somebody else reads
					if _, p, err := c.Read(t.Context()); err != nil || string(p) != lendText(2+k, size) {
						t.Fatalf("the other reader got %.40q, %v", p, err)
					}
				}
				if string(m.Data) != want {
					t.Fatal("another reader changed the message")
				}
				c.CloseNow()
				others(t, size)
				if string(m.Data) != want {
					t.Fatalf("another connection changed the message of one that has ended: %.40q", m.Data)
				}
				break
			}
		})
	}
}

// The same where the connection ends at once, and the buffer is still lent.
func TestMessagesDataAfterTheEnd(t *testing.T) {
	for _, size := range []int{20, 3000, 20 << 10, 60 << 10} {
		c, peer := lendPair(t, ctQuiet())
		want := lendText(1, size)
		lendSend(t, peer, want, want, want)
		for m, err := range c.Messages(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			c.CloseNow()
			others(t, size)
			if string(m.Data) != want {
				t.Fatalf("%d bytes: another connection's bytes are in the message: %.40q", size, m.Data)
			}
			break
		}
	}
}

// What a loop yielded is its own until its next iteration, whatever else is done with
// the connection: in the body, or after the loop was left, when no next one comes.
func TestMessagesDataWhateverFollows(t *testing.T) {
	// next wants the messages k and k+1 from a loop, and those that are sent then.
	next := func(t *testing.T, c *wsnet.Conn, k, size int, then ...func()) {
		t.Helper()
		for m, err := range c.Messages(t.Context()) {
			if err != nil || string(m.Data) != lendText(k, size) {
				t.Fatalf("message %d: %.40q, %v", k, m.Data, err)
			}
			if k++; k%2 == 0 {
				if len(then) == 0 {
					return
				}
				then[0]()
				then = then[1:]
			}
		}
	}
	for name, follows := range map[string]func(t *testing.T, c *wsnet.Conn, peer net.Conn, size int){
		"another loop, which goes on": func(t *testing.T, c *wsnet.Conn, peer net.Conn, size int) {
			next(t, c, 2, size, func() { lendSend(t, peer, lendText(4, size), lendText(5, size)) })
		},
		"a Reader that is not read to its end": func(t *testing.T, c *wsnet.Conn, peer net.Conn, size int) {
			if _, r, err := c.Reader(t.Context()); err != nil {
				t.Fatal(err)
			} else if _, err := r.Read(make([]byte, size/2)); err != nil {
				t.Fatal(err)
			}
			lendSend(t, peer, lendText(4, size), lendText(5, size))
			if _, p, err := c.Read(t.Context()); err != nil || string(p) != lendText(3, size) {
				t.Fatalf("%.40q, %v", p, err)
			}
			next(t, c, 4, size)
		},
		"Close, which throws away what comes": func(t *testing.T, c *wsnet.Conn, peer net.Conn, size int) {
			lendSend(t, peer, lendText(4, size), lendText(5, size))
			peer.Write(ctMasked(true, ws.OpClose, "\x03\xe8"))
			if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
				t.Error(err)
			}
		},
		"a context that ends while somebody waits": func(t *testing.T, c *wsnet.Conn, peer net.Conn, size int) {
			next(t, c, 2, size)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, _, err := c.Read(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			lendSend(t, peer, lendText(4, size), lendText(5, size))
			next(t, c, 4, size)
		},
	} {
		for _, size := range []int{20, 600, 9 << 10, 20 << 10} { // two of 20 KiB fit a buffer, three do not
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				c, peer := lendPair(t, ctQuiet())
				go io.Copy(io.Discard, peer)
				for range 4 { // the read buffer gets its size
					lendSend(t, peer, lendText(0, size), lendText(1, size))
					next(t, c, 0, size)
				}
				want := lendText(1, size)
				send := func() { lendSend(t, peer, want, lendText(2, size), lendText(3, size)) }

				var left []byte
				func() {
					defer func() { recover() }()
					send()
					for m, err := range c.Messages(t.Context()) {
						if left = m.Data; err != nil {
							t.Fatal(err)
						}
						panic("the loop is left")
					}
				}()
				next(t, c, 2, size, func() { lendSend(t, peer, lendText(4, size), lendText(5, size)) })
				send()
				for m, err := range c.Messages(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					follows(t, c, peer, size)
					others(t, size)
					if string(m.Data) != want {
						t.Fatalf("the message of the loop has changed: %.40q", m.Data)
					}
					break
				}
				if string(left) != want {
					t.Fatalf("the message of a loop that was left has changed: %.40q", left)
				}
			})
		}
	}
}

// A message that is not lent but copied takes back nothing that an earlier loop has,
// whatever was lent by the connection before this one.
func TestMessagesDataBeforeFragments(t *testing.T) {
	var earlier func(n int) // n connections at once with two messages each
	earlier = func(n int) {
		if n == 0 {
			return
		}
		c, peer := lendPair(t, ctQuiet())
		lendSend(t, peer, lendText(1, 100))
		for range c.Messages(t.Context()) {
			if c.Stats().MessagesIn == 2 {
				earlier(n - 1)
				peer.Close()
			} else {
				lendSend(t, peer, lendText(2, 100))
			}
		}
	}
	earlier(5)

	c, peer := lendPair(t, ctQuiet())
	want, second := lendText(1, 100), lendText(2, 100)
	peer.Write(slices.Concat(ctMasked(true, ws.OpBinary, want), ctMasked(false, ws.OpBinary, second[:10]), ctMasked(true, ws.OpContinuation, second[10:])))
	var left []byte
	for m, err := range c.Messages(t.Context()) {
		if left = m.Data; err != nil {
			t.Fatal(err)
		}
		break
	}
	k := 2
	for m, err := range c.Messages(t.Context()) {
		if err != nil || string(m.Data) != lendText(k, 100) {
			t.Fatalf("message %d: %.40q, %v", k, m.Data, err)
		}
		if k == 4 {
			break
		}
		k++
		lendSend(t, peer, lendText(k, 100))
	}
	if string(left) != want {
		t.Fatalf("the message of a loop that was left has changed: %.40q", left)
	}
}

// others has other connections use all buffers that nobody has.
func others(t *testing.T, size int) {
	t.Helper()
	for range 4 {
		c, peer := lendPair(t, ctQuiet())
		for range 4 {
			lendSend(t, peer, lendText(9, size))
			for m, err := range c.Messages(t.Context()) {
				if err != nil || string(m.Data) != lendText(9, size) {
					t.Fatalf("got %.40q, %v", m.Data, err)
				}
				break
			}
		}
	}
}

// An echo of long messages makes no buffers, although collections empty the pools.
func TestMessagesMakeNoBuffers(t *testing.T) {
	if wstest.RaceEnabled() {
		t.Skip("the race detector lets pools forget")
	}
	for _, size := range []int{64 << 10, 256 << 10, 1 << 20} {
		c, peer := lendPair(t, &wsnet.Options{PingInterval: -1, MaxMessage: 2 << 20})
		wire := ctMasked(true, ws.OpBinary, lendText(1, size))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for m, err := range c.Messages(ctx) {
				if err != nil || c.Write(ctx, m.Opcode, m.Data) != nil {
					return
				}
			}
		}()
		reply := make([]byte, len(ctUnmasked(true, ws.OpBinary, lendText(1, size))))
		echo := func() {
			go peer.Write(wire)
			for n := 0; n < len(reply); {
				k, err := peer.Read(reply[n:])
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
		}
		for range 5 {
			echo()
		}
		const echoes = 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range echoes {
			echo()
			runtime.GC()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / echoes; each > 48<<10 { // the small ones that pools forget: 16 KiB and some of 4
			t.Errorf("%d bytes: %d bytes are allocated for each echo", size, each)
		}
		cancel()
		<-done
	}
}

// Compressed messages that do not fit a small buffer come out whole, again and
// again.
func TestMessagesCompressedLong(t *testing.T) {
	a, b := wstest.PipeSize(1 << 20)
	agreed := ws.DeflateParams{ServerBits: 15, ClientBits: 15, ServerNoContext: true, ClientNoContext: true}
	o := &wsnet.Options{PingInterval: -1, InflateRate: -1}
	s, c := wsnet.NewDeflateConn(a, ws.RoleServer, o, agreed), wsnet.NewDeflateConn(b, ws.RoleClient, o, agreed)
	defer s.CloseNow()
	defer c.CloseNow()
	sizes := []int{10, 5000, 33 << 10, 100 << 10, 600 << 10, 40, 70 << 10}
	go func() {
		for k, n := range sizes {
			c.Write(t.Context(), ws.OpBinary, []byte(lendText(k, n)))
		}
	}()
	k := 0
	for m, err := range s.Messages(t.Context()) {
		if err != nil || string(m.Data) != lendText(k, sizes[k]) || cap(m.Data) != len(m.Data) {
			t.Fatalf("message %d: %d bytes, room for %d, %v", k, len(m.Data), cap(m.Data), err)
		}
		if k++; k == len(sizes) {
			break
		}
	}
}
