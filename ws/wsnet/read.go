package wsnet

import (
	"context"
	"io"
	"iter"
	"sync/atomic"
	"syscall"

	"framewright/ws"
)

// inbox is the reading half of a Conn. All of it belongs to whoever has lock.
//
// Bytes come into buf; ws.Receiver makes events of them; an event that is a piece of a
// message waits in ev, still in buf, until the application takes it. A message goes
//
//	Read, ReadAppend  await -> nextEvent -> fill, Receiver.Next; then take
//	Messages          the same, and lend if it lies whole in buf
//	Reader            await; then readPiece for each Read
//
// Ten thousand goroutines that wait for a message have stacks as large as what
// was the deepest call of each, in powers of two. So a read waits, and a write
// writes, from where the stack is not deep, and what seldom happens is in
// functions of its own: a handler that does not need more itself stays within
// 2 KiB.
type inbox struct {
	link      *link
	out       *outbox
	lock      lock
	interrupt interrupter

	buf   []byte                 // pooled; nil while nothing is in it and a socket is waited for
	r, w  int                    // buf[r:w] was read and not yet taken
	head  [ws.MaxHeaderSize]byte // what buf held of a header when it was given back
	nhead uint8
	large uint8 // the last reads were such that buf should be of this size, see size
	small uint8 // reads that did not need a buffer as large as they had

	inMessage  bool      // a message has begun and was not yet given to the application whole
	op         ws.Opcode // its type
	fin        bool      // it ends with piece
	compressed bool      // piece is to be inflated
	whole      bool      // piece is all of it, and lies in buf
	streaming  uint8     // whether it was given out as a Reader, see below
	timed      bool      // the stream's deadline is that of the message
	lent       bool      // the last message lies in buf and belongs to the application
	messages   uint32    // not in the Stats yet
	given      uint64    // messages, so that a Reader knows that its own is over
	piece      []byte    // of the message, taken out of buf, and not yet by the application
	partial    *[]byte   // what an interrupted whole-message read had so far

	raw rawReader
	err error // came with the last bytes of a read

	limits atomic.Pointer[ws.Limits] // to use from the next bytes on, see SetMaxMessage

	z     *inflating  // nil without permessage-deflate
	trace *frameTrace // nil if nobody listens

	waits atomic.Uint32 // odd while blocked in the stream's Read: see ws.Signs
	idle  atomic.Uint32 // how often a Read of the stream ended with a deadline
}

// What inbox.streaming says. It is one byte, as a Conn has none to spare.
const (
	asWhole     = iota // no Reader was given out
	asReader           // one was, and nothing has been read by it
	asReaderRun        // something has
)

// A rawReader reads a socket in such a way that no buffer is held while the
// socket has nothing: ten thousand connections that wait need no ten thousand
// buffers.
type rawReader struct {
	try func(fd uintptr) bool // inbox.readOnce, as a value that is made once
	n   int
	err syscall.Errno
}

