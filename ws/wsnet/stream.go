package wsnet

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A stream is what a Conn runs over: any io.ReadWriteCloser, with deadlines
// that newStream adds where they are missing.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// newStream gives rwc deadlines if it has none.
func newStream(rwc io.ReadWriteCloser) stream {
	if s, ok := rwc.(stream); ok {
		return s
	}
	return &timedStream{rwc: rwc, closed: make(chan struct{}), readDeadline: newDeadline(), writeDeadline: newDeadline()}
}

// temporary is what some errors say of themselves: whether trying again may help.
type temporary interface {
	error
	Temporary() bool
}

// innermost returns the stream under those of this package, whose type says
// what it can do.
func innermost(s stream) stream {
	if w, ok := s.(interface{ below() stream }); ok {
		return w.below()
	}
	return s
}

// abort closes s without waiting. A TLS connection would first try to say so
// to its peer, for up to five seconds if that one does not read.
func abort(s stream) {
	if t, ok := innermost(s).(*tls.Conn); ok {
		t.NetConn().Close()
	}
	s.Close()
}

// closeWrite ends the sending direction alone, where the stream can.
func closeWrite(s stream) error {
	if h, ok := s.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return net.ErrClosed
}

// A timedStream adds deadlines to a stream without: reads and writes happen
// in goroutines that may outlive the operation, and what a late read brought
// is kept for the next one. A write that did not finish in time leaves the
// stream unusable for writing.
type timedStream struct {
	rwc    io.ReadWriteCloser
	closed chan struct{}
	once   sync.Once

	readDeadline, writeDeadline *deadline

	// One reader and one writer at a time: Conn sees to that.
	reading chan result // a read under way, nil if none
	buf     []byte      // its memory
	rest    []byte      // read, not yet given out
	err     error

	stuck bool // a write did not finish in time
}

type result struct {
	n   int
	err error
}

func (t *timedStream) Read(p []byte) (int, error) {
	if len(t.rest) == 0 && t.err == nil {
		if t.reading == nil {
			if t.buf == nil {
				t.buf = make([]byte, 4<<10)
			}
			c := make(chan result, 1)
			t.reading = c
			go func() {
				n, err := t.rwc.Read(t.buf)
				c <- result{n, err}
			}()
		}
		expired, stop := t.readDeadline.wait()
		defer stop()
		select {
		case r := <-t.reading:
			t.reading = nil
			t.rest, t.err = t.buf[:r.n], r.err
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		case <-t.closed:
			return 0, net.ErrClosed
		}
	}
	if len(t.rest) > 0 {
		n := copy(p, t.rest)
		t.rest = t.rest[n:]
		return n, nil
	}
	err := t.err
	t.err = nil
	return 0, err
}

func (t *timedStream) Write(p []byte) (int, error) {
	if t.stuck {
		return 0, net.ErrClosed
	}
	expired, stop := t.writeDeadline.wait()
	defer stop()
	select {
	case <-expired:
		return 0, os.ErrDeadlineExceeded
	default:
	}
	// The goroutine may outlive this call, which must not keep p then.
	own := append([]byte(nil), p...)
	c := make(chan result, 1)
	go func() {
		n, err := t.rwc.Write(own)
		c <- result{n, err}
	}()
	select {
	case r := <-c:
		return r.n, r.err
	case <-t.closed:
		return 0, net.ErrClosed
	case <-expired:
		t.stuck = true
		return 0, errStuck
	}
}

// errStuck is a timeout after which nobody knows what was sent.
var errStuck = fmt.Errorf("a write under way could not be stopped: %w", os.ErrDeadlineExceeded)

func (t *timedStream) Close() error {
	t.once.Do(func() { close(t.closed) })
	return t.rwc.Close()
}

func (t *timedStream) CloseWrite() error {
	if h, ok := t.rwc.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return net.ErrClosed
}

// RemoteAddr passes on to the stream below, if it knows.
func (t *timedStream) RemoteAddr() net.Addr {
	if a, ok := t.rwc.(interface{ RemoteAddr() net.Addr }); ok {
		return a.RemoteAddr()
	}
	return nil
}

func (t *timedStream) SetReadDeadline(at time.Time) error  { t.readDeadline.set(at); return nil }
func (t *timedStream) SetWriteDeadline(at time.Time) error { t.writeDeadline.set(at); return nil }

// A deadline is a moment that can be moved while somebody waits for it.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	c     chan struct{} // of the one who waits, nil if nobody does
}

func newDeadline() *deadline { return &deadline{} }

func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = at
	d.arm()
}

// arm makes the timer fit at. d.mu is held.
func (d *deadline) arm() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.c == nil || d.at.IsZero() {
		return
	}
	c := d.c
	d.timer = time.AfterFunc(time.Until(d.at), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.c == c && !d.at.IsZero() && !time.Now().Before(d.at) {
			close(c)
			d.c = nil
		}
	})
}

// wait returns a channel that is closed when the deadline passes, and what
// ends the waiting.
func (d *deadline) wait() (expired <-chan struct{}, stop func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	if !d.at.IsZero() && !time.Now().Before(d.at) {
		close(c)
		return c, func() {}
	}
	d.c = c
	d.arm()
	return c, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.c = nil
		d.arm()
	}
}
