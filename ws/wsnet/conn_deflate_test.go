package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// zText is text of n bytes that compresses, a little different for each i.
func zText(n, i int) string {
	var b strings.Builder
	for k := i; b.Len() < n; k++ {
		fmt.Fprintf(&b, `{"id":%d,"text":"message %d","ok":true}`, k, k*k%997)
	}
	return b.String()[:n]
}

var zBoth = []ws.Role{ws.RoleServer, ws.RoleClient}

// Every window, with context and without, both ways, whole and as streams.
func TestDeflateRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 127, 128, 129, 1000, 5000, 40000, 65536, 100000, 100, 100}
	for bits := 8; bits <= 15; bits++ {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bits, context %v", bits, keep), func(t *testing.T) {
				t.Parallel()
				for _, threshold := range []int{-1, 128} {
					s, c := zPair(t, &wsnet.Options{PingInterval: -1, EmptyRate: -1, Compression: &ws.Compression{Threshold: threshold}}, zParams(keep, bits))
					for _, dir := range []struct{ from, to *wsnet.Conn }{{s, c}, {c, s}} {
						for i, n := range sizes {
							want := zText(n, i)
							if err := dir.from.Write(t.Context(), ws.OpText, []byte(want)); err != nil {
								t.Fatal(err)
							}
							ctRead(t, fmt.Sprintf("%d bytes", n), dir.to, ws.OpText, want)
							zStream(t, dir.from, ws.OpBinary, want, 1+n/3)
							got := zReadStream(t, dir.to, ws.OpBinary, 1+n/7)
							if got != want {
								t.Fatalf("%d bytes as a stream: got %s, want %s", n, ctShort([]byte(got)), ctShort([]byte(want)))
							}
						}
					}
				}
			})
		}
	}
}

func TestDeflateLongMessages(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s, c := zPair(t, ctQuiet(), zParams(keep, 10))
		for _, want := range []string{zText(1<<20, 1), badNoise(1 << 20), strings.Repeat("a", 1<<20)} {
			if err := s.Write(t.Context(), ws.OpBinary, []byte(want)); err != nil {
				t.Fatal(err)
			}
			ctRead(t, "1 MiB", c, ws.OpBinary, want)
			zStream(t, c, ws.OpBinary, want, 3000)
			if got := zReadStream(t, s, ws.OpBinary, 1000); got != want {
				t.Fatal("1 MiB as a stream is not what was sent")
			}
		}
	}
}

