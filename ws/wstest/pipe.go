package wstest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// DefaultPipeSize is how many bytes each direction of a [Pipe] holds before a
// Write waits: what a socket's buffers commonly hold, so that an endpoint that
// writes before it reads gets as far as it would over TCP.
const DefaultPipeSize = 64 << 10

// Pipe returns the two ends of a connection in memory, each direction with a
// buffer of DefaultPipeSize bytes. Both are of type [*Conn].
func Pipe() (a, b net.Conn) { return PipeSize(DefaultPipeSize) }

// PipeSize is Pipe with buffers of size bytes a direction, so that a test can
// make a writer wait: with a size of 1 nothing is written that is not read. A
// size below 1 is 1.
func PipeSize(size int) (a, b net.Conn) {
	ca, cb := newPipe(size, pipeAddr("pipe:a"), pipeAddr("pipe:b"))
	return ca, cb
}

func newPipe(size int, aAddr, bAddr net.Addr) (a, b *Conn) {
	size = max(size, 1)
	mu := new(sync.Mutex)
	ab := &half{cond: sync.Cond{L: mu}, size: size}
	ba := &half{cond: sync.Cond{L: mu}, size: size}
	a = &Conn{mu: mu, in: ba, out: ab, local: aAddr, remote: bAddr}
	b = &Conn{mu: mu, in: ab, out: ba, local: bAddr, remote: aAddr}
	return a, b
}

// A Conn is one end of a [Pipe]. It behaves as a TCP connection on one machine
// does, less the chance:
//
//   - Write returns once the bytes are in the buffer; it waits while the buffer
//     is full. The bytes of one Write stay together.
//   - A deadline that has passed fails with [os.ErrDeadlineExceeded] at once,
//     and interrupts an operation that waits. A Write says how many bytes it
//     had placed.
//   - After Close, the other end reads what is left and then io.EOF; its writes
//     fail with [syscall.EPIPE]. The closed end's own operations fail with
//     [net.ErrClosed].
//   - All errors but io.EOF are wrapped in *net.OpError.
//
// A waiting operation waits on a sync.Cond, so its goroutine is durably blocked
// in the sense of testing/synctest. A pipe that is used in a bubble has to be
// made in that bubble. A pipe has no goroutine of its own.
type Conn struct {
	mu            *sync.Mutex // one for both ends: closing changes both directions at once
	in, out       *half
	local, remote net.Addr
	closed        bool // by this end
}

// A half is one direction of a pipe, guarded by the pipe's mutex.
type half struct {
	cond    sync.Cond // broadcast on every change
	buf     []byte
	off     int // buf[off:] is unread
	size    int // most that may be unread
	writing bool
	fin     bool // the writing end wrote its last byte
	gone    bool // the reading end closed
	reset   bool

	rd deadline // the reading end's
	wd deadline // the writing end's
}

// Read reads what is there, up to len(p) bytes, and waits while there is
// nothing.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.in
	for {
		switch {
		case c.closed:
			return 0, c.opError("read", net.ErrClosed)
		case h.reset:
			return 0, c.opError("read", syscall.ECONNRESET)
		case h.rd.passed():
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case h.off < len(h.buf):
			n := copy(p, h.buf[h.off:])
			if h.off += n; h.off == len(h.buf) {
				h.buf, h.off = h.buf[:0], 0
			}
			h.cond.Broadcast()
			return n, nil
		case h.fin:
			return 0, io.EOF
		}
		h.cond.Wait()
	}
}

// Write places p in the buffer and waits for room where there is none.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.out

	// A flag and not a mutex keeps the bytes of one Write together: waiting
	// for a mutex is not durable in a synctest bubble.
	for h.writing {
		if err := c.writeErr(); err != nil {
			return 0, err
		}
		h.cond.Wait()
	}
	h.writing = true
	defer func() {
		h.writing = false
		h.cond.Broadcast()
	}()

	for {
		if err := c.writeErr(); err != nil {
			return n, err
		}
		if room := h.size - (len(h.buf) - h.off); room > 0 {
			k := min(room, len(p)-n)
			if h.off > 0 && len(h.buf)+k > cap(h.buf) {
				h.buf, h.off = h.buf[:copy(h.buf, h.buf[h.off:])], 0
			}
			h.buf = append(h.buf, p[n:n+k]...)
			n += k
			h.cond.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		h.cond.Wait()
	}
}

func (c *Conn) writeErr() error {
	switch h := c.out; {
	case c.closed:
		return c.opError("write", net.ErrClosed)
	case h.reset:
		return c.opError("write", syscall.ECONNRESET)
	case h.fin, h.gone:
		return c.opError("write", syscall.EPIPE)
	case h.wd.passed():
		return c.opError("write", os.ErrDeadlineExceeded)
	}
	return nil
}

// Close closes both directions. What was written stays for the other end to
// read, also where TCP would have lost it because something was left unread
// here. Closing again does nothing.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.out.fin = true
	c.in.gone = true
	c.in.drop()
	c.end()
	return nil
}

// CloseWrite closes the writing direction alone, as that of *net.TCPConn does:
// the other end reads io.EOF, and can still write.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.out.fin = true
	c.out.cond.Broadcast()
	return nil
}

// Reset closes the connection as a TCP RST would: what either end has not read
// is lost, and the other end's reads and writes fail at once with
// [syscall.ECONNRESET]. On a closed Conn it does nothing.
func (c *Conn) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	for _, h := range []*half{c.in, c.out} {
		h.reset = true
		h.drop()
	}
	c.end()
	return nil
}

// end is the part that Close and Reset share.
func (c *Conn) end() {
	c.closed = true
	c.in.rd.stop()
	c.out.wd.stop()
	c.in.cond.Broadcast()
	c.out.cond.Broadcast()
}

func (h *half) drop() { h.buf, h.off = nil, 0 }

// pending reports whether a Read would return at once, deadlines aside.
func (c *Conn) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.in
	return c.closed || h.reset || h.fin || h.off < len(h.buf)
}

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.in.rd, &c.out.wd)
}

// SetReadDeadline sets the time from which on Read fails. The zero time means
// never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(t, &c.in.rd, nil)
}

// SetWriteDeadline sets the time from which on Write fails. The zero time
// means never.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(t, nil, &c.out.wd)
}

func (c *Conn) setDeadlines(t time.Time, rd, wd *deadline) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	if rd != nil {
		rd.set(t, &c.in.cond)
	}
	if wd != nil {
		wd.set(t, &c.out.cond)
	}
	return nil
}

// LocalAddr returns "pipe:a" or "pipe:b", or an address of its [Listener].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the other end's LocalAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// A deadline wakes those who wait on a half when it passes. Whether it has
// passed is always read from the clock: a goroutine that a sleep wakes at the
// very moment of the deadline must see it, whether or not the timer's function
// had its turn.
type deadline struct {
	at    time.Time // with a monotonic reading; zero: none
	timer *time.Timer
}

func (d *deadline) passed() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}

func (d *deadline) set(t time.Time, cond *sync.Cond) {
	d.stop()
	if t.IsZero() {
		d.at = time.Time{}
		return
	}
	// now + (t - now) has the monotonic reading that the timer goes by, even
	// if t has none and someone sets the wall clock.
	wait := time.Until(t)
	d.at = time.Now().Add(wait)
	if wait <= 0 {
		cond.Broadcast()
		return
	}
	d.timer = time.AfterFunc(wait, func() {
		cond.L.Lock() // or the waiter could miss it between its look at the clock and its Wait
		defer cond.L.Unlock()
		cond.Broadcast()
	})
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
