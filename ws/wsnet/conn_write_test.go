package wsnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

func TestConnWrite(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			t.Run(fmt.Sprint(role, n), func(t *testing.T) {
				c, p := ctConn(t, role, ctQuiet())
				data := bytes.Repeat([]byte("\xe2\x82\xac"), (n+2)/3)[:n]
				prepared, err := wsnet.Prepare(ws.OpBinary, data)
				if err != nil {
					t.Fatal(err)
				}
				done := ctAsync(func() error {
					before := bytes.Clone(data)
					if err := c.Write(t.Context(), ws.OpBinary, data); err != nil {
						return err
					}
					if err := c.WritePrepared(t.Context(), prepared); err != nil {
						return err
					}
					if !bytes.Equal(data, before) {
						return errors.New("Write changed its argument")
					}
					return nil
				})
				p.WantFrame("Write", wstest.Binary(data))
				p.WantFrame("WritePrepared", wstest.Binary(data))
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if s := c.Stats(); s.MessagesOut != 2 || s.FramesOut != 2 || s.BytesOut < uint64(2*n+4) || s.BytesOut > uint64(2*(n+14)) {
					t.Errorf("Stats: %+v", s)
				}
			})
		}
	}
}

// cwMessage is a message that carries its own checksum of sorts: who wrote it,
// and as much filling as it says.
func cwMessage(id, size int) string {
	return fmt.Sprintf("%d:%d:", id, size) + strings.Repeat(string(rune('a'+id%26)), size)
}

func cwWhole(m string) error {
	var id, size int
	if _, err := fmt.Sscanf(m, "%d:%d:", &id, &size); err != nil || m != cwMessage(id, size) {
		return fmt.Errorf("a message in pieces: %s", ctShort([]byte(m)))
	}
	return nil
}

func TestConnManyWriters(t *testing.T) {
	const writers, each = 200, 5
	for _, over := range []string{"a pipe", "TCP"} {
		t.Run(over, func(t *testing.T) {
			wstest.CheckLeaks(t)
			o := &wsnet.Options{PingRate: -1, MaxMessage: -1}
			var s, c *wsnet.Conn
			if over == "TCP" {
				a, b := ctTCP(t)
				s, c = wsnet.NewConn(a, ws.RoleServer, o), wsnet.NewConn(b, ws.RoleClient, o)
			} else {
				s, c = ctPair(t, o, o)
			}
			ctx := t.Context()
			// Both ends write, read and ping: pongs go between the fragments
			// of either side.
			var readers, wg, due sync.WaitGroup
			due.Add(2 * writers * each)
			for _, end := range []*wsnet.Conn{s, c} {
				readers.Go(func() {
					seen := map[string]int{}
					for m, err := range end.Messages(ctx) {
						if err != nil {
							break
						}
						if err := cwWhole(string(m.Data)); err != nil {
							t.Errorf("%v: %v", end.Role(), err)
							return
						}
						seen[string(m.Data)]++
						due.Done()
					}
					if len(seen) != writers*each {
						t.Errorf("%v: %d different messages, want %d; %v", end.Role(), len(seen), writers*each, end.Err())
					}
				})
				for w := range writers {
					wg.Go(func() {
						for i := range each {
							id := w*each + i
							m := cwMessage(id, id*37%9000)
							var err error
							switch id % 4 {
							case 0:
								var mw io.WriteCloser
								if mw, err = end.Writer(ctx, ws.OpText); err == nil {
									for part := range len(m)/3000 + 1 {
										if _, err = io.WriteString(mw, m[part*3000:min(len(m), part*3000+3000)]); err != nil {
											break
										}
									}
									if err == nil {
										err = mw.Close()
									}
								}
							case 1:
								var p *wsnet.Prepared
								if p, err = wsnet.Prepare(ws.OpText, []byte(m)); err == nil {
									err = end.WritePrepared(ctx, p)
								}
							default:
								err = end.Write(ctx, ws.OpText, []byte(m))
							}
							if err != nil {
								t.Errorf("%v: writer %d: %v", end.Role(), w, err)
								return
							}
						}
					})
				}
				for range 3 {
					wg.Go(func() {
						for range 20 {
							if _, err := end.Ping(ctx); err != nil {
								t.Errorf("%v: ping: %v", end.Role(), err)
								return
							}
						}
					})
				}
			}
			wg.Wait()
			if t.Failed() {
				return
			}
			due.Wait() // Close would throw away what nobody has read yet
			if err := c.Close(ctx, ws.CodeNormal, ""); err != nil {
				t.Error(err)
			}
			readers.Wait()
			ctOneEnd(t, s)
			ctOneEnd(t, c)
			in, out := s.Stats(), c.Stats()
			if in.BytesIn != out.BytesOut || in.FramesIn != out.FramesOut || in.MessagesIn != out.MessagesOut || in.PingsIn != out.PingsOut {
				t.Errorf("what one end sent is not what came:\n%+v\n%+v", in, out)
			}
		})
	}
}

