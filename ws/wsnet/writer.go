package wsnet

import (
	"context"

	"framewright/ws"
)

// Writer returns a writer for one message of type op that is sent in
// fragments of 4 KiB or more as it grows (§5.4); Close sends the last one.
// Other messages wait until then, so Close must be called. Text must be UTF-8
// in sum; a Write may cut a code point.
//
// ctx bounds the whole message. If it ends after a fragment was sent, the
// connection fails with 1011: a message that was begun cannot be taken back.
func (c *Conn) Writer(ctx context.Context, op ws.Opcode) (*MessageWriter, error) {
	if op != ws.OpText && op != ws.OpBinary {
		return nil, wrapOp("write", ws.ErrOpcode)
	}
	if ctx.Err() != nil {
		return nil, wrapOp("write", c.link.life.cause(ctx))
	}
	if err := c.out.messages.acquire(ctx, &c.link.life); err != nil {
		return nil, wrapOp("write", err)
	}
	if err := c.out.usable(); err != nil {
		c.out.messages.release()
		return nil, wrapOp("write", err)
	}
	return &MessageWriter{c: c, ctx: ctx, op: op, text: op == ws.OpText, compress: c.out.z != nil}, nil
}

// fragmentSize is how much a MessageWriter gathers before it sends a frame.
const fragmentSize = 4 << 10

// A MessageWriter sends one message in fragments. It is for one goroutine.
type MessageWriter struct {
	c     *Conn
	ctx   context.Context
	op    ws.Opcode // of the next frame: OpContinuation after the first
	text  bool
	check ws.UTF8
	buf   []byte
	err   error

	compress bool
}

// SetCompression says whether the message may be compressed, which is the
// default where permessage-deflate was negotiated. It has no effect once a
// part of the message is out.
func (w *MessageWriter) SetCompression(on bool) {
	if w.op != ws.OpContinuation {
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
		return 0, wrapOp("write", w.abandon(ws.ErrNotUTF8))
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
		return wrapOp("write", w.abandon(ws.ErrNotUTF8))
	}
	if err := w.send(w.buf, true); err != nil {
		return err
	}
	w.finish(ErrWriterClosed)
	return nil
}

func (w *MessageWriter) send(p []byte, fin bool) error {
	h := ws.Header{Fin: fin, Opcode: w.op}
	if fin && w.op != ws.OpContinuation && len(p) < w.c.link.set.threshold {
		w.compress = false
	}
	if w.compress {
		buf := compressBuffers.Get().(*[]byte)
		defer giveBack(buf)
		*buf = w.c.out.z.c.AppendPart((*buf)[:0], p, fin)
		if w.op != ws.OpContinuation {
			h.RSV = ws.RSV1
			w.c.out.trace.original(p)
		} else {
			w.c.out.trace.inflated(p)
		}
		p = *buf
	}
	err := w.c.out.fragment(w.ctx, &h, p)
	if err != nil {
		if w.compress {
			w.c.out.z.c.Release()
		}
		return wrapOp("write", w.abandon(err))
	}
	w.op = ws.OpContinuation
	return nil
}

// abandon ends the message for err. If a part of it is out, the connection
// cannot go on.
func (w *MessageWriter) abandon(err error) error {
	if w.op == ws.OpContinuation && w.c.Err() == nil {
		w.c.link.fail(ws.EndByFailure(ws.CodeInternalError, "message abandoned", err))
	}
	w.finish(err)
	return err
}

func (w *MessageWriter) finish(err error) {
	w.err, w.buf = err, nil
	w.c.out.messages.release()
}
