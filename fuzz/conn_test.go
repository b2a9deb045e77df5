package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"

	"github.com/google/go-cmp/cmp"
)

// A stub is a stream that a Conn can run over without a socket or a goroutine:
// what is to be read lies there from the beginning, cut into pieces by a
// seed, and what is written is kept.
type stub struct {
	mu     sync.Mutex
	in     []byte
	cuts   xorshift
	paused bool // the last Read brought nothing
	out    []byte
	closed bool
}

func (s *stub) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := s.cuts.next(256)
	if s.closed || len(s.in) == 0 {
		return 0, io.EOF
	}
	if kind == 0 && !s.paused { // io.Reader allows it
		s.paused = true
		return 0, nil
	}
	s.paused = false
	if kind < 128 {
		p = p[:min(len(p), 1+kind%32)]
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	if len(s.in) == 0 && kind%2 == 0 { // and this
		return n, io.EOF
	}
	return n, nil
}

func (s *stub) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	s.out = append(s.out, p...)
	return len(p), nil
}

func (s *stub) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *stub) written() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.out)
}

func (s *stub) SetReadDeadline(time.Time) error  { return nil }
func (s *stub) SetWriteDeadline(time.Time) error { return nil }

// bare hides the deadlines, so that the Conn has to make its own.
type bare struct{ io.ReadWriteCloser }

// connOptions are without anything that depends on the clock. Masking keys
// are all alike, so that a failure is the same the next time.
func connOptions(limits ws.Limits) *wsnet.Options {
	return &wsnet.Options{
		MaxMessage: limits.MessageSize, MaxFragments: limits.Fragments,
		PingRate: -1, EmptyRate: -1, PingInterval: -1, MessageTimeout: -1, WriteTimeout: -1,
		Rand: keys{},
	}
}

type keys struct{}

func (keys) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "\x37\xfa\x21\x3d"[i%4]
	}
	return len(p), nil
}

// FuzzServerRead and FuzzClientRead: a Conn that reads any bytes, in any
// pieces, by any mix of its reading methods, gives the messages of the
// reference, ends with the right error, allocates in proportion to what came,
// and answers with frames that the reference takes: a pong for every ping,
// and a Close frame exactly if the peer closed or broke a rule.
func FuzzServerRead(f *testing.F) { fuzzRead(f, ws.RoleServer) }

func FuzzClientRead(f *testing.F) { fuzzRead(f, ws.RoleClient) }

func fuzzRead(f *testing.F, role ws.Role) {
	f.Add(false, uint64(1), []byte{0x81, 0x00})
	f.Add(false, uint64(2), []byte{0x81, 0x80, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, small bool, seed uint64, wire []byte) {
		testRead(t, role, small, seed, wire)
	})
}

func testRead(t *testing.T, role ws.Role, small bool, seed uint64, wire []byte) {
	defer bounded()()
	limits, maxSize, maxFragments := limitsFor(small)
	want := decode(wire, role, maxSize, maxFragments)
	s := &stub{in: wire, cuts: xorshift(seed)}
	var rwc io.ReadWriteCloser = s
	if seed%16 == 15 {
		rwc = bare{s}
	}
	c := wsnet.NewConn(rwc, role, connOptions(limits))
	defer c.CloseNow()

	modes := xorshift(seed + 1)
	messages := want.messages()
	if err := readAll(t, c, &modes, messages, len(wire)); err != nil {
		checkEnd(t, c, err, want)
	}
	checkAnswers(t, s, c, role, want, rwc != io.ReadWriteCloser(s))
}

// readAll reads until the end and returns the error that ended it.
func readAll(t *testing.T, c *wsnet.Conn, modes *xorshift, want []event, wireLen int) error {
	ctx := context.Background()
	buf := []byte("kept")
	for i := 0; ; i++ {
		if i > wireLen {
			t.Fatalf("%d messages of %d bytes", i, wireLen)
		}
		var got event
		var err error
		whole := true
		switch mode := modes.next(4); mode {
		case 0:
			var p []byte
			got.Op, p, err = c.Read(ctx)
			got.Data = string(p)
		case 1:
			got.Op, buf, err = c.ReadAppend(ctx, buf)
			if string(buf[:4]) != "kept" || err != nil && len(buf) != 4 {
				t.Fatalf("ReadAppend left %q of what stood before", buf)
			}
			if limit := 3*wireLen + 64<<10; cap(buf) > limit {
				t.Fatalf("%d bytes allocated for %d that came", cap(buf), wireLen)
			}
			got.Data = string(buf[4:])
			buf = buf[:4]
		default: // as a stream, and now and then not to its end
			var r io.Reader
			got.Op, r, err = c.Reader(ctx)
			if err != nil {
				break
			}
			var p []byte
			p, whole, err = readSome(t, r, modes, mode == 3)
			got.Data = string(p)
			if err != nil && i < len(want) {
				t.Fatalf("message %d: %v, want %d", i, err, len(want))
			}
		}
		switch {
		case err != nil:
			if i < len(want) {
				t.Fatalf("%d messages, then %v; want %d: %q", i, err, len(want), want)
			}
			return err
		case !whole && i >= len(want): // the beginning of one that has no end
		case i >= len(want):
			t.Fatalf("message %d: %v %q, which the reference has not", i, got.Op, got.Data)
		case got.Op != want[i].Op, whole && got.Data != want[i].Data, len(got.Data) > len(want[i].Data),
			got.Data != want[i].Data[:len(got.Data)]:
			t.Fatalf("message %d: %v %q, want %v %q", i, got.Op, got.Data, want[i].Op, want[i].Data)
		}
	}
}

