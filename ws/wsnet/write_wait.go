package wsnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"framewright/ws"
)

// What the outbox does when a frame is not on its way by one call: longer frames, waiting
// for the peer, interruptions, and what goes out between the messages.

// writeBufferSize holds a frame that goes out with one write; the payload of
// a longer one follows in pieces, or, from a server over TCP, without being
// copied.
const writeBufferSize = 16 << 10

var writeBuffers = sync.Pool{New: func() any { return new([writeBufferSize]byte) }}

// lockMessage takes the locks for whole messages; frames may be held already. That of
// messages is needed only where a Writer may be in the middle of one, and for the
// compressor.
func (out *outbox) lockMessage(ctx context.Context, held bool) (both bool, err error) {
	life := &out.link.life
	if out.z == nil {
		if !held {
			if err := out.frames.acquire(ctx, life); err != nil {
				return false, err
			}
		}
		if !out.fragments {
			return false, nil
		}
		out.unlock(ctx)
	}
	if err := out.messages.acquire(ctx, life); err != nil {
		return false, err
	}
	if err := out.frames.acquire(ctx, life); err != nil {
		out.messages.release()
		return false, err
	}
	return true, nil
}

// batch sends the messages as message does with one.
func (out *outbox) batch(ctx context.Context, messages []*Prepared) error {
	both, err := out.lockMessage(ctx, false)
	if err != nil {
		return err
	}
	for i, p := range messages {
		if err = out.encoded(ctx, p.op, p.data, p, true, i < len(messages)-1); err != nil {
			break
		}
	}
	out.unlock(ctx)
	if both {
		out.messages.release()
	}
	return err
}

// encoded sends a message that is or may be compressed, or was prepared.
func (out *outbox) encoded(ctx context.Context, op ws.Opcode, p []byte, prepared *Prepared, compress, gather bool) error {
	h := ws.Header{Fin: true, Opcode: op}
	if err := out.begin(ctx, &h); err != nil {
		return err
	}
	compress = compress && out.z != nil && len(p) >= out.link.set.threshold
	if compress && out.trace != nil {
		out.trace.original(p)
	}
	var wire []byte
	switch {
	case prepared != nil:
		p, wire = prepared.form(&h, out.z, compress)
	case compress:
		var buf *[]byte
		p, buf = out.z.compress(&h, p)
		defer giveBack(buf)
	}
	h.Length = int64(len(p))
	err := out.send(ctx, &h, p, wire, gather)
	if err != nil && compress {
		out.z.forget()
	}
	return err
}

// fragment sends one frame of a message that its caller holds messages for.
func (out *outbox) fragment(ctx context.Context, h *ws.Header, p []byte) error {
	if err := out.frames.acquire(ctx, &out.link.life); err != nil {
		return err
	}
	defer out.unlock(ctx)
	h.Length = int64(len(p))
	err := out.begin(ctx, h)
	if err == nil {
		err = out.send(ctx, h, p, nil, false)
	}
	if err == nil {
		out.fragments = !h.Fin
	}
	return err
}

// undo says that the frame with header h did not go out after all, for the reason err.
func (out *outbox) undo(h *ws.Header, err error) error {
	out.account()
	out.link.stats.framesOut.Add(^uint64(0))
	if h.Fin && h.Opcode < ws.OpClose {
		out.link.stats.messagesOut.Add(^uint64(0))
	}
	out.link.ep.Out.Undo()
	return err
}

// takeBack takes the last frame, of which nothing was sent, out of pending. If
// some of it was, the rest must follow.
func (out *outbox) takeBack(size int) bool {
	n := len(out.pending) - size
	if n < 0 {
		return out.link.life.err() != nil
	}
	out.pending = out.pending[:n]
	if n == 0 {
		out.unsent.Store(sentAll)
	}
	return true
}

// finish sends what push has left of the frame in pending, waiting for the socket.
//
//go:noinline
func (out *outbox) finish(ctx context.Context) error {
	rest := out.pending
	out.pending = nil
	out.interrupt.watch(ctx)
	err := out.write(ctx, rest)
	out.account()
	return err
}

// drain sends what is left of a frame that was interrupted before, and the
// frames that were gathered. When ctx ends, what is left stays.
func (out *outbox) drain(ctx context.Context) error {
	if len(out.pending) == 0 {
		return nil
	}
	out.interrupt.watch(ctx)
	rest, keep := out.pending, out.keep
	out.pending, out.keep = nil, true
	out.unsent.Store(sentAll)
	out.sent = 1 // not the first byte of its frame
	err := out.write(ctx, rest)
	out.keep = keep
	out.flushes++
	out.account()
	if err == nil && len(out.pending) > 0 {
		err = out.link.life.cause(ctx)
	}
	return err
}

