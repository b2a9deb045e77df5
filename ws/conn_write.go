package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
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
	state     State
	key       [4]byte // the current frame's, here so that reading it does not allocate
	deadline  moment
	sent      int64 // bytes of the current frame
	offset    int64 // of the next byte in the stream
	vectored  bool  // writev works
	fragile   bool  // a write that times out leaves the stream unusable
	broken    bool  // a frame was cut off: nothing can follow it
	keepAll   bool  // keep the rest of an interrupted frame: see NetConn
	keep      bool  // the same for the current frame alone
	trace     *frameTrace
	z         *deflater // nil without permessage-deflate; belongs to whoever has messages

	pending     []byte            // goes out before the next frame: see conn_gather.go
	unsent      atomic.Int32      // what pending is; may be read without frames
	buffer      *[gatherSize]byte // that pending lies in, if it comes from the pool
	flushes     uint32            // how often pending went out
	late        *time.Timer       // sends it if the reader does not come back
	lateSet     bool
	lateFlushes uint32 // flushes, when late was set
	raw         rawWriter

	framesDone, messagesDone uint32 // not in the Stats yet: see count

	closeSent atomic.Pointer[CloseError] // our Close frame, if it went out first

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
	out.interrupt = interrupter{c: c, write: true}
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
// returns nil the message has been handed to the operating system. Text that
// is not UTF-8 is refused with ErrNotUTF8. p is not kept.
func (c *Conn) Write(ctx context.Context, op Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return wrapOp("write", err)
	}
	return wrapOp("write", c.out.message(ctx, op, p, nil, true))
}

// WriteUncompressed is Write for a message that is not to be compressed,
// because it is already (a picture, say), or because it mixes a secret with
// what somebody else can choose, whose length would tell them of the secret.
func (c *Conn) WriteUncompressed(ctx context.Context, op Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return wrapOp("write", err)
	}
	return wrapOp("write", c.out.message(ctx, op, p, nil, false))
}

func checkMessage(op Opcode, p []byte) error {
	switch {
	case op != OpText && op != OpBinary:
		return ErrOpcode
	case op == OpText && !utf8.Valid(p[asciiPrefix(p):]):
		return ErrNotUTF8
	}
	return nil
}

