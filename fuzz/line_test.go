package main

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
)

// A line is one direction between two Conns. It never blocks.
type line struct {
	mu     sync.Mutex
	buf    []byte
	closed bool
	wrote  chan struct{} // told of every Write, if somebody listens

	// For what a Conn has left to read of what it took.
	taken int64   // bytes, by Read
	put   int64   // bytes, by Write
	frame []byte  // the beginning of a header
	skip  int64   // payload that follows
	last  bool    // of a frame that ends a message
	ends  []int64 // of whole messages, in put
}

// follow notes where messages end.
func (l *line) follow(p []byte) {
	for len(p) > 0 {
		n := min(l.skip, int64(len(p)))
		if l.skip == 0 {
			n = 1
			l.frame = append(l.frame, p[0])
			h, size, err := ws.ParseHeader(l.frame)
			if err != nil {
				panic(err) // a Conn has written it
			}
			if size > 0 {
				l.frame, l.skip, l.last = l.frame[:0], h.Length+n, h.Fin && !h.Opcode.IsControl()
			} else {
				l.skip = n
			}
		}
		p, l.put, l.skip = p[n:], l.put+n, l.skip-n
		if l.skip == 0 && l.last {
			l.ends, l.last = append(l.ends, l.put), false
		}
	}
}

// leaves reports whether a Conn that has read n messages has taken more.
func (l *line) leaves(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken > l.ends[n-1]
}

// An end is the stream that a Conn has.
type end struct {
	in, out *line
	cuts    *xorshift
	reads   int                    // calls of Read
	dry     atomic.Pointer[func()] // called when a Read finds nothing; also by a Conn's closing goroutine
}

func (e *end) Read(p []byte) (int, error) {
	e.reads++
	for range 2 {
		e.in.mu.Lock()
		if n := len(e.in.buf); n > 0 {
			if k := e.cuts.next(3 * n); k > 0 && k < len(p) {
				p = p[:k]
			}
			n = copy(p, e.in.buf)
			e.in.buf = e.in.buf[n:]
			e.in.taken += int64(n)
			e.in.mu.Unlock()
			return n, nil
		}
		closed := e.in.closed
		e.in.mu.Unlock()
		if closed {
			return 0, io.EOF
		}
		if dry := e.dry.Load(); dry != nil {
			(*dry)()
		}
	}
	return 0, os.ErrDeadlineExceeded
}

func (e *end) Write(p []byte) (int, error) {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	if e.out.closed {
		return 0, io.ErrClosedPipe
	}
	e.out.buf = append(e.out.buf, p...)
	e.out.follow(p)
	select {
	case e.out.wrote <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (e *end) Close() error {
	for _, l := range []*line{e.in, e.out} {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
	}
	return nil
}

func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }
