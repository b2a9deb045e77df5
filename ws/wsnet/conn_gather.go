package wsnet

import (
	"context"
	"sync"
	"time"

	"framewright/ws"
)

// Nearly all that a short message costs is the system call that sends it. A
// peer that sends many messages without waiting for the answers gets the
// answers together: while the reader still has messages in its buffer, what is
// written is gathered, and goes out
//
//   - with the first message that is written when the buffer is empty,
//   - before the reader waits for more,
//   - when gatherSize bytes have come together, or
//   - after Options.WriteDelay, if the application does not come back to read.
//
// A message that comes alone is answered at once, by a write of its own. The
// frames are the same, and in the same order.

// gatherSize is how much goes out together.
const gatherSize = 32 << 10

var gatherBuffers = sync.Pool{New: func() any { return new([gatherSize]byte) }}

// What outgoing.unsent says of pending.
const (
	sentAll     = iota // it is empty
	gathered           // whole frames, which can wait while the reader has more
	interrupted        // the rest of a frame, which cannot
)

// gathers reports whether the reader will soon see to what is written now.
func (out *outgoing) gathers() bool {
	return out.c.in.more.Load() && out.c.set.writeDelay > 0
}

// send sends a frame, whose bytes are wire if they are known already, behind
// what must go out before. With gather, which is for whole messages, it may do
// so later, together with others.
func (out *outgoing) send(ctx context.Context, h *ws.Header, p, wire []byte, gather bool) error {
	out.interrupt.watch(ctx)
	size := h.Size() + len(p)
	if len(out.pending) > 0 && cap(out.pending)-len(out.pending) < size {
		if err := out.sendRest(ctx); err != nil {
			return err
		}
	}
	switch {
	case gather && size <= gatherSize:
		out.gather(h, p)
	case len(out.pending) > 0: // and it fits
		out.append(h, p)
		if err := out.sendRest(ctx); err != nil && out.takeBack(size) {
			return err
		}
	case out.c.socket != nil && !out.keepAll && (wire != nil || size <= gatherSize):
		if wire != nil {
			out.trace.whole(out, h, p)
			out.pending = wire
		} else {
			out.append(h, p)
		}
		if err := out.sendNow(ctx, size); err != nil {
			return err
		}
	default:
		out.sent = 0
		if err := out.frame(ctx, h, p, wire); err != nil {
			return err
		}
	}
	out.done(h)
	return nil
}

// sendNow sends the one frame that is in pending. Nearly always the socket
// takes it at once; then no deadline is needed.
func (out *outgoing) sendNow(ctx context.Context, size int) error {
	n := out.writeRaw()
	out.sent = int64(n)
	out.c.stats.bytesOut.Add(uint64(n))
	out.dropPending(n)
	if n == size {
		return nil
	}
	return out.sendLeft(ctx)
}

// sendLeft sends what is left of the frame in pending, waiting for the socket.
//
//go:noinline
func (out *outgoing) sendLeft(ctx context.Context) error {
	rest, buffer := out.pending, out.buffer
	out.pending, out.buffer = nil, nil
	err := out.write(ctx, rest)
	if buffer != nil {
		gatherBuffers.Put(buffer)
	}
	return err
}

// gather puts a whole frame behind what waits to be sent together.
func (out *outgoing) gather(h *ws.Header, p []byte) {
	out.append(h, p)
	if out.unsent.Load() == sentAll {
		out.unsent.Store(gathered)
	}
}

// append puts a frame behind what waits to be sent.
func (out *outgoing) append(h *ws.Header, p []byte) {
	out.trace.whole(out, h, p)
	if len(out.pending) == 0 {
		out.buffer = gatherBuffers.Get().(*[gatherSize]byte)
		out.pending = out.buffer[:0]
	}
	out.pending = h.Append(out.pending)
	start := len(out.pending)
	out.pending = append(out.pending, p...)
	if h.Masked {
		ws.Mask(out.pending[start:], h.Key, 0)
	}
}

