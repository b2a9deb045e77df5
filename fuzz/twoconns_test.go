package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"framewright/ws"
)

// FuzzTwoConns: a client and a server, joined by a line that delivers in any
// pieces, carry out a script of operations in both directions: whole,
// prepared and streamed messages, pings, reads of every kind that stop
// wherever the line runs dry, and a Close. Everything written is read, once,
// in order, unchanged; a read that runs dry loses nothing; every ping is
// answered.
func FuzzTwoConns(f *testing.F) {
	f.Add(uint64(1), []byte{0x00, 5, 0x01, 200, 0x0c, 0, 0x0d, 0})
	f.Fuzz(func(t *testing.T, seed uint64, script []byte) {
		const maxOperations = 60
		defer bounded()()
		p := newPair(t, seed)
		for i := 0; i+1 < min(len(script), 2*maxOperations); i += 2 {
			p.run(script[i], int(script[i+1]))
		}
		p.end()
	})
}

// A line is one direction between two Conns. It never blocks.
type line struct {
	mu     sync.Mutex
	buf    []byte
	closed bool
	wrote  chan struct{} // told of every Write, if somebody listens
}

// An end is the stream that a Conn has.
type end struct {
	in, out *line
	cuts    *xorshift
	dry     atomic.Pointer[func()] // called when a Read finds nothing; also by a Conn's closing goroutine
}

func (e *end) Read(p []byte) (int, error) {
	for range 2 {
		e.in.mu.Lock()
		if n := len(e.in.buf); n > 0 {
			if k := e.cuts.next(3 * n); k > 0 && k < len(p) {
				p = p[:k]
			}
			n = copy(p, e.in.buf)
			e.in.buf = e.in.buf[n:]
			e.in.mu.Unlock()
			return n, nil
		}
		closed := e.in.closed
		e.in.mu.Unlock()
		if closed {
			return 0, io.EOF
		}
		if dry := e.dry.Load(); dry != nil {
			(*dry)()
		}
	}
	return 0, os.ErrDeadlineExceeded
}

