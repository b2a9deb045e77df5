package room

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// toServer is how much a client may send ahead, in bytes: nobody is slow there.
const toServer = 64 << 10

// A half is one end of a connection in memory: a net.Conn whose buffers, one each way, have
// a known size. Who writes more than fits waits until the other end reads, as with a
// socket whose buffers are full.
type half struct {
	l       *pipe
	in, out *direction
	read    deadline
	write   deadline
	closed  bool
}

// A pipe is what both halves share; all their fields are under mu.
type pipe struct {
	mu      sync.Mutex
	changed sync.Cond
}

// A direction is what was written and is not read.
type direction struct {
	data  []byte
	max   int  // bytes
	ended bool // nothing more will be written
	deaf  bool // nothing more will be read
}

// A deadline wakes the pipe when it passes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// newPipe returns both ends of a connection; toClient is the size of the buffer on the way
// to the first.
func newPipe(toClient int) (client, server *half) {
	l := &pipe{}
	l.changed.L = &l.mu
	down, up := &direction{max: toClient}, &direction{max: toServer}
	return &half{l: l, in: down, out: up}, &half{l: l, in: up, out: down}
}

// waiting is how much has come that was not read, and how much there may be, in bytes.
func (h *half) waiting() (bytes, max int) {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	return len(h.in.data), h.in.max
}

// Read implements [net.Conn].
func (h *half) Read(p []byte) (int, error) {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	for {
		switch {
		case h.closed:
			return 0, net.ErrClosed
		case h.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(h.in.data) > 0:
			n := copy(p, h.in.data)
			h.in.data = h.in.data[n:]
			h.l.changed.Broadcast()
			return n, nil
		case h.in.ended:
			return 0, io.EOF
		}
		h.l.changed.Wait()
	}
}

// Write implements [net.Conn].
func (h *half) Write(p []byte) (n int, err error) {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	for {
		switch {
		case h.closed || h.out.ended:
			return n, net.ErrClosed
		case h.out.deaf:
			return n, io.ErrClosedPipe
		case h.write.passed():
			return n, os.ErrDeadlineExceeded
		}
		if some := h.out.takes(len(p)); some > 0 {
			h.out.data = append(h.out.data, p[:some]...)
			n, p = n+some, p[some:]
			h.l.changed.Broadcast()
		}
		if len(p) == 0 {
			return n, nil
		}
		h.l.changed.Wait()
	}
}

// oneSegment is how many bytes a buffer takes as a whole, or not yet: as an operating
// system does, which keeps small writes together.
const oneSegment = 1460

// takes is how many of n bytes there is room for now.
func (d *direction) takes(n int) int {
	room := d.max - len(d.data)
	if n <= oneSegment && room < n {
		return 0
	}
	return min(n, room)
}

// CloseWrite ends what this end sends; what is on its way arrives.
func (h *half) CloseWrite() error {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	h.out.ended = true
	h.l.changed.Broadcast()
	return nil
}

// Close implements [net.Conn]. What this end has sent can still be read.
func (h *half) Close() error {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	h.closed, h.out.ended, h.in.deaf, h.in.data = true, true, true, nil
	h.read.set(time.Time{}, h.l)
	h.write.set(time.Time{}, h.l)
	h.l.changed.Broadcast()
	return nil
}

// SetDeadline implements [net.Conn].
func (h *half) SetDeadline(at time.Time) error {
	h.SetReadDeadline(at)
	return h.SetWriteDeadline(at)
}

// SetReadDeadline implements [net.Conn].
func (h *half) SetReadDeadline(at time.Time) error { return h.setDeadline(&h.read, at) }

// SetWriteDeadline implements [net.Conn].
func (h *half) SetWriteDeadline(at time.Time) error { return h.setDeadline(&h.write, at) }

func (h *half) setDeadline(d *deadline, at time.Time) error {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	d.set(at, h.l)
	return nil
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set moves d; the pipe's mu is held.
func (d *deadline) set(at time.Time, l *pipe) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	switch {
	case at.IsZero():
	case d.passed():
		l.changed.Broadcast()
	default:
		d.timer = time.AfterFunc(time.Until(at), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.changed.Broadcast()
		})
	}
}

// LocalAddr implements [net.Conn].
func (h *half) LocalAddr() net.Addr { return memory{} }

// RemoteAddr implements [net.Conn].
func (h *half) RemoteAddr() net.Addr { return memory{} }

// memory is the address of everybody here.
type memory struct{}

func (memory) Network() string { return "memory" }
func (memory) String() string  { return "memory" }

// Accept implements [net.Listener].
func (n *network) Accept() (net.Conn, error) {
	select {
	case h := <-n.calls:
		return h, nil
	case <-n.over:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (n *network) Close() error {
	n.once.Do(func() { close(n.over) })
	return nil
}

// Addr implements [net.Listener].
func (n *network) Addr() net.Addr { return memory{} }
