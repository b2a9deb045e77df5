package wsnet

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"framewright/ws"
)

// outbox is the writing half of a Conn.
//
// A frame goes out by way of pending, the bytes that go out next. Nearly all that a short
// message costs is the system call that sends it. A peer that sends many messages
// without waiting for the answers gets the answers together: while the reader still has
// messages in its buffer, what is written is gathered in pending, and goes out
//
//   - with the first message that is written when the reader has nothing left,
//   - before the reader waits for more,
//   - when gatherSize bytes have come together, or
//   - after Options.WriteDelay, if the application does not come back to read.
//
// A message that comes alone is sent at once, by a write of its own. The frames are the
// same, and in the same order. The verbs, all but the first and the last two for whoever
// has frames:
//
//	message   sends a whole message; waits for its turn and for the peer
//	send      sends one frame, or gathers it; waits for the peer
//	put       puts a frame into pending; never waits
//	push      gives pending to the socket, as far as it takes some; never waits
//	drain     sends pending, all of it; waits for the peer
//	handOver  pushes, lets frames go, and leaves the rest to a goroutine; never waits
//	unlock    lets frames go, and tends; never waits
//	tend      sends what has become due, if nobody else is about to; never waits
type outbox struct {
	link *link

	// messages is held for a message in fragments, from its first frame to its
	// last; frames for one frame. Control frames need only the latter, so they
	// go between the fragments of a message (RFC 6455 §5.4).
	messages lock
	frames   lock

	// The rest belongs to whoever has frames.
	interrupt interrupter
	deadline  ws.Moment
	sent      int64   // bytes of the current frame
	key       [4]byte // the current frame's, here so that reading it does not allocate
	fragments bool    // a message in fragments is under way
	vectored  bool    // writev works
	fragile   bool    // a write that times out leaves the stream unusable
	broken    bool    // a frame was cut off: nothing can follow it
	keepAll   bool    // keep the rest of an interrupted frame: see NetConn
	keep      bool    // the same for the current frame alone
	lateSet   bool
	trace     *frameTrace
	z         *deflater // nil without permessage-deflate; belongs to whoever has messages

	pending     []byte            // goes out before the next frame
	buffer      *[gatherSize]byte // that pending lies in, if it comes from the pool
	flushes     uint32            // how often pending went out
	lateFlushes uint32            // flushes, when late was set
	late        *time.Timer       // sends pending if the reader does not come back
	raw         rawWriter

	framesDone, messagesDone uint32 // not in the Stats yet: see count

	unsent        atomic.Int32                  // what pending is, see below; may be read without frames
	readerHasMore atomic.Bool                   // a message was given out, and the reader has more in its buffer
	closeSent     atomic.Pointer[ws.CloseError] // our Close frame, if it went out first
	owed          atomic.Pointer[ws.CloseError] // the Close frame of a connection that is over, until it has gone out

	pong pongSlot
}

// A pongSlot holds the one pong that is due: the newest, as §5.5.3 allows.
type pongSlot struct {
	mu      sync.Mutex
	due     atomic.Bool
	length  uint8
	payload *[ws.MaxControlPayload]byte // made with the first
}

// A rawWriter writes to a socket what it takes without waiting.
type rawWriter struct {
	try func(fd uintptr) bool // outbox.writeOnce
	n   int
}

// What outbox.unsent says of pending.
const (
	sentAll     = iota // it is empty
	gathered           // whole frames, which can wait while the reader has more
	interrupted        // the rest of a frame, which cannot
)

// gatherSize is how much goes out together.
const gatherSize = 32 << 10

var gatherBuffers = sync.Pool{New: func() any { return new([gatherSize]byte) }}

func (out *outbox) init(l *link) {
	out.link = l
	out.interrupt.link, out.interrupt.write = l, true
	switch innermost(l.stream).(type) {
	case *net.TCPConn:
		out.vectored = true
	case *net.UnixConn:
		out.vectored = true
	case *tls.Conn, *timedStream:
		out.fragile = true
	}
	out.trace = newFrameTrace(l, true, out.z != nil)
}

