package wsspec

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/http2"
)

// An h2Stream is a stream as if it were the TCP connection (RFC 8441 §5). "Orderly TCP-
// level closures are represented as END_STREAM flags", and a reset "with the CANCEL
// error code". The heads on it are HTTP/1.1's, which headOf and requestOf translate.
type h2Stream struct {
	s  *h2Session
	id uint32

	only bool // closing it closes the session

	// Of s.mu.
	head     []byte // of the suite's, and not whole
	headSent bool
	key      string // client: for the answer's Sec-WebSocket-Accept
	in       bytes.Buffer
	owed     int   // bytes read that the testee's window lacks
	inErr    error // behind in
	window   int64 // bytes that the testee takes
	gone     error // it takes none any more
	ended    bool  // END_STREAM is sent
	closed   bool

	reading, writing h2Deadline
}

// An h2Deadline wakes those who wait. The zero value is none.
type h2Deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *h2Deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (st *h2Stream) set(d *h2Deadline, at time.Time) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.at = at; !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), st.s.wake)
	}
	st.s.changed.Broadcast()
}

func (s *h2Session) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

// data takes what the testee sends.
func (st *h2Stream) data(f *http2.DataFrame) error {
	n := int(f.Header().Length)
	if st.in.Len()+st.owed+n > h2Window+maxHead+h2Frame {
		return fmt.Errorf("the testee has sent more than the window of %d bytes (RFC 9113 §6.9.1)", h2Window)
	}
	if st.inErr == nil && !st.closed {
		st.in.Write(f.Data())
	}
	st.owed += n - len(f.Data()) // padding
	st.endIf(f.StreamEnded())
	return nil
}

func (st *h2Stream) endIf(end bool) {
	if end && st.inErr == nil {
		st.inErr = io.EOF
		st.forget()
	}
}

func (st *h2Stream) reset(code http2.ErrCode) {
	st.gone = fmt.Errorf("the testee has reset the stream with %v: %w", code, syscall.ECONNRESET)
	if st.inErr == nil {
		st.inErr = st.gone
	}
	delete(st.s.streams, st.id)
}

// forget forgets a stream that has ended both ways.
func (st *h2Stream) forget() {
	if st.inErr != nil && st.ended {
		delete(st.s.streams, st.id)
	}
}

func (st *h2Stream) Read(p []byte) (int, error) {
	s := st.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case st.closed:
			return 0, net.ErrClosed
		case st.in.Len() > 0:
			n, _ := st.in.Read(p)
			if st.owed += n; st.owed >= h2Window/4 && st.inErr == nil {
				s.framer.WriteWindowUpdate(st.id, uint32(st.owed))
				st.owed = 0
				s.changed.Broadcast()
			}
			return n, nil
		case st.inErr != nil:
			return 0, st.inErr
		case s.err != nil:
			return 0, s.err
		case st.reading.passed():
			return 0, os.ErrDeadlineExceeded
		}
		s.changed.Wait()
	}
}

func (st *h2Stream) Write(p []byte) (int, error) {
	s := st.s
	s.mu.Lock()
	defer s.mu.Unlock()
	done := 0
	if !st.headSent {
		rest, err := st.writeHead(p)
		if err != nil || rest == nil {
			return len(p), err
		}
		done = len(p) - len(rest)
	}
	for size := 1; done < len(p); {
		if err := st.mayWrite(); err != nil {
			return done, err
		}
		room := min(st.window, s.window, h2Frame, int64(len(p)-done))
		if s.cut {
			room, size = min(room, int64(size)), min(2*size, h2Frame)
		}
		if room <= 0 || s.out.Len() > h2Waiting {
			if s.cut {
				size = max(1, size/2)
			}
			s.changed.Wait()
			continue
		}
		s.framer.WriteData(st.id, false, p[done:done+int(room)])
		st.window, s.window, done = st.window-room, s.window-room, done+int(room)
		s.changed.Broadcast()
	}
	return done, nil
}

// mayWrite is nil unless nothing can be written.
func (st *h2Stream) mayWrite() error {
	switch {
	case st.closed || st.ended:
		return net.ErrClosed
	case st.gone != nil:
		return st.gone
	case st.s.err != nil:
		return st.s.err
	case st.writing.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// writeHead collects a head and sends it; nil if there is more to come, else what is
// behind it.
func (st *h2Stream) writeHead(p []byte) (rest []byte, err error) {
	if err := st.mayWrite(); err != nil {
		return nil, err
	}
	before := len(st.head)
	st.head = append(st.head, p...)
	i := bytes.Index(st.head, []byte("\r\n\r\n"))
	if i < 0 {
		if len(st.head) > 2*maxHead {
			return nil, fmt.Errorf("no end of the head within %d bytes", 2*maxHead)
		}
		return nil, nil
	}
	st.sendHead(parseHead(string(st.head[:i+4])))
	st.head, st.headSent = nil, true
	st.s.changed.Broadcast()
	return p[i+4-before:], nil
}

// CloseWrite sends END_STREAM.
func (st *h2Stream) CloseWrite() error {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	st.end()
	return nil
}

func (st *h2Stream) end() {
	if st.ended || st.gone != nil {
		return
	}
	st.ended = true
	if st.headSent {
		st.s.framer.WriteData(st.id, true, nil)
	} else if st.s.streams[st.id] != nil {
		st.s.framer.WriteRSTStream(st.id, http2.ErrCodeCancel)
	}
	st.forget()
	st.s.changed.Broadcast()
}

func (st *h2Stream) Close() error {
	st.s.mu.Lock()
	if !st.closed {
		st.end()
		st.closed = true
		if st.inErr == nil && st.headSent {
			st.s.framer.WriteRSTStream(st.id, http2.ErrCodeCancel)
		}
		delete(st.s.streams, st.id)
		for _, d := range []*h2Deadline{&st.reading, &st.writing} {
			if d.timer != nil {
				d.timer.Stop()
			}
		}
		st.s.changed.Broadcast()
	}
	st.s.mu.Unlock()
	if st.only {
		st.s.close()
	}
	return nil
}

func (st *h2Stream) LocalAddr() net.Addr                { return st.s.nc.LocalAddr() }
func (st *h2Stream) RemoteAddr() net.Addr               { return st.s.nc.RemoteAddr() }
func (st *h2Stream) SetReadDeadline(at time.Time) error { st.set(&st.reading, at); return nil }
func (st *h2Stream) SetWriteDeadline(at time.Time) error {
	st.set(&st.writing, at)
	return nil
}
func (st *h2Stream) SetDeadline(at time.Time) error {
	st.set(&st.reading, at)
	st.set(&st.writing, at)
	return nil
}