func (e *end) Write(p []byte) (int, error) {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	if e.out.closed {
		return 0, io.ErrClosedPipe
	}
	e.out.buf = append(e.out.buf, p...)
	select {
	case e.out.wrote <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (e *end) Close() error {
	for _, l := range []*line{e.in, e.out} {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
	}
	return nil
}

func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// A side is one Conn with what it has to do.
type side struct {
	name   string
	c      *ws.Conn
	stream *end
	peer   *side

	sent   []sent // by this side, in order
	writer io.WriteCloser
	read   int // how many of the peer's messages this side has read
	reader io.Reader
	buf    []byte // for ReadAppend
	pings  []<-chan error
}

type sent struct {
	event
	complete bool
}

type pair struct {
	t     *testing.T
	sides [2]*side
	n     int // operations so far, so that no two messages are alike
}

func newPair(t *testing.T, seed uint64) *pair {
	cuts := xorshift(seed)
	ab, ba := &line{wrote: make(chan struct{}, 1)}, &line{wrote: make(chan struct{}, 1)}
	a := &side{name: "server", stream: &end{in: ba, out: ab, cuts: &cuts}}
	b := &side{name: "client", stream: &end{in: ab, out: ba, cuts: &cuts}}
	a.peer, b.peer = b, a
	o := connOptions(ws.Limits{MessageSize: -1, Fragments: -1})
	o.WriteDelay = -1 // what was written is there at once, however much waits to be read
	a.c, b.c = ws.NewConn(a.stream, ws.RoleServer, o), ws.NewConn(b.stream, ws.RoleClient, o)
	t.Cleanup(func() { a.c.CloseNow(); b.c.CloseNow() })
	return &pair{t: t, sides: [2]*side{a, b}}
}

// content is text of about n bytes, full of code points of every length; a
// few n stand for what is longer than the buffers.
func (p *pair) content(n int) string {
	switch {
	case n == 255:
		n = 17 << 10
	case n >= 252:
		n = 4<<10 + n
	}
	s := fmt.Sprint(p.n)
	for len(s) < n {
		s += "aé€😀"
		if len(s) > 100 {
			s += s
		}
	}
	if n == 0 {
		s = ""
	}
	return s
}

func (p *pair) run(op byte, arg int) {
	p.n++
	s := p.sides[op&1]
	ctx := context.Background()
	kind := op >> 1 % 8
	if s.writer != nil && kind < 3 {
		kind = 3 // a whole message would wait for the streamed one
	}
	typ := ws.OpText
	if op&0x80 != 0 {
		typ = ws.OpBinary
	}
	content := p.content(arg)
	switch kind {
	case 0, 1:
		p.must(s.c.Write(ctx, typ, []byte(content)))
		s.sent = append(s.sent, sent{event{typ, content}, true})
	case 2:
		prepared, err := ws.Prepare(typ, []byte(content))
		p.must(err)
		p.must(s.c.WritePrepared(ctx, prepared))
		s.sent = append(s.sent, sent{event{typ, content}, true})
	case 3:
		if s.writer == nil {
			w, err := s.c.Writer(ctx, typ)
			p.must(err)
			s.writer = w
			s.sent = append(s.sent, sent{event: event{Op: typ}})
		}
		for len(content) > 0 { // cut anywhere, code points too
			n := min(len(content), 1+s.stream.cuts.next(1+arg*arg))
			if _, err := io.WriteString(s.writer, content[:n]); err != nil {
				p.must(err)
			}
			s.sent[len(s.sent)-1].Data += content[:n]
			content = content[n:]
		}
	case 4:
		p.finish(s)
	case 5:
		p.ping(s)
	case 6:
		p.readOne(s, arg)
	case 7:
		p.pump(s)
	}
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("operation %d: %v", p.n, err)
	}
}

func (p *pair) finish(s *side) {
	if s.writer == nil {
		return
	}
	p.must(s.writer.Close())
	s.writer = nil
	s.sent[len(s.sent)-1].complete = true
}

// ping leaves a Ping waiting, with its frame on the line.
func (p *pair) ping(s *side) {
	if len(s.pings) >= 4 {
		return
	}
	select {
	case <-s.stream.out.wrote:
	default:
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.c.Ping(context.Background())
		done <- err
	}()
	select {
	case <-s.stream.out.wrote:
	case err := <-done:
		p.t.Fatalf("%s: Ping gives %v with nobody at the other end", s.name, err)
	}
	s.pings = append(s.pings, done)
}

// untilDry returns a context that ends when s's line has nothing more.
func (s *side) untilDry() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	dry := func() { cancel() }
	s.stream.dry.Store(&dry)
	return ctx, func() { s.stream.dry.Store(nil); cancel() }
}

// pump reads all that is there.
func (p *pair) pump(s *side) {
	for mode := 0; p.readOne(s, mode); mode++ {
	}
}

