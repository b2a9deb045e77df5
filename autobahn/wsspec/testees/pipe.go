package testees

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe returns the two ends of a connection in memory that behaves like TCP on a
// loopback, as far as a testee can tell: it buffers, ends each direction by itself,
// and can be reset. In a synctest bubble no test over it depends on the machine.
func Pipe() (net.Conn, net.Conn) {
	p := &pipe{}
	p.changed.L = &p.mu
	return &pipeEnd{pipe: p, in: &p.streams[0], out: &p.streams[1]}, &pipeEnd{pipe: p, in: &p.streams[1], out: &p.streams[0]}
}

// pipeBuffer is how many bytes a direction holds before a writer has to wait.
const pipeBuffer = 1 << 20

type pipe struct {
	mu      sync.Mutex
	changed sync.Cond
	streams [2]stream
}

// A stream is one direction.
type stream struct {
	data   []byte
	ended  bool // by the writer
	reset  bool // by the writer, behind the data
	unread bool // the reader has gone
}

type pipeEnd struct {
	*pipe
	in, out     *stream
	closed      bool
	abort       bool
	read, write deadline
}

// A deadline is a time after which an operation fails.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (p *pipe) set(d *deadline, at time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.changed.Broadcast()
		})
	}
	p.changed.Broadcast()
	return nil
}

func (e *pipeEnd) Read(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case len(e.in.data) > 0:
			n := copy(b, e.in.data)
			e.in.data = e.in.data[n:]
			e.changed.Broadcast()
			return n, nil
		case e.in.reset:
			return 0, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
		case e.in.ended:
			return 0, io.EOF
		case e.read.passed():
			return 0, os.ErrDeadlineExceeded
		}
		e.changed.Wait()
	}
}

func (e *pipeEnd) Write(b []byte) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.closed:
			return n, net.ErrClosed
		case e.out.unread || e.out.ended:
			return n, &net.OpError{Op: "write", Err: syscall.EPIPE}
		case n == len(b):
			return n, nil
		case e.write.passed():
			return n, os.ErrDeadlineExceeded
		}
		if room := pipeBuffer - len(e.out.data); room > 0 {
			m := min(room, len(b)-n)
			e.out.data = append(e.out.data, b[n:n+m]...)
			n += m
			e.changed.Broadcast()
			continue
		}
		e.changed.Wait()
	}
}

func (e *pipeEnd) Close() error {
	e.set(&e.read, time.Time{})
	e.set(&e.write, time.Time{})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	e.closed, e.in.unread, e.out.ended = true, true, true
	e.out.reset = e.abort || len(e.in.data) > 0
	e.changed.Broadcast()
	return nil
}

// CloseWrite ends one direction.
func (e *pipeEnd) CloseWrite() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.ended = true
	e.changed.Broadcast()
	return nil
}

// SetLinger has the next Close reset the connection, for 0.
func (e *pipeEnd) SetLinger(seconds int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.abort = seconds == 0
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr                { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (e *pipeEnd) RemoteAddr() net.Addr               { return e.LocalAddr() }
func (e *pipeEnd) SetReadDeadline(at time.Time) error { return e.set(&e.read, at) }
func (e *pipeEnd) SetWriteDeadline(t time.Time) error { return e.set(&e.write, t) }
func (e *pipeEnd) SetDeadline(at time.Time) error {
	e.set(&e.read, at)
	return e.set(&e.write, at)
}
