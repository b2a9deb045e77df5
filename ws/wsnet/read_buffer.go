package wsnet

import (
	"context"
	"io"
	"net"
	"os"
	"slices"
	"sync"

	"framewright/ws"
)

const (
	// readBufferSize is what one read asks for between and inside small
	// messages: many at once, or the beginning of a long one. While more comes
	// at a time than that, it is a larger size: see resize.
	readBufferSize = 4 << 10

	// largestRead and largestHeld count as inbox.large does. A socket holds its
	// read buffer only while there is something in it; other streams hold theirs
	// while they wait.
	largestRead, largestHeld = 4, 1
)

var readBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

func (in *inbox) fillFromStream(ctx context.Context) error {
	if in.buf == nil {
		in.takeBuffer()
	}
	n, err := in.readStream(ctx, in.buf[in.w:])
	in.w += n
	in.resize(in.w)
	return err
}

// keepHead keeps what is left in the buffer, which is less than a header, where
// it can stay while a socket has nothing and the buffer is given back.
//
//go:noinline
func (in *inbox) keepHead() {
	in.nhead = uint8(copy(in.head[:], in.buf[in.r:in.w]))
	if in.lent || len(in.buf) != in.size() {
		in.giveBuffer()
		return
	}
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
}

// size is that of the next buffer. large counts from 1: class 0 of kept.
func (in *inbox) size() int {
	if in.large == 0 {
		return readBufferSize
	}
	return bufferSize(int(in.large) - 1)
}

// resize decides about the size of the next buffer after a read that has brought it to
// n bytes: one that was full was too small, and one that could have been the next
// smaller size becomes that after some more such reads.
func (in *inbox) resize(n int) {
	largest := uint8(largestHeld)
	if in.link.socket != nil {
		largest = largestRead
	}
	smaller := readBufferSize
	if in.large > 1 {
		smaller = bufferSize(int(in.large) - 2)
	}
	switch {
	case n >= in.size():
		in.large, in.small = min(in.large+1, largest), 0
	case in.large == 0:
	case n > smaller:
		in.small = 0
	case in.small == 8 || in.link.socket == nil:
		in.large, in.small = in.large-1, 0
	default:
		in.small++
	}
}

// giveBuffer gives the buffer back, unless the application has a message in it: then it
// is the collector's.
func (in *inbox) giveBuffer() {
	if in.z != nil && len(in.z.src) == 0 {
		in.z.src = nil // it would hold the buffer
	}
	in.piece = nil // and so would this
	switch {
	case in.lent:
	case len(in.buf) == readBufferSize:
		readBuffers.Put((*[readBufferSize]byte)(in.buf))
	case len(in.buf) > readBufferSize:
		kept.put(in.buf)
	}
	in.buf, in.r, in.w, in.lent = nil, 0, 0, false
}