// takeBack takes the last frame, of which nothing was sent, out of pending. If
// some of it was, the rest must follow.
func (out *outgoing) takeBack(size int) bool {
	n := len(out.pending) - size
	if n < 0 {
		return out.c.Err() != nil
	}
	out.pending = out.pending[:n]
	if n == 0 {
		out.unsent.Store(sentAll)
	}
	return true
}

// sendRest sends what is left of a frame that was interrupted before, and the
// frames that were gathered. When ctx ends, what is left stays.
func (out *outgoing) sendRest(ctx context.Context) error {
	if len(out.pending) == 0 {
		return nil
	}
	rest, buffer, keep := out.pending, out.buffer, out.keep
	out.pending, out.buffer, out.keep = nil, nil, true
	out.unsent.Store(sentAll)
	out.sent = 1 // not the first byte of its frame
	err := out.write(ctx, rest)
	out.keep = keep
	out.flushes++
	out.count()
	if buffer != nil {
		gatherBuffers.Put(buffer)
	}
	if err == nil && len(out.pending) > 0 {
		err = out.c.why(ctx)
	}
	return err
}

// sendBeforeWaiting is called by the reader, who must not wait for a peer that
// does not read. Whoever is writing sends what was gathered when he is done.
func (out *outgoing) sendBeforeWaiting() {
	if out.frames.try() {
		out.sendAndUnlock()
	}
}

// sendAndUnlock sends what is pending, as far as it can be done without waiting,
// and leaves the rest to a goroutine.
func (out *outgoing) sendAndUnlock() {
	if out.c.socket != nil && len(out.pending) > 0 && !out.broken {
		n := out.writeRaw()
		out.wrote(n)
		out.dropPending(n)
	}
	if len(out.pending) == 0 {
		out.unlock(out.c.Context())
		return
	}
	out.unsent.Store(interrupted)
	go func() {
		out.sendDue(out.c.Context())
		out.unlock(out.c.Context())
	}()
}

// sendLast sends what was gathered if it can be done without waiting: Write has
// said that it was written.
func (out *outgoing) sendLast() {
	if out.c.socket != nil && out.unsent.Load() != sentAll && out.frames.try() {
		out.interrupt.watch(out.c.Context()) // and not the last writer's, which may have ended
		out.interrupt.limit(0)
		if !out.broken {
			n := out.writeRaw()
			out.wrote(n)
			out.dropPending(n)
		}
		out.frames.release()
	}
}

// dropPending notes that n bytes of pending are out.
func (out *outgoing) dropPending(n int) {
	out.pending = out.pending[n:]
	if len(out.pending) > 0 {
		return
	}
	out.flushes++
	out.count()
	out.pending = nil
	if out.unsent.Load() != sentAll {
		out.unsent.Store(sentAll)
	}
	if out.buffer != nil {
		gatherBuffers.Put(out.buffer)
		out.buffer = nil
	}
}

// setLate sees to it that what was gathered goes out within twice WriteDelay.
// One timer, which is not stopped, serves any number of messages.
func (out *outgoing) setLate() {
	out.lateSet, out.lateFlushes = true, out.flushes
	if delay := out.c.set.writeDelay; out.late == nil {
		out.late = time.AfterFunc(delay, out.sendLate)
	} else {
		out.late.Reset(delay)
	}
}

func (out *outgoing) sendLate() {
	if !out.frames.acquireAfter(out.c.life.Done()) {
		return
	}
	switch {
	case len(out.pending) == 0:
		out.lateSet = false
	case out.lateFlushes != out.flushes: // what there is has come since
		out.lateFlushes = out.flushes
		out.late.Reset(out.c.set.writeDelay)
	default:
		out.lateSet = false
		out.c.in.setMore(false) // the reader is busy elsewhere: no more gathering for now
		out.sendDue(out.c.Context())
	}
	out.unlock(out.c.Context())
}