// readSome reads r with small buffers until its end or, if leave says so,
// maybe only until somewhere before.
func readSome(t *testing.T, r io.Reader, sizes *xorshift, leave bool) (p []byte, whole bool, err error) {
	b := make([]byte, 64)
	for {
		if leave && sizes.next(4) == 0 {
			return p, false, nil
		}
		n, err := r.Read(b[:sizes.next(len(b))])
		p = append(p, b[:n]...)
		if err == io.EOF {
			return p, true, nil
		}
		if err != nil {
			return p, false, err
		}
	}
}

// checkEnd wants err, and every later one, to be the end that the reference
// foresees.
func checkEnd(t *testing.T, c *wsnet.Conn, err error, want outcome) {
	e, ok := errors.AsType[*ws.CloseError](err)
	if !ok {
		t.Fatalf("the end is %T %v, want a *CloseError", err, err)
	}
	_, _, again := c.Read(context.Background())
	if !errors.Is(again, e) || c.Err() != error(e) || context.Cause(c.Context()) != error(e) {
		t.Fatalf("the end is %v, then %v, Err says %v", err, again, c.Err())
	}
	switch {
	case want.Rule != "":
		if rule := ruleOf(t, e.Err); rule != want.Rule || e.Code != rule.Rule().Code || e.Remote {
			t.Fatalf("the end is %+v, want rule %s", e, want.Rule)
		}
	case want.Closed:
		if e.Code != want.Code || e.Reason != want.Reason || !e.Remote || e.Err != nil {
			t.Fatalf("the end is %+v, want code %d and reason %q", e, want.Code, want.Reason)
		}
	case e.Code != ws.CodeAbnormal || !e.Remote || e.Err != io.ErrUnexpectedEOF:
		t.Fatalf("the end is %+v, want the end of the stream", e)
	}
}

// checkAnswers wants what c wrote to be frames in good order, and the right
// ones. With late, pongs go out in the background, so that an older one may be
// left out (§5.5.3).
func checkAnswers(t *testing.T, s *stub, c *wsnet.Conn, role ws.Role, want outcome, late bool) {
	closeAndWait(c)
	out := s.written()
	got := decode(out, ws.RoleServer+ws.RoleClient-role, 0, 0)
	if got.Rule != "" || got.Rest != 0 {
		t.Fatalf("wrote %x, of which %d bytes are no whole frame, rule %q", out, got.Rest, got.Rule)
	}
	pings, pongs := want.of(ws.OpPing), got.of(ws.OpPong)
	if !slices.Equal(pings, pongs) && !(late && isSubsequence(pongs, pings)) {
		t.Fatalf("pings and pongs (-pings +pongs):\n%s", cmp.Diff(pings, pongs))
	}
	frames := len(pongs)
	switch {
	case want.Rule != "":
		frames++
		if !got.Closed || got.Code != want.Rule.Rule().Code || got.Reason == "" {
			t.Fatalf("answered the violation of %s with %+v", want.Rule, got)
		}
	case want.Closed:
		frames++
		if !got.Closed || got.Code != want.Code || got.Reason != "" {
			t.Fatalf("answered close code %d with %+v", want.Code, got)
		}
	}
	if len(got.Events) != frames {
		t.Fatalf("wrote %d frames, want %d: %q", len(got.Events), frames, got.Events)
	}
}

func isSubsequence(part, all []string) bool {
	for _, s := range all {
		if len(part) > 0 && part[0] == s {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// closeAndWait ends c, if it has not ended, and waits until nothing of it runs
// any more.
func closeAndWait(c *wsnet.Conn) {
	c.Close(context.Background(), ws.CodeNormal, "")
}

// bounded makes an input that takes a minute fail: nothing here blocks, so it
// would take for ever. The fuzzer has no such limit of its own. The caller
// defers the function that it returns.
func bounded() (stop func() bool) {
	return time.AfterFunc(time.Minute, func() { panic("no end after a minute on a stream that never blocks") }).Stop
}
