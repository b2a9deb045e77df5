package wsh2

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"framewright/ws/internal/h2"
)

// A stream is a stream of a connection as a net.Conn. RFC 8441 §5: "Orderly TCP-level
// closures are represented as END_STREAM flags. RST exceptions are represented with the
// RST_STREAM frame with the CANCEL error code." All of it belongs to conn.mu.
type stream struct {
	c      *conn
	h      *h2.Stream
	cond   sync.Cond          // something has changed
	cancel context.CancelFunc // of the request's context; nil before there is one

	read, write time.Time // deadlines
	closed      bool
	unread      bool // nobody reads any more: a request's body was closed

	answer chan answer // client: gets one, of which there is room for one
}

func newStream(c *conn, h *h2.Stream) *stream {
	s := &stream{c: c, h: h}
	s.cond.L = &c.mu
	h.Wake = s.wake
	return s
}

func (s *stream) wake() {
	s.cond.Broadcast()
	err := s.h.Err()
	if err == nil {
		return
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.answers(answer{err: err})
}

// wait waits for a change, or for the moment at.
func (s *stream) wait(at time.Time) {
	if at.IsZero() {
		s.cond.Wait()
		return
	}
	t := time.AfterFunc(time.Until(at), func() {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		s.cond.Broadcast()
	})
	s.cond.Wait()
	t.Stop()
}

func passed(at time.Time) bool { return !at.IsZero() && !time.Now().Before(at) }

// Read waits for what the peer sends. A deadline that passes takes nothing.
func (s *stream) Read(p []byte) (int, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for {
		switch {
		case s.closed || s.unread:
			return 0, net.ErrClosed
		case passed(s.read):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		}
		if n, err := s.c.e.Read(s.h, p); n > 0 || err != nil {
			s.c.more.Signal() // the window may have opened
			return n, errOf(err)
		}
		s.wait(s.read)
	}
}

// Write returns when p is in the stream's buffer, from where it goes out as the peer's
// windows allow. With a deadline that passes before comes how much of it is there.
func (s *stream) Write(p []byte) (n int, err error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for {
		switch {
		case s.closed:
			return n, net.ErrClosed
		case passed(s.write):
			return n, os.ErrDeadlineExceeded
		}
		took, err := s.c.e.Write(s.h, p[n:])
		if err != nil {
			return n, errOf(err)
		}
		if n += took; took > 0 {
			s.c.more.Signal()
		}
		if n == len(p) {
			return n, nil
		}
		s.wait(s.write)
	}
}

// CloseWrite sends END_STREAM after what was written.
func (s *stream) CloseWrite() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.e.CloseWrite(s.h)
	s.c.more.Signal()
	return nil
}

// Close sends END_STREAM after what was written, and a reset if the peer has not ended
// its direction. A peer that does not take the rest in time is not waited for.
func (s *stream) Close() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.c.e.Release(s.h)
	s.cond.Broadcast()
	if s.cancel != nil {
		s.cancel()
	}
	if s.h.Unsent() > 0 {
		s.c.rest = append(s.c.rest, s)
	}
	s.c.settle()
	s.c.more.Signal()
	return nil
}

// reset ends the stream at once.
func (s *stream) reset(code http2.ErrCode) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.e.Reset(s.h, code)
	s.c.settle()
	s.c.more.Signal()
}

func (s *stream) LocalAddr() net.Addr  { return s.c.nc.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.c.nc.RemoteAddr() }

func (s *stream) SetDeadline(t time.Time) error {
	s.set(&s.read, t)
	return s.set(&s.write, t)
}
func (s *stream) SetReadDeadline(t time.Time) error  { return s.set(&s.read, t) }
func (s *stream) SetWriteDeadline(t time.Time) error { return s.set(&s.write, t) }

func (s *stream) set(deadline *time.Time, t time.Time) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	*deadline = t
	s.cond.Broadcast()
	return nil
}
