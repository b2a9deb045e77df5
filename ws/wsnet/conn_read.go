package wsnet

import (
	"context"
	"io"
	"iter"
	"sync/atomic"

	"framewright/ws"
)

// incoming is the reading half of a Conn. All of it belongs to whoever has
// lock.
//
// Ten thousand goroutines that wait for a message have stacks as large as what
// was the deepest call of each, in powers of two. So a read waits, and a write
// writes, from where the stack is not deep, and what seldom happens is in
// functions of its own: a handler that does not need more itself stays within
// 2 KiB.
type incoming struct {
	c         *Conn
	lock      lock
	interrupt interrupter
	rx        ws.Receiver

	buf   []byte                 // pooled; nil while nothing is in it and a socket is waited for
	r, w  int                    // buf[r:w] was read and not yet used
	head  [ws.MaxHeaderSize]byte // what buf held of a header when it was let go
	nhead uint8
	large uint8 // the last reads were such that buf should be of this size, see size
	err   error // came with the last bytes of a read
	raw   rawReader

	more      atomic.Bool // a message was given out and buf has more: see outgoing.gathers
	inMessage bool        // a message has begun and was not yet given to the application whole
	streaming uint8       // whether that message was given out as a Reader, see below
	lent      bool        // the last message lies in buf and belongs to the application
	small     uint8       // reads that did not need a buffer as large as they had
	stale     uint64      // counts messages, so that a Reader knows that its own is over
	partial   []byte      // what an interrupted whole-message read had so far
	deadline  moment      // of the message under way, if the stream's is set to it
	paused    moment      // since when nobody has waited for the rest of it

	frames, messages uint32 // not in the Stats yet: see count
	pings, empties   bucket

	z     *inflater   // nil without permessage-deflate
	trace *frameTrace // nil if nobody listens

	waiting atomic.Uint32 // odd while blocked in the stream's Read; see keepalive
	nothing atomic.Uint32 // how often a Read of the stream ended with a deadline
}

// What incoming.streaming says. It is one byte, as a Conn has none to spare.
const (
	asWhole     = iota // no Reader was given out
	asReader           // one was, and nothing has been read by it
	asReaderRun        // something has
)

func (in *incoming) init(c *Conn, role ws.Role, early []byte) {
	in.c = c
	in.buf, in.w = early, len(early)
	c.stats.bytesIn.Store(uint64(len(early)))
	in.interrupt.c = c
	in.rx = ws.NewReceiver(role, c.set.limits)
	in.trace = newFrameTrace(c, false)
}

// A Message is a whole message, as Messages yields it.
type Message struct {
	Opcode ws.Opcode // OpText or OpBinary
	Data   []byte    // valid until the next iteration
}

// Read returns the next message, in memory of its own. A text message is
// valid UTF-8.
func (c *Conn) Read(ctx context.Context) (ws.Opcode, []byte, error) {
	op, p, err := c.ReadAppend(ctx, nil)
	if err == nil && p == nil {
		p = []byte{}
	}
	return op, p, err
}

// ReadAppend appends the next message to dst and returns the longer slice,
// so that a loop that passes buf[:0] allocates nothing once buf is large
// enough. On an error dst comes back as it was; its spare capacity may have
// been written to.
func (c *Conn) ReadAppend(ctx context.Context, dst []byte) (ws.Opcode, []byte, error) {
	if err := c.in.awaitMessage(ctx); err != nil {
		return 0, dst, err
	}
	return c.in.takeMessage(ctx, dst)
}

// awaitMessage takes the lock, and waits until a message has begun. After an
// error it has no lock.
func (in *incoming) awaitMessage(ctx context.Context) error {
	return in.awaitMessageAfter(ctx, nil)
}

// awaitMessageAfter is awaitMessage for one who does not need any more what he
// has borrowed.
func (in *incoming) awaitMessageAfter(ctx context.Context, l **loan) error {
	err := in.begin(ctx)
	if err != nil {
		return readError(err)
	}
	if l != nil && *l != nil {
		in.takeBack(l)
	}
	if err = in.untilMessage(ctx); err != nil {
		in.lock.release()
		return readError(err)
	}
	return nil
}

