package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// crForms are the ways to read one message.
var crForms = map[string]func(context.Context, *wsnet.Conn) (ws.Opcode, string, error){
	"Read": func(ctx context.Context, c *wsnet.Conn) (ws.Opcode, string, error) {
		op, p, err := c.Read(ctx)
		if err == nil && p == nil {
			err = errors.New("Read gave nil for an empty message")
		}
		return op, string(p), err
	},
	"ReadAppend": func(ctx context.Context, c *wsnet.Conn) (ws.Opcode, string, error) {
		op, p, err := c.ReadAppend(ctx, []byte("prefix "))
		s, ok := strings.CutPrefix(string(p), "prefix ")
		if !ok {
			err = fmt.Errorf("the prefix is gone: %q", p)
		}
		return op, s, err
	},
	"Reader": func(ctx context.Context, c *wsnet.Conn) (ws.Opcode, string, error) {
		op, r, err := c.Reader(ctx)
		if err != nil {
			return op, "", err
		}
		p, err := io.ReadAll(r)
		return op, string(p), err
	},
	"Reader, byte by byte": func(ctx context.Context, c *wsnet.Conn) (ws.Opcode, string, error) {
		op, r, err := c.Reader(ctx)
		if err != nil {
			return op, "", err
		}
		p, err := io.ReadAll(iotest.OneByteReader(r))
		return op, string(p), err
	},
	"Messages": func(ctx context.Context, c *wsnet.Conn) (ws.Opcode, string, error) {
		for m, err := range c.Messages(ctx) {
			return m.Opcode, string(m.Data), err
		}
		return 0, "", errors.New("Messages ended without an error")
	},
}

func TestConnRead(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1000) // longer than the read buffer
	cases := []struct {
		name   string
		frames []wstest.Frame
		op     ws.Opcode
		want   string
		pongs  []string
	}{
		{"a text message", []wstest.Frame{wstest.Text("Hello")}, ws.OpText, "Hello", nil},
		{"a binary message", []wstest.Frame{wstest.Binary([]byte("\xff\x00"))}, ws.OpBinary, "\xff\x00", nil},
		{"an empty message", []wstest.Frame{wstest.Text("")}, ws.OpText, "", nil},
		{"a long message", []wstest.Frame{wstest.Text(long)}, ws.OpText, long, nil},
		{"fragments with pings between", []wstest.Frame{
			{Opcode: ws.OpText, Payload: []byte("Hel")},
			wstest.Ping("1"),
			{Opcode: ws.OpContinuation, Payload: []byte("l")},
			wstest.Ping(""), wstest.Pong("nobody asked"),
			{Fin: true, Opcode: ws.OpContinuation, Payload: []byte("o")},
		}, ws.OpText, "Hello", []string{"1", ""}},
		{"empty fragments only", []wstest.Frame{
			{Opcode: ws.OpBinary}, {Opcode: ws.OpContinuation}, {Fin: true, Opcode: ws.OpContinuation},
		}, ws.OpBinary, "", nil},
		{"a code point cut by a fragment", []wstest.Frame{
			{Opcode: ws.OpText, Payload: []byte("\xe2\x82")}, {Fin: true, Opcode: ws.OpContinuation, Payload: []byte("\xac")},
		}, ws.OpText, "€", nil},
		{"a long fragment between short ones", []wstest.Frame{
			{Opcode: ws.OpText, Payload: []byte("a")},
			{Opcode: ws.OpContinuation, Payload: []byte(long)},
			wstest.Ping("late"),
			{Fin: true, Opcode: ws.OpContinuation, Payload: []byte("z")},
		}, ws.OpText, "a" + long + "z", []string{"late"}},
	}
	for _, tc := range cases {
		for form, read := range crForms {
			for _, slowly := range []bool{false, true} {
				if slowly && len(tc.want) > 1000 {
					continue // nothing new happens there, a thousand times
				}
				t.Run(fmt.Sprintf("%s/%s/slowly=%v", tc.name, form, slowly), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c, p := ctConn(t, ws.RoleServer, ctQuiet())
						type result struct {
							op  ws.Opcode
							s   string
							err error
						}
						got := make(chan result, 2)
						go func() {
							for range 2 { // the connection must be fit for the next message
								op, s, err := read(t.Context(), c)
								got <- result{op, s, err}
							}
						}()
						for range 2 {
							for _, f := range tc.frames {
								b := ctMasked(f.Fin, f.Opcode, string(f.Payload))
								if slowly {
									p.SendBytesSlowly(b)
								} else {
									p.SendBytes(b)
								}
							}
							r := <-got
							if r.err != nil || r.op != tc.op || r.s != tc.want {
								t.Fatalf("got %v %s, %v", r.op, ctShort([]byte(r.s)), r.err)
							}
							for _, pong := range tc.pongs {
								p.WantFrame("the answer to a ping", wstest.Pong(pong))
							}
							p.WantIdle("after the message")
						}
						if s := c.Stats(); s.MessagesIn != 2 || s.FramesIn != uint64(2*len(tc.frames)) {
							t.Errorf("Stats: %+v", s)
						}
					})
				})
			}
		}
	}
}

