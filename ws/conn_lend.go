package ws

import (
	"context"
	"slices"
	"sync"
)

// Messages may yield what is valid until the next iteration only. So a message
// that came whole, in one frame, is not copied out of the read buffer: it is
// unmasked where it lies, and the buffer is lent until the next iteration. Should
// somebody else read on meanwhile, or the connection end, then another buffer is
// used, and the one that is lent is left to the collector: nobody ever finds
// another's bytes in a message that he still has.

// A loan is the memory of what Messages yielded last. It belongs to one iteration.
type loan struct {
	stale uint64 // what incoming.stale was when the read buffer was lent
	own   []byte // memory of its own, for what could not be lent
	op    Opcode // of the message
	data  []byte // its content, in own or in the read buffer
}

// wholeInBuffer reports whether the message that has begun is all in the buffer.
//
//go:noinline
func (in *incoming) wholeInBuffer() bool {
	h, n := &in.rx.header, in.rx.Remaining()
	return n > 0 && n == h.Length && int64(in.w-in.r) >= n &&
		h.Fin && (h.Opcode == OpText || h.Opcode == OpBinary) && !in.rx.Compressed() &&
		in.streaming == asWhole && in.partial == nil
}

// lend gives l the message that has begun, which is whole in the buffer. It
// releases the lock.
func (in *incoming) lend(l *loan) error {
	p := in.buf[in.r : in.r+int(in.rx.Remaining())]
	l.op, l.data = in.rx.Opcode(), p[:len(p):len(p)] // what follows is not the application's
	in.used(len(p))
	err := in.judge(p)
	if err == nil {
		err = in.delivered(false)
	}
	in.lent, l.stale = true, in.stale
	in.lock.release()
	if err != nil {
		return readError(err)
	}
	return nil
}

// takeLoan is takeMessage into memory of l's.
func (in *incoming) takeLoan(ctx context.Context, l *loan) (err error) {
	dst := l.memory()
	if in.streaming != asWhole || in.partial != nil {
		dst, err = in.resume(ctx, dst)
	}
	if err == nil {
		dst, err = in.message(ctx, dst, 0, l)
		if err != nil {
			in.interrupted(dst)
		}
	}
	l.op, l.data = in.rx.Opcode(), dst[:len(dst):len(dst)] // behind it is another's
	in.lock.release()
	if err != nil {
		return readError(err)
	}
	return nil
}

// takeBack ends the loan of the read buffer, and l itself unless there is more to
// read already.
func (in *incoming) takeBack(l **loan) {
	if in.lent && in.stale == (*l).stale {
		in.lent = false
	}
	(*l).data = nil
	if !in.more.Load() {
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

// grow returns dst with more room, for a message that begins at dst[begin] and of
// which at least more bytes are announced. What is there already may be as large as
// the message needs; what has to be made follows the bytes that have come.
func (l *loan) grow(dst []byte, more int64, begin int) []byte {
	step := int(min(more, int64(max(growStep, len(dst)-begin))))
	if l != nil && cap(dst)-len(dst) < step && more <= largestBuffer {
		if b := kept.take(len(dst) + int(more)); b != nil {
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
	return l.move(dst, kept.get(len(dst)+n))
}

// move goes on in b.
func (l *loan) move(dst, b []byte) []byte {
	b = b[:copy(b, dst)]
	l.own = dst
	l.end()
	l.own = b
	return b
}