// untilMessage reads until a message has begun, and deals with the control
// frames before it. It waits from here, where the stack is not deep.
func (in *incoming) untilMessage(ctx context.Context) error {
	for !in.inMessage {
		if in.r == in.w {
			if err := in.fill(ctx); err != nil {
				return err
			}
		}
		if err := in.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// takeMessage appends the next message to dst. It has the lock, and releases it.
func (in *incoming) takeMessage(ctx context.Context, dst []byte) (op ws.Opcode, p []byte, err error) {
	before := len(dst)
	if in.streaming != asWhole || in.partial != nil {
		dst, err = in.resume(ctx, dst)
	}
	if err == nil {
		dst, err = in.message(ctx, dst, before, nil)
		if err != nil {
			in.interrupted(dst[before:])
		}
	}
	op = in.rx.Opcode()
	in.lock.release()
	if err != nil {
		return 0, dst[:before], readError(err)
	}
	return op, dst, nil
}

//go:noinline
func readError(err error) error { return wrapOp("read", err) }

// resume skips what is left of a message that was given out as a Reader, or
// appends what an interrupted read had of the current one.
//
//go:noinline
func (in *incoming) resume(ctx context.Context, dst []byte) ([]byte, error) {
	if err := in.skip(ctx); err != nil {
		return dst, err
	}
	return append(dst, in.partial...), nil
}

// interrupted keeps what was read, for the next read to go on from.
//
//go:noinline
func (in *incoming) interrupted(p []byte) {
	if in.c.Err() == nil {
		in.partial = append(in.partial[:0], p...)
	}
}

// message appends what is left of the current message, or the next one, to
// dst. The message itself begins at dst[begin]. dst is l's, if there is one.
func (in *incoming) message(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
	for {
		var done bool
		if !in.atPayload() && !in.inflating() {
			var err error
			if done, err = in.next(ctx); err != nil {
				return dst, err
			}
		}
		if in.rx.Compressed() {
			return in.inflateMessage(ctx, dst, begin, l)
		}
		if done {
			return dst, in.delivered(len(dst) == begin)
		}

		// A long payload is read straight into dst.
		n := in.w - in.r
		if n == 0 && in.rx.Remaining() >= readBufferSize {
			dst = l.grow(dst, 0, in.rx.Remaining(), begin)
			p := dst[len(dst):cap(dst)]
			n, err := in.payload(ctx, p)
			dst = dst[:len(dst)+n]
			if err != nil {
				return dst, err
			}
			continue
		}
		if n == 0 {
			if err := in.fill(ctx); err != nil {
				return dst, err
			}
			n = in.w - in.r
		}
		if int64(n) > in.rx.Remaining() {
			n = int(in.rx.Remaining())
		}
		if cap(dst)-len(dst) < n {
			dst = l.grow(dst, n, in.rx.Remaining(), begin)
		}
		dst = append(dst, in.buf[in.r:in.r+n]...)
		in.used(n)
		if err := in.judge(dst[len(dst)-n:]); err != nil {
			return dst, err
		}
		if in.rx.Remaining() == 0 && in.rx.State() == ws.StateReady {
			return dst, in.delivered(false)
		}
	}
}

// Reader returns the type of the next message and a reader of its content,
// which ends with io.EOF. The content streams: it may be longer than memory,
// and text is checked as it comes, so the beginning of a text message that
// turns out not to be UTF-8 may have been read before the error. What is left
// of the message before is skipped. The limit is Options.MaxMessage all the
// same.
//
// ctx bounds every Read of the returned reader, too.
func (c *Conn) Reader(ctx context.Context) (ws.Opcode, io.Reader, error) {
	in := &c.in
	if err := in.begin(ctx); err != nil {
		return 0, nil, wrapOp("read", err)
	}
	defer in.lock.release()
	if err := in.skip(ctx); err != nil {
		return 0, nil, wrapOp("read", err)
	}
	if err := in.untilMessage(ctx); err != nil {
		return 0, nil, wrapOp("read", err)
	}
	in.streaming = asReader
	return in.rx.Opcode(), &messageReader{c: c, ctx: ctx, stale: in.stale}, nil
}

// Messages returns an iterator over the messages to come. It ends after an
// error, which it yields; the peer's Close is one, too.
//
//	for m, err := range c.Messages(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Printf("%s\n", m.Data)
//	}
func (c *Conn) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		var l *loan // held only while there is something to read
		for {
			if err := c.in.awaitMessageAfter(ctx, &l); err != nil {
				yield(Message{}, err)
				return
			}
			var err error
			if l = l.take(); c.in.wholeInBuffer() {
				err = c.in.lend(l)
			} else { // from here, where the stack is not deep
				err = c.in.takeLoan(ctx, l)
			}
			if err != nil {
				yield(Message{}, err)
				return
			}
			if !yield(Message{l.op, l.data}, nil) {
				return
			}
		}
	}
}

// A messageReader reads one message.
type messageReader struct {
	c     *Conn
	ctx   context.Context
	stale uint64
	done  bool // all of it was read
}

func (m *messageReader) Read(p []byte) (int, error) {
	if m.done {
		return 0, io.EOF
	}
	in := &m.c.in
	if err := in.begin(m.ctx); err != nil {
		return 0, wrapOp("read", err)
	}
	defer in.lock.release()
	if in.stale != m.stale {
		return 0, wrapOp("read", ErrReaderStale)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(in.partial) > 0 { // of a whole-message read that was interrupted
		n := copy(p, in.partial)
		in.partial = in.partial[n:]
		in.streaming = asReaderRun
		return n, nil
	}
	n, done, err := in.piece(m.ctx, p)
	if err != nil {
		return 0, wrapOp("read", err)
	}
	if done {
		if err := in.delivered(in.streaming == asReader); err != nil {
			return 0, wrapOp("read", err)
		}
		m.done = true
		return 0, io.EOF
	}
	in.streaming = asReaderRun
	return n, nil
}

// skip reads what is left of a message that was given out as a Reader. One of
// which nothing was read, and nothing is left, counts as empty.
func (in *incoming) skip(ctx context.Context) error {
	if in.streaming == asWhole {
		return nil
	}
	if len(in.partial) > 0 {
		in.streaming = asReaderRun
	}
	in.partial = nil
	scratch := make([]byte, 512)
	for in.inMessage {
		_, done, err := in.piece(ctx, scratch)
		switch {
		case err != nil:
			return err
		case !done:
			in.streaming = asReaderRun
		default:
			if err := in.delivered(in.streaming == asReader); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin takes the lock for one operation.
//
//go:noinline
func (in *incoming) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil && in.c.Err() == nil {
		return err
	}
	if err := in.lock.acquire(ctx, in.c); err != nil {
		return err
	}
	if err := in.c.Err(); err != nil {
		in.lock.release()
		return err
	}
	in.interrupt.watch(ctx)
	return nil
}
