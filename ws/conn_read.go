package ws

import (
	"context"
	"io"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// readBufferSize is what one read asks for between and inside small
	// messages: many at once, or the beginning of a long one. While they come
	// faster than that, it is the larger size.
	readBufferSize      = 4 << 10
	largeReadBufferSize = 32 << 10

	// growStep is how far ahead of the bytes that have come a message's
	// buffer grows, at least: memory follows what arrives, not what a header
	// announces.
	growStep = 32 << 10
)

var (
	readBuffers      = sync.Pool{New: func() any { return new([readBufferSize]byte) }}
	largeReadBuffers = sync.Pool{New: func() any { return new([largeReadBufferSize]byte) }}
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
	rx        Receiver

	buf   []byte              // pooled; nil while nothing is in it and a socket is waited for
	r, w  int                 // buf[r:w] was read and not yet used
	head  [MaxHeaderSize]byte // what buf held of a header when it was let go
	nhead uint8
	large bool  // the last reads were such that buf should be a large one
	err   error // came with the last bytes of a read
	raw   rawReader

	more      atomic.Bool // a message was given out and buf has more: see outgoing.gathers
	inMessage bool        // a message has begun and was not yet given to the application whole
	streaming bool        // that message was given out as a Reader
	stale     uint64      // counts messages, so that a Reader knows that its own is over
	partial   []byte      // what an interrupted whole-message read had so far
	deadline  moment      // of the message under way, if the stream's is set to it
	paused    moment      // since when nobody has waited for the rest of it
	offset    int64       // of buf[r] in the stream

	frames, messages uint32 // not in the Stats yet: see count
	pings, empties   bucket

	z     *inflater   // nil without permessage-deflate
	trace *frameTrace // nil if nobody listens

	waiting atomic.Uint64 // odd while blocked in the stream's Read; see keepalive
	nothing atomic.Uint64 // how often a Read of the stream ended with a deadline
}

func (in *incoming) init(c *Conn, early []byte) {
	in.c = c
	in.buf, in.w = early, len(early)
	c.stats.bytesIn.Store(uint64(len(early)))
	in.interrupt = interrupter{c: c}
	in.rx = NewReceiver(c.role, c.set.limits)
	in.trace = newFrameTrace(c, false)
}

// A Message is a whole message, as Messages yields it.
type Message struct {
	Opcode Opcode // OpText or OpBinary
	Data   []byte // valid until the next iteration
}