// ctTCP is a connection over loopback.
func ctTCP(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if b, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if a, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestConnWriteFreshMaskingKeys(t *testing.T) {
	c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, Rand: &cwCounter{}})
	if err := c.Write(t.Context(), ws.OpText, []byte("Hello")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Writer(t.Context(), ws.OpBinary)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 5000))
	w.Close()
	p.Want("the first frame", "81 85 | 01010101 | 4964 6d6d 6e")
	p.Want("a fragment with a key of its own", "02 fe 1388 | 02020202 | 02*5000")
	p.Want("the last, too", "80 80 | 03030303")

	// crypto/rand by default: 64 frames, 64 keys.
	c, p = ctConn(t, ws.RoleClient, ctQuiet())
	keys := map[[4]byte]bool{}
	for range 64 {
		if err := c.Write(t.Context(), ws.OpText, nil); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 6)
		if _, err := io.ReadFull(p.Conn(), b); err != nil {
			t.Fatal(err)
		}
		keys[[4]byte(b[2:])] = true
	}
	if len(keys) < 63 { // once in 2^21 runs two of them are the same
		t.Errorf("%d different keys in 64 frames", len(keys))
	}
}

// A cwCounter fills each request with the next number.
type cwCounter struct{ n byte }

func (r *cwCounter) Read(p []byte) (int, error) {
	r.n++
	for i := range p {
		p[i] = r.n
	}
	return len(p), nil
}

func TestConnWriteWithoutRandomness(t *testing.T) {
	c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, Rand: strings.NewReader("1234")})
	if err := c.Write(t.Context(), ws.OpText, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), ws.OpText, nil); err == nil {
		t.Error("a frame was masked without randomness")
	}
	p.Want("the first frame and no other", "81 80 | '1234'")
	err := c.Close(t.Context(), ws.CodeNormal, "")
	if e := ctCloseError(t, "Close without randomness", err, ws.CodeAbnormal, false); e.Err == nil {
		t.Errorf("%v does not say why", err)
	}
	p.WantEOF("no frame goes out unmasked")
}

func TestConnWriteRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		ctx := t.Context()
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		writer := func(op ws.Opcode, parts ...string) func() error {
			return func() error {
				w, err := c.Writer(ctx, op)
				if err != nil {
					return err
				}
				for _, s := range parts {
					if _, err := io.WriteString(w, s); err != nil {
						if err2 := w.Close(); !errors.Is(err2, errors.Unwrap(err)) {
							t.Errorf("Close after %v: %v", err, err2)
						}
						return err
					}
				}
				return w.Close()
			}
		}
		for _, tc := range []struct {
			name string
			do   func() error
			want error
		}{
			{"text that is not UTF-8", func() error { return c.Write(ctx, ws.OpText, []byte("ab\xff")) }, ws.ErrNotUTF8},
			{"text that ends early", func() error { return c.Write(ctx, ws.OpText, []byte("ab\xe2\x82")) }, ws.ErrNotUTF8},
			{"prepared text", func() error { _, err := wsnet.Prepare(ws.OpText, []byte{0xff}); return err }, ws.ErrNotUTF8},
			{"streamed text", writer(ws.OpText, "ab", "\xff"), ws.ErrNotUTF8},
			{"streamed text that ends early", writer(ws.OpText, "ab", "\xe2\x82"), ws.ErrNotUTF8},
			{"a control frame", func() error { return c.Write(ctx, ws.OpPing, nil) }, ws.ErrOpcode},
			{"a streamed continuation", writer(ws.OpContinuation, "x"), ws.ErrOpcode},
			{"a context that is over", func() error { return c.Write(cancelled, ws.OpText, nil) }, context.Canceled},
			{"a Writer's context that is over", func() error {
				w, err := c.Writer(cancelled, ws.OpText)
				if err != nil {
					return err
				}
				return w.Close()
			}, context.Canceled},
		} {
			if err := tc.do(); !errors.Is(err, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.name, err, tc.want)
			}
			p.WantIdle(tc.name + ": nothing is sent")
			if err := c.Write(ctx, ws.OpText, []byte("still here")); err != nil {
				t.Fatalf("after %s: %v", tc.name, err)
			}
			p.WantFrame("after "+tc.name, wstest.Text("still here"))
		}
	})
}

func TestConnWriterFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		go c.Read(t.Context())
		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "small ")
		p.WantIdle("small writes are gathered")
		long := strings.Repeat("€", 2000)
		io.WriteString(w, long[:5000]) // cuts a code point
		first := p.ReadFrame("the first fragment")
		if first.Fin || first.Opcode != ws.OpText {
			t.Errorf("first fragment: %v", first)
		}
		p.SendBytes(ctMasked(true, ws.OpPing, "now?"))
		f := p.ReadFrame("a pong, or the other fragment before it")
		content := string(first.Payload)
		for f.Opcode == ws.OpContinuation {
			content += string(f.Payload)
			f = p.ReadFrame("the pong")
		}
		if f.Opcode != ws.OpPong || string(f.Payload) != "now?" {
			t.Errorf("got %v", f)
		}
		other := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte("other")) })
		ctPending(t, "another message", other)
		io.WriteString(w, long[5000:])
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for f.Fin = false; !f.Fin; content += string(f.Payload) {
			if f = p.ReadFrame("a fragment"); f.Opcode != ws.OpContinuation {
				t.Fatalf("inside a message: %v", f)
			}
		}
		if content != "small "+long {
			t.Errorf("wrong content: %d bytes", len(content))
		}
		p.WantFrame("after it", wstest.Text("other"))
		if err := <-other; err != nil {
			t.Error(err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, wsnet.ErrWriterClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		p.WantIdle("nothing more")
	})
}

// A message of which a fragment is out cannot be taken back.
func TestConnWriterAbandonedMidway(t *testing.T) {
	for name, abandon := range map[string]func(io.WriteCloser, context.CancelFunc) error{
		"its context ends": func(w io.WriteCloser, cancel context.CancelFunc) error {
			cancel()
			return w.Close()
		},
		"it is not UTF-8": func(w io.WriteCloser, _ context.CancelFunc) error {
			_, err := w.Write([]byte("\xff"))
			return err
		},
		"it ends early": func(w io.WriteCloser, _ context.CancelFunc) error {
			w.Write([]byte("\xe2"))
			return w.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, ctQuiet())
				reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w, err := c.Writer(ctx, ws.OpText)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(bytes.Repeat([]byte("x"), 5000)); err != nil {
					t.Fatal(err)
				}
				waiting := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, nil) })
				synctest.Wait()
				if err := abandon(w, cancel); !errors.Is(err, context.Canceled) && !errors.Is(err, ws.ErrNotUTF8) {
					t.Errorf("got %v", err)
				}
				p.ReadFrame("the first fragment")
				p.WantClose("then the end", ws.CodeInternalError, "abandoned")
				ctTook(t, "waking the others", 0, func() {
					for _, ch := range []<-chan error{reader, waiting} {
						ctCloseError(t, "the others", <-ch, ws.CodeInternalError, false)
					}
				})
				ctOneEnd(t, c)
			})
		})
	}
}

func TestConnWriterForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, 5000))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Write(ctx, ws.OpText, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("behind a message that never ends: %v", err)
		}
		waiting := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, nil) })
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeGoingAway, "") })
		p.ReadFrame("the fragment")
		p.WantClose("Close goes between fragments", ws.CodeGoingAway, "")
		p.SendBytes(ctMasked(true, ws.OpClose, "\x03\xe9"))
		p.WantEOF("the server first")
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		ctCloseError(t, "the writer that waited", <-waiting, ws.CodeGoingAway, false)
		if _, err := w.Write(make([]byte, 5000)); !errors.Is(err, c.Err()) {
			t.Errorf("the forgotten writer: %v", err)
		}
	})
}

func TestConnWriteContextEndsBeforeAnythingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleServer, ctQuiet(), 1000)
		full := make([]byte, 1000-4)
		if err := c.Write(t.Context(), ws.OpBinary, full); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			ctTook(t, "a write that cannot begin", time.Second, func() {
				if err := c.Write(ctx, ws.OpText, []byte("not sent")); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
			if _, err := c.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Ping: %v", err)
			}
			cancel()
		}
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
		p.WantFrame("what was sent", wstest.Binary(full))
		if err := c.Write(t.Context(), ws.OpText, []byte("usable")); err != nil {
			t.Fatal(err)
		}
		p.WantFrame("nothing was lost or left", wstest.Text("usable"))
		if s := c.Stats(); s.PingsOut != 0 || s.MessagesOut != 2 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

func TestConnWriteContextEndsWhileWaitingItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleClient, ctQuiet(), 1000)
		msg := bytes.Repeat([]byte("x"), 5000)
		first := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, msg) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Write(ctx, ws.OpText, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Write: %v", err)
		}
		if _, err := c.Writer(ctx, ws.OpText); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Writer: %v", err)
		}
		p.WantFrame("the first, unharmed", wstest.Binary(msg))
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

func TestConnWriteContextEndsHalfSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConnSize(t, ws.RoleClient, ctQuiet(), 1000)
		reader := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Write(ctx, ws.OpBinary, make([]byte, 5000))
		e := ctCloseError(t, "Write", err, ws.CodeAbnormal, false)
		if !errors.Is(e.Err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ws: write: ") {
			t.Errorf("got %v", err)
		}
		ctCloseError(t, "the reader", <-reader, ws.CodeAbnormal, false)
		ctOneEnd(t, c)
		if b := <-ctDrain(p.Conn()); len(b) != 1000 {
			t.Errorf("%d bytes went out, want what fitted and no Close frame after half a frame", len(b))
		}
	})
}

func TestConnWriteTimeout(t *testing.T) {
	for _, used := range []time.Duration{0, 4 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := ctConnSize(t, ws.RoleServer, ctQuiet(), 1000)
			if err := c.Write(t.Context(), ws.OpBinary, nil); err != nil { // sets a deadline
				t.Fatal(err)
			}
			time.Sleep(used)
			// A part goes out at once, then nothing. When that was is known
			// only to the nearest WriteTimeout.
			start := time.Now()
			err := c.Write(t.Context(), ws.OpBinary, make([]byte, 5000))
			if e := ctCloseError(t, "stalled", err, ws.CodeAbnormal, false); !errors.Is(e, wsnet.ErrWriteTimeout) {
				t.Errorf("got %v", err)
			}
			if d := time.Since(start); d < 10*time.Second || d > 20*time.Second {
				t.Errorf("took %v", d)
			}
			ctOneEnd(t, c)
		})
	}
}

