package wsnet

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
)

// writeBufferSize holds a frame that goes out with one write; the payload of
// a longer one follows in pieces, or, from a server over TCP, without being
// copied.
const writeBufferSize = 16 << 10

var writeBuffers = sync.Pool{New: func() any { return new([writeBufferSize]byte) }}

// outgoing is the writing half of a Conn.
type outgoing struct {
	c *Conn

	// messages is held for a message in fragments, from its first frame to its
	// last; frames for one frame. Control frames need only the latter, so they
	// go between the fragments of a message (RFC 6455 §5.4).
	messages lock
	frames   lock

	// The rest belongs to whoever has frames.
	interrupt interrupter
	deadline  moment
	sent      int64 // bytes of the current frame
	state     ws.State
	next      ws.State // after the current frame
	key       [4]byte  // the current frame's, here so that reading it does not allocate
	vectored  bool     // writev works
	fragile   bool     // a write that times out leaves the stream unusable
	broken    bool     // a frame was cut off: nothing can follow it
	keepAll   bool     // keep the rest of an interrupted frame: see NetConn
	keep      bool     // the same for the current frame alone
	trace     *frameTrace
	z         *deflater // nil without permessage-deflate; belongs to whoever has messages

	pending     []byte            // goes out before the next frame: see conn_gather.go
	buffer      *[gatherSize]byte // that pending lies in, if it comes from the pool
	unsent      atomic.Int32      // what pending is; may be read without frames
	flushes     uint32            // how often pending went out
	late        *time.Timer       // sends it if the reader does not come back
	lateFlushes uint32            // flushes, when late was set
	lateSet     bool
	raw         rawWriter

	framesDone, messagesDone uint32 // not in the Stats yet: see count

	closeSent atomic.Pointer[ws.CloseError] // our Close frame, if it went out first

	pong pongSlot
}

// A pongSlot holds the one pong that is due: the newest, as §5.5.3 allows.
type pongSlot struct {
	due     atomic.Bool
	mu      sync.Mutex
	payload []byte // up to MaxControlPayload
}

func (out *outgoing) init(c *Conn) {
	out.c = c
	out.interrupt.c, out.interrupt.write = c, true
	switch innermost(c.stream).(type) {
	case *net.TCPConn:
		out.vectored = true
	case *net.UnixConn:
		out.vectored = true
	case *tls.Conn, *timedStream:
		out.fragile = true
	}
	out.trace = newFrameTrace(c, true)
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
	if err := ws.CheckMessage(op, p); err != nil {
		return wrapOp("write", err)
	}
	return wrapOp("write", c.out.message(ctx, op, p, nil, true))
}

// Flush hands to the operating system what was written before and waits to go
// out with others: see Write. It returns nil if there was nothing. When ctx ends
// first, what is left still goes out later.
func (c *Conn) Flush(ctx context.Context) error {
	out := &c.out
	if err := out.frames.acquire(ctx, c); err != nil {
		return wrapOp("flush", err)
	}
	defer out.unlock(ctx)
	if err := out.usable(); err != nil {
		return wrapOp("flush", err)
	}
	out.interrupt.watch(ctx)
	return wrapOp("flush", out.sendRest(ctx))
}

// WriteUncompressed is Write for a message that is not to be compressed,
// because it is already (a picture, say), or because it mixes a secret with
// what somebody else can choose, whose length would tell them of the secret.
func (c *Conn) WriteUncompressed(ctx context.Context, op ws.Opcode, p []byte) error {
	if err := ws.CheckMessage(op, p); err != nil {
		return wrapOp("write", err)
	}
	return wrapOp("write", c.out.message(ctx, op, p, nil, false))
}

// message sends p, or what was prepared of it, compressed if that was agreed
// and compress allows it.
func (out *outgoing) message(ctx context.Context, op ws.Opcode, p []byte, prepared *Prepared, compress bool) error {
	both, err := out.beginMessage(ctx)
	if err != nil {
		return err
	}
	err = out.wholeMessage(ctx, op, p, prepared, compress, out.gathers())
	out.endMessage(ctx, both)
	return err
}

// beginMessage takes the locks for whole messages. That of messages is needed
// only where a Writer may be in the middle of one, and for the compressor.
func (out *outgoing) beginMessage(ctx context.Context) (both bool, err error) {
	if out.z == nil {
		if err := out.frames.acquire(ctx, out.c); err != nil {
			return false, err
		}
		if out.state == ws.StateReady || out.state == ws.StateClosed {
			return false, nil
		}
		out.unlock(ctx)
	}
	if err := out.messages.acquire(ctx, out.c); err != nil {
		return false, err
	}
	if err := out.frames.acquire(ctx, out.c); err != nil {
		out.messages.release()
		return false, err
	}
	return true, nil
}

