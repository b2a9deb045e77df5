package client

import (
	"context"
	"errors"
	"fmt"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/socketio"
)

// Emit sends an event. A []byte among or inside the arguments, at any depth, goes as a
// binary attachment. It never waits: what is emitted while the socket is away is sent
// when it is back, in order. The error says what cannot be encoded, or is [ErrClosed],
// [ErrAway], or one of package engineio/client's that refuse what is too much:
// ErrFull and ErrTooLarge.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(event, args, nil, false)
}

// EmitVolatile is Emit for what may be lost if it cannot be sent at once.
func (s *Socket) EmitVolatile(event string, args ...any) error {
	return s.emit(event, args, nil, true)
}

func (s *Socket) emit(event string, args []any, q *question, volatile bool) error {
	if err := socketio.CheckEvent(event); err != nil {
		return err
	}
	id := int64(socketio.NoID)
	if q != nil {
		id = q.id
	}
	messages, err := socketio.Encode(socketio.PacketEvent, s.ns, id, append([]any{event}, args...)...)
	if err != nil {
		return err
	}
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !s.wanted:
		return ErrClosed
	case s.state == connected && volatile:
		if s.buffer.Len() == 0 {
			c.conn.SendVolatile(messages...)
		}
		return nil
	case volatile:
		return nil
	case s.state == connected && s.buffer.Len() == 0:
		err := c.conn.Send(messages...)
		if err == nil && q != nil {
			q.sent = true
		}
		if err == nil || c.conn.Err() == nil {
			return err
		}
		// The connection is lost, and that is about to be known here.
	}
	return s.keep(outgoing{messages, q})
}

// keep has an event wait until the socket is back. The caller holds c.mu.
func (s *Socket) keep(o outgoing) error {
	size := 0
	for _, m := range o.messages {
		size += len(m.Data) + messageOverhead
	}
	if most := s.client.o.BufferBytes; s.buffer.Size()+size > most {
		return fmt.Errorf("%w: %d bytes wait, %d more would, and it is %d", ErrAway, s.buffer.Size(), size, most)
	}
	for i, m := range o.messages { // the caller's bytes are the caller's
		o.messages[i].Data = append([]byte(nil), m.Data...)
	}
	s.buffer.Push(o, size)
	return nil
}

// messageOverhead is what a waiting message counts besides its own bytes.
const messageOverhead = 64

// drain sends what has waited, over a connection that the socket has now. The caller
// holds c.mu.
func (s *Socket) drain(conn *engine.Conn) {
	if s.draining || !s.flush(conn) {
		return
	}
	s.draining = true
	c := s.client
	c.tasks.Go(func() {
		for {
			err := conn.Ready(c.life)
			c.mu.Lock()
			if err != nil || !s.flush(conn) {
				s.draining = false
				if next := c.conn; next != nil && next != conn && s.state == connected {
					s.drain(next) // it came meanwhile, and has left it to this one
				}
				c.mu.Unlock()
				return
			}
			c.mu.Unlock()
		}
	})
}

// flush sends what has waited as far as there is room, and reports whether there is
// more. The caller holds c.mu.
func (s *Socket) flush(conn *engine.Conn) (more bool) {
	for s.state == connected && s.client.conn == conn {
		next := s.buffer.First()
		if next == nil {
			s.client.changed.Raise()
			return false
		}
		err := conn.Send(next.messages...)
		if errors.Is(err, engine.ErrFull) {
			return true
		}
		if conn.Err() != nil {
			return false // it is for the next
		}
		o, _ := s.buffer.Pop()
		switch {
		case err == nil && o.question != nil:
			o.question.sent = true
		case err != nil && o.question != nil:
			o.question.settle(nil, err)
			delete(s.acks, o.question.id)
		case err != nil: // too large for this server
			s.client.o.Logger.Info("socketio: an event that waited cannot be sent", "namespace", s.ns, "err", err)
		}
	}
	return false
}

// Ready waits until the socket is connected and at least half of what may wait to be
// sent is free. Who sends much waits for it in between. The error is ctx's cause or
// [ErrClosed].
func (s *Socket) Ready(ctx context.Context) error {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !s.wanted:
			return ErrClosed
		case s.state == connected && s.buffer.Len() == 0:
			conn := c.conn
			c.mu.Unlock()
			err := conn.Ready(ctx)
			c.mu.Lock()
			if err == nil {
				return nil
			}
		}
		if s.state != connected || s.buffer.Len() > 0 || c.conn.Err() != nil {
			c.await(&c.changed, ctx)
		}
	}
}

// A question is an event that waits for its acknowledgement.
type question struct {
	id     int64
	answer chan answer // has room for one
	sent   bool
}

type answer struct {
	args Args
	err  error
}

func (q *question) settle(args *Args, err error) {
	a := answer{err: err}
	if args != nil {
		a.args = *args
	}
	q.answer <- a
}

// question is a new one of the socket's, which forget must end. The caller does not
// hold c.mu.
func (s *Socket) question() (*question, error) {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if most := c.o.MaxAsks; len(s.acks) >= most {
		return nil, fmt.Errorf("socketio: %d events wait for the server's acknowledgement already (option MaxAsks)", most)
	}
	q := &question{id: s.lastID, answer: make(chan answer, 1)}
	s.lastID++
	s.acks[q.id] = q
	return q, nil
}

// forget drops a question, and its event if that was not sent.
func (s *Socket) forget(q *question) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if s.acks[q.id] != q {
		return
	}
	delete(s.acks, q.id)
	if !q.sent {
		s.buffer.Drop(func(o outgoing) bool { return o.question == q })
	}
}

// acknowledged hands an acknowledgement to who waits for it. It reports false if nobody
// does, or not any more. The caller holds c.mu.
func (s *Socket) acknowledged(id int64, args Args) bool {
	q := s.acks[id]
	if q == nil || !q.sent {
		return false
	}
	delete(s.acks, id)
	q.settle(&args, nil)
	return true
}

// inquire sends an event and waits for its acknowledgement.
func (s *Socket) inquire(ctx context.Context, event string, args []any) (Args, error) {
	q, err := s.question()
	if err != nil {
		return Args{}, err
	}
	defer s.forget(q)
	if err := s.emit(event, args, q, false); err != nil {
		return Args{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.client.o.AckTimeout, ErrNoAnswer)
	defer cancel()
	select {
	case a := <-q.answer:
		return a.args, a.err
	case <-ctx.Done():
		return Args{}, context.Cause(ctx)
	}
}

// reply sends an acknowledgement, if the connection over which it was asked for is
// still there.
func (s *Socket) reply(conn *engine.Conn, messages []engineio.Message) error {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != conn || s.state != connected || conn.Err() != nil {
		return nil
	}
	return conn.Send(messages...)
}
