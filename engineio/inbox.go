package engineio

import (
	"context"
	"errors"
)

// put hands m to whoever calls Receive. It waits while as much as
// Options.MaxPayload allows at once is waiting already; that holds up the
// request, or the WebSocket connection, that m came by, and so the client.
// ctx is that request's.
func (s *Socket) put(ctx context.Context, m Message) error {
	s.mu.Lock()
	for s.err == nil && s.inBytes > s.server.o.MaxPayload {
		room := wait(&s.inRoom)
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.in = append(s.in, m)
	s.inBytes += len(m.Data) + packetOverhead
	signal(&s.inWake)
	return nil
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
		if s.inHead < len(s.in) {
			return s.take(), nil
		}
		if s.err != nil {
			return Message{}, s.err
		}
		if ctx.Err() != nil {
			return Message{}, context.Cause(ctx)
		}
		wake := wait(&s.inWake)
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
}

func (s *Socket) take() Message {
	m := s.in[s.inHead]
	s.in[s.inHead] = Message{}
	s.inHead++
	s.inBytes -= len(m.Data) + packetOverhead
	if s.inHead == len(s.in) {
		s.in, s.inHead = s.in[:0], 0
		if cap(s.in) > 16 {
			s.in = nil // a burst is over; an idle session keeps little
		}
	}
	if s.inRoom != nil && s.inBytes <= s.server.o.MaxPayload {
		signal(&s.inRoom)
		s.allowPong()
	}
	return m
}

// wait returns *c, which signal closes.
func wait(c *chan struct{}) <-chan struct{} {
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

func signal(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// errGaveUp: a client that ends a request early cannot know what arrived.
var errGaveUp = errors.New("the client gave up a request")