func TestConnRead16MiB(t *testing.T) {
	const size = 16 << 20
	want := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for _, form := range []string{"ReadAppend", "Reader"} {
		t.Run(form, func(t *testing.T) {
			s, c := ctPair(t, &wsnet.Options{MaxMessage: size}, &wsnet.Options{MaxMessage: size})
			wrote := ctAsync(func() error {
				if err := c.Write(t.Context(), ws.OpBinary, want); err != nil {
					return err
				}
				return s.Write(t.Context(), ws.OpText, want)
			})
			for _, end := range []*wsnet.Conn{s, c} {
				if _, got, err := crForms[form](t.Context(), end); err != nil || got != string(want) {
					t.Fatalf("%v: got %d bytes, %v", end.Role(), len(got), err)
				}
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestConnReadAppendReusesTheBuffer(t *testing.T) {
	c, p := ctConn(t, ws.RoleServer, ctQuiet())
	buf := make([]byte, 0, 64)
	for range 3 {
		p.SendBytes(ctMasked(true, ws.OpText, "Hello"))
		_, got, err := c.ReadAppend(t.Context(), buf)
		if err != nil || string(got) != "Hello" || &got[0] != &buf[:1][0] {
			t.Fatalf("got %q in other memory, or %v", got, err)
		}
	}
	// A failed read gives back what it was given.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, got, err := c.ReadAppend(ctx, []byte("mine")); string(got) != "mine" || !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted read gave %q, %v", got, err)
	}
}

// Memory follows what arrives, not what a header announces.
func TestConnReadAnnouncedLengthAllocatesNothing(t *testing.T) {
	for name, read := range crForms {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MaxMessage: -1})
			p.Send("82 ff | 00 00 00 00 40 00 00 00 | 37fa213d | 'a few bytes only'")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := read(ctx, c)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%s: %v", name, err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("%s: %d bytes allocated for 16 that came", name, n)
			}
		})
	}
}

// crWire is a fragmented message with a ping inside, and its content.
func crWire() (wire []byte, content string) {
	return slices.Concat(
		ctMasked(false, ws.OpText, "one €, "),
		ctMasked(true, ws.OpPing, "ping"),
		ctMasked(false, ws.OpContinuation, ""),
		ctMasked(true, ws.OpContinuation, "two ✓"),
	), "one €, two ✓"
}

func TestConnReadInterruptedAtEveryByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: -1})
		wire, want := crWire()
		for i, b := range wire {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if i%2 == 1 { // by cancelling, and by a deadline
				time.AfterFunc(time.Second, cancel)
			}
			op, got, err := c.ReadAppend(ctx, []byte("x"))
			cancel()
			if ctx.Err() == nil || !errors.Is(err, ctx.Err()) || op != 0 || string(got) != "x" {
				t.Fatalf("after %d bytes: got %q, %v", i, got, err)
			}
			p.SendBytes([]byte{b})
		}
		ctRead(t, "after an interruption at every byte", c, ws.OpText, want)
		p.WantFrame("the pong", wstest.Pong("ping"))
		p.WantIdle("once")
	})
}

