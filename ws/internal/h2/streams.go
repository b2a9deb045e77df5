package h2

import (
	"slices"
	"strconv"

	"golang.org/x/net/http2"
)

// headers takes a request, an answer, or trailers (§6.2, §8.1).
func (e *Endpoint) headers(f *http2.MetaHeadersFrame, now int64) (Event, error) {
	if s := e.streams[f.StreamID]; s != nil {
		return e.moreHeaders(s, f, now)
	}
	if !e.server || f.StreamID%2 == 0 || f.StreamID <= e.last {
		return Event{}, e.lateHeaders(f, now)
	}
	e.last = f.StreamID
	if code := e.refuses(f); code != http2.ErrCodeNo {
		e.reset(f.StreamID, code)
		return Event{}, e.charge(1, now)
	}
	s := e.newStream(f.StreamID)
	s.tunnel = f.PseudoValue("method") == "CONNECT"
	s.declared = declaredLength(f)
	if f.StreamEnded() && s.declared > 0 {
		e.Reset(s, http2.ErrCodeProtocol) // §8.1.1
		e.Release(s)
		return Event{}, e.charge(1, now)
	}
	s.ended = f.StreamEnded()
	return Event{Kind: Request, Stream: s, Fields: f.Fields, End: s.ended, TooBig: f.Truncated}, nil
}

// refuses says with which code a new stream is reset; ErrCodeNo: it is taken.
func (e *Endpoint) refuses(f *http2.MetaHeadersFrame) http2.ErrCode {
	switch {
	case e.away, len(e.streams) >= e.limits.Streams, e.taken >= 2*e.limits.Streams:
		return http2.ErrCodeRefusedStream // §8.7: it may be tried again
	case !f.Truncated && malformedRequest(f):
		return http2.ErrCodeProtocol // §8.1.1
	}
	return http2.ErrCodeNo
}

// lateHeaders are for a stream that is over, or that the peer may not open.
func (e *Endpoint) lateHeaders(f *http2.MetaHeadersFrame, now int64) error {
	if slices.Contains(e.resets[:], f.StreamID) {
		return e.charge(1, now) // trailers that were on their way
	}
	// "An endpoint that receives an unexpected stream identifier MUST respond with a
	// connection error (Section 5.4.1) of type PROTOCOL_ERROR." (§5.1.1)
	return e.fail(connError(http2.ErrCodeProtocol, "§5.1.1", "HEADERS on stream "+strconv.FormatUint(uint64(f.StreamID), 10)+", which is over or not for the peer to open"))
}

// moreHeaders are an answer, or trailers, which nobody reads.
func (e *Endpoint) moreHeaders(s *Stream, f *http2.MetaHeadersFrame, now int64) (Event, error) {
	switch {
	case s.ended:
		e.Reset(s, http2.ErrCodeStreamClosed) // §5.1
		return Event{}, e.charge(1, now)
	case !e.server && !s.answered:
		return e.answer(s, f, now)
	case !f.StreamEnded() || len(f.PseudoFields()) > 0:
		e.Reset(s, http2.ErrCodeProtocol) // §8.1
		return Event{}, e.charge(1, now)
	}
	e.ends(s)
	return Event{}, nil
}

// answer is the answer to a request, or one of those with a status of 1xx before it.
func (e *Endpoint) answer(s *Stream, f *http2.MetaHeadersFrame, now int64) (Event, error) {
	status, err := strconv.Atoi(f.PseudoValue("status"))
	switch {
	case err != nil || status < 100 || status > 999 || status == 101 || status < 200 && f.StreamEnded():
		e.Reset(s, http2.ErrCodeProtocol) // §8.1, §8.3.2, §8.6
		return Event{}, e.charge(1, now)
	case status < 200:
		return Event{}, e.charge(1, now)
	}
	s.answered = true
	if f.StreamEnded() {
		e.ends(s)
	}
	return Event{Kind: Answer, Stream: s, Fields: f.Fields, End: f.StreamEnded(), TooBig: f.Truncated}, nil
}

// data takes content (§6.1).
func (e *Endpoint) data(f *http2.DataFrame, now int64) error {
	size, content := int64(f.Length), f.Data()
	if e.inWindow -= size; e.inWindow < 0 {
		return e.fail(connError(http2.ErrCodeFlowControl, "§6.9.1", "more DATA than the connection's window allows"))
	}
	if e.owed += size; e.owed >= connWindow/2 {
		e.frames.WriteWindowUpdate(0, uint32(e.owed))
		e.inWindow, e.owed = e.inWindow+e.owed, 0
	}
	s, err := e.known(f.Header())
	if err != nil {
		return err
	}
	if s == nil {
		if !slices.Contains(e.resets[:], f.StreamID) {
			e.reset(f.StreamID, http2.ErrCodeStreamClosed)
		}
		return e.charge(1, now)
	}
	if code := s.takes(size, content, f.StreamEnded()); code != http2.ErrCodeNo {
		e.Reset(s, code)
		return e.charge(1, now)
	}
	if f.StreamEnded() {
		e.ends(s)
	} else if len(content) == 0 {
		return e.charge(1, now)
	}
	s.wake()
	return nil
}

// takes keeps what is read later, or says which code resets the stream.
func (s *Stream) takes(size int64, content []byte, last bool) http2.ErrCode {
	if s.ended {
		return http2.ErrCodeStreamClosed // §5.1
	}
	if s.inWindow -= size; s.inWindow < 0 {
		return http2.ErrCodeFlowControl // §6.9.1
	}
	s.got += int64(len(content))
	if s.declared >= 0 && (s.got > s.declared || last && s.got != s.declared) {
		return http2.ErrCodeProtocol // §8.1.1
	}
	s.owed += size - int64(len(content)) // padding is read by nobody
	if !s.released {
		s.in.add(content)
	}
	return http2.ErrCodeNo
}

// ends notes that nothing more comes.
func (e *Endpoint) ends(s *Stream) {
	s.ended = true
	if s.closed {
		e.remove(s)
	}
	s.wake()
}

// reset sends RST_STREAM for a stream that is not, or no longer, there.
func (e *Endpoint) reset(id uint32, code http2.ErrCode) {
	e.frames.WriteRSTStream(id, code)
	e.resets[e.resetAt%rememberedResets] = id
	e.resetAt++
}
