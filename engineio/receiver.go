package engineio

import (
	"context"
	"errors"
)

// A Receiver takes what comes in one session, without a goroutine that waits for it:
// see [NewReceiverServer].
type Receiver interface {
	// Message is called with each of the client's messages, as the function that
	// [Socket.Each] gets. An error ends the session.
	Message(m Message) error

	// Ended is called once, after the last Message, with what Each would have
	// returned: the reason for which the session is over, or Message's error. What it
	// returns is what the handler of [NewServer] would have: an error that is not the
	// session's own end is logged, and the session is closed.
	Ended(err error) error
}

// NewReceiverServer is [NewServer] for sessions of which most wait most of the time, and
// whose handler would do nothing but call [Socket.Each]: opened makes a receiver for each
// session, which is called from what reads the transport. A session over WebSocket has
// one goroutine then, and one over polling none. opened must not wait; the client gets
// its answer when it has returned. ctx ends with the session.
func NewReceiverServer(opened func(ctx context.Context, s *Socket) Receiver, o *Options) (*Server, error) {
	v, err := newServer(o)
	if err == nil {
		v.opened = opened
	}
	return v, err
}

// errNoReceiver: who opens a session has no use for it.
var errNoReceiver = errors.New("engineio: the function of NewReceiverServer has returned no receiver")

// receive makes the session's receiver.
func (s *Socket) receive() {
	err := contained(func() error {
		if s.receiver = s.server.opened(s.ctx, s); s.receiver == nil {
			return errNoReceiver
		}
		return nil
	})
	s.each = func(Message) error { return err }
	if s.eachErr = err; err == nil {
		s.each = s.receiver.Message
	}
}

// wakeHandler wakes whoever waits for a message or the end, of which the latter has come.
// The caller holds s.mu.
func (s *Socket) wakeHandler() {
	s.inWake.Raise()
	s.wakeReceiver()
}

// wakeReceiver tells the receiver of the end, if it has come and no message is under
// way. The caller holds s.mu.
func (s *Socket) wakeReceiver() {
	if s.server.opened == nil || s.told || s.delivering || s.err == nil && s.eachErr == nil {
		return
	}
	s.told = true
	err := s.eachErr
	if err == nil {
		err = s.err
	}
	go s.server.serve(s, func() error {
		if s.receiver == nil {
			return err
		}
		return s.receiver.Ended(err)
	})
}
