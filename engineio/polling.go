package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const textType = "text/plain; charset=UTF-8"

// A poll is a GET request that waits.
type poll struct {
	ready   chan struct{} // closed when packets are there
	packets []packet
}

// answerPoll gives packets to the request that waits. The caller holds s.mu.
func (s *Socket) answerPoll(packets []packet) {
	s.poll.packets = packets
	close(s.poll.ready)
	s.poll = nil
}

// mismatch refuses a request by polling for a session that has moved on.
func mismatch() *refusal {
	return &refusal{code: codeRequest, level: slog.LevelDebug, detail: "a request by polling for a session on a WebSocket"}
}

// get serves a GET: it answers with what is queued, or waits until there is
// something. net/http's own goroutine does the waiting.
func (s *Socket) get(w http.ResponseWriter, r *http.Request) *refusal {
	s.mu.Lock()
	switch {
	case s.conn != nil:
		s.mu.Unlock()
		return mismatch()
	case s.poll != nil:
		// The client has lost track: what the first is given may never be read.
		s.endLocked(&CloseError{TransportError, errors.New("two GET requests at once")}, false)
		s.mu.Unlock()
		return &refusal{code: codeRequest, detail: "a second GET request while one is waiting"}
	case s.phase == phaseGone:
		s.mu.Unlock()
		return &refusal{code: codeSession, level: slog.LevelDebug}
	}
	p := &poll{ready: make(chan struct{})}
	s.poll = p
	switch {
	case s.phase == phaseClosing:
		s.answerPoll(append(s.takeQueue(), closePacket))
		s.gone()
	case len(s.out) > 0:
		s.flush()
	case s.probed: // the client waits for this one's end to upgrade
		if !s.idled(1) { // which would have answered
			s.answerPoll([]packet{noopPacket})
		}
	}
	s.mu.Unlock()

	control := http.NewResponseController(w)
	select {
	case <-p.ready:
	default:
		// http.Server's own timeouts are not meant for a request that waits:
		// over HTTP/2, a write timeout would end it although nothing is being
		// written. A ResponseWriter without deadlines needs no help.
		_ = control.SetWriteDeadline(time.Time{})
		select {
		case <-p.ready:
		case <-r.Context().Done():
		}
	}
	if r.Context().Err() != nil {
		// What was handed over in this moment, if anything, is lost.
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.poll == p {
			s.poll = nil
		}
		s.endLocked(&CloseError{TransportError, errGaveUp}, false)
		return nil
	}
	_ = control.SetWriteDeadline(time.Now().Add(s.server.o.BodyTimeout))
	w.Header().Set("Content-Type", textType)
	err := answer(w, http.StatusOK, s.zip(w, r, appendPayload(make([]byte, 0, payloadSize(p.packets)), p.packets)))
	if err == nil {
		if err = control.Flush(); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	if err != nil {
		s.end(&CloseError{TransportError, err}, false)
	}
	return nil // net/http takes the deadline off again
}

// post serves a POST: it takes in the packets of its body, one after the
// other, and answers when all are with the handler or waiting for it.
func (s *Socket) post(w http.ResponseWriter, r *http.Request) *refusal {
	limit := s.server.o.MaxPayload
	s.mu.Lock()
	switch {
	case s.conn != nil:
		s.mu.Unlock()
		return mismatch()
	case s.phase == phaseGone:
		s.mu.Unlock()
		return &refusal{code: codeSession, level: slog.LevelDebug}
	case s.posting:
		s.endLocked(&CloseError{TransportError, errors.New("two POST requests at once")}, false)
		s.mu.Unlock()
		return &refusal{code: codeRequest, detail: "a second POST request while one is being served"}
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream"):
		s.endLocked(&CloseError{TransportError, errors.New("a POST of application/octet-stream")}, false)
		s.mu.Unlock()
		return &refusal{code: codeRequest, detail: "a POST of application/octet-stream; version 4 has text only"}
	}
	s.posting = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.posting = false
		s.mu.Unlock()
	}()

	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.server.o.BodyTimeout))
	var body []byte
	var err error
	if r.ContentLength <= int64(limit) { // -1 if it is not known yet
		body, err = io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	}
	if r.ContentLength > int64(limit) || len(body) > limit {
		// To answer a client that is still sending would reset the connection,
		// and the answer would be lost. There is an end to that, too.
		_, _ = io.CopyN(io.Discard, r.Body, 4*int64(limit))
		return tooLarge(limit)
	}
	if err != nil {
		s.end(&CloseError{TransportError, fmt.Errorf("a POST's body: %w", err)}, false)
		return &refusal{code: codeRequest, detail: "the body did not come: " + err.Error()}
	}
	_ = control.SetReadDeadline(time.Time{}) // it was for the body alone
	// That of an http.Server may be over before the packets' time has come.
	_ = control.SetWriteDeadline(time.Time{})
	defer func() { _ = control.SetWriteDeadline(time.Now().Add(s.server.o.BodyTimeout)) }()

	if err := s.hold(r.Context(), len(body), 1+bytes.Count(body, []byte{separator})); err != nil && r.Context().Err() != nil {
		s.end(&CloseError{TransportError, errGaveUp}, false)
		return nil
	}
	for b := range bytes.SplitSeq(body, []byte{separator}) {
		kind, m, err := parsePacket(b)
		if err != nil {
			s.undecodable(err)
			return &refusal{code: codeRequest, detail: err.Error()}
		}
		if !m.Binary {
			m.Data = bytes.Clone(m.Data) // a message that is kept must not keep the body
		}
		if err := s.handle(r.Context(), kind, m); err != nil {
			if kind == typeClose {
				break // that was asked for
			}
			if r.Context().Err() != nil {
				s.end(&CloseError{TransportError, errGaveUp}, false)
				return nil
			}
			if s.ending() {
				continue // what comes for a session that this side closes is dropped
			}
			return &refusal{code: codeRequest, detail: err.Error()}
		}
	}
	w.Header().Set("Content-Type", textType)
	_ = answer(w, http.StatusOK, []byte("ok")) // if it does not arrive, the client says so
	return nil
}

func tooLarge(limit int) *refusal {
	return &refusal{
		code: codeRequest, status: http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("Body over %d bytes, the maxPayload of the handshake", limit),
		detail:  fmt.Sprintf("a POST of more than the %d bytes that Options.MaxPayload allows", limit),
	}
}
