package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// FuzzTwoConns: a client and a server, joined by a line that delivers in any
// pieces, carry out a script of operations in both directions: whole,
// prepared and streamed messages, pings, reads of every kind that stop
// wherever the line runs dry, and a Close. Everything written is read, once,
// in order, unchanged; a read that runs dry loses nothing; every ping is
// answered. With gather, a message may wait for others, as it does by default,
// but only while its writer has more to read, only until the writer waits to
// read or WriteDelay has passed, and never behind a Close.
func FuzzTwoConns(f *testing.F) {
	f.Add(uint64(1), false, []byte{0x00, 5, 0x01, 200, 0x0c, 0, 0x0d, 0})
	f.Fuzz(func(t *testing.T, seed uint64, gather bool, script []byte) {
		const maxOperations = 60
		defer bounded()()
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, seed, gather)
			for i := 0; i+1 < min(len(script), 2*maxOperations); i += 2 {
				p.run(script[i], int(script[i+1]))
				synctest.Wait() // what a Conn sends in the background is on the line
			}
			p.end()
		})
	})
}

// A side is one Conn with what it has to do.
type side struct {
	name   string
	c      *wsnet.Conn
	stream *end
	peer   *side

	sent   []sent // by this side, in order
	more   bool   // the Conn has taken more than it has given out
	held   int    // the first message that may wait for others
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
	t      *testing.T
	gather bool
	sides  [2]*side
	n      int // operations so far, so that no two messages are alike
}

func newPair(t *testing.T, seed uint64, gather bool) *pair {
	cuts := xorshift(seed)
	ab, ba := &line{wrote: make(chan struct{}, 1)}, &line{wrote: make(chan struct{}, 1)}
	a := &side{name: "server", held: none, stream: &end{in: ba, out: ab, cuts: &cuts}}
	b := &side{name: "client", held: none, stream: &end{in: ab, out: ba, cuts: &cuts}}
	a.peer, b.peer = b, a
	o := connOptions(ws.Limits{MessageSize: -1, Fragments: -1})
	if !gather {
		o.WriteDelay = -1 // what was written is there at once, however much waits to be read
	}
	a.c, b.c = wsnet.NewConn(a.stream, ws.RoleServer, o), wsnet.NewConn(b.stream, ws.RoleClient, o)
	t.Cleanup(func() { a.c.CloseNow(); b.c.CloseNow() })
	return &pair{t: t, gather: gather, sides: [2]*side{a, b}}
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
		p.write(s, typ, content)
	case 2:
		prepared, err := wsnet.Prepare(typ, []byte(content))
		p.must(err)
		p.must(s.c.WritePrepared(ctx, prepared))
		s.sent = append(s.sent, sent{event{typ, content}, true})
		p.wrote(s)
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
		if s.writer == nil {
			p.rest()
		} else {
			p.finish(s)
		}
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

func (p *pair) write(s *side, typ ws.Opcode, content string) {
	p.must(s.c.Write(context.Background(), typ, []byte(content)))
	s.sent = append(s.sent, sent{event{typ, content}, true})
	p.wrote(s)
}

// none is the place of no message.
const none = math.MaxInt

// wrote notes whether s's last message may wait for others.
func (p *pair) wrote(s *side) {
	switch {
	case !p.gather || !s.more:
		s.held = none
	case s.held == none:
		s.held = len(s.sent) - 1
	}
}

// rest lets so much time pass that nothing may wait any more.
func (p *pair) rest() {
	time.Sleep(2 * time.Millisecond)
	for _, s := range p.sides {
		s.held = none
	}
}

func (p *pair) finish(s *side) {
	if s.writer == nil {
		return
	}
	p.must(s.writer.Close())
	s.writer = nil
	s.sent[len(s.sent)-1].complete = true
	p.wrote(s)
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
	reads := s.stream.reads
	whole := p.readMessage(s, mode)
	synctest.Wait()
	if s.stream.reads > reads { // the reader would have waited
		s.held = none
	}
	switch {
	case s.reader != nil:
		s.more = true // perhaps
	case whole:
		s.more = s.stream.in.leaves(s.read)
	default:
		s.more = false
	}
	return whole
}

func (p *pair) readMessage(s *side, mode int) bool {
	ctx, cancel := s.untilDry()
	defer cancel()
	place := s.read
	if s.reader != nil {
		// The reader was made under a context that has ended meanwhile.
		// What is left of its message is skipped, for as long as it takes.
		place++
	}
	var want sent
	if place < len(s.peer.sent) && (s.reader == nil || s.peer.sent[s.read].complete) {
		want = s.peer.sent[place]
	}
	there := want.complete && place < s.peer.held
	// begun notes that what was to be skipped is behind us.
	begun := func() { s.reader, s.read = nil, place }
	var got event
	var err error
	switch {
	case mode%4 == 0:
		got.Op, s.buf, err = s.c.ReadAppend(ctx, s.buf[:0])
		got.Data = string(s.buf)
	case mode%4 == 1:
		var r io.Reader
		got.Op, r, err = s.c.Reader(ctx)
		if err == nil {
			begun()
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
	case err != nil && there:
		p.t.Fatalf("operation %d: %s reads %v, but %.60q is there", p.n, s.name, err, want.Data)
	case err != nil:
		p.dry(s, err)
		if place > s.read && s.peer.sent[s.read].complete && s.read < s.peer.held {
			begun() // all of what was to be skipped was there
		}
		return false
	case !want.complete || got != want.event:
		p.t.Fatalf("operation %d: %s reads %v %.60q, want %v %.60q (complete %v)", p.n, s.name, got.Op, got.Data, want.Op, want.Data, want.complete)
	}
	begun()
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

	// More than a message is there for first, so that its last one may wait
	// for others, and then it closes.
	first := p.sides[p.n%2]
	for range 3 {
		p.write(first.peer, ws.OpText, "unread")
	}
	if !p.readOne(first, 0) {
		p.t.Fatalf("%s reads nothing", first.name)
	}
	p.write(first, ws.OpText, "last words")
	var saw error
	answer := func() {
		ctx, cancel := first.peer.untilDry()
		defer cancel()
		for first.c.Err() == nil && first.peer.c.Err() == nil { // or a closing goroutine reads what is left
			op, data, err := first.peer.c.Read(ctx)
			if err != nil {
				saw = err
				return
			}
			want := sent{}
			if first.peer.read < len(first.sent) {
				want = first.sent[first.peer.read]
			}
			if got := (event{op, string(data)}); got != want.event {
				p.t.Errorf("%s reads %v %.60q, want %v %.60q", first.peer.name, got.Op, got.Data, want.Op, want.Data)
			}
			first.peer.read++
		}
	}
	first.stream.dry.Store(&answer)
	p.must(first.c.Close(context.Background(), 4000, "done"))
	if first.peer.read != len(first.sent) {
		p.t.Fatalf("%s has read %d of %d messages before the Close", first.peer.name, first.peer.read, len(first.sent))
	}
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
