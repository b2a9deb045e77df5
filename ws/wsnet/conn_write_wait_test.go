package wsnet_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// wwConn returns a server's end over a stream that holds size bytes, filled of which are
// there already; deflate says whether messages are compressed, with a context that is
// kept.
func wwConn(t *testing.T, o *wsnet.Options, deflate bool, size, filled int) (*wsnet.Conn, *wstest.Peer) {
	t.Helper()
	a, b := wstest.PipeSize(size)
	if _, err := b.Write(make([]byte, filled)); err != nil {
		t.Fatal(err)
	}
	var c *wsnet.Conn
	if deflate {
		c = wsnet.NewDeflateConn(b, ws.RoleServer, o, zParams(true, 15))
	} else {
		c = wsnet.NewConn(b, ws.RoleServer, o)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c, wstest.NewPeer(t, a)
}

// wwOptions never give up and compress everything.
func wwOptions() *wsnet.Options {
	return &wsnet.Options{PingInterval: -1, WriteTimeout: -1, WriteDelay: time.Hour, Compression: &ws.Compression{Threshold: 1}}
}

var wwText = strings.Repeat("after all ", 10)

// wwMessage is wwText in a frame.
func wwMessage(t *testing.T, deflate bool) []byte {
	if deflate {
		return zFrame(ws.RoleClient, true, ws.RSV1, ws.OpText, deflateRaw(t, 15, wwText))
	}
	return ctUnmasked(true, ws.OpText, wwText)
}

func wwPrepared(t *testing.T) *wsnet.Prepared {
	p, err := wsnet.Prepare(ws.OpText, []byte(wwText))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wwOps are what sends something, and gives up with ctx.
func wwOps(t *testing.T) map[string]func(context.Context, *wsnet.Conn) error {
	p := wwPrepared(t)
	return map[string]func(context.Context, *wsnet.Conn) error{
		"Write": func(ctx context.Context, c *wsnet.Conn) error { return c.Write(ctx, ws.OpText, []byte(wwText)) },
		"WriteUncompressed": func(ctx context.Context, c *wsnet.Conn) error {
			return c.WriteUncompressed(ctx, ws.OpText, []byte(wwText))
		},
		"WritePrepared":          func(ctx context.Context, c *wsnet.Conn) error { return c.WritePrepared(ctx, p) },
		"WritePrepared, several": func(ctx context.Context, c *wsnet.Conn) error { return c.WritePrepared(ctx, p, p) },
		"Ping":                   func(ctx context.Context, c *wsnet.Conn) error { _, err := c.Ping(ctx); return err },
		"a Writer's first, alone": func(ctx context.Context, c *wsnet.Conn) error {
			return wwFragment(ctx, c, (*wsnet.MessageWriter).Close)
		},
		"a Writer's first": func(ctx context.Context, c *wsnet.Conn) error {
			return wwFragment(ctx, c, (*wsnet.MessageWriter).Flush)
		},
	}
}

func wwFragment(ctx context.Context, c *wsnet.Conn, send func(*wsnet.MessageWriter) error) error {
	w, err := c.Writer(ctx, ws.OpText)
	if err != nil {
		return err
	}
	io.WriteString(w, wwText)
	return send(w)
}

// What gives up before a byte of it is out leaves nothing behind: not in the stream, not
// in the Stats, not in the compressor's memory, and no lock.
func TestWriteGivesUp(t *testing.T) {
	for name, op := range wwOps(t) {
		for _, deflate := range []bool{false, true} {
			for _, stuck := range []string{"the stream is full", "a ping is half sent"} {
				if name == "WritePrepared, several" && stuck == "the stream is full" {
					continue // the first of several may be written
				}
				t.Run(name+", "+map[bool]string{true: "compressed, ", false: ""}[deflate]+stuck, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						filled, frames := 0, uint64(1)
						if stuck == "the stream is full" {
							filled = 4
						}
						c, p := wwConn(t, wwOptions(), deflate, 4, filled)
						if filled == 0 {
							frames++
							go c.Ping(t.Context())
							synctest.Wait()
						}
						for range 2 {
							ctx, cancel := context.WithTimeout(t.Context(), time.Second)
							if err := op(ctx, c); !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
								t.Fatalf("got %v, and the connection's end is %v", err, c.Err())
							}
							cancel()
						}
						if s := c.Stats(); s.FramesOut != 0 || s.MessagesOut != 0 {
							t.Errorf("nothing is out: %+v", s)
						}
						done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte(wwText)) })
						ctPending(t, "the next message", done)
						if filled > 0 {
							p.WantBytes("what was there", make([]byte, filled))
						} else if f := p.ReadFrame("the ping, whole"); f.Opcode != ws.OpPing {
							t.Errorf("got %v", f)
						}
						p.WantBytes("the next message", wwMessage(t, deflate))
						if err := <-done; err != nil {
							t.Error(err)
						}
						if s := c.Stats(); s.FramesOut != frames || s.MessagesOut != 1 {
							t.Errorf("%d frames and a message are out: %+v", frames, s)
						}
						p.WantIdle("nothing else")
						go c.Read(t.Context())
						p.Send("f1 80 | 37fa213d") // and what is owed can be said
						p.WantClose("the reason", ws.CodeProtocolError, "RSV")
						p.Close()
					})
				})
			}
		}
	}
}

