package wsnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"framewright/ws"
)

// frame writes a frame with header h and payload p, whose bytes are wire if
// they are known already.
func (out *outgoing) frame(ctx context.Context, h *ws.Header, p, wire []byte) error {
	out.trace.whole(out, h, p)
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
func (out *outgoing) write(ctx context.Context, b []byte) error {
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

func (out *outgoing) writePiece(ctx context.Context, b []byte) error {
	start := now()
	out.arm(start)
	for {
		n, err := out.c.stream.Write(b)
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
func (out *outgoing) writev(ctx context.Context, a, b []byte) error {
	start := now()
	out.arm(start)
	v := vectors.Get().(*vector)
	v.pieces = [2][]byte{a, b}
	v.left = v.pieces[:]
	defer func() { *v = vector{}; vectors.Put(v) }()
	for {
		n, err := v.left.WriteTo(innermost(out.c.stream))
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

func (out *outgoing) wrote(n int) {
	out.sent += int64(n)
	out.c.stats.bytesOut.Add(uint64(n))
}

// arm sees to it that the stream's write deadline is ahead of now, without
// moving it for every frame, unless missing it is fatal.
func (out *outgoing) arm(now moment) {
	timeout := out.c.set.writeTimeout
	if timeout > 0 && (out.fragile || out.deadline.sub(now) < timeout/2) {
		out.deadline = now.add(timeout)
		out.interrupt.limit(out.deadline)
	}
}

var errKept = errors.New("the rest is kept")

// stalled decides how to go on after a write since start that brought only n
// bytes out and ended with err; rest is what is left of the current piece. It
// returns the start of the next try.
func (out *outgoing) stalled(ctx context.Context, start moment, n int, rest []byte, err error) (moment, error) {
	c, fragile := out.c, out.fragile
	// A stream that has timed out for good, as TLS does, also inside of a
	// type of somebody else's.
	if t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok && !t.Temporary() {
		fragile = true
	}
	switch {
	case c.Err() != nil:
		return start, c.Err()
	case err == nil:
		return start, c.lost(io.ErrShortWrite)
	case !isTimeout(err):
		return start, c.lost(err)
	case ctx.Err() != nil:
		switch {
		case fragile:
			return start, c.cut(context.Cause(ctx), false)
		case out.sent == 0:
			return start, ctx.Err()
		case out.keep || out.keepAll:
			out.pending = append(out.pending, rest...)
			out.unsent.Store(interrupted)
			return start, errKept
		}
		return start, c.cut(context.Cause(ctx), false)
	}
	now, timeout := now(), c.set.writeTimeout
	switch {
	case n > 0 && !fragile: // slow, but moving
		start = now
	case fragile || timeout > 0 && now.sub(start) >= timeout:
		return start, c.cut(ErrWriteTimeout, false)
	}
	out.deadline = start.add(timeout)
	if timeout == 0 {
		out.deadline = 0
	}
	out.interrupt.limit(out.deadline)
	return start, nil
}

// unlock lets the next frame go out. What became due meanwhile goes first, if
// nobody else is about to write: then it is theirs to send.
func (out *outgoing) unlock(ctx context.Context) {
	out.frames.release()
	if out.due() {
		out.flush(ctx)
	}
}

// flush sends the pong that is due, and the rest of an interrupted frame. If
// somebody else is writing, it is left to them: so at most one pong is
// pending, and the reader does not wait. What a socket does not take at once,
// cannot be done under ctx, or must not be interrupted, is done in the
// background.
func (out *outgoing) flush(ctx context.Context) {
	for out.due() && out.frames.try() {
		if out.c.socket != nil {
			out.gatherPong()
			out.sendAndUnlock()
			return
		}
		if out.fragile || !out.sendDue(ctx) {
			go func() {
				again := out.sendDue(out.c.Context())
				out.frames.release()
				if again {
					out.flush(out.c.Context())
				}
			}()
			return
		}
		out.frames.release()
	}
}

// due reports whether something waits that does not wait for the reader.
func (out *outgoing) due() bool {
	if out.pong.due.Load() {
		return true
	}
	unsent := out.unsent.Load()
	return unsent == interrupted || unsent == gathered && !out.gathers()
}

// sendDue has frames. It reports whether it could send what was due.
func (out *outgoing) sendDue(ctx context.Context) bool {
	if out.pong.due.Load() {
		return out.sendPong(ctx)
	}
	if out.usable() != nil {
		return false
	}
	out.interrupt.watch(ctx)
	return out.sendRest(ctx) == nil
}

// gatherPong puts the pong that is due, if one is, behind what waits to be sent.
// It has frames.
func (out *outgoing) gatherPong() {
	s := &out.pong
	s.mu.Lock()
	defer s.mu.Unlock()
	h := ws.Header{Fin: true, Opcode: ws.OpPong, Length: int64(len(s.payload))}
	if !s.due.Swap(false) || out.begin(out.c.Context(), &h) != nil {
		return
	}
	out.gather(&h, s.payload)
	out.done(&h)
	out.c.stats.pongsOut.Add(1)
}

// sendPong has frames. A pong is sent in passing, by an operation that has a
// context of its own: when that ends, the pong, or the rest of it, stays due.
func (out *outgoing) sendPong(ctx context.Context) bool {
	s := &out.pong
	s.mu.Lock()
	s.due.Store(false)
	var copied [ws.MaxControlPayload]byte
	payload := copied[:copy(copied[:], s.payload)]
	s.mu.Unlock()
	h := ws.Header{Fin: true, Opcode: ws.OpPong, Length: int64(len(payload))}
	err := out.begin(ctx, &h)
	if err == nil {
		out.keep = true
		err = out.send(ctx, &h, payload, nil, false)
		out.keep = false
	}
	if err != nil {
		if out.usable() == nil {
			s.due.Store(true) // with this payload, or a newer one
		}
		return false
	}
	out.c.stats.pongsOut.Add(1)
	return true
}

// answer makes a pong due, see flush, that carries "identical application data as found
// in the message body of the Ping frame" (§5.5.3), instead of an older one.
func (out *outgoing) answer(ping []byte) {
	s := &out.pong
	s.mu.Lock()
	s.payload = append(s.payload[:0], ping...)
	s.due.Store(true)
	s.mu.Unlock()
}
