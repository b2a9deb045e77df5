package engineio

import (
	"context"
	"errors"
	"time"
)

// put hands m to the function of Each, or to whoever calls Receive. It waits for
// the one to be done with what came before, or while as much as
// Options.MaxPayload allows at once is waiting for the other already; that holds
// up the request, or the WebSocket connection, that m came by, and so the
// client. ctx is that request's.
func (s *Socket) put(ctx context.Context, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && !s.takes() {
		room := s.inRoom.Wait()
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	switch {
	case s.err != nil:
		return s.err
	case s.each != nil:
		s.deliver(m)
	default:
		s.in.Push(m, len(m.Data)+packetOverhead)
		s.inWake.Raise()
	}
	return nil
}

// takes reports whether put can hand a message on. The caller holds s.mu.
func (s *Socket) takes() bool {
	if s.each != nil {
		return !s.delivering && s.eachErr == nil
	}
	return s.in.Size() <= s.server.o.MaxPayload
}

// deliver calls the function of Each. The caller holds s.mu, which is free
// meanwhile.
func (s *Socket) deliver(m Message) {
	s.delivering = true
	f, before := s.each, s.phase
	var began time.Time
	if before != phaseIdle {
		began = time.Now()
	}
	s.mu.Unlock()
	err := contained(func() error { return f(m) })
	s.mu.Lock()
	s.delivering, s.eachErr = false, err
	switch { // a pong could not be read meanwhile
	case before == phaseIdle:
		s.allowPong() // if there was a ping
	case s.phase == phasePinged || s.phase == phaseExtended:
		s.setTimer(time.Until(s.due) + time.Since(began))
	}
	s.inRoom.Raise()
	if err != nil || s.err != nil {
		s.wakeHandler()
	}
}

// Each has f called with each of the client's messages, in order and one at a
// time, and returns when the session is over, with the reason, or when f has
// returned an error, with that. No call of f is under way any more then. f may
// keep the messages.
//
// It is Receive without a queue in between: what reads the transport calls f,
// and reads on when f returns. So f should hand on what takes long, and let a
// client wait only that sends too much: meanwhile the client's pongs are not
// read, for which it gets the time, nor is its going away. A handler calls
// either Each or Receive. A panic of f is the error that Each returns.
func (s *Socket) Each(f func(Message) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.in.Len() > 0 { // came before
		m := s.take()
		s.mu.Unlock()
		err := contained(func() error { return f(m) })
		s.mu.Lock()
		if err != nil {
			return err
		}
	}
	s.each = f
	for s.delivering || s.err == nil && s.eachErr == nil {
		wake := s.inWake.Wait()
		s.mu.Unlock()
		<-wake
		s.mu.Lock()
	}
	if s.eachErr != nil {
		return s.eachErr
	}
	return s.err
}

// Receive returns the client's next message, in memory that the caller may
// keep. Messages that came before the session's end are returned before its
// error, unless this side closed. When ctx ends, the error is its cause, and
// nothing is lost.
//
// A client whose messages are not received is held up: while it waits, its
// heartbeats are not judged.
func (s *Socket) Receive(ctx context.Context) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.in.Len() > 0 {
			return s.take(), nil
		}
		if s.err != nil {
			return Message{}, s.err
		}
		if ctx.Err() != nil {
			return Message{}, context.Cause(ctx)
		}
		wake := s.inWake.Wait()
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
}

// take takes the oldest message; there is one. The caller holds s.mu.
func (s *Socket) take() Message {
	m, _ := s.in.Pop()
	if s.inRoom.IsAwaited() && s.in.Size() <= s.server.o.MaxPayload {
		s.inRoom.Raise()
		s.allowPong()
	}
	return m
}

// errGaveUp: a client that ends a request early cannot know what arrived.
var errGaveUp = errors.New("the client gave up a request")