func (out *outgoing) endMessage(ctx context.Context, both bool) {
	if len(out.pending) > 0 && !out.lateSet { // also if it is due: that may change before it is sent
		out.setLate()
	}
	out.unlock(ctx)
	if both {
		out.messages.release()
	}
}

// wholeMessage has the locks. With gather, the message may go out a little
// later, with others.
func (out *outgoing) wholeMessage(ctx context.Context, op ws.Opcode, p []byte, prepared *Prepared, compress, gather bool) error {
	h := ws.Header{Fin: true, Opcode: op}
	if err := out.begin(ctx, &h); err != nil {
		return err
	}
	compress = compress && out.z != nil && len(p) >= out.c.set.threshold
	switch {
	case prepared != nil:
		return out.preparedMessage(ctx, &h, prepared, compress, gather)
	case compress:
		return out.compressedMessage(ctx, &h, p, gather)
	}
	h.Length = int64(len(p))
	return out.send(ctx, &h, p, nil, gather)
}

func (out *outgoing) preparedMessage(ctx context.Context, h *ws.Header, prepared *Prepared, compress, gather bool) error {
	if compress {
		out.trace.original(prepared.data)
	}
	p, wire := prepared.form(h, out, compress)
	h.Length = int64(len(p))
	err := out.send(ctx, h, p, wire, gather)
	if err != nil && compress {
		out.z.forget()
	}
	return err
}

func (out *outgoing) compressedMessage(ctx context.Context, h *ws.Header, p []byte, gather bool) error {
	out.trace.original(p)
	p, buf := out.z.compress(h, p)
	defer giveBack(buf)
	h.Length = int64(len(p))
	err := out.send(ctx, h, p, nil, gather)
	if err != nil {
		out.z.forget()
	}
	return err
}

// sendFrame sends one frame of a message that its caller holds the lock of.
func (out *outgoing) sendFrame(ctx context.Context, h *ws.Header, p []byte) error {
	if err := out.frames.acquire(ctx, out.c); err != nil {
		return err
	}
	defer out.unlock(ctx)
	h.Length = int64(len(p))
	if err := out.begin(ctx, h); err != nil {
		return err
	}
	return out.send(ctx, h, p, nil, false)
}

// begin checks that a frame may go out now, and completes its header.
func (out *outgoing) begin(ctx context.Context, h *ws.Header) error {
	c := out.c
	if err := c.Err(); err != nil {
		return err
	}
	if e := out.closeSent.Load(); e != nil {
		return e
	}
	if ctx.Err() != nil {
		return c.why(ctx)
	}
	return out.complete(h)
}

// complete notes what the frame changes, and gives a client's its masking key.
func (out *outgoing) complete(h *ws.Header) error {
	var rule ws.RuleID
	if out.next, rule = out.state.After(*h); rule != "" {
		panic("ws: frame out of order: " + string(rule)) // the locks see to that
	}
	if out.c.Role() == ws.RoleClient {
		// "The masking key needs to be unpredictable", and it is fresh for
		// every frame (§5.3, §10.3).
		h.Masked = true
		if _, err := io.ReadFull(out.c.set.rand, out.key[:]); err != nil {
			return err
		}
		h.Key = out.key
	}
	return nil
}

// done notes that the whole frame is out.
func (out *outgoing) done(h *ws.Header) {
	out.state = out.next
	out.framesDone++
	if h.Fin && !h.Opcode.IsControl() {
		out.messagesDone++
	}
	if len(out.pending) == 0 {
		out.count()
	}
}

// count adds to the Stats what was counted: see incoming.count.
func (out *outgoing) count() {
	if out.framesDone > 0 {
		out.c.stats.framesOut.Add(uint64(out.framesDone))
		out.framesDone = 0
	}
	if out.messagesDone > 0 {
		out.c.stats.messagesOut.Add(uint64(out.messagesDone))
		out.messagesDone = 0
	}
}

// usable reports the connection's end, or that we have said goodbye.
func (out *outgoing) usable() error {
	if err := out.c.Err(); err != nil {
		return err
	}
	if e := out.closeSent.Load(); e != nil {
		return e
	}
	return nil
}