func (in *inbox) init(l *link, out *outbox, early []byte) {
	in.link, in.out = l, out
	in.buf, in.w = early, len(early)
	l.stats.bytesIn.Store(uint64(len(early)))
	in.interrupt.link = l
	in.trace = newFrameTrace(l, false, in.z != nil)
	if l.socket != nil {
		in.raw.try = in.readOnce
	}
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
	if err := c.in.await(ctx, nil); err != nil {
		return 0, dst, err
	}
	return c.in.take(ctx, dst)
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
	err := in.skip(ctx)
	if err == nil && !in.inMessage {
		err = in.nextEvent(ctx)
	}
	if err != nil {
		return 0, nil, wrapOp("read", err)
	}
	in.streaming = asReader
	return in.op, &messageReader{c: c, ctx: ctx, given: in.given}, nil
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
			if err := c.in.await(ctx, &l); err != nil {
				yield(Message{}, err)
				return
			}
			var err error
			if l = l.take(); c.in.whole && c.in.streaming == asWhole && c.in.partial == nil {
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

// SetMaxMessage changes Options.MaxMessage, and with it the default of
// Options.MaxFragments, from the next bytes on that come: for a peer that has
// shown who it is, say. 0 is the default, and a value below it no limit.
func (c *Conn) SetMaxMessage(bytes int64) {
	l := c.link.set.asked
	l.MessageSize = bytes
	l = l.Filled()
	c.in.limits.Store(&l)
}

// await takes the lock, and waits until a message has begun. After an error it has no
// lock. Who calls it does not need any more what he has borrowed in l, if anything.
func (in *inbox) await(ctx context.Context, l **loan) error {
	err := in.begin(ctx)
	if err != nil {
		return readError(err)
	}
	if l != nil && *l != nil {
		in.takeBack(l)
	}
	if !in.inMessage {
		if err = in.nextEvent(ctx); err != nil {
			in.lock.release()
			return readError(err)
		}
	}
	return nil
}

// begin takes the lock for one operation.
//
//go:noinline
func (in *inbox) begin(ctx context.Context) error {
	life := &in.link.life
	if err := ctx.Err(); err != nil && life.err() == nil {
		return err
	}
	if !in.lock.CompareAndSwap(unlocked, locked) {
		if err := in.lock.acquire(ctx, life); err != nil {
			return err
		}
	}
	if err := life.err(); err != nil {
		in.lock.release()
		return err
	}
	in.interrupt.watch(ctx)
	return nil
}

// nextEvent reads until there is a piece of a message, and deals with the control frames
// before it. Nothing of the last piece is needed any more.
func (in *inbox) nextEvent(ctx context.Context) error {
	rx, short := &in.link.ep.In, false
	for {
		if short || in.r == in.w {
			if err := in.fill(ctx); err != nil {
				return err
			}
		}
		var ev ws.Event
		var n int
		var err error
		if b := in.buf[in.r:in.w]; in.trace == nil {
			ev, n, err = rx.Next(b)
		} else {
			ev, n, err = in.trace.next(rx, b, int64(in.link.stats.bytesIn.Load())-int64(len(b)))
		}
		in.r += n
		switch {
		case err != nil:
			return in.violation(err)
		case ev.Opcode >= ws.OpClose:
			if err := in.control(ev); err != nil {
				return err
			}
			in.out.tend(ctx) // from here, where the stack is not deep
		case ev.Opcode != ws.OpContinuation:
			in.op, in.piece, in.fin, in.compressed = ev.Opcode, ev.Payload, ev.Fin, ev.Compressed
			in.whole = ev.Fin && !in.inMessage && !ev.Compressed && len(ev.Payload) > 0
			in.inMessage = true
			return nil
		}
		short = n == 0 // less than a header
	}
}

// take appends the message that has begun to dst. It has the lock, and releases it.
func (in *inbox) take(ctx context.Context, dst []byte) (op ws.Opcode, p []byte, err error) {
	before := len(dst)
	op = in.op
	if in.whole && in.streaming == asWhole && in.partial == nil {
		dst = append(dst, in.piece...)
		err = in.delivered(false)
	} else {
		dst, err = in.collect(ctx, dst, nil)
		op = in.op
	}
	if !in.lock.CompareAndSwap(locked, unlocked) {
		in.lock.callNext()
	}
	if err != nil {
		return 0, dst[:before], readError(err)
	}
	return op, dst, nil
}

// delivered notes that the application has the message, or its end.
func (in *inbox) delivered(empty bool) error {
	in.inMessage, in.whole, in.streaming, in.partial, in.piece, in.fin = false, false, asWhole, nil, nil, false
	in.given++
	in.messages++
	if in.timed {
		in.untime()
	}
	more := in.r < in.w
	if in.out.readerHasMore.Load() != more {
		in.out.readerHasMore.Store(more)
	}
	if !more { // as count does, and a call less on the way that every message takes
		in.link.stats.messagesIn.Add(uint64(in.messages))
		in.messages = 0
		in.link.stats.framesIn.Store(in.link.ep.In.Frames())
	}
	if empty {
		if err := in.link.ep.In.ChargeEmpty(now()); err != nil {
			return in.violation(err)
		}
	}
	return nil
}

// violation fails the connection for what the peer did.
func (in *inbox) violation(err error) error {
	pe := err.(*ws.ProtocolError)
	in.trace.violation(pe)
	return in.link.fail(ws.EndByViolation(pe))
}

// fill reads more into the buffer.
func (in *inbox) fill(ctx context.Context) error {
	in.keepHead()
	in.beforeReading()
	if in.link.socket == nil {
		return in.fillFromStream(ctx)
	}
	for range 100 {
		in.raw.n, in.raw.err = 0, 0
		in.waits.Add(1)
		err := in.link.socket.Read(in.raw.try)
		n := in.raw.n
		in.waits.Add(1)
		if in.timed {
			in.link.ep.In.Paused(now())
		}
		if n > 0 {
			in.link.stats.bytesIn.Add(uint64(n))
			in.w += n
			in.nhead = 0
			if in.large > 0 || in.w == len(in.buf) {
				in.resize(in.w)
			}
			return nil
		}
		if err == nil {
			err = in.raw.failure()
		}
		if err := in.failed(ctx, 0, err); err != nil {
			if in.nhead > 0 { // a part of a header, for which a small buffer will do
				in.large = 0
				if in.buf == nil {
					in.takeBuffer()
				}
			} else {
				in.giveBuffer()
			}
			return err
		}
	}
	return in.link.lost(io.ErrNoProgress)
}

// readOnce is what RawConn calls when the socket may have something: it
// returns false to wait for more.
func (in *inbox) readOnce(fd uintptr) bool {
	if in.buf == nil {
		in.takeBuffer()
	}
	for {
		n, err := readSocket(fd, in.buf[in.w:])
		switch err {
		case nil:
			in.raw.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			in.giveBuffer()
			return false
		default:
			in.raw.err, _ = err.(syscall.Errno)
			return true
		}
	}
}

// takeBuffer makes a buffer the inbox's, which has none, with what was kept of the last.
func (in *inbox) takeBuffer() {
	if in.large > 0 {
		in.buf = kept.get(in.size())[:in.size()]
	} else {
		in.buf = readBuffers.Get().(*[readBufferSize]byte)[:]
	}
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
}

// A messageReader reads one message.
type messageReader struct {
	c     *Conn
	ctx   context.Context
	given uint64
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
	if in.given != m.given {
		return 0, wrapOp("read", ErrReaderStale)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, done, err := in.readPiece(m.ctx, p)
	if err == nil && done {
		err = in.delivered(in.streaming == asReader)
		m.done = err == nil
	}
	if err != nil {
		return 0, wrapOp("read", err)
	}
	if done {
		return 0, io.EOF
	}
	in.streaming = asReaderRun
	return n, nil
}

//go:noinline
func readError(err error) error { return wrapOp("read", err) }