// readStream reads from the stream once, into p, and says why if it cannot.
func (in *inbox) readStream(ctx context.Context, p []byte) (int, error) {
	if in.err != nil {
		return 0, in.link.lost(in.err)
	}
	for range 100 {
		in.waits.Add(1)
		n, err := in.link.stream.Read(p)
		in.waits.Add(1)
		in.link.stats.bytesIn.Add(uint64(n))
		if in.timed {
			in.link.ep.In.Paused(now())
		}
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
	return 0, in.link.lost(io.ErrNoProgress)
}

// failure says why a raw read has brought nothing.
//
//go:noinline
func (r *rawReader) failure() error {
	if r.err == 0 {
		return io.EOF
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", r.err)}
}

// beforeReading does what is due when the reader is about to wait.
//
//go:noinline
func (in *inbox) beforeReading() {
	in.count()
	if l := in.limits.Load(); l != nil {
		in.link.ep.In.ShareLimits(l)
		in.limits.CompareAndSwap(l, nil)
	}
	in.limitMessage()
	in.out.beforeReading()
}

// count adds to the Stats what was counted: not each message of a buffer by itself,
// since an atomic addition takes a good part of the time that a short message takes.
func (in *inbox) count() {
	if in.messages > 0 {
		in.link.stats.messagesIn.Add(uint64(in.messages))
		in.messages = 0
	}
	in.link.stats.framesIn.Store(in.link.ep.In.Frames())
}

// failed says why nothing was read, or keeps err if something was. It returns
// nil for an interruption that was meant for the operation before.
//
//go:noinline
func (in *inbox) failed(ctx context.Context, n int, err error) error {
	life := &in.link.life
	switch {
	case n > 0:
		if !isTimeout(err) {
			in.err = err
		}
		return nil
	case life.err() != nil:
		return life.err()
	case !isTimeout(err):
		return in.link.lost(err)
	}
	in.idle.Add(1)
	if ctx.Err() != nil {
		return life.cause(ctx)
	}
	if err := in.link.ep.In.Late(now()); err != nil {
		return in.violation(err)
	}
	return nil
}

// limitMessage sets the stream's deadline once somebody must wait for the rest of a
// message or of a frame. A message that comes with one read costs nothing here.
func (in *inbox) limitMessage() {
	if in.inMessage || in.link.ep.In.Remaining() > 0 || in.nhead > 0 {
		in.time()
	}
}

//go:noinline
func (in *inbox) time() {
	if until, moved := in.link.ep.In.Awaited(now()); moved {
		in.timed = true
		in.interrupt.limit(until)
	}
}

// untime takes that deadline away at the end of a message, or of a control frame
// between two.
func (in *inbox) untime() {
	in.timed = false
	in.link.ep.In.Complete()
	in.interrupt.limit(0)
}

// free gives the buffers back.
func (in *inbox) free() {
	in.trace.flush()
	in.count()
	in.giveBuffer()
	in.nhead, in.partial, in.piece = 0, nil, nil
	if in.z != nil {
		in.z.src, in.z.full = nil, false
		in.link.ep.In.Release()
	}
}

// Messages may yield what is valid until the next iteration only. So a message
// that came whole, in one frame, is not copied out of the read buffer: it is
// unmasked where it lies, and the buffer is lent until the next iteration. Should
// somebody else read on meanwhile, or the connection end, then another buffer is
// used, and the one that is lent is left to the collector: nobody ever finds
// another's bytes in a message that he still has.

// A loan is the memory of what Messages yielded last. It belongs to one iteration.
type loan struct {
	given uint64    // what inbox.given was when the read buffer was lent, which can be taken back; else 0
	own   []byte    // memory of its own, for what could not be lent
	op    ws.Opcode // of the message
	data  []byte    // its content, in own or in the read buffer
}

// lend gives l the message that has begun, which is whole in the buffer. It
// releases the lock.
func (in *inbox) lend(l *loan) error {
	l.op, l.data = in.op, in.piece // behind which nothing is the application's
	err := in.delivered(false)
	if !in.lent { // else somebody has an earlier message in it, and may have it for ever
		in.lent, l.given = true, in.given
	}
	in.lock.release()
	if err != nil {
		return readError(err)
	}
	return nil
}

// takeLoan is take into memory of l's.
func (in *inbox) takeLoan(ctx context.Context, l *loan) error {
	dst, err := in.collect(ctx, l.memory(), l)
	l.op, l.data = in.op, dst[:len(dst):len(dst)] // behind it is another's
	in.lock.release()
	if err != nil {
		return readError(err)
	}
	return nil
}

// takeBack ends the loan of the read buffer, unless another message was given out
// since, and l itself unless there is more to read already. A large buffer goes back
// in any case: more may be a byte, and the next one an hour away.
func (in *inbox) takeBack(l **loan) {
	if in.lent && in.given == (*l).given {
		in.lent = false
	}
	(*l).given, (*l).data = 0, nil
	if !in.out.readerHasMore.Load() || cap((*l).own) > readBufferSize {
		(*l).end()
		loans.Put(*l)
		*l = nil
	}
}

// take returns l, or one that nobody has.
//
//go:noinline
func (l *loan) take() *loan {
	if l == nil {
		l = loans.Get().(*loan)
	}
	return l
}

var loans = sync.Pool{New: func() any { return new(loan) }}

// messageBuffers are small ones; see also kept.
var messageBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

// memory returns memory of l's own, with nothing in it.
//
//go:noinline
func (l *loan) memory() []byte {
	if l.own == nil {
		l.own = messageBuffers.Get().(*[readBufferSize]byte)[:0]
	}
	return l.own[:0]
}

// end gives that memory back.
func (l *loan) end() {
	switch {
	case l.own == nil:
		return
	case cap(l.own) == readBufferSize:
		messageBuffers.Put((*[readBufferSize]byte)(l.own[:readBufferSize]))
	default:
		kept.put(l.own)
	}
	l.own = nil
}

// grow returns dst with room for the n bytes that have come, of a message that
// begins at dst[begin] and of which left bytes are announced, n among them, and for
// some that have not. Memory that has to be made is twice what has come; a buffer
// that nobody has may be aheadOfCome times that, and not more, or a peer could have
// all of them for some headers.
func (l *loan) grow(dst []byte, n int, left int64, begin int) []byte {
	come := len(dst) - begin + n
	step := int(min(left, int64(max(growStep, come))))
	if l != nil && cap(dst)-len(dst) < step {
		most := min(left, int64(max(growStep, aheadOfCome*come)))
		if b := kept.take(len(dst) + int(most)); b != nil {
			return l.move(dst, b)
		}
	}
	return l.room(dst, step)
}

// room returns dst with room for n more bytes. Without a loan it is the caller's.
func (l *loan) room(dst []byte, n int) []byte {
	switch {
	case l == nil:
		return slices.Grow(dst, n)
	case cap(dst)-len(dst) >= n:
		return dst
	}
	need := len(dst) + n
	if need > largestBuffer { // no size is the next one, and small fragments must not copy all of it each time
		need = max(need, len(dst)+len(dst)/2)
	}
	return l.move(dst, kept.get(need))
}

// move goes on in b.
func (l *loan) move(dst, b []byte) []byte {
	b = b[:copy(b, dst)]
	l.own = dst
	l.end()
	l.own = b
	return b
}
