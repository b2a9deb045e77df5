package h2

import (
	"bytes"
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Open opens a stream with a client's request (§8.1). end says that no content follows.
// The error is ErrStreams, or why the connection is over.
func (e *Endpoint) Open(fields []hpack.HeaderField, end bool) (*Stream, error) {
	if e.failed != nil {
		return nil, e.failed
	}
	if e.Leaving() || len(e.streams) >= e.peerStreams || e.last >= maxWindow-1 {
		return nil, ErrStreams
	}
	if e.last == 0 {
		e.last = 1
	} else {
		e.last += 2
	}
	s := e.newStream(e.last)
	s.tunnel = slices.ContainsFunc(fields, func(f hpack.HeaderField) bool { return f.Name == ":method" && f.Value == "CONNECT" })
	e.Headers(s, fields, end)
	return s, nil
}

// Headers sends a header list on s: a request, or an answer. end says that no content
// follows. They wait for no window.
func (e *Endpoint) Headers(s *Stream, fields []hpack.HeaderField, end bool) {
	if s.gone || s.closed || s.closing {
		return
	}
	e.fields.Reset()
	for _, f := range fields {
		e.enc.WriteField(f)
	}
	block := e.fields.Bytes()
	first := block[:min(len(block), maxFrame)]
	rest := block[len(first):]
	e.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: s.ID, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		part := rest[:min(len(rest), maxFrame)]
		rest = rest[len(part):]
		e.frames.WriteContinuation(s.ID, len(rest) == 0, part)
	}
	s.headerSent = true
	if end {
		s.closing, s.closed = true, true
		e.finish(s)
	}
}

// Write keeps what of p there is room for, to be sent when the windows allow, and
// returns how much that is; 0 without an error means that there is none yet.
func (e *Endpoint) Write(s *Stream, p []byte) (int, error) {
	switch {
	case s.closing || s.released:
		return 0, ErrClosed
	case s.err != nil:
		return 0, s.err
	}
	n := max(0, min(len(p), e.limits.SendBuffer-s.outBuf.len()))
	if n > 0 {
		s.outBuf.add(p[:n])
		e.queue(s)
	}
	return n, nil
}

// CloseWrite ends this end's direction, after what was written.
func (e *Endpoint) CloseWrite(s *Stream) {
	if !s.gone && !s.closing {
		s.closing = true
		e.queue(s)
	}
}

// Unsent returns how many bytes wait to be sent.
func (s *Stream) Unsent() int { return s.outBuf.len() }

// queue puts s among those that have something to send, if it has.
func (e *Endpoint) queue(s *Stream) {
	if !s.queued && s.sends() {
		s.queued = true
		e.ready = append(e.ready, s)
	}
}

// sends reports whether s has something to send that its own window allows.
func (s *Stream) sends() bool {
	return !s.gone && !s.closed && (s.outBuf.len() > 0 && s.outWindow > 0 || s.closing && s.outBuf.len() == 0)
}

// Pending reports whether there is something to send.
func (e *Endpoint) Pending() bool {
	return e.out.Len() > 0 || len(e.ready) > 0 && (e.outWindow > 0 || slices.ContainsFunc(e.ready, func(s *Stream) bool { return s.outBuf.len() == 0 }))
}

// Append appends what is to be sent to dst: frames that are ready, and DATA until there
// are room bytes or so, the streams taking turns, a frame each.
func (e *Endpoint) Append(dst []byte, room int) []byte {
	var blocked []*Stream // by the connection's window
	for len(e.ready) > 0 && e.out.Len() < room {
		s := e.ready[0]
		e.ready = e.ready[1:]
		switch s.queued = false; {
		case !s.sends():
		case s.outBuf.len() > 0 && e.outWindow <= 0:
			blocked = append(blocked, s)
		default:
			e.sendData(s)
			e.queue(s)
		}
	}
	for _, s := range blocked {
		e.queue(s)
	}
	if len(e.ready) == 0 {
		e.ready = nil // and what it has grown to
	}
	dst = append(dst, e.out.Bytes()...)
	if e.out.Reset(); e.out.Cap() > 4*maxFrame {
		e.out = bytes.Buffer{} // nothing of that size is to stay with a connection that waits
	}
	return dst
}

// sendData sends a DATA frame of s, as large as the windows allow (§5.2).
func (e *Endpoint) sendData(s *Stream) {
	n := int(min(int64(s.outBuf.len()), maxFrame, s.outWindow, e.outWindow))
	if s.outBuf.len() == 0 {
		n = 0
	}
	end := s.closing && n == s.outBuf.len()
	e.frames.WriteData(s.ID, end, s.outBuf.next(n))
	s.outWindow, e.outWindow = s.outWindow-int64(n), e.outWindow-int64(n)
	e.earned += updatesPerFrame
	if n > 0 {
		s.outBuf.take(n)
	}
	if end {
		s.closed = true
		e.finish(s)
	}
	s.wake()
}

// GoAway says that no more streams are taken, and why; those that there are go on (§6.8).
func (e *Endpoint) GoAway(code http2.ErrCode, detail string) {
	if !e.away && e.failed == nil {
		e.away = true
		e.frames.WriteGoAway(e.seen(), code, []byte(detail))
	}
}