// Read returns the next message, in memory of its own. A text message is
// valid UTF-8.
func (c *Conn) Read(ctx context.Context) (Opcode, []byte, error) {
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
func (c *Conn) ReadAppend(ctx context.Context, dst []byte) (Opcode, []byte, error) {
	in := &c.in
	before := len(dst)
	err := in.begin(ctx)
	if err != nil {
		return 0, dst, readError(err)
	}
	if in.streaming || in.partial != nil {
		dst, err = in.resume(ctx, dst)
	}
	if err == nil && in.atRest() {
		err = in.fill(ctx) // from here, where the stack is not deep
	}
	if err == nil {
		dst, err = in.message(ctx, dst, before)
		if err != nil {
			in.interrupted(dst[before:])
		}
	}
	op := in.rx.Opcode()
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
func (in *incoming) resume(ctx context.Context, dst []byte) ([]byte, error) {
	if err := in.skip(ctx); err != nil {
		return dst, err
	}
	return append(dst, in.partial...), nil
}

// interrupted keeps what was read, for the next read to go on from.
func (in *incoming) interrupted(p []byte) {
	if in.c.Err() == nil {
		in.partial = append(in.partial[:0], p...)
	}
}

// message appends what is left of the current message, or the next one, to
// dst. The message itself begins at dst[begin].
func (in *incoming) message(ctx context.Context, dst []byte, begin int) ([]byte, error) {
	for {
		done, err := in.next(ctx)
		if err != nil {
			return dst, err
		}
		if in.rx.Compressed() {
			return in.inflateMessage(ctx, dst, begin)
		}
		if done {
			return dst, in.delivered(len(dst) == begin)
		}

		// A long payload is read straight into dst.
		n := in.w - in.r
		if n == 0 && in.rx.Remaining() >= readBufferSize {
			dst = slices.Grow(dst, int(min(in.rx.Remaining(), int64(max(growStep, len(dst)-begin)))))
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
		dst = append(dst, in.buf[in.r:in.r+n]...)
		in.used(n)
		if err := in.judge(dst[len(dst)-n:]); err != nil {
			return dst, err
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
func (c *Conn) Reader(ctx context.Context) (Opcode, io.Reader, error) {
	in := &c.in
	if err := in.begin(ctx); err != nil {
		return 0, nil, wrapOp("read", err)
	}
	defer in.lock.release()
	if err := in.skip(ctx); err != nil {
		return 0, nil, wrapOp("read", err)
	}
	for !in.inMessage {
		if _, err := in.next(ctx); err != nil {
			return 0, nil, wrapOp("read", err)
		}
	}
	in.streaming = true
	return in.rx.Opcode(), &messageReader{c: c, ctx: ctx, stale: in.stale, empty: true}, nil
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
		var buf *[]byte // held only while there is something to read
		for {
			if !c.in.more.Load() {
				giveMessageBack(buf)
				buf = nil
				if err := c.in.awaitMessage(ctx); err != nil {
					yield(Message{}, err)
					return
				}
			}
			if buf == nil {
				buf = messageBuffers.Get().(*[]byte)
			}
			op, data, err := c.ReadAppend(ctx, (*buf)[:0])
			if err != nil {
				yield(Message{}, err)
				return
			}
			*buf = data
			if !yield(Message{op, data}, nil) {
				return
			}
		}
	}
}

// messageBuffers hold what Messages yields.
var messageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// keepMessage is the largest buffer that goes back to the pool.
const keepMessage = 2 << 20

func giveMessageBack(buf *[]byte) {
	if buf != nil && cap(*buf) <= keepMessage {
		messageBuffers.Put(buf)
	}
}

// awaitMessage waits until there is something to read.
func (in *incoming) awaitMessage(ctx context.Context) error {
	if err := in.begin(ctx); err != nil {
		return readError(err)
	}
	var err error
	if in.atRest() {
		err = in.fill(ctx)
	}
	in.lock.release()
	if err != nil {
		return readError(err)
	}
	return nil
}

// atRest reports whether nothing was read of the next message.
func (in *incoming) atRest() bool {
	return in.r == in.w && !in.inMessage && in.rx.Remaining() == 0
}

// A messageReader reads one message.
type messageReader struct {
	c     *Conn
	ctx   context.Context
	stale uint64
	empty bool // nothing was read so far
	done  bool // all of it was
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
		m.empty = false
		return n, nil
	}
	n, done, err := in.piece(m.ctx, p)
	if err != nil {
		return 0, wrapOp("read", err)
	}
	if done {
		if err := in.delivered(m.empty); err != nil {
			return 0, wrapOp("read", err)
		}
		m.done = true
		return 0, io.EOF
	}
	m.empty = false
	return n, nil
}

// piece reads the next piece of the current message into p. It returns done,
// with n == 0, at the message's end.
func (in *incoming) piece(ctx context.Context, p []byte) (n int, done bool, err error) {
	if done, err = in.next(ctx); err != nil {
		return 0, false, err
	}
	if in.rx.Compressed() {
		return in.inflate(ctx, p)
	}
	if !done {
		n, err = in.payload(ctx, p)
	}
	return n, done, err
}

// skip reads what is left of a message that was given out as a Reader.
func (in *incoming) skip(ctx context.Context) error {
	if !in.streaming {
		return nil
	}
	in.partial = nil
	scratch := make([]byte, 512)
	for in.inMessage {
		_, done, err := in.piece(ctx, scratch)
		if err == nil && done {
			err = in.delivered(false)
		}
		if err != nil {
			return err
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

// next goes on until payload of a message comes next, or, with done, until
// the message is complete. It deals with the control frames in between.
func (in *incoming) next(ctx context.Context) (done bool, err error) {
	for {
		switch {
		case in.rx.Remaining() > 0 && !in.rx.header.Opcode.IsControl():
			return false, nil
		case in.rx.Remaining() > 0:
			if in.r == in.w {
				if err := in.fill(ctx); err != nil {
					return false, err
				}
			}
			p := in.buf[in.r:in.w]
			if int64(len(p)) > in.rx.Remaining() {
				p = p[:in.rx.Remaining()]
			}
			in.used(len(p))
			if err := in.judge(p); err != nil {
				return false, err
			}
			if in.rx.Remaining() == 0 {
				if err := in.control(ctx); err != nil {
					return false, err
				}
			}
		case in.inMessage && in.rx.State() == StateReady:
			return true, nil
		default:
			if err := in.header(ctx); err != nil {
				return false, err
			}
		}
	}
}

// header reads one frame header.
func (in *incoming) header(ctx context.Context) error {
	for {
		b := in.buf[in.r:in.w]
		before := in.rx.State()
		h, n, err := in.rx.Header(b)
		if n > 0 || err != nil {
			in.trace.begin(before, h, b[:max(n, min(2, len(b)))], in.offset)
		}
		if err != nil {
			return in.violation(err)
		}
		if n == 0 {
			if err := in.fill(ctx); err != nil {
				return err
			}
			continue
		}
		in.used(n)
		in.frames++
		if !h.Opcode.IsControl() {
			in.inMessage = true
		}
		if h.Length == 0 {
			in.trace.end(in.rx.State())
			if h.Opcode.IsControl() {
				return in.control(ctx)
			}
		}
		return nil
	}
}

// payload reads payload of the current frame into p: what is buffered, or
// else straight from the stream. Remaining is not 0.
func (in *incoming) payload(ctx context.Context, p []byte) (n int, err error) {
	if int64(len(p)) > in.rx.Remaining() {
		p = p[:in.rx.Remaining()]
	}
	if in.r == in.w && len(p) < readBufferSize {
		if err := in.fill(ctx); err != nil {
			return 0, err
		}
	}
	if in.r < in.w {
		n = copy(p, in.buf[in.r:in.w])
		in.used(n)
	} else {
		if n, err = in.read(ctx, p); err != nil {
			return 0, err
		}
		in.large = false
		in.offset += int64(n)
	}
	return n, in.judge(p[:n])
}

// judge lets the Receiver see payload.
func (in *incoming) judge(p []byte) error {
	err := in.rx.Payload(p)
	in.trace.payload(p)
	if err != nil {
		return in.violation(err)
	}
	if in.rx.Remaining() == 0 {
		in.trace.end(in.rx.State())
	}
	return nil
}

// violation fails the connection for what the peer did.
func (in *incoming) violation(err error) error {
	pe := err.(*ProtocolError)
	in.trace.violation(pe.Rule)
	return in.c.fail(pe.Code, trimPrefix(pe.Error()), pe)
}

// delivered notes that the application has the message, or its end. It holds
// the rate of messages without content, which cost as much as others but
// count nothing against any limit in bytes.
func (in *incoming) delivered(empty bool) error {
	in.inMessage, in.streaming, in.partial = false, false, nil
	in.unlimit()
	in.stale++
	in.messages++
	if in.r < in.w {
		in.setMore(true)
	} else {
		in.setMore(false)
		in.count()
	}
	if empty && !in.empties.take(in.c.set.emptyRate, 1) {
		return in.violation(violated(RuleEmptyRate, "more empty messages than EmptyRate allows, "+itoa(int64(in.c.set.emptyRate))+" a second"))
	}
	return nil
}

func (in *incoming) used(n int) {
	in.r += n
	in.offset += int64(n)
}

// fill reads more into the buffer.
func (in *incoming) fill(ctx context.Context) error {
	in.keepHead()
	if in.raw.conn == nil {
		return in.fillFromStream(ctx)
	}
	in.beforeReading()
	for range 100 {
		err := in.readRaw()
		if n := in.raw.n; n > 0 {
			in.w += n
			in.filled(n)
			return nil
		}
		if err := in.failed(ctx, 0, err); err != nil {
			if in.nhead > 0 { // a part of a header
				in.hold()
			} else {
				in.let()
			}
			return err
		}
	}
	return in.c.lost(io.ErrNoProgress)
}

func (in *incoming) fillFromStream(ctx context.Context) error {
	in.hold()
	n, err := in.read(ctx, in.buf[in.w:])
	in.w += n
	in.filled(n)
	return err
}

// keepHead keeps what is left in the buffer, which is less than a header, where
// it can stay while a socket has nothing and the buffer is given back.
//
//go:noinline
func (in *incoming) keepHead() {
	in.nhead = uint8(copy(in.head[:], in.buf[in.r:in.w]))
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
	if len(in.buf) != in.size() {
		in.let()
	}
}

func (in *incoming) size() int {
	if in.large {
		return largeReadBufferSize
	}
	return readBufferSize
}

// filled decides about the size of the next buffer after a read of n bytes.
func (in *incoming) filled(n int) {
	in.large = int(in.nhead)+n == in.size() || in.large && n > readBufferSize
}

// hold sees to it that there is a buffer, with what was kept of the last one.
func (in *incoming) hold() {
	switch {
	case in.buf != nil:
		return
	case in.large:
		in.buf = largeReadBuffers.Get().(*[largeReadBufferSize]byte)[:]
	default:
		in.buf = readBuffers.Get().(*[readBufferSize]byte)[:]
	}
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
}

// let gives the buffer back to its pool.
func (in *incoming) let() {
	if in.z != nil && len(in.z.src) == 0 {
		in.z.src = nil // it would hold the buffer
	}
	switch len(in.buf) {
	case readBufferSize:
		readBuffers.Put((*[readBufferSize]byte)(in.buf))
	case largeReadBufferSize:
		largeReadBuffers.Put((*[largeReadBufferSize]byte)(in.buf))
	}
	in.buf, in.r, in.w = nil, 0, 0
}

// read reads from the stream once, into p, and says why if it cannot.
func (in *incoming) read(ctx context.Context, p []byte) (int, error) {
	if in.err != nil {
		return 0, in.c.lost(in.err)
	}
	in.beforeReading()
	for range 100 {
		in.waiting.Add(1)
		n, err := in.c.stream.Read(p)
		in.received(n)
		switch {
		case err == nil && n > 0:
			return n, nil
		case err == nil:
			continue
		}
		if err := in.failed(ctx, n, err); err != nil || n > 0 {
			return n, err
		}
	}
	return 0, in.c.lost(io.ErrNoProgress)
}

// beforeReading does what is due when the reader is about to wait.
//
//go:noinline
func (in *incoming) beforeReading() {
	in.count()
	in.limitMessage()
	in.setMore(false)
	if out := &in.c.out; out.unsent.Load() != sentAll {
		out.sendBeforeWaiting()
	}
}

// count adds to the Stats what was counted: not each frame of a buffer by
// itself, since an atomic addition takes a good part of the time that a short
// message takes.
func (in *incoming) count() {
	if in.frames > 0 {
		in.c.stats.framesIn.Add(uint64(in.frames))
		in.frames = 0
	}
	if in.messages > 0 {
		in.c.stats.messagesIn.Add(uint64(in.messages))
		in.messages = 0
	}
}

// received notes that a read of the stream is over.
func (in *incoming) received(n int) {
	in.waiting.Add(1)
	in.c.stats.bytesIn.Add(uint64(n))
	if in.deadline != 0 {
		in.paused = now()
	}
}

// failed says why nothing was read, or keeps err if something was. It returns
// nil for an interruption that was meant for the operation before.
//
//go:noinline
func (in *incoming) failed(ctx context.Context, n int, err error) error {
	switch {
	case n > 0:
		if !isTimeout(err) {
			in.err = err
		}
		return nil
	case in.c.Err() != nil:
		return in.c.Err()
	case !isTimeout(err):
		return in.c.lost(err)
	}
	in.nothing.Add(1)
	switch {
	case ctx.Err() != nil:
		return in.c.why(ctx)
	case in.deadline != 0 && now() >= in.deadline:
		return in.violation(violated(RuleMessageTime, "message unfinished after "+in.c.set.messageTimeout.String()+", the limit that MessageTimeout sets"))
	}
	return nil
}

// setMore tells writers whether the reader has something left to work on.
func (in *incoming) setMore(more bool) {
	if in.more.Load() != more {
		in.more.Store(more)
	}
}

// limitMessage sets the stream's deadline once somebody must wait for the
// rest of a message or of a frame. A message that comes with one read costs
// nothing here. The time that the application takes between two reads does
// not count; to spare the stream many small moves, only long pauses are
// made up for.
func (in *incoming) limitMessage() {
	if in.inMessage || in.rx.Remaining() > 0 || in.nhead > 0 {
		in.setDeadline()
	}
}

//go:noinline
func (in *incoming) setDeadline() {
	timeout := in.c.set.messageTimeout
	if timeout == 0 {
		return
	}
	now := now()
	if in.deadline == 0 {
		in.deadline = now.add(timeout)
	} else if pause := now.sub(in.paused); pause > timeout/16 {
		in.deadline = in.deadline.add(pause)
	} else {
		return
	}
	in.interrupt.limit(in.deadline)
}

// unlimit takes that deadline away at the end of a message, or of a control
// frame between two.
func (in *incoming) unlimit() {
	if !in.inMessage && in.deadline != 0 {
		in.deadline = 0
		in.interrupt.limit(in.deadline)
	}
}

// free gives the buffers back.
func (in *incoming) free() {
	in.trace.flush()
	in.count()
	in.let()
	in.nhead, in.partial = 0, nil
	if in.z != nil {
		in.z.src, in.z.full = nil, false
		in.z.d.Release()
	}
}

// A bucket holds ten seconds' worth of tokens and takes in rate a second
// (0: it is bottomless). It starts full.
type bucket struct {
	tokens float64
	last   moment // 0 before the first take
}

func (b *bucket) take(rate int, n float64) bool {
	if rate == 0 {
		return true
	}
	now := now()
	full := 10 * float64(rate)
	if b.last == 0 {
		b.tokens = full
	} else {
		b.tokens = min(full, b.tokens+now.sub(b.last).Seconds()*float64(rate))
	}
	b.last = now
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}
