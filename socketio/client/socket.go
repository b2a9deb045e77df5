package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/internal/queue"
	"framewright/socketio"
)

// A Socket is what a client has in one namespace. All methods may be called by any
// number of goroutines at once.
type Socket struct {
	client *Client
	ns     string

	// Under the client's mu.
	wanted    bool // it is to be connected
	state     state
	joined    *engine.Conn // the connection over which it was asked for last
	asked     bool         // CONNECT was sent over it
	deadline  *time.Timer  // for the answer
	id        string
	pid       string // the secret by which the server recovers it
	offset    string // how far it has come
	recovered bool
	waiting   []chan error                 // Connect
	early     queue.List[*socketio.Packet] // events that came before the answer to CONNECT
	ctx       context.Context
	cancel    context.CancelCauseFunc

	buffer   queue.List[outgoing] // emitted while away
	draining bool
	acks     map[int64]*question
	lastID   int64

	jobs    queue.List[func()]
	working bool
	room    queue.Signal // a job has begun

	setup      sync.RWMutex
	handlers   map[string]handler
	gates      []func(context.Context, *Socket, string, Args) error
	any        func(context.Context, *Socket, string, Args) (Reply, error)
	failedWith func(context.Context, *Socket, string, error) error
	connect    func(context.Context, *Socket) error
	disconnect func(context.Context, *Socket, Reason)
	refusal    func(context.Context, *Socket, error)
}

type state uint8

const (
	off state = iota
	connecting
	connected
)

// outgoing is an event that waits for the socket to be back.
type outgoing struct {
	messages []engineio.Message
	question *question // nil: it asks for nothing
}

// Namespace returns the name of the socket's namespace.
func (s *Socket) Namespace() string { return s.ns }

// ID returns the id by which the server's program knows the socket, "" before it was
// connected. It is another after each reconnection, unless the socket was recovered.
func (s *Socket) ID() string {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.id
}

// Connected reports whether the socket is connected.
func (s *Socket) Connected() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.state == connected
}

// Recovered reports whether the server has given the socket what it had missed, its id
// and its rooms, when it came back.
func (s *Socket) Recovered() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.recovered
}

// Context returns a context that ends when the socket is disconnected. Its cause is a
// [*DisconnectedError]. There is another after each reconnection.
func (s *Socket) Context() context.Context {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.ctx
}

// Connect connects the socket and waits for that. Then it stays connected, and comes
// back by itself when it was lost, until Disconnect, Close, or the server's end of it.
// The error is a [*ConnectError] if the server refuses the namespace, ctx's cause, or
// why the first attempt failed, see Options.KeepTrying. After an error there are no
// further attempts.
func (s *Socket) Connect(ctx context.Context) error {
	c := s.client
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		return ErrClosed
	case s.state == connected:
		c.mu.Unlock()
		return nil
	}
	result := make(chan error, 1)
	s.waiting = append(s.waiting, result)
	began := !s.wanted
	if began {
		s.wanted = true
		c.changed.Raise()
		c.start()
		if c.conn != nil && s.state == off {
			s.greet()
		}
	}
	c.mu.Unlock()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case err := <-result: // in this moment
		return err
	default:
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(w chan error) bool { return w == result })
	last := c.err
	if began {
		s.leave()
		c.settle()
	}
	if last != nil {
		return fmt.Errorf("%w; the last attempt: %w", context.Cause(ctx), last)
	}
	return context.Cause(ctx)
}

// Settle waits until the handlers have run of all that has come so far, or returns
// ctx's cause. A handler must not call it: it would wait for itself.
func (s *Socket) Settle(ctx context.Context) error {
	done := make(chan struct{})
	s.client.mu.Lock()
	s.last(func() { close(done) })
	s.client.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Disconnect leaves the namespace: the server is told, after what was sent before. What
// waits to be sent when the socket is back is dropped. The connection is closed with
// its last socket.
func (s *Socket) Disconnect() {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	s.leave()
	s.client.settle()
}

// leave is Disconnect for who holds c.mu.
func (s *Socket) leave() {
	c := s.client
	if c.conn != nil && s.state != off && s.asked {
		if m, err := socketio.Encode(socketio.PacketDisconnect, s.ns, socketio.NoID); err == nil {
			_ = c.conn.Send(m...) // or the connection is over, which says the same
		}
	}
	if s.state != off {
		s.over(&DisconnectedError{Reason: ClientDisconnect})
	}
	if s.wanted {
		s.unwanted(nil)
	}
}

// unwanted has the socket stay disconnected. err is why, nil if this side wanted it.
// The caller holds c.mu.
func (s *Socket) unwanted(err error) {
	s.wanted = false
	s.pid, s.offset = "", ""
	s.client.err = err
	reason := err
	if reason == nil {
		reason = ErrClosed
	}
	for _, q := range s.acks {
		q.settle(nil, ErrClosed)
	}
	clear(s.acks)
	s.buffer.Clear()
	if len(s.waiting) == 0 && err != nil {
		if _, ok := errors.AsType[*DisconnectedError](err); !ok {
			s.report(err)
		}
	}
	s.tell(reason)
	s.client.changed.Raise()
}

// tell has Connect return. The caller holds c.mu.
func (s *Socket) tell(err error) {
	for _, w := range s.waiting {
		w <- err // has room for one
	}
	s.waiting = nil
}

// failed is told of an attempt that came to nothing. The caller holds c.mu.
func (s *Socket) failed(err error) {
	if len(s.waiting) > 0 && !s.client.o.KeepTrying {
		s.unwanted(err)
		return
	}
	s.report(err)
}

// over ends the socket's being connected, or its attempt. The caller holds c.mu.
func (s *Socket) over(why *DisconnectedError) {
	was := s.state
	s.state = off
	s.deadline.Stop()
	s.early.Clear()
	s.cancel(why)
	for id, q := range s.acks {
		if q.sent {
			q.settle(nil, ErrLost)
			delete(s.acks, id)
		}
	}
	if was == connected {
		ctx := s.ctx
		s.last(func() { s.parted(ctx, why.Reason) })
	}
	s.client.changed.Raise()
}
