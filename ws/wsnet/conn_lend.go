package wsnet

import (
	"context"
	"slices"
	"sync"

	"framewright/ws"
)

// Messages may yield what is valid until the next iteration only. So a message
// that came whole, in one frame, is not copied out of the read buffer: it is
// unmasked where it lies, and the buffer is lent until the next iteration. Should
// somebody else read on meanwhile, or the connection end, then another buffer is
// used, and the one that is lent is left to the collector: nobody ever finds
// another's bytes in a message that he still has.

// A loan is the memory of what Messages yielded last. It belongs to one iteration.
type loan struct {
	stale uint64    // what incoming.stale was when the read buffer was lent, which can be taken back; else 0
	own   []byte    // memory of its own, for what could not be lent
	op    ws.Opcode // of the message
	data  []byte    // its content, in own or in the read buffer
}

// wholeInBuffer reports whether the message that has begun is all in the buffer.
//
//go:noinline
func (in *incoming) wholeInBuffer() bool {
	h, n := in.rx.Frame(), in.rx.Remaining()
	return n > 0 && n == h.Length && int64(in.w-in.r) >= n &&
		h.Fin && (h.Opcode == ws.OpText || h.Opcode == ws.OpBinary) && !in.rx.Compressed() &&
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
	if !in.lent { // else somebody has an earlier message in it, and may have it for ever
		in.lent, l.stale = true, in.stale
	}
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

// takeBack ends the loan of the read buffer, unless another message was given out
// since, and l itself unless there is more to read already. A large buffer goes back
// in any case: more may be a byte, and the next one an hour away.
func (in *incoming) takeBack(l **loan) {
	if in.lent && in.stale == (*l).stale {
		in.lent = false
	}
	(*l).stale, (*l).data = 0, nil
	if !in.more.Load() || cap((*l).own) > readBufferSize {
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
