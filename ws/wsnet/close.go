package wsnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"framewright/ws"
)

// How a connection ends. There is one reason, the first (link.end); then, once, hangUp.
//
//	who, why                         call          a Close frame        the stream
//	the application is done          close         ours, and the peer's  a server ends it first
//	the peer is done                 control       its own, answered     the same
//	the peer broke a rule, a Writer  fail          ours, says why        half closed; lingers
//	  gave a message up
//	the stream broke or ended        lost          none                  closed
//	a timeout, a context             cut           none                  closed
//	the application cannot wait      CloseNow      none                  closed

const (
	// lingerAfterClose is how long an endpoint waits, after a complete
	// closing handshake, for the other to end the TCP connection. The server
	// ends its direction first (RFC 6455 §7.1.1).
	lingerAfterClose = time.Second

	// lingerBytes is how much of what the peer is still sending is read and
	// thrown away meanwhile: closing a TCP connection on unread data would
	// send a reset, which can destroy our Close frame on its way.
	lingerBytes = 16 << 20

	// lastWord is how long a Close frame may take where there is no time for more: with a
	// Close whose context has ended before it began, and with a CloseNow that comes when
	// one is owed. A socket that is not full takes it at once.
	lastWord = 50 * time.Millisecond

	// dropFrames is how many frames are read and thrown away after our Close frame.
	dropFrames = 64 << 10
)

// Close ends the connection by the closing handshake (RFC 6455 §7.1.2): it
// sends a Close frame with code and reason, waits for the peer's, and closes
// the stream. It takes as long as ctx and Options.CloseTimeout allow, then
// cuts the connection. A ctx that has ended before leaves time for the Close
// frame, unless the peer has stopped reading, and for nothing else.
//
// While nobody reads, Close does, and throws away the messages that come
// before the peer's Close frame; also from under a loop that happens to be
// between two reads. Who wants every message reads them before closing.
//
// The code is one that may be sent, or CodeNoStatus for none; the reason is
// at most 123 bytes of UTF-8. The connection ends whatever they are: with 1011
// instead of a code that may not be sent, U+FFFD for what is not UTF-8, and a
// reason cut between two code points. Close then returns ErrCloseCode,
// ErrNotUTF8 or ErrReasonTooLong, after the closing handshake. Otherwise it
// returns nil if that was completed, no matter which side began it. Further
// calls return the same.
func (c *Conn) Close(ctx context.Context, code ws.Code, reason string) error {
	code, sent, mistake := ws.FitClose(code, reason)
	err := c.close(ctx, &ws.CloseError{Code: code, Reason: sent})
	switch {
	case mistake == nil:
		return wrapOp("close", err)
	case err == nil:
		return wrapOp("close", mistake)
	}
	return wrapOp("close", fmt.Errorf("%w, and the closing handshake failed: %w", mistake, err))
}

// close does the closing handshake with the Close frame e, and returns what
// was not as it should be.
func (c *Conn) close(ctx context.Context, e *ws.CloseError) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.link.set.closeTimeout, ErrCloseTimeout)
	defer cancel()

	if err := c.sayFirst(ctx, e); err != nil && c.Err() == nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		c.link.cut(ws.EndByLoss(err, false, nil))
	}
	for c.Err() == nil {
		if c.in.lock.acquire(ctx, &c.link.life) == nil { // nobody reads, so it is for us to do
			c.discard(ctx)
			c.in.lock.release()
		}
		if c.Err() == nil && ctx.Err() != nil {
			c.link.cut(ws.EndByLoss(context.Cause(ctx), false, c.out.closeSent.Load()))
		}
	}
	select {
	case <-c.gone.done():
	case <-ctx.Done():
		// A context made from the connection's own has ended because the
		// connection did. That is no wish to cut short what it still says.
		if !errors.Is(context.Cause(ctx), c.Err()) {
			abort(c.link.stream)
		}
		<-c.gone.done()
	}
	if e := c.link.life.end.Load(); e.Err != nil || e.Code == ws.CodeAbnormal {
		return e
	}
	return nil
}

// sayFirst sends the Close frame of Close, also when ctx has ended already: whether it
// went out would else be a matter of luck.
func (c *Conn) sayFirst(ctx context.Context, e *ws.CloseError) error {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(context.WithoutCancel(ctx), lastWord, context.Cause(ctx))
		defer cancel()
	}
	return c.out.close(ctx, e)
}

// discard throws away what comes, until the connection is over or ctx ends. A peer that
// goes on sending after our Close frame gets dropFrames for what was on its way; then it
// is no longer listened to, as each frame takes time: the connection is failed, and the
// rest read without being looked at.
func (c *Conn) discard(ctx context.Context) {
	in := &c.in
	in.interrupt.watch(ctx)
	scratch := make([]byte, 512)
	last := in.link.ep.In.Frames() + dropFrames
	for {
		_, done, err := in.readPiece(ctx, scratch)
		if err == nil && done {
			err = in.delivered(false)
		}
		if err != nil {
			return
		}
		if in.link.ep.In.Frames() > last {
			c.link.fail(ws.EndByLoss(ErrStillSending, true, c.out.closeSent.Load()))
			return
		}
	}
}