// A Close frame is no message, sent or not.
func TestCloseIsNotCountedAsAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := wwConn(t, wwOptions(), false, 4, 4)
		if err := c.Close(t.Context(), ws.CodeNormal, ""); err == nil {
			t.Error("no error")
		}
		if s := c.Stats(); s.FramesOut != 0 || s.MessagesOut != 0 || s.BytesOut != 0 {
			t.Errorf("nothing is out: %+v", s)
		}
	})
}

// What all operations that send a frame say has gone to the stream: they wait for it.
func TestWriteWaitsForTheStream(t *testing.T) {
	for name, op := range wwOps(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := wwConn(t, wwOptions(), false, 4, 0)
				ctx, cancel := context.WithCancel(t.Context())
				done := ctAsync(func() error { return op(ctx, c) })
				ctPending(t, "a stream that takes four bytes", done)
				p.ReadFrame("the first")
				if name == "WritePrepared, several" {
					ctPending(t, "the second", done)
					p.ReadFrame("the second")
				}
				if cancel(); name != "Ping" {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// While a message is under way in fragments, others wait; one of them that gives up does
// not give away what is not its own.
func TestWriteGivesUpItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 1000, 0)
		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "begun")
		w.Flush()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := c.Write(ctx, ws.OpText, []byte(wwText)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte(wwText)) })
		ctPending(t, "a message", done)
		if err := errors.Join(w.Close(), <-done); err != nil {
			t.Error(err)
		}
		p.WantBytes("the beginning", ctUnmasked(false, ws.OpText, "begun"))
		p.WantBytes("the end", ctUnmasked(true, ws.OpContinuation, ""))
		p.WantBytes("the other message", wwMessage(t, false))
	})
}

// A Writer that has sent nothing yet holds nobody up, but where there is one compressor
// for all.
func TestWriterThatHasSentNothing(t *testing.T) {
	for _, deflate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, p := wwConn(t, wwOptions(), deflate, 1000, 0)
			w, err := c.Writer(t.Context(), ws.OpText)
			if err != nil {
				t.Fatal(err)
			}
			done := ctAsync(func() error { return c.WritePrepared(t.Context(), wwPrepared(t), wwPrepared(t)) })
			if deflate {
				ctPending(t, "the compressor", done)
				w.Close()
				p.ReadFrame("the Writer's")
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			p.WantBytes("one", wwMessage(t, deflate))
			p.WantBytes("two", wwMessage(t, deflate))
			w.Close()
		})
	}
}

// What was prepared is the same on every connection, and every time: it is compressed
// without the connection's context. The locks are free behind it.
func TestWritePreparedIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), true, 1000, 0)
		one := wwPrepared(t)
		for range 2 {
			for _, batch := range [][]*wsnet.Prepared{{one}, {one, one}, {one, one, one}} {
				if err := c.WritePrepared(t.Context(), batch...); err != nil {
					t.Fatal(err)
				}
				for range batch {
					p.WantBytes("the same", wwMessage(t, true))
				}
			}
		}
		if err := c.Write(t.Context(), ws.OpText, []byte(wwText)); err != nil {
			t.Fatal(err)
		}
		p.WantBytes("and not prepared: without what the peer's context has of the others", wwMessage(t, true))
	})
}

// Several that give up say so; those before the last may go out later.
func TestWritePreparedGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), false, 4, 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.WritePrepared(ctx, wwPrepared(t), wwPrepared(t), wwPrepared(t)); !errors.Is(err, context.DeadlineExceeded) || c.Err() != nil {
			t.Errorf("got %v, and the connection's end is %v", err, c.Err())
		}
		p.WantBytes("what was there", make([]byte, 4))
		p.WantBytes("the first", wwMessage(t, false))
		p.WantBytes("the second", wwMessage(t, false))
		p.WantIdle("not the third, with which it gave up")
	})
}

// A message that is stuck keeps the compressor to itself.
func TestWriterBehindAStuckMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := wwConn(t, wwOptions(), true, 4, 0)
		done := ctAsync(func() error { return c.Write(t.Context(), ws.OpText, []byte(wwText)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Writer(ctx, ws.OpText); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		p.WantBytes("the message", wwMessage(t, true))
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A lateRandomness has no randomness the first time.
type lateRandomness struct{ tried atomic.Bool }

func (o *lateRandomness) Read(p []byte) (int, error) {
	if o.tried.CompareAndSwap(false, true) {
		return 0, errors.New("not yet")
	}
	return copy(p, wstest.Key[:]), nil
}

// Of several messages, those that were written are the first: none after one that was not.
func TestWritePreparedStopsAtAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, Rand: &lateRandomness{}})
		if err := c.WritePrepared(t.Context(), wwPrepared(t), wwPrepared(t)); err == nil || !strings.HasSuffix(err.Error(), "not yet") {
			t.Errorf("got %v", err)
		}
		p.WantIdle("nothing was written")
		if err := c.WritePrepared(t.Context(), wwPrepared(t), wwPrepared(t)); err != nil {
			t.Error(err)
		}
		p.WantFrame("now", wstest.Text(wwText))
		p.WantFrame("both", wstest.Text(wwText))
	})
}

// Compression begins with a message as long as Threshold.
func TestDeflateFromTheThresholdOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := wwOptions()
		o.Compression.Threshold = len(wwText)
		c, p := wwConn(t, o, true, 1000, 0)
		c.Write(t.Context(), ws.OpText, []byte(wwText))
		p.WantBytes("as long as that", wwMessage(t, true))
		c.Write(t.Context(), ws.OpText, []byte(wwText[1:]))
		p.WantBytes("a byte less", ctUnmasked(true, ws.OpText, wwText[1:]))
	})
}
