package wsnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
)

// NetConn returns a net.Conn over c, for protocols that want a stream of
// bytes. A Write goes out as messages of type op of up to 16 KiB; Read reads
// the contents of the incoming messages of that type one after the other, and
// a message of another type fails the connection with 1003. The peer's normal
// closure (1000, 1001 or no code) is io.EOF. Close closes with 1000.
//
// With OpText, what is written must be UTF-8 in every Write. ctx bounds the
// life of the net.Conn: when it ends, reads and writes fail. A write whose
// deadline passes while a message is half sent counts that message as written;
// its rest goes out before whatever is written next.
func NetConn(ctx context.Context, c *Conn, op ws.Opcode) net.Conn {
	n := &netConn{c: c, op: op, ctx: ctx}
	n.read.ctx, n.write.ctx = ctx, ctx
	c.out.frames.acquireAfter(nil)
	c.out.keepAll = true
	c.out.unlock(c.Context())
	return n
}

// netConnChunk is the longest message that a netConn sends: one that fits the
// write buffer with its header, so that an interrupted one is one piece.
const netConnChunk = writeBufferSize - ws.MaxHeaderSize

type netConn struct {
	c   *Conn
	op  ws.Opcode
	ctx context.Context

	read, write deadlineContext

	readMu sync.Mutex
	r      io.Reader // the message being read, nil between messages

	writeMu sync.Mutex
	behind  chan error // of a write that went on after its deadline
	closed  atomic.Bool
}

// A deadlineContext gives contexts that end at a deadline which may be moved
// while they are in use.
type deadlineContext struct {
	ctx context.Context // of the whole net.Conn

	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	using map[*context.CancelCauseFunc]struct{} // operations under way
}

// begin returns the context for one operation and what ends it.
func (d *deadlineContext) begin() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(d.ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		cancel(os.ErrDeadlineExceeded)
	}
	if d.using == nil {
		d.using = map[*context.CancelCauseFunc]struct{}{}
	}
	key := &cancel
	d.using[key] = struct{}{}
	return ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.using, key)
		cancel(nil)
	}
}

func (d *deadlineContext) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if at.IsZero() {
		return
	}
	if wait := time.Until(at); wait > 0 {
		d.timer = time.AfterFunc(wait, d.expire)
		return
	}
	d.cancelAll()
}

func (d *deadlineContext) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		d.cancelAll()
	}
}

func (d *deadlineContext) cancelAll() {
	for cancel := range d.using {
		(*cancel)(os.ErrDeadlineExceeded)
	}
}

func (n *netConn) Read(p []byte) (int, error) {
	ctx, end := n.read.begin()
	defer end()
	n.readMu.Lock()
	defer n.readMu.Unlock()
	if ctx.Err() != nil {
		return 0, n.err("read", ctx, ctx.Err())
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n.r == nil {
			op, r, err := n.c.Reader(ctx)
			if err != nil {
				return 0, n.err("read", ctx, err)
			}
			if op != n.op {
				return 0, n.err("read", ctx, n.c.link.fail(ws.EndByFailure(ws.CodeUnsupportedData, op.String()+" message where "+n.op.String()+" was expected", errors.New("unexpected type of message"))))
			}
			n.r = r
		}
		n.r.(*messageReader).ctx = ctx
		got, err := n.r.Read(p)
		if err == io.EOF {
			n.r = nil
			if got == 0 {
				continue
			}
			err = nil
		}
		return got, n.err("read", ctx, err)
	}
}

func (n *netConn) Write(p []byte) (written int, err error) {
	ctx, end := n.write.begin()
	defer end()
	n.writeMu.Lock()
	defer n.writeMu.Unlock()
	for {
		if ctx.Err() != nil {
			return written, n.err("write", ctx, ctx.Err())
		}
		if len(p) == 0 { // no message stands for it
			return 0, nil
		}
		chunk := p[:min(len(p), netConnChunk)]
		if err := n.send(ctx, chunk); err != nil {
			return written, n.err("write", ctx, err)
		}
		written += len(chunk)
		if p = p[len(chunk):]; len(p) == 0 {
			return written, nil
		}
	}
}

// send writes one message. On a stream that a deadline would break, the write
// goes on behind the caller's back when ctx ends, and the next one waits for
// it. writeMu is held.
func (n *netConn) send(ctx context.Context, p []byte) error {
	if !n.c.out.fragile {
		return n.c.Write(ctx, n.op, p)
	}
	if n.behind != nil {
		select {
		case err := <-n.behind:
			n.behind = nil
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	own, done := bytes.Clone(p), make(chan error, 1)
	go func() { done <- n.c.Write(n.c.Context(), n.op, own) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		n.behind = done
		return nil // it counts as written
	}
}

// err turns the end of a context into that of a deadline, and a normal
// closure into io.EOF.
func (n *netConn) err(op string, ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if n.closed.Load() {
		err = net.ErrClosed
	} else if e, ok := errors.AsType[*ws.CloseError](err); ok {
		if op == "read" && e.Remote && (e.Code == ws.CodeNormal || e.Code == ws.CodeGoingAway || e.Code == ws.CodeNoStatus) {
			return io.EOF
		}
	} else if context.Cause(ctx) == os.ErrDeadlineExceeded {
		err = os.ErrDeadlineExceeded
	}
	return &net.OpError{Op: op, Net: "websocket", Addr: n.RemoteAddr(), Err: err}
}

func (n *netConn) Close() error {
	n.closed.Store(true)
	n.read.set(aLongTimeAgo) // a blocked reader leaves, so that Close can read
	n.write.set(aLongTimeAgo)
	return n.c.Close(context.WithoutCancel(n.ctx), ws.CodeNormal, "")
}

func (n *netConn) SetDeadline(t time.Time) error {
	n.read.set(t)
	n.write.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error  { n.read.set(t); return nil }
func (n *netConn) SetWriteDeadline(t time.Time) error { n.write.set(t); return nil }

// LocalAddr returns an address of network "websocket".
func (n *netConn) LocalAddr() net.Addr { return netAddr("") }

// RemoteAddr returns the peer's address, with network "websocket".
func (n *netConn) RemoteAddr() net.Addr { return netAddr(n.c.RemoteAddr()) }

type netAddr string

func (netAddr) Network() string  { return "websocket" }
func (a netAddr) String() string { return string(a) }