// Write sends a message of type op, OpText or OpBinary, as one frame. When it
// returns nil the message has been handed to the operating system, or, while
// the reader has more messages in its buffer than it has given out, has been
// put behind others that go out together: see Options.WriteDelay. Then it is
// handed over when the reader waits for more, or has nothing left and another
// is written, after twice WriteDelay at the most; and at once by Flush, Ping and
// Close. CloseNow hands it over only if that can be done without waiting. Text
// that is not UTF-8 is refused with ErrNotUTF8. p is not kept.
func (c *Conn) Write(ctx context.Context, op ws.Opcode, p []byte) error {
	err := ws.CheckMessage(op, p)
	if err == nil {
		err = c.out.message(ctx, op, p, nil, true)
	}
	if err != nil {
		return wrapOp("write", err)
	}
	return nil
}

// WriteUncompressed is Write for a message that is not to be compressed,
// because it is already (a picture, say), or because it mixes a secret with
// what somebody else can choose, whose length would tell them of the secret.
func (c *Conn) WriteUncompressed(ctx context.Context, op ws.Opcode, p []byte) error {
	err := ws.CheckMessage(op, p)
	if err == nil {
		err = c.out.message(ctx, op, p, nil, false)
	}
	return wrapOp("write", err)
}

// WritePrepared sends p as Write sends its message. A server sends the very
// bytes that were prepared; a client masks a copy of them, with a new key for
// every connection (RFC 6455 §5.3).
//
// What many connections share cannot refer to what one of them has sent
// before: on a connection that keeps its context, a prepared message is
// compressed without it, and the context begins anew behind it.
//
// Several messages, each a frame of its own, go out with as few writes as
// possible. If the error is the context's, a number of them, from the first
// on, may have been written.
func (c *Conn) WritePrepared(ctx context.Context, messages ...*Prepared) error {
	if len(messages) == 1 {
		p := messages[0]
		return wrapOp("write", c.out.message(ctx, p.op, p.data, p, true))
	}
	return wrapOp("write", c.out.batch(ctx, messages))
}

// Flush hands to the operating system what was written before and waits to go
// out with others: see Write. It returns nil if there was nothing. When ctx ends
// first, what is left still goes out later.
func (c *Conn) Flush(ctx context.Context) error {
	out := &c.out
	if err := out.frames.acquire(ctx, &c.link.life); err != nil {
		return wrapOp("flush", err)
	}
	defer out.unlock(ctx)
	err := out.usable()
	if err == nil {
		err = out.drain(ctx)
	}
	return wrapOp("flush", err)
}

// message sends p, or what was prepared of it, compressed if that was agreed
// and compress allows it.
func (out *outbox) message(ctx context.Context, op ws.Opcode, p []byte, prepared *Prepared, compress bool) (err error) {
	both, held := false, out.z == nil && out.frames.CompareAndSwap(unlocked, locked)
	if !held || out.fragments {
		if both, err = out.lockMessage(ctx, held); err != nil {
			return err
		}
	}
	gather := out.readerHasMore.Load() && out.link.set.writeDelay > 0
	if out.z == nil && prepared == nil {
		h := ws.Header{Fin: true, Opcode: op, Length: int64(len(p))}
		if err = out.begin(ctx, &h); err == nil {
			err = out.send(ctx, &h, p, nil, gather)
		}
	} else {
		err = out.encoded(ctx, op, p, prepared, compress, gather)
	}
	out.unlock(ctx)
	if both {
		out.messages.release()
	}
	return err
}

// begin checks that a frame may go out now, and completes its header, a client's with a
// masking key.
func (out *outbox) begin(ctx context.Context, h *ws.Header) error {
	if e := out.link.life.end.Load(); e != nil {
		return e
	}
	if e := out.closeSent.Load(); e != nil {
		return e
	}
	if ctx.Err() != nil {
		return out.link.life.cause(ctx)
	}
	if rule := out.link.ep.Out.Begin(h); rule != "" {
		panic("ws: frame out of order: " + string(rule)) // the locks see to that
	}
	if h.Masked {
		return out.mask(h)
	}
	return nil
}