// readOne reads one message, or what there is of it, and reports whether it
// was whole.
func (p *pair) readOne(s *side, mode int) bool {
	ctx, cancel := s.untilDry()
	defer cancel()
	var want sent
	if s.read < len(s.peer.sent) {
		want = s.peer.sent[s.read]
	}
	var got event
	var err error
	switch {
	case s.reader != nil:
		// The reader was made under a context that has ended meanwhile.
		// What is left of its message is skipped, for as long as it takes.
		if !want.complete {
			_, _, err = s.c.Read(ctx)
			p.dry(s, err)
			return false
		}
		s.reader = nil
		s.read++
		return p.readOne(s, mode)
	case mode%4 == 0:
		got.Op, s.buf, err = s.c.ReadAppend(ctx, s.buf[:0])
		got.Data = string(s.buf)
	case mode%4 == 1:
		var r io.Reader
		got.Op, r, err = s.c.Reader(ctx)
		if err == nil {
			if mode >= 128 { // a part of it is enough
				b := make([]byte, mode-128)
				n, err := r.Read(b)
				if n > len(want.Data) || string(b[:n]) != want.Data[:n] || got.Op != want.Op {
					p.t.Fatalf("operation %d: %s reads %v %.60q, want %v %.60q", p.n, s.name, got.Op, b[:n], want.Op, want.Data)
				}
				if err == io.EOF {
					if !want.complete || want.Data != "" {
						p.t.Fatalf("operation %d: %s reads the end of %.60q too early", p.n, s.name, want.Data)
					}
					s.read++
					return true
				}
				if err != nil {
					p.dry(s, err)
				}
				s.reader = r
				return true
			}
			var data []byte
			data, err = io.ReadAll(r)
			got.Data = string(data)
			if err != nil {
				if len(data) > len(want.Data) || got.Data != want.Data[:len(data)] {
					p.t.Fatalf("operation %d: %s reads the beginning %.60q, want %.60q", p.n, s.name, data, want.Data)
				}
				s.reader = r
			}
		}
	default:
		var data []byte
		got.Op, data, err = s.c.Read(ctx)
		got.Data = string(data)
	}
	switch {
	case err != nil && want.complete:
		p.t.Fatalf("operation %d: %s reads %v, but %.60q is there", p.n, s.name, err, want.Data)
	case err != nil:
		p.dry(s, err)
		return false
	case !want.complete || got != want.event:
		p.t.Fatalf("operation %d: %s reads %v %.60q, want %v %.60q (complete %v)", p.n, s.name, got.Op, got.Data, want.Op, want.Data, want.complete)
	}
	s.read++
	return true
}

// dry wants err to say that nothing came in time, and no more.
func (p *pair) dry(s *side, err error) {
	p.t.Helper()
	if !errors.Is(err, context.Canceled) || s.c.Err() != nil {
		p.t.Fatalf("operation %d: %s reads %v, Err is %v, want context.Canceled and nil", p.n, s.name, err, s.c.Err())
	}
}

// end finishes what was begun, wants everything to have arrived, and closes.
func (p *pair) end() {
	for _, s := range p.sides {
		p.finish(s)
	}
	for range 2 { // the second time for the pongs
		for _, s := range p.sides {
			p.pump(s)
		}
	}
	for _, s := range p.sides {
		if s.read != len(s.peer.sent) {
			p.t.Fatalf("%s has read %d of %d messages", s.name, s.read, len(s.peer.sent))
		}
		for _, done := range s.pings {
			p.must(<-done)
		}
	}

	first := p.sides[p.n%2]
	var saw error
	answer := func() {
		if first.c.Err() != nil || first.peer.c.Err() != nil {
			return // over: a closing goroutine reads what is left
		}
		ctx, cancel := first.peer.untilDry()
		defer cancel()
		_, _, saw = first.peer.c.Read(ctx)
	}
	first.stream.dry.Store(&answer)
	p.must(first.c.Close(context.Background(), 4000, "done"))
	e, ok := errors.AsType[*ws.CloseError](saw)
	if !ok || e.Code != 4000 || e.Reason != "done" || !e.Remote || e.Err != nil {
		p.t.Fatalf("%s sees the end %v", first.peer.name, saw)
	}
	if err := first.c.Err().(*ws.CloseError); err.Code != 4000 || err.Remote || err.Err != nil {
		p.t.Fatalf("%s sees the end %+v", first.name, err)
	}
	in, out := first.c.Stats(), first.peer.c.Stats()
	if in.BytesOut != out.BytesIn || in.BytesIn != out.BytesOut || in.MessagesOut != out.MessagesIn || in.FramesIn != out.FramesOut {
		p.t.Fatalf("counted %+v and %+v", in, out)
	}
}
