package wsnet

import (
	"context"
	"time"

	"framewright/ws"
)

// What the outbox sends in passing: pongs, what was gathered, the rest of what was
// interrupted.

// tend sends the pong that is due, and the rest of an interrupted frame. If
// somebody else is writing, it is left to them: so at most one pong is
// pending, and the reader does not wait. What a socket does not take at once,
// cannot be done under ctx, or must not be interrupted, is done in the
// background.
func (out *outbox) tend(ctx context.Context) {
	for out.due() && out.frames.try() {
		if out.link.socket != nil {
			out.putPong()
			out.handOver()
			return
		}
		if out.fragile || !out.drainDue(ctx) {
			go func() {
				life := &out.link.life
				again := out.drainDue(life)
				out.frames.release()
				if again {
					out.tend(life)
				}
			}()
			return
		}
		out.frames.release()
	}
}

// due reports whether something waits that does not wait for the reader.
func (out *outbox) due() bool {
	if out.pong.due.Load() {
		return true
	}
	unsent := out.unsent.Load()
	return unsent == interrupted || unsent == gathered && !(out.readerHasMore.Load() && out.link.set.writeDelay > 0)
}

// drainDue sends what is due, waiting for the peer, and reports whether it could.
func (out *outbox) drainDue(ctx context.Context) bool {
	if out.pong.due.Load() {
		return out.sendPong(ctx)
	}
	return out.usable() == nil && out.drain(ctx) == nil
}

// handOver gives pending to the socket as far as that can be done without waiting, lets
// frames go, and leaves the rest to a goroutine.
func (out *outbox) handOver() {
	life := &out.link.life
	if out.link.socket != nil && len(out.pending) > 0 && !out.broken {
		out.push()
	}
	if len(out.pending) == 0 {
		out.unlock(life)
		return
	}
	out.unsent.Store(interrupted)
	go func() {
		out.drainDue(life)
		out.unlock(life)
	}()
}

// beforeReading is called by the reader, who is about to wait and must not wait for a
// peer that does not read. Whoever is writing sends what was gathered when he is done.
func (out *outbox) beforeReading() {
	if out.readerHasMore.Load() {
		out.readerHasMore.Store(false)
	}
	if out.unsent.Load() != sentAll && out.frames.try() {
		out.handOver()
	}
}

// lastPush sends what was gathered if it can be done without waiting: Write has
// said that it was written.
func (out *outbox) lastPush() {
	if out.link.socket != nil && out.unsent.Load() != sentAll && out.frames.try() {
		out.interrupt.watch(&out.link.life) // and not the last writer's, which may have ended
		out.interrupt.limit(0)
		if !out.broken {
			out.push()
		}
		out.frames.release()
	}
}

// drop gives up what is in pending.
func (out *outbox) drop() {
	out.pending = nil
	out.unsent.Store(sentAll)
	out.account()
	if out.late != nil {
		out.late.Stop()
	}
}

// setLate sees to it that what was gathered goes out within twice WriteDelay.
// One timer, which is not stopped, serves any number of messages.
func (out *outbox) setLate() {
	out.lateSet, out.lateFlushes = true, out.flushes
	if delay := out.link.set.writeDelay; out.late == nil {
		out.late = time.AfterFunc(delay, out.itIsLate)
	} else {
		out.late.Reset(delay)
	}
}

func (out *outbox) itIsLate() {
	life := &out.link.life
	if !out.frames.acquireAfter(life.Done()) {
		return
	}
	switch {
	case len(out.pending) == 0:
		out.lateSet = false
	case out.lateFlushes != out.flushes: // what there is has come since
		out.lateFlushes = out.flushes
		out.late.Reset(out.link.set.writeDelay)
	default:
		out.lateSet = false
		out.readerHasMore.Store(false) // the reader is busy elsewhere: no more gathering for now
		out.drainDue(life)
	}
	out.unlock(life)
}

// answer makes a pong due, see tend, that carries "identical application data as found
// in the message body of the Ping frame" (§5.5.3), instead of an older one.
func (out *outbox) answer(ping []byte) {
	s := &out.pong
	s.mu.Lock()
	if s.payload == nil {
		s.payload = new([ws.MaxControlPayload]byte)
	}
	s.length = uint8(copy(s.payload[:], ping))
	s.due.Store(true)
	s.mu.Unlock()
}

// putPong puts the pong that is due, if one is, into pending.
func (out *outbox) putPong() {
	s := &out.pong
	s.mu.Lock()
	defer s.mu.Unlock()
	h := ws.Header{Fin: true, Opcode: ws.OpPong, Length: int64(s.length)}
	if !s.due.Swap(false) || out.begin(&out.link.life, &h) != nil {
		return
	}
	out.put(&h, s.payload[:s.length])
	if out.unsent.Load() == sentAll {
		out.unsent.Store(gathered)
	}
	out.framesDone++
	out.link.stats.pongsOut.Add(1)
}

// sendPong sends the pong that is due, in passing, by an operation that has a
// context of its own: when that ends, the pong, or the rest of it, stays due.
func (out *outbox) sendPong(ctx context.Context) bool {
	s := &out.pong
	s.mu.Lock()
	s.due.Store(false)
	var copied [ws.MaxControlPayload]byte
	payload := copied[:copy(copied[:], s.payload[:s.length])]
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
	out.link.stats.pongsOut.Add(1)
	return true
}