// frame writes a frame with header h and payload p, whose bytes are wire if
// they are known already.
func (out *outbox) frame(ctx context.Context, h *ws.Header, p, wire []byte) error {
	out.interrupt.watch(ctx)
	if out.trace != nil {
		out.trace.whole(h, p, len(out.pending))
	}
	if wire != nil {
		return out.write(ctx, wire)
	}
	buf := writeBuffers.Get().(*[writeBufferSize]byte)
	defer writeBuffers.Put(buf)
	b := h.Append(buf[:0])
	if out.vectored && !h.Masked && !out.keepAll && len(p) > writeBufferSize/2 {
		return out.writev(ctx, b, p)
	}
	maskAt := 0
	for {
		n := min(len(p), cap(b)-len(b))
		start := len(b)
		b = append(b, p[:n]...)
		if h.Masked {
			maskAt = ws.Mask(b[start:], h.Key, maskAt)
		}
		p = p[n:]
		if err := out.write(ctx, b); err != nil {
			return err
		}
		if len(p) == 0 {
			return nil
		}
		b = buf[:0]
		if !h.Masked { // the rest needs no copy
			return out.write(ctx, p)
		}
	}
}

// write writes b, which is the next part of the current frame.
func (out *outbox) write(ctx context.Context, b []byte) error {
	for out.fragile && len(b) > fragilePiece {
		if err := out.writePiece(ctx, b[:fragilePiece]); err != nil {
			return err
		}
		b = b[fragilePiece:]
	}
	return out.writePiece(ctx, b)
}

// fragilePiece is how much a fragile stream gets at a time: its deadline is
// fatal and there is no telling whether it moves, so each piece has its own.
// It is one TLS record.
const fragilePiece = 16 << 10

func (out *outbox) writePiece(ctx context.Context, b []byte) error {
	start := now()
	out.arm(start)
	for {
		n, err := out.link.stream.Write(b)
		out.wrote(n)
		b = b[n:]
		if err == nil && len(b) == 0 {
			return nil
		}
		if start, err = out.stalled(ctx, start, n, b, err); err == errKept {
			return nil
		} else if err != nil {
			out.broken = out.sent > 0
			return err
		}
	}
}

// A vector is what writev writes. WriteTo makes it escape, so it is pooled.
type vector struct {
	pieces [2][]byte
	left   net.Buffers
}

var vectors = sync.Pool{New: func() any { return new(vector) }}

// writev is write for two pieces at once.
func (out *outbox) writev(ctx context.Context, a, b []byte) error {
	start := now()
	out.arm(start)
	v := vectors.Get().(*vector)
	v.pieces = [2][]byte{a, b}
	v.left = v.pieces[:]
	defer func() { *v = vector{}; vectors.Put(v) }()
	for {
		n, err := v.left.WriteTo(innermost(out.link.stream))
		out.wrote(int(n))
		if err == nil && len(v.left) == 0 {
			return nil
		}
		if start, err = out.stalled(ctx, start, int(n), nil, err); err != nil {
			out.broken = out.sent > 0
			return err
		}
	}
}

func (out *outbox) wrote(n int) {
	out.sent += int64(n)
	out.link.stats.bytesOut.Add(uint64(n))
}

// arm sees to it that the stream's write deadline is ahead of now, without
// moving it for every frame, unless missing it is fatal.
func (out *outbox) arm(now ws.Moment) {
	timeout := int64(out.link.set.writeTimeout)
	if timeout > 0 && (out.fragile || int64(out.deadline-now) < timeout/2) {
		out.deadline = now.Add(timeout)
		out.interrupt.limit(out.deadline)
	}
}

var errKept = errors.New("the rest is kept")

// stalled decides how to go on after a write since start that brought only n
// bytes out and ended with err; rest is what is left of the current piece. It
// returns the start of the next try.
func (out *outbox) stalled(ctx context.Context, start ws.Moment, n int, rest []byte, err error) (ws.Moment, error) {
	l, fragile := out.link, out.fragile
	// A stream that has timed out for good, as TLS does, also inside of a
	// type of somebody else's.
	if t, ok := errors.AsType[temporary](err); ok && !t.Temporary() {
		fragile = true
	}
	cut := func(err error) (ws.Moment, error) { return start, l.cut(ws.EndByLoss(err, false, nil)) }
	switch {
	case l.life.err() != nil:
		return start, l.life.err()
	case err == nil:
		return start, l.lost(io.ErrShortWrite)
	case !isTimeout(err):
		return start, l.lost(err)
	case ctx.Err() != nil:
		switch {
		case fragile:
			return cut(context.Cause(ctx))
		case out.sent == 0:
			return start, ctx.Err()
		case out.keep || out.keepAll:
			out.pending = append(out.pending, rest...)
			out.unsent.Store(interrupted)
			return start, errKept
		}
		return cut(context.Cause(ctx))
	}
	now, timeout := now(), int64(l.set.writeTimeout)
	switch {
	case n > 0 && !fragile: // slow, but moving
		start = now
	case fragile || timeout > 0 && int64(now-start) >= timeout:
		return cut(ErrWriteTimeout)
	}
	if timeout > 0 { // else there is no deadline
		out.deadline = start.Add(timeout)
	}
	out.interrupt.limit(out.deadline)
	return start, nil
}