func zStream(t *testing.T, c *wsnet.Conn, op ws.Opcode, content string, piece int) {
	t.Helper()
	w, err := c.Writer(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	for len(content) > 0 {
		n := min(piece, len(content))
		if _, err := io.WriteString(w, content[:n]); err != nil {
			t.Fatal(err)
		}
		content = content[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func zReadStream(t *testing.T, c *wsnet.Conn, op ws.Opcode, piece int) string {
	t.Helper()
	got, r, err := c.Reader(t.Context())
	if err != nil || got != op {
		t.Fatal(got, err)
	}
	var b bytes.Buffer
	if _, err := io.CopyBuffer(&b, struct{ io.Reader }{r}, make([]byte, piece)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// On the wire: one frame a message, RSV1 on it, which compress/flate inflates
// from the payloads before, if they are kept, and from nothing, if not.
func TestDeflateOnTheWire(t *testing.T) {
	for _, role := range zBoth {
		for _, keep := range []bool{false, true} {
			c, p := zConn(t, role, ctQuiet(), zParams(keep, 15))
			var history []byte
			for i, n := range []int{128, 1000, 3000, 20000, 1000} {
				want := zText(n, 0)
				if i%2 == 0 {
					if err := c.Write(t.Context(), ws.OpText, []byte(want)); err != nil {
						t.Fatal(err)
					}
				} else {
					zStream(t, c, ws.OpText, want, 700) // under 64 KiB: still one frame
				}
				f := p.ReadFrame("a compressed message")
				if !f.Fin || f.RSV != ws.RSV1 || f.Opcode != ws.OpText || len(f.Payload) > n/2 {
					t.Fatalf("%v, context %v: got %v for %d bytes", role, keep, f, n)
				}
				if got := inflateRaw(t, f.Payload, history); string(got) != want {
					t.Fatalf("%v, context %v: inflates to %s", role, keep, ctShort(got))
				}
				if keep {
					history = append(history, want...)
					if fresh := len(deflateRaw(t, 15, want)); i == 4 && len(f.Payload) > fresh*2/3 {
						t.Errorf("what was there before takes %d bytes again, %d without context", len(f.Payload), fresh)
					}
				}
			}
		}
	}
}

// What is not compressed: what is short, what is said not to be, and what
// would grow.
func TestDeflateNotAlways(t *testing.T) {
	for _, role := range zBoth {
		ctx := t.Context()
		c, p := zConn(t, role, &wsnet.Options{PingInterval: -1, Compression: &ws.Compression{Threshold: 100}}, zParams(false, 15))
		short, long, noise := zText(99, 0), zText(100, 0)+strings.Repeat(" ", 100), badNoise(300)
		want := func(why, content string, rsv uint8) {
			t.Helper()
			f := p.ReadFrame(why)
			got := f.Payload
			if f.RSV == ws.RSV1 {
				got = inflateRaw(t, got, nil)
			}
			if f.RSV != rsv || !f.Fin || string(got) != content {
				t.Fatalf("%v, %s: got %v, want RSV %d", role, why, f, rsv)
			}
		}
		c.Write(ctx, ws.OpBinary, []byte(short))
		want("a short message", short, 0)
		c.Write(ctx, ws.OpBinary, []byte(long))
		want("a long message", long, ws.RSV1)
		c.Write(ctx, ws.OpBinary, []byte(noise))
		want("a message that would grow", noise, 0)
		c.WriteUncompressed(ctx, ws.OpBinary, []byte(long))
		want("WriteUncompressed", long, 0)
		zStream(t, c, ws.OpBinary, short, 10)
		want("a short stream", short, 0)
		zStream(t, c, ws.OpBinary, long, 10)
		want("a stream", long, ws.RSV1)
		for _, on := range []bool{false, true} {
			w, err := c.Writer(ctx, ws.OpBinary)
			if err != nil {
				t.Fatal(err)
			}
			w.SetCompression(on)
			io.WriteString(w, long)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			want("SetCompression", long, map[bool]uint8{false: 0, true: ws.RSV1}[on])
		}
		if p := c.Deflate(); p == nil || *p != zParams(false, 15) {
			t.Errorf("Deflate is %v", p)
		}
	}
	c, p := ctConn(t, ws.RoleServer, nil)
	zStream(t, c, ws.OpText, zText(1000, 0), 100)
	if f := p.ReadFrame("nothing was negotiated"); f.RSV != 0 || c.Deflate() != nil {
		t.Errorf("got %v, Deflate %v", f, c.Deflate())
	}
}

// A stream that is flushed, or long, goes out in fragments; RSV1 is on the
// first alone (§6.1), and the choice holds for the whole message.
func TestDeflateFragments(t *testing.T) {
	for _, role := range zBoth {
		for _, compressed := range []bool{true, false} {
			c, p := zConn(t, role, ctQuiet(), zParams(true, 15))
			w, err := c.Writer(t.Context(), ws.OpText)
			if err != nil {
				t.Fatal(err)
			}
			w.SetCompression(compressed)
			var payload []byte
			want := ""
			for i := range 3 {
				part := zText(10, i) // below the threshold, which counts for whole messages
				want += part
				io.WriteString(w, part)
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				w.SetCompression(!compressed) // too late
				f := p.ReadFrame("a fragment")
				if (f.RSV == ws.RSV1) != (compressed && i == 0) || f.Fin {
					t.Fatalf("fragment %d: %v", i, f)
				}
				payload = append(payload, f.Payload...)
				if compressed {
					if got := inflateRaw(t, bytes.TrimSuffix(payload, []byte("\x00\x00\xff\xff")), nil); string(got) != want {
						t.Fatalf("what was flushed inflates to %q, want %q", got, want)
					}
				}
				if _, err := p.Conn().Write(zFrame(role, true, 0, ws.OpPing, []byte("p"))); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
			f := p.ReadFrame("the last fragment")
			payload = append(payload, f.Payload...)
			if compressed {
				payload = inflateRaw(t, payload, nil)
			}
			if !f.Fin || f.RSV != 0 || string(payload) != want {
				t.Fatalf("%v: the message is %q", f, payload)
			}
			c.CloseNow()
		}
	}
}

// Compressed fragments of any sizes, with pings between them, are one
// message; the pongs come.
func TestDeflateFragmentsIn(t *testing.T) {
	want := zText(3000, 0)
	payload := deflateRaw(t, 15, want)
	for _, role := range zBoth {
		for _, piece := range []int{1, 2, 7, 100} {
			synctest.Test(t, func(t *testing.T) {
				c, p := zConn(t, role, &wsnet.Options{PingInterval: -1, PingRate: -1}, zParams(false, 15))
				var wire []byte
				h, rest, pings := ws.OpText, payload, 0
				for rsv := ws.RSV1; len(rest) > 0; rsv = 0 {
					n := min(piece, len(rest))
					wire = append(wire, zFrame(role, len(rest) == n, uint8(rsv), h, rest[:n])...)
					if len(rest) > n {
						wire = append(wire, zFrame(role, true, 0, ws.OpPing, []byte("p"))...)
						pings++
					}
					h, rest = ws.OpContinuation, rest[n:]
				}
				p.SendBytes(wire)
				ctRead(t, "fragments", c, ws.OpText, want)
				for range pings {
					p.WantFrame("a pong", wstest.Pong("p"))
				}
			})
		}
	}
}

// A read that is interrupted anywhere goes on where it was, by whatever method.
func TestDeflateInterrupted(t *testing.T) {
	for _, role := range zBoth {
		for _, keep := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				from, fp := zConn(t, ws.RoleServer+ws.RoleClient-role, ctQuiet(), zParams(keep, 12))
				to, tp := zConn(t, role, ctQuiet(), zParams(keep, 12))
				for i, n := range []int{300, 40000, 70000, 500} {
					want := zText(n, i)
					if err := from.Write(t.Context(), ws.OpText, []byte(want)); err != nil {
						t.Fatal(err)
					}
					f := fp.ReadFrame("the message")
					wire := zFrame(role, f.Fin, f.RSV, f.Opcode, f.Payload)
					step := 1 + len(wire)/25
					for len(wire) > step {
						tp.SendBytes(wire[:step])
						wire = wire[step:]
						ctx, cancel := context.WithCancel(t.Context())
						done := ctAsync(func() error { _, _, err := to.Read(ctx); return err })
						synctest.Wait()
						cancel()
						if err := <-done; !errors.Is(err, context.Canceled) {
							t.Fatalf("interrupted: %v", err)
						}
					}
					tp.SendBytes(wire)
					if i%2 == 0 {
						ctRead(t, "resumed", to, ws.OpText, want)
					} else if got := zReadStream(t, to, ws.OpText, 100); got != want {
						t.Fatalf("resumed as a stream: %s", ctShort([]byte(got)))
					}
				}
			})
		}
	}
}

// A message that is not read to its end is skipped, and is in the context all
// the same.
func TestDeflateSkipped(t *testing.T) {
	for _, n := range []int{0, 1, 500} {
		s, c := zPair(t, ctQuiet(), zParams(true, 15))
		for i := range 5 {
			want := zText(20000, i)
			for range 2 {
				if err := s.Write(t.Context(), ws.OpText, []byte(want)); err != nil {
					t.Fatal(err)
				}
			}
			_, r, err := c.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			io.ReadFull(r, make([]byte, n))
			ctRead(t, "the one behind", c, ws.OpText, want)
		}
	}
}

// A reader that takes a little at a time leaves compressed bytes in the buffer,
// and the next fragment must not be read over them.
func TestDeflateReaderBetweenFragments(t *testing.T) {
	for _, role := range zBoth {
		for _, next := range []string{"Reader", "the rest skipped"} {
			t.Run(fmt.Sprint(role, "/", next), func(t *testing.T) {
				c, p := zConn(t, role, ctQuiet(), zParams(true, 15))
				want := zText(3000, 0)
				payload := deflateRaw(t, 15, want)
				p.SendBytes(zFrame(role, false, ws.RSV1, ws.OpText, payload[:len(payload)/2]))
				_, r, err := c.Reader(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 10)
				if _, err := io.ReadFull(r, got); err != nil {
					t.Fatal(err)
				}
				p.SendBytes(zFrame(role, true, 0, ws.OpContinuation, payload[len(payload)/2:]))
				p.SendBytes(zFrame(role, true, 0, ws.OpText, []byte("behind")))
				if next == "Reader" {
					rest, err := io.ReadAll(r)
					if got = append(got, rest...); err != nil || string(got) != want {
						t.Errorf("got %d bytes, %v; want the %d that were sent", len(got), err, len(want))
					}
				}
				ctRead(t, "the message behind", c, ws.OpText, "behind")
			})
		}
	}
}

// A Close that waits reads past compressed messages, and checks them.
func TestDeflateClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := zPair(t, ctQuiet(), zParams(true, 15))
		for i := range 3 {
			s.Write(t.Context(), ws.OpText, []byte(zText(5000, i)))
		}
		_, r, err := c.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(r, make([]byte, 10))
		done := ctAsync(func() error { return c.Close(t.Context(), 4000, "done") })
		_, _, err = s.Read(t.Context())
		ctCloseError(t, "the other end", err, 4000, true)
		if err := <-done; err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// A message that was compressed but not sent is not in the peer's context,
// and must not be in ours.
func TestDeflateNotSent(t *testing.T) {
	for _, role := range zBoth {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.PipeSize(64)
			o := ctQuiet()
			sender := wsnet.NewDeflateConn(a, role, o, zParams(true, 15))
			receiver := wsnet.NewDeflateConn(b, ws.RoleServer+ws.RoleClient-role, o, zParams(true, 15))
			defer sender.CloseNow()
			defer receiver.CloseNow()
			noise := badNoise(20 * 250)
			for i := range 20 {
				// This fills the pipe, so that the next waits until its end.
				first, lost, next := noise[i*250:i*250+200], zText(300, i), zText(300, i)
				ended, cancel := context.WithCancel(t.Context())
				writing := ctAsync(func() error { return sender.Write(t.Context(), ws.OpBinary, []byte(first)) })
				synctest.Wait()
				failed := ctAsync(func() error { return sender.Write(ended, ws.OpBinary, []byte(lost)) })
				streamed := ctAsync(func() error {
					w, err := sender.Writer(ended, ws.OpBinary)
					if err == nil {
						io.WriteString(w, lost)
						err = w.Close()
					}
					return err
				})
				synctest.Wait()
				cancel()
				if err := <-failed; !errors.Is(err, context.Canceled) {
					t.Fatalf("%d %v: a write under an ended context: %v", i, role, err)
				}
				if err := <-streamed; !errors.Is(err, context.Canceled) {
					t.Fatalf("a stream under an ended context: %v", err)
				}
				ctRead(t, "the one before", receiver, ws.OpBinary, first)
				if err := <-writing; err != nil {
					t.Fatal(err)
				}
				sent := ctAsync(func() error { return sender.Write(t.Context(), ws.OpBinary, []byte(next)) })
				ctRead(t, "the one behind", receiver, ws.OpBinary, next)
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
				// A context that is over from the start.
				if err := sender.Write(ended, ws.OpBinary, []byte(zText(400, 99))); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				w, err := sender.Writer(t.Context(), ws.OpText)
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(w, "text until \xff") // the message is abandoned, nothing of it sent
				w.Close()
			}
		})
	}
}

// One prepared message for connections of all parameters, and others between.
func TestDeflatePreparedShared(t *testing.T) {
	var shared []*wsnet.Prepared
	for i, n := range []int{0, 50, 500, 70000} {
		p, err := wsnet.Prepare(ws.OpText, []byte(zText(n, i)))
		if err != nil {
			t.Fatal(err)
		}
		shared = append(shared, p)
	}
	var wg sync.WaitGroup
	for bits := 8; bits <= 15; bits++ {
		for _, keep := range []bool{false, true} {
			for _, role := range zBoth {
				s, c := zPair(t, ctQuiet(), zParams(keep, bits))
				from, to := s, c
				if role == ws.RoleClient {
					from, to = c, s
				}
				wg.Go(func() {
					for i := range 12 {
						var want []string
						write := func(k int) {
							var err error
							switch k {
							case 0:
								err = from.Write(t.Context(), ws.OpText, []byte(zText(400, i)))
								want = append(want, zText(400, i))
							case 1, 2:
								p := shared[(i+k)%len(shared)]
								err = from.WritePrepared(t.Context(), p)
								want = append(want, string(p.Data()))
							case 3:
								err = from.WriteUncompressed(t.Context(), ws.OpText, []byte(zText(400, i)))
								want = append(want, zText(400, i))
							}
							if err != nil {
								t.Error(err)
							}
						}
						for k := range 4 {
							write((k*3 + i) % 4)
						}
						for _, w := range want {
							if _, got, err := to.Read(t.Context()); err != nil || string(got) != w {
								t.Errorf("%d bits, context %v, %v: got %s, %v; want %s", bits, keep, role, ctShort(got), err, ctShort([]byte(w)))
								return
							}
						}
					}
				})
			}
		}
	}
	wg.Wait()
}

// A bad byte of text fails as soon as it is inflated, not at the end.
func TestDeflateUTF8FailsFast(t *testing.T) {
	for _, role := range zBoth {
		synctest.Test(t, func(t *testing.T) {
			c, p := zConn(t, role, ctQuiet(), zParams(true, 15))
			part := append(deflateRaw(t, 15, strings.Repeat("good ", 50)+"\xff"), 0, 0, 0xff, 0xff)
			done := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
			p.SendBytes(zFrame(role, false, ws.RSV1, ws.OpText, part))
			ctCloseError(t, "the first fragment", <-done, ws.CodeInvalidPayload, false)
			p.ReadFrame("the Close frame")
		})
	}
}