// CloseNow ends the connection at once, without a closing handshake. The peer
// sees an abnormal closure (§7.1.5). It returns nil, or why the connection
// was over already: then a Close frame that is still owed, such as the answer to
// the peer's, goes out first, unless the peer has stopped reading.
func (c *Conn) CloseNow() error {
	first := c.link.end(ws.EndByLoss(net.ErrClosed, false, nil))
	if c.out.owed.Load() != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastWord)
		c.out.payClose(ctx)
		cancel()
	}
	c.out.lastPush()
	abort(c.link.stream)
	if first {
		go c.hangUp(false)
		return nil
	}
	return wrapOp("close", c.Err())
}

// ending stops the pings of a connection that is over.
func (c *Conn) ending() { c.alive.stop() }

// sayGoodbye sends the Close frame e, if that is not nil, and hangs up: here if that can be done
// without waiting for another writer, so that a program that ends as soon as
// its reader does has said it; else in the background.
func (c *Conn) sayGoodbye(e *ws.CloseError) {
	c.out.owed.Store(e)
	if c.out.frames.try() {
		ctx, cancel := context.WithTimeout(context.Background(), c.link.set.closeTimeout)
		c.out.sayClose(ctx)
		cancel()
		c.out.frames.release()
	}
	go c.hangUp(true)
}

// hangUp closes the stream and frees what the connection holds: gently, after the Close
// frame if one is owed, and with time for the peer to hear it, or at once. It runs once,
// after finish.
func (c *Conn) hangUp(gently bool) {
	defer c.gone.set()
	if gently {
		c.linger()
	}
	abort(c.link.stream) // whatever was to be said gently has been
	c.in.interrupt.shut()
	c.out.interrupt.shut()
	c.in.lock.acquireAfter(nil) // a reader or writer leaves now that the stream is closed
	c.in.free()
	c.in.lock.release()
	c.out.frames.acquireAfter(nil)
	c.out.drop()
	c.out.frames.release()
}

// linger says goodbye and gives the peer time to hear it.
func (c *Conn) linger() {
	timeout := c.link.set.closeTimeout
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if !c.out.payClose(ctx) {
		return // the writer in front of us is stuck
	}
	if c.link.life.end.Load().Err == nil { // a complete handshake: nothing is expected but the end
		timeout = min(timeout, lingerAfterClose)
	}
	if c.link.life.end.Load().Err != nil || c.Role() == ws.RoleServer {
		c.endSending(ctx)
	}
	c.in.interrupt.shut() // wakes a reader, who leaves
	if !c.in.lock.acquireAfter(ctx.Done()) {
		return
	}
	defer c.in.lock.release()
	c.in.interrupt.reopen(time.Now().Add(timeout))
	buf := readBuffers.Get().(*[readBufferSize]byte)
	defer readBuffers.Put(buf)
	for total := 0; total < lingerBytes; {
		n, err := c.link.stream.Read(buf[:])
		total += n
		if err != nil {
			return
		}
	}
}

// endSending closes the sending direction, which over TLS is a write.
func (c *Conn) endSending(ctx context.Context) {
	if c.out.frames.acquireAfter(ctx.Done()) {
		c.out.interrupt.watch(context.Background())
		closeWrite(c.link.stream)
		c.out.frames.release()
	}
}

// close sends the Close frame e as soon as the current frame is out.
func (out *outbox) close(ctx context.Context, e *ws.CloseError) error {
	if err := out.frames.acquire(ctx, &out.link.life); err != nil {
		return err
	}
	defer out.unlock(ctx)
	if err := out.usable(); err != nil {
		return nil // said already, or too late
	}
	out.closeSent.Store(e)
	return out.writeClose(ctx, e)
}

// payClose sends the Close frame that is owed, if one is, as soon as whoever has frames
// lets them go. It reports whether that was before ctx ended.
func (out *outbox) payClose(ctx context.Context) bool {
	if out.owed.Load() == nil {
		return true
	}
	if !out.frames.acquireAfter(ctx.Done()) {
		return false
	}
	out.sayClose(ctx)
	out.frames.release()
	return true
}

// sayClose sends the Close frame that a connection owes which is already over. Its
// caller has frames.
func (out *outbox) sayClose(ctx context.Context) {
	if e := out.owed.Load(); e != nil && !out.broken && out.closeSent.Load() == nil {
		out.writeClose(ctx, e)
		out.interrupt.watch(context.Background()) // or ctx's end would reach what comes after
	}
	out.owed.Store(nil) // last: until then CloseNow waits
}

// writeClose has frames.
func (out *outbox) writeClose(ctx context.Context, e *ws.CloseError) error {
	var b [ws.MaxControlPayload]byte
	p := ws.AppendClose(b[:0], e.Code, e.Reason)
	h := ws.Header{Fin: true, Opcode: ws.OpClose, Length: int64(len(p))}
	if out.link.ep.Out.Begin(&h) != "" {
		return nil // there is nothing after a Close frame
	}
	if h.Masked {
		if err := out.mask(&h); err != nil {
			return err
		}
	}
	out.fragments = false // nothing waits for the end of a message any more
	return out.send(ctx, &h, p, nil, false)
}