// What ReadAppend had of a message when it was interrupted, a Reader has too;
// and a Reader that is interrupted goes on.
func TestConnReadInterruptedThenReader(t *testing.T) {
	wire, want := crWire()
	for cut := range len(wire) {
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: -1})
			for i := range cut {
				p.SendBytes(wire[i : i+1])
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				cancel()
			}
			p.SendBytes(wire[cut:])
			p.SendBytes(ctMasked(true, ws.OpBinary, "next"))
			op, got, err := crForms["Reader, byte by byte"](t.Context(), c)
			if err != nil || op != ws.OpText || got != want {
				t.Fatalf("cut at %d: got %v %q, %v", cut, op, got, err)
			}
			ctRead(t, "the message after it", c, ws.OpBinary, "next")
		})
	}
}

func TestConnReaderInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		p.SendBytes(ctMasked(false, ws.OpText, "abc"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, r, err := c.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); string(got) != "abc" || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %q, %v", got, err)
		}
		// Its message goes on, and is skipped by the next read.
		p.SendBytes(ctMasked(true, ws.OpContinuation, "def"))
		p.SendBytes(ctMasked(true, ws.OpText, "next"))
		ctRead(t, "after an abandoned Reader", c, ws.OpText, "next")
	})
}

func TestConnReaderUnfinishedIsSkipped(t *testing.T) {
	for read := range 12 {
		for form, next := range crForms {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, ctQuiet())
				p.SendBytes(ctMasked(false, ws.OpText, "01234"))
				p.SendBytes(ctMasked(true, ws.OpPing, "inside"))
				p.SendBytes(ctMasked(true, ws.OpContinuation, "56789"))
				p.SendBytes(ctMasked(true, ws.OpBinary, "second"))
				_, r, err := c.Reader(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(io.LimitReader(r, int64(read))); err != nil || !strings.HasPrefix("0123456789", string(got)) {
					t.Fatal(string(got), err)
				}
				if _, got, err := next(t.Context(), c); err != nil || got != "second" {
					t.Fatalf("%s after %d bytes of the message before: got %q, %v", form, read, got, err)
				}
				p.WantFrame("also while skipping", wstest.Pong("inside"))
			})
		}
	}
}

// A message that another read skipped must not look as if it ended.
func TestConnReaderSkippedIsNotEOF(t *testing.T) {
	c, p := ctConn(t, ws.RoleServer, ctQuiet())
	p.SendBytes(ctMasked(true, ws.OpText, "0123456789"))
	p.SendBytes(ctMasked(true, ws.OpText, "second"))
	_, r, err := c.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	ctRead(t, "the next message", c, ws.OpText, "second")
	if rest, err := io.ReadAll(r); err == nil {
		t.Errorf("the reader of a skipped message gave %q and io.EOF", rest)
	}
}

func TestConnReaderEOFStays(t *testing.T) {
	c, p := ctConn(t, ws.RoleServer, ctQuiet())
	p.SendBytes(ctMasked(true, ws.OpText, "first"))
	_, r, err := c.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "first" || err != nil {
		t.Fatal(string(got), err)
	}
	p.SendBytes(ctMasked(true, ws.OpText, "second"))
	for range 2 {
		if n, err := r.Read(make([]byte, 9)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
	}
	ctRead(t, "the next message", c, ws.OpText, "second")
}

func TestConnReadFailsFastOnBadText(t *testing.T) {
	for form, read := range crForms {
		t.Run(form, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleServer, ctQuiet())
				p.SendBytes(ctMasked(false, ws.OpText, "fine so far"))
				p.SendBytes(ctMasked(false, ws.OpContinuation, "\xff and more to come")[:7]) // the header and the bad byte
				_, _, err := read(t.Context(), c)
				e := ctCloseError(t, "bad text", err, ws.CodeInvalidPayload, false)
				if pe, ok := errors.AsType[*ws.ProtocolError](e); !ok || pe.Rule != ws.RuleTextUTF8 {
					t.Errorf("got %v", err)
				}
				p.WantClose("before the message is whole", ws.CodeInvalidPayload, "UTF-8")
				p.WantEOF("and the server hangs up")
				p.Close()
				ctOneEnd(t, c)
			})
		})
	}
}