func TestConnWriteSlowButMoving(t *testing.T) {
	cert := ctCertificate(t)
	for _, over := range []string{"a pipe", "TLS", "a stream without deadlines"} {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			t.Run(fmt.Sprint(over, ", ", role), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := wstest.PipeSize(4096)
					var mine, other io.ReadWriteCloser = a, b
					switch over {
					case "TLS":
						mine, other = ctTLS(t, a, b, cert, role)
					case "a stream without deadlines":
						mine = ctOnlyStream{a}
					}
					defer b.Close()
					c := wsnet.NewConn(mine, role, ctQuiet())
					defer c.CloseNow()
					const size = 300_000
					w := ctAsync(func() error { return c.Write(t.Context(), ws.OpBinary, make([]byte, size)) })
					for n := 0; n < size; {
						time.Sleep(time.Second)
						k, err := other.Read(make([]byte, 4096))
						if n += k; err != nil {
							t.Errorf("after %d bytes: %v", n, err)
							break
						}
					}
					if err := <-w; err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// ctTLS makes TLS of the two ends of a pipe; mine plays role.
func ctTLS(t *testing.T, a, b net.Conn, cert tls.Certificate, role ws.Role) (mine, other *tls.Conn) {
	t.Helper()
	server := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true})
	client := tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	done := ctAsync(server.Handshake)
	if err := errors.Join(client.Handshake(), <-done); err != nil {
		t.Fatal(err)
	}
	if role == ws.RoleClient {
		return client, server
	}
	return server, client
}

func TestConnWriteAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		closed := ctAsync(func() error { return c.Close(t.Context(), ws.CodeGoingAway, "bye") })
		p.WantClose("first", ws.CodeGoingAway, "bye")
		_, pingErr := c.Ping(t.Context())
		_, writerErr := c.Writer(t.Context(), ws.OpText)
		for name, err := range map[string]error{
			"Write":  c.Write(t.Context(), ws.OpText, nil),
			"Ping":   pingErr,
			"Writer": writerErr,
		} {
			if e := ctCloseError(t, name, err, ws.CodeGoingAway, false); e.Reason != "bye" {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.WantIdle("nothing follows a Close frame")
		p.SendBytes(ctMasked(true, ws.OpPing, "too late"))
		p.WantIdle("no pong either")
		p.SendBytes(ctMasked(true, ws.OpClose, "\x03\xe9"))
		p.WantEOF("the server first")
		p.Close()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		ctOneEnd(t, c)
	})
}

// Whatever waits for its turn when the connection ends gets the one terminal
// error, also under the connection's own context.
func TestConnWaitingWhenItEnds(t *testing.T) {
	for range 10 { // an error at random would be right every other time
		synctest.Test(t, func(t *testing.T) {
			c, _ := ctConnSize(t, ws.RoleServer, ctQuiet(), 10)
			derived, cancel := context.WithTimeout(c.Context(), time.Hour)
			defer cancel()
			waiting := map[string]<-chan error{}
			for name, ctx := range map[string]context.Context{"own": c.Context(), "derived": derived, "other": t.Context()} {
				waiting[name+" Write"] = ctAsync(func() error { return c.Write(ctx, ws.OpBinary, make([]byte, 1000)) })
				waiting[name+" Ping"] = ctAsync(func() error { _, err := c.Ping(ctx); return err })
				waiting[name+" Read"] = ctAsync(func() error { _, _, err := c.Read(ctx); return err })
			}
			synctest.Wait()
			c.CloseNow()
			got := map[string]bool{}
			for name, ch := range waiting {
				if err := <-ch; !errors.Is(err, c.Err()) {
					t.Errorf("%s: %v", name, err)
				}
				got[name] = true
			}
			if d := cmp.Diff(9, len(got)); d != "" {
				t.Error(d)
			}
		})
	}
}