// message sends p, or what was prepared of it, compressed if that was agreed
// and compress allows it.
func (out *outgoing) message(ctx context.Context, op Opcode, p []byte, prepared *Prepared, compress bool) error {
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
		if out.state == StateReady || out.state == StateClosed {
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
	if len(out.pending) > 0 && !out.due() {
		out.setLate()
	}
	out.unlock(ctx)
	if both {
		out.messages.release()
	}
}

// wholeMessage has the locks. With gather, the message may go out a little
// later, with others.
func (out *outgoing) wholeMessage(ctx context.Context, op Opcode, p []byte, prepared *Prepared, compress, gather bool) error {
	h := Header{Fin: true, Opcode: op}
	if err := out.begin(ctx, &h); err != nil {
		return err
	}
	compress = compress && out.z != nil && len(p) >= out.c.set.threshold
	switch {
	case prepared != nil:
		return out.preparedMessage(ctx, h, prepared, compress, gather)
	case compress:
		return out.compressedMessage(ctx, h, p, gather)
	}
	h.Length = int64(len(p))
	return out.send(ctx, h, p, nil, gather)
}

func (out *outgoing) preparedMessage(ctx context.Context, h Header, prepared *Prepared, compress, gather bool) error {
	if compress {
		out.trace.original(prepared.data)
	}
	h, p, wire := prepared.form(h, out, compress)
	h.Length = int64(len(p))
	err := out.send(ctx, h, p, wire, gather)
	if err != nil && compress {
		out.z.forget()
	}
	return err
}

func (out *outgoing) compressedMessage(ctx context.Context, h Header, p []byte, gather bool) error {
	out.trace.original(p)
	h, p, buf := out.z.compress(h, p)
	defer giveBack(buf)
	h.Length = int64(len(p))
	err := out.send(ctx, h, p, nil, gather)
	if err != nil {
		out.z.forget()
	}
	return err
}

// sendFrame sends one frame of a message that its caller holds the lock of.
func (out *outgoing) sendFrame(ctx context.Context, h Header, p []byte) error {
	if err := out.frames.acquire(ctx, out.c); err != nil {
		return err
	}
	defer out.unlock(ctx)
	h.Length = int64(len(p))
	if err := out.begin(ctx, &h); err != nil {
		return err
	}
	if err := out.makeWay(ctx); err != nil {
		return err
	}
	if err := out.frame(ctx, h, p); err != nil {
		return err
	}
	out.done(h)
	return nil
}

// begin checks that a frame may go out now, and gives a client's its masking
// key.
func (out *outgoing) begin(ctx context.Context, h *Header) error {
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
	if _, rule := out.state.After(*h); rule != "" {
		panic("ws: frame out of order: " + string(rule)) // the locks see to that
	}
	return out.mask(h)
}

// mask gives a client's frame its masking key.
func (out *outgoing) mask(h *Header) error {
	if out.c.role == RoleClient {
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

// makeWay sends what must go out before a frame.
func (out *outgoing) makeWay(ctx context.Context) error {
	out.interrupt.watch(ctx)
	if err := out.sendRest(ctx); err != nil {
		return err
	}
	out.sent = 0
	return nil
}

// done notes that the whole frame is out.
func (out *outgoing) done(h Header) {
	out.state, _ = out.state.After(h)
	out.framesDone++
	if h.Fin && !h.Opcode.IsControl() {
		out.messagesDone++
	}
	out.offset += int64(headerSize(h.Length, h.Masked)) + h.Length
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

// frame writes a frame with header h and payload p.
func (out *outgoing) frame(ctx context.Context, h Header, p []byte) error {
	out.trace.whole(out, h, p)
	buf := writeBuffers.Get().(*[writeBufferSize]byte)
	defer writeBuffers.Put(buf)
	b := AppendHeader(buf[:0], h)
	if out.vectored && !h.Masked && !out.keepAll && len(p) > writeBufferSize/2 {
		return out.writev(ctx, b, p)
	}
	maskAt := 0
	for {
		n := min(len(p), cap(b)-len(b))
		start := len(b)
		b = append(b, p[:n]...)
		if h.Masked {
			maskAt = Mask(b[start:], h.Key, maskAt)
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
	c := out.c
	// A stream that has timed out for good, as TLS does, also inside of a
	// type of somebody else's.
	if t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err); ok && !t.Temporary() {
		out.fragile = true
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
		case out.fragile:
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
	case n > 0 && !out.fragile: // slow, but moving
		start = now
	case out.fragile || timeout > 0 && now.sub(start) >= timeout:
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
	out.flush(ctx)
}

// flush sends the pong that is due, and the rest of an interrupted frame. If
// somebody else is writing, it is left to them: so at most one pong is
// pending, and the reader does not wait. What cannot be done under ctx, or
// must not be interrupted, is done in the background.
func (out *outgoing) flush(ctx context.Context) {
	for out.due() && out.frames.try() {
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

// sendPong has frames. A pong is sent in passing, by an operation that has a
// context of its own: when that ends, the pong, or the rest of it, stays due.
func (out *outgoing) sendPong(ctx context.Context) bool {
	s := &out.pong
	s.mu.Lock()
	s.due.Store(false)
	var copied [MaxControlPayload]byte
	payload := copied[:copy(copied[:], s.payload)]
	s.mu.Unlock()
	h := Header{Fin: true, Opcode: OpPong, Length: int64(len(payload))}
	err := out.begin(ctx, &h)
	if err == nil {
		err = out.makeWay(ctx)
	}
	if err == nil {
		out.keep = true
		err = out.frame(ctx, h, payload)
		out.keep = false
	}
	if err != nil {
		if out.usable() == nil {
			s.due.Store(true) // with this payload, or a newer one
		}
		return false
	}
	out.done(h)
	out.c.stats.pongsOut.Add(1)
	return true
}

// answer makes a pong due that carries "identical application data as found
// in the message body of the Ping frame" (§5.5.3), instead of an older one.
func (out *outgoing) answer(ctx context.Context, ping []byte) {
	s := &out.pong
	s.mu.Lock()
	s.payload = append(s.payload[:0], ping...)
	s.due.Store(true)
	s.mu.Unlock()
	out.flush(ctx)
}

// Writer returns a writer for one message of type op that is sent in
// fragments of 4 KiB or more as it grows (§5.4); Close sends the last one.
// Other messages wait until then, so Close must be called. Text must be UTF-8
// in sum; a Write may cut a code point.
//
// ctx bounds the whole message. If it ends after a fragment was sent, the
// connection fails with 1011: a message that was begun cannot be taken back.
func (c *Conn) Writer(ctx context.Context, op Opcode) (*MessageWriter, error) {
	if op != OpText && op != OpBinary {
		return nil, wrapOp("write", ErrOpcode)
	}
	if ctx.Err() != nil {
		return nil, wrapOp("write", c.why(ctx))
	}
	if err := c.out.messages.acquire(ctx, c); err != nil {
		return nil, wrapOp("write", err)
	}
	if err := c.out.usable(); err != nil {
		c.out.messages.release()
		return nil, wrapOp("write", err)
	}
	return &MessageWriter{c: c, ctx: ctx, op: op, text: op == OpText, compress: c.out.z != nil}, nil
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

// fragmentSize is how much a MessageWriter gathers before it sends a frame.
const fragmentSize = 4 << 10

// A MessageWriter sends one message in fragments. It is for one goroutine.
type MessageWriter struct {
	c     *Conn
	ctx   context.Context
	op    Opcode // of the next frame: OpContinuation after the first
	text  bool
	check UTF8
	buf   []byte
	err   error

	compress bool
}

// SetCompression says whether the message may be compressed, which is the
// default where permessage-deflate was negotiated. It has no effect once a
// part of the message is out.
func (w *MessageWriter) SetCompression(on bool) {
	if w.op != OpContinuation {
		w.compress = on && w.c.out.z != nil
	}
}

// gather is how much is collected before a frame goes out. Some browsers
// stumble over compressed messages in fragments, so those go out as one frame
// unless they are long.
func (w *MessageWriter) gather() int {
	if w.compress {
		return 64 << 10
	}
	return fragmentSize
}

// Write adds p to the message. An error ends the message.
func (w *MessageWriter) Write(p []byte) (n int, err error) {
	if w.err != nil {
		return 0, wrapOp("write", w.err)
	}
	if w.text && !w.check.Write(p) {
		return 0, wrapOp("write", w.abandon(ErrNotUTF8))
	}
	if len(w.buf)+len(p) < w.gather() {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if len(p) < w.gather() {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.send(p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush sends what was gathered as a fragment, however short; nothing if
// there is nothing.
func (w *MessageWriter) Flush() error {
	if w.err != nil {
		return wrapOp("write", w.err)
	}
	if len(w.buf) == 0 {
		return nil
	}
	err := w.send(w.buf, false)
	w.buf = w.buf[:0]
	return err
}

// Close sends the last fragment.
func (w *MessageWriter) Close() error {
	if w.err != nil {
		if w.err == ErrWriterClosed {
			return nil
		}
		return wrapOp("write", w.err)
	}
	if w.text && !w.check.Done() {
		return wrapOp("write", w.abandon(ErrNotUTF8))
	}
	if err := w.send(w.buf, true); err != nil {
		return err
	}
	w.finish(ErrWriterClosed)
	return nil
}

func (w *MessageWriter) send(p []byte, fin bool) error {
	h := Header{Fin: fin, Opcode: w.op}
	if fin && w.op != OpContinuation && len(p) < w.c.set.threshold {
		w.compress = false
	}
	if w.compress {
		buf := compressBuffers.Get().(*[]byte)
		defer giveBack(buf)
		*buf = w.c.out.z.c.AppendPart((*buf)[:0], p, fin)
		if w.op != OpContinuation {
			h.RSV = RSV1
			w.c.out.trace.original(p)
		} else {
			w.c.out.trace.inflated(p)
		}
		p = *buf
	}
	err := w.c.out.sendFrame(w.ctx, h, p)
	if err != nil {
		if w.compress {
			w.c.out.z.c.Release()
		}
		return wrapOp("write", w.abandon(err))
	}
	w.op = OpContinuation
	return nil
}

// abandon ends the message for err. If a part of it is out, the connection
// cannot go on.
func (w *MessageWriter) abandon(err error) error {
	if w.op == OpContinuation && w.c.Err() == nil {
		w.c.fail(CodeInternalError, "message abandoned", err)
	}
	w.finish(err)
	return err
}

func (w *MessageWriter) finish(err error) {
	w.err, w.buf = err, nil
	w.c.out.messages.release()
}