func TestConnConcurrentReaders(t *testing.T) {
	const readers, messages = 8, 400
	s, c := ctPair(t, nil, nil)
	var (
		mu  sync.Mutex
		got = map[string]int{}
		wg  sync.WaitGroup
	)
	for i := range readers {
		wg.Go(func() {
			var buf []byte
			for {
				ctx, cancel := context.WithCancel(t.Context())
				if i == 0 { // one that is always interrupted loses nothing
					cancel()
				}
				_, p, err := s.ReadAppend(ctx, buf[:0])
				cancel()
				if i == 0 && errors.Is(err, context.Canceled) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					if !errors.Is(err, s.Err()) {
						t.Errorf("reader %d: %v, and the connection's end is %v", i, err, s.Err())
					}
					return
				}
				mu.Lock()
				got[string(p)]++
				mu.Unlock()
				buf = p
			}
		})
	}
	want := map[string]int{}
	for i := range messages {
		m := fmt.Sprint("message ", i, strings.Repeat(".", i*13%5000))
		want[m] = 1
		if err := c.Write(t.Context(), ws.OpText, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(t.Context(), ws.CodeNormal, ""); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("each message once (-want +got):\n%s", d)
	}
}

func TestConnMessageTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: 7 * time.Second})
		time.Sleep(time.Hour) // waiting for a message has no limit
		p.Send("81 85 | 37fa213d | 7f")
		ctTook(t, "an unfinished message", 7*time.Second, func() {
			_, _, err := c.Read(t.Context())
			e := ctCloseError(t, "an unfinished message", err, ws.CodePolicyViolation, false)
			if !strings.Contains(e.Error(), "MessageTimeout") {
				t.Errorf("%v does not name the option", e)
			}
		})
		p.WantClose("too slow", ws.CodePolicyViolation, "MessageTimeout")
	})
}

func TestConnMessageTimeoutIsPerMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: 30 * time.Second})
		ended := ctAsync(func() error {
			for _, err := range c.Messages(t.Context()) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		f := ctMasked(true, ws.OpText, "0123456789")
		half := len(f) / 2
		p.SendBytes(f[:half])
		for range 10 { // no read ever ends between two messages
			time.Sleep(10 * time.Second)
			p.SendBytes(append(bytes.Clone(f[half:]), f[:half]...))
			ctPending(t, "a message every 10 s", ended)
		}
	})
}

func TestConnMessageTimeoutRunsOnlyWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: 30 * time.Second})
		f := ctMasked(true, ws.OpText, "0123456789")
		p.SendBytes(f[:10])
		_, r, err := c.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5)
		time.AfterFunc(time.Second, func() { p.Conn().Write(f[10:11]) })
		if _, err := io.ReadFull(r, b); err != nil { // waits for the last of them
			t.Fatal(err)
		}
		p.SendBytes(f[11:])
		time.Sleep(time.Minute) // the application takes its time; the message is there
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "56789" {
			t.Fatalf("got %q, %v", rest, err)
		}
	})
}

// A context is any context, also one that cannot be compared.
func TestConnAnyContext(t *testing.T) {
	c, p := ctConn(t, ws.RoleServer, ctQuiet())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type valueContext struct {
		context.Context
		values map[string]any
	}
	for range 2 {
		p.SendBytes(ctMasked(true, ws.OpText, "x"))
		if _, _, err := c.Read(valueContext{ctx, nil}); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(valueContext{ctx, nil}, ws.OpText, nil); err != nil {
			t.Fatal(err)
		}
	}
}
