package socketio

import (
	"context"
)

// An Answer is how one socket has answered what [AskAll] asked.
type Answer[R any] struct {
	Socket *Socket
	Value  R
	Err    error // ErrNoAnswer, ErrClosed, ctx's, or what cannot be decoded
}

// AskAll sends an event to the target's sockets and waits until all have acknowledged it,
// or are gone, or [Options.AckTimeout] is over, or ctx. There is an Answer for each, in no
// order; the error says what cannot be encoded. Like any event for several, it comes to
// all of them in the same order with others.
func AskAll[R any](ctx context.Context, t Target, event string, args ...any) ([]Answer[R], error) {
	asked, err := t.ask(event, args)
	if err != nil || len(asked) == 0 {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.ns.server.o.AckTimeout, ErrNoAnswer)
	defer cancel()
	answers := make([]Answer[R], len(asked))
	for i, q := range asked {
		a := Answer[R]{Socket: q.socket}
		var args Args
		if args, a.Err = q.wait(ctx); a.Err == nil {
			a.Value, a.Err = decode1[R](args)
		}
		answers[i] = a
	}
	return answers, nil
}

// ask sends an event that is to be acknowledged to each of the target's sockets.
func (t Target) ask(event string, args []any) (asked []*question, err error) {
	var packets []*encoded
	for _, s := range t.Sockets() {
		q := s.question()
		e, err := encodeEvent(t.ns.name, q.id, event, args)
		if err != nil {
			q.forget()
			return nil, err // of the first: the others are the same
		}
		e.asks = true
		asked, packets = append(asked, q), append(packets, e)
	}
	if len(asked) == 0 {
		return nil, nil
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	for i, q := range asked {
		if q.err == nil {
			q.err = q.socket.sendLocked(packets[i], false)
		}
	}
	return asked, nil
}

// A question is an event that waits for its acknowledgement.
type question struct {
	socket *Socket
	id     int64
	answer chan Args
	over   <-chan struct{} // the socket is
	err    error           // it could not be asked
}

// question is a new one of the socket's, which wait or forget must end.
func (s *Socket) question() *question {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &question{socket: s, over: s.ctx.Done()}
	if most := s.ns.server.o.MaxAsks; len(s.acks) >= most {
		q.err = tooManyAsks(most)
		return q
	}
	s.lastID++
	q.id, q.answer = s.lastID, make(chan Args, 1)
	s.acks[q.id] = q.answer
	return q
}

func (q *question) forget() {
	q.socket.mu.Lock()
	defer q.socket.mu.Unlock()
	delete(q.socket.acks, q.id)
}

// wait waits for the answer until ctx ends.
func (q *question) wait(ctx context.Context) (Args, error) {
	if q.err != nil {
		q.forget()
		return Args{}, q.err
	}
	defer q.forget()
	select {
	case a := <-q.answer:
		return a, nil
	case <-q.over:
		return Args{}, ErrClosed
	case <-ctx.Done():
	}
	select { // what came in time, for who is waited for behind another
	case a := <-q.answer:
		return a, nil
	case <-q.over:
		return Args{}, ErrClosed
	default:
		return Args{}, context.Cause(ctx)
	}
}