// send sends a frame, whose bytes are wire if they are known already, behind
// what must go out before. With gather, which is for whole messages, it may do
// so later, together with others.
func (out *outbox) send(ctx context.Context, h *ws.Header, p, wire []byte, gather bool) error {
	size := ws.MaxHeaderSize + len(p)
	if waits := len(out.pending); waits > 0 && cap(out.pending)-waits < size {
		if err := out.drain(ctx); err != nil {
			out.link.ep.Out.Undo()
			return err
		}
	}
	out.framesDone++
	if h.Fin && h.Opcode < ws.OpClose {
		out.messagesDone++
	}
	switch waits := len(out.pending); {
	case gather && size <= gatherSize:
		out.put(h, p)
		if waits == 0 {
			out.unsent.Store(gathered)
		}
	case waits > 0: // and it fits
		out.put(h, p)
		size = len(out.pending) - waits
		if err := out.drain(ctx); err != nil && out.takeBack(size) {
			return out.undo(h, err)
		}
	case out.link.socket != nil && !out.keepAll && (wire != nil || size <= gatherSize):
		if wire != nil {
			if out.trace != nil {
				out.trace.whole(h, p, len(out.pending))
			}
			out.pending = wire
		} else {
			out.put(h, p)
		}
		if out.sent = 0; !out.push() { // nearly always the socket takes it at once, and needs no deadline
			if err := out.finish(ctx); err != nil {
				return out.undo(h, err)
			}
		}
	default:
		out.sent = 0
		if err := out.frame(ctx, h, p, wire); err != nil {
			return out.undo(h, err)
		}
		out.account()
	}
	return nil
}

// put puts a frame into pending, behind what is there.
func (out *outbox) put(h *ws.Header, p []byte) {
	if out.trace != nil {
		out.trace.whole(h, p, len(out.pending))
	}
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

// push gives pending to the socket, and reports whether that took all of it. An error is
// left for the next ordinary write to find.
func (out *outbox) push() bool {
	if out.raw.try == nil {
		out.raw.try = out.writeOnce
	}
	out.raw.n = 0
	out.link.socket.Write(out.raw.try)
	n := out.raw.n
	out.sent += int64(n)
	out.link.stats.bytesOut.Add(uint64(n))
	if out.pending = out.pending[n:]; len(out.pending) > 0 {
		return false
	}
	out.pending = nil
	out.flushes++
	if out.unsent.Load() != sentAll {
		out.unsent.Store(sentAll)
	}
	out.account()
	return true
}

// writeOnce is what RawConn calls.
func (out *outbox) writeOnce(fd uintptr) bool {
	for {
		n, err := writeSocket(fd, out.pending)
		if err == syscall.EINTR {
			continue
		}
		out.raw.n = max(0, n)
		return true
	}
}

// account is due when what was pending has gone out, or never will: its buffer goes back
// to the pool, and the Stats get what was counted: not each message of those that go out
// together by itself, since an atomic addition takes a good part of the time that a
// short message takes.
func (out *outbox) account() {
	if out.buffer != nil {
		gatherBuffers.Put(out.buffer)
		out.buffer = nil
	}
	if out.framesDone > 0 {
		out.link.stats.framesOut.Add(uint64(out.framesDone))
		out.framesDone = 0
	}
	if out.messagesDone > 0 {
		out.link.stats.messagesOut.Add(uint64(out.messagesDone))
		out.messagesDone = 0
	}
}

// unlock lets the next frame go out. What became due meanwhile goes first, if
// nobody else is about to write: then it is theirs to send.
func (out *outbox) unlock(ctx context.Context) {
	if len(out.pending) > 0 && !out.lateSet { // also if it is due: that may change before it is sent
		out.setLate()
	}
	if !out.frames.CompareAndSwap(locked, unlocked) {
		out.frames.callNext()
	}
	if out.pong.due.Load() || out.unsent.Load() != sentAll {
		out.tend(ctx)
	}
}

// mask gives a client's frame its key: "The masking key needs to be unpredictable", and it
// is fresh for every frame (§5.3, §10.3).
func (out *outbox) mask(h *ws.Header) error {
	if _, err := io.ReadFull(out.link.set.rand, out.key[:]); err != nil {
		out.link.ep.Out.Undo()
		return err
	}
	h.Key = out.key
	return nil
}

// usable reports the connection's end, or that we have said goodbye.
func (out *outbox) usable() error {
	if err := out.link.life.err(); err != nil {
		return err
	}
	if e := out.closeSent.Load(); e != nil {
		return e
	}
	return nil
}
