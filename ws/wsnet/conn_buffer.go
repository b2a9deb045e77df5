package wsnet

import (
	"context"
	"io"
	"sync"

	"framewright/ws"
)

const (
	// readBufferSize is what one read asks for between and inside small
	// messages: many at once, or the beginning of a long one. While more comes
	// at a time than that, it is a larger size: see filled.
	readBufferSize = 4 << 10

	// largestRead and largestHeld count as incoming.large does. A socket holds its
	// read buffer only while there is something in it; other streams hold theirs
	// while they wait.
	largestRead, largestHeld = 4, 1

	// growStep is how far ahead of the bytes that have come a message's
	// buffer grows, at least: memory follows what arrives, not what a header
	// announces.
	growStep = 32 << 10

	// aheadOfCome is how much more than what has come a buffer may be that
	// need not be made: see loan.grow.
	aheadOfCome = 8
)

var readBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

// fill reads more into the buffer.
func (in *incoming) fill(ctx context.Context) error {
	in.keepHead()
	if in.c.socket == nil {
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
			if in.nhead > 0 { // a part of a header, for which a small buffer will do
				in.large = 0
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
	if in.lent || len(in.buf) != in.size() {
		in.let()
		return
	}
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
}

// size is that of the next buffer. large counts from 1: class 0 of kept.
func (in *incoming) size() int {
	if in.large == 0 {
		return readBufferSize
	}
	return bufferSize(int(in.large) - 1)
}

// filled decides about the size of the next buffer after a read of n bytes: one
// that was full was too small, and one that could have been the next smaller size
// becomes that after some more such reads.
func (in *incoming) filled(n int) {
	largest := uint8(largestHeld)
	if in.c.socket != nil {
		largest = largestRead
	}
	n += int(in.nhead)
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
	case in.small == 8 || in.c.socket == nil:
		in.large, in.small = in.large-1, 0
	default:
		in.small++
	}
}

// hold sees to it that there is a buffer, with what was kept of the last one.
func (in *incoming) hold() {
	switch {
	case in.buf != nil:
		return
	case in.large > 0:
		in.buf = kept.get(in.size())[:in.size()]
	default:
		in.buf = readBuffers.Get().(*[readBufferSize]byte)[:]
	}
	in.r, in.w = 0, copy(in.buf, in.head[:in.nhead])
}

// let gives the buffer back, unless the application has a message in it: then it
// is the collector's.
func (in *incoming) let() {
	if in.z != nil && len(in.z.src) == 0 {
		in.z.src = nil // it would hold the buffer
	}
	switch {
	case in.lent:
	case len(in.buf) == readBufferSize:
		readBuffers.Put((*[readBufferSize]byte)(in.buf))
	case len(in.buf) > readBufferSize:
		kept.put(in.buf)
	}
	in.buf, in.r, in.w, in.lent = nil, 0, 0, false
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
		return in.violation(ws.RuleMessageTime.Violation("message unfinished after " + in.c.set.messageTimeout.String() + ", the limit that MessageTimeout sets"))
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
