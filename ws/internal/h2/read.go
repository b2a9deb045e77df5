package h2

import (
	"io"

	"golang.org/x/net/http2"
)

// Read takes what has come on s into p. 0 bytes without an error mean that there is
// nothing yet. After the peer's END_STREAM the error is io.EOF, after a reset an *Error.
func (e *Endpoint) Read(s *Stream, p []byte) (int, error) {
	n := min(len(p), s.in.len())
	if n > 0 {
		copy(p, s.in.next(n))
		s.in.take(n)
		e.give(s, n)
		return n, nil
	}
	switch {
	case s.released:
		return 0, ErrClosed
	case s.err != nil:
		return 0, s.err
	case s.ended:
		return 0, io.EOF
	}
	return 0, nil
}

// give opens the stream's window again by what was read, half a window at a time
// (§6.9.1).
func (e *Endpoint) give(s *Stream, n int) {
	s.owed += int64(n)
	if s.ended || s.gone || s.owed < int64(e.limits.StreamWindow)/2 {
		return
	}
	e.frames.WriteWindowUpdate(s.ID, uint32(s.owed))
	s.inWindow, s.owed = s.inWindow+s.owed, 0
}

// Waiting returns how many bytes wait to be read.
func (s *Stream) Waiting() int { return s.in.len() }

// Reset ends a stream at once, in both directions, and tells the peer why (§6.4).
func (e *Endpoint) Reset(s *Stream, code http2.ErrCode) {
	if s.gone {
		return
	}
	e.reset(s.ID, code)
	if s.err == nil {
		s.err = &Error{Code: code, Detail: "stream reset", Stream: s.ID}
	}
	s.outBuf = buffer{}
	e.remove(s)
	s.wake()
}

// Release says that nobody uses s any more. What was written still goes out, then its
// end; a peer that has not ended its own direction is told not to go on: with CANCEL on
// a tunnel ("RST exceptions are represented with the RST_STREAM frame with the CANCEL
// error code", RFC 8441 §5), else with NO_ERROR (§8.1).
func (e *Endpoint) Release(s *Stream) {
	if s.released {
		return
	}
	s.released = true
	s.in = buffer{}
	s.Wake = nil
	switch {
	case s.gone:
		e.forget(s)
	case !s.headerSent && e.server:
		e.Reset(s, http2.ErrCodeInternal) // no answer, so there is nothing to end
	default:
		e.CloseWrite(s)
		if s.closed {
			e.finish(s)
		}
	}
}

// finish is called when END_STREAM was sent.
func (e *Endpoint) finish(s *Stream) {
	switch {
	case s.ended:
		e.remove(s)
	case s.released && s.tunnel:
		e.Reset(s, http2.ErrCodeCancel)
	case s.released:
		e.Reset(s, http2.ErrCodeNo)
	}
}
