package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
)

// A handler serves one kind of event and returns what it is acknowledged with.
type handler func(ctx context.Context, s *Socket, a Args) (reply []any, err error)

// A Registrar is a [Socket], or a [Client], which is its socket in "/".
type Registrar interface {
	handle(event string, h handler)
}

func (s *Socket) handle(event string, h handler) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.handlers[event] = h
}

// On has f called with each event of this name. The event's first argument is decoded
// into an A as [socketio.Args.Decode] does; with [Args] itself as A, f gets all of
// them, and with struct{} none. For one socket, handlers run one after the other, in
// the order of its events. ctx ends when the socket is disconnected.
//
// If the server asks for an acknowledgement, it gets an empty one when f returns nil,
// and otherwise {"error": text}: see [Error]. A later On for the same event takes the
// earlier one's place.
func On[A any](r Registrar, event string, f func(ctx context.Context, s *Socket, a A) error) {
	r.handle(event, func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		var a A
		if err := args.Decode(&a); err != nil {
			return nil, err
		}
		return nil, f(ctx, s, a)
	})
}

// On2 is [On] for an event of two arguments.
func On2[A, B any](r Registrar, event string, f func(ctx context.Context, s *Socket, a A, b B) error) {
	r.handle(event, func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		var a A
		var b B
		if err := args.Decode(&a, &b); err != nil {
			return nil, err
		}
		return nil, f(ctx, s, a, b)
	})
}

// OnAck is [On] for an event that is answered: what f returns is the acknowledgement's
// argument. With [Reply] as R, it may have several.
func OnAck[A, R any](r Registrar, event string, f func(ctx context.Context, s *Socket, a A) (R, error)) {
	r.handle(event, func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		var a A
		if err := args.Decode(&a); err != nil {
			return nil, err
		}
		result, err := f(ctx, s, a)
		if err != nil {
			return nil, err
		}
		if list, ok := any(result).(Reply); ok {
			return list, nil
		}
		return []any{result}, nil
	})
}

// Ask sends an event and waits for the server to acknowledge it. The acknowledgement's
// first argument is decoded into an R; with [Args] as R, all of them are there. While
// the socket is away, the event waits to be sent, as with Emit. The error is ctx's
// cause, [ErrNoAnswer] after Options.AckTimeout, [ErrLost], [ErrClosed], or says what
// cannot be encoded, sent or decoded. {"error": text}, with which package socketio
// acknowledges what its handler failed with, is an [*Error] unless R is Args.
//
// Acknowledgements come while handlers run, so a handler may ask.
func Ask[R any](ctx context.Context, s Asker, event string, args ...any) (r R, err error) {
	answer, err := s.inquire(ctx, event, args)
	if err != nil {
		return r, err
	}
	if _, all := any(&r).(*Args); !all {
		if err := failureIn(answer); err != nil {
			return r, err
		}
	}
	err = answer.Decode(&r)
	return r, err
}

// An Asker is a [Socket], or a [Client], which is its socket in "/".
type Asker interface {
	inquire(ctx context.Context, event string, args []any) (Args, error)
}

// failureIn is the error that an acknowledgement is of a handler of package socketio.
func failureIn(a Args) error {
	var raw json.RawMessage
	if a.Len() != 1 || a.Decode(&raw) != nil || !bytes.HasPrefix(raw, []byte(`{"error":`)) {
		return nil
	}
	var f struct {
		Error *string `json:"error"`
		Data  any     `json:"data"`
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if in.Decode(&f) != nil || f.Error == nil {
		return nil
	}
	return &Error{Message: *f.Error, Data: f.Data}
}

// OnConnect has f called each time the socket is connected, the first and every
// further time: [Socket.Recovered] tells whether something was missed. It is called
// after the handlers of what was missed, and before those of what comes then. An error
// is logged.
func (s *Socket) OnConnect(f func(ctx context.Context, s *Socket) error) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.connect = f
}

// OnDisconnect has f called each time the socket was disconnected, after all handlers
// of what had come.
func (s *Socket) OnDisconnect(f func(ctx context.Context, s *Socket, why Reason)) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.disconnect = f
}

// OnConnectError has f called with each attempt to come back that came to nothing, and
// with the server's refusal, a [*ConnectError], after which there is no further one.
// What Connect returns, f is not told.
func (s *Socket) OnConnectError(f func(ctx context.Context, s *Socket, err error)) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.refusal = f
}

// UseEvents adds a function that each event must pass before its handler, in the order
// they were added. An error is the event's own, as if its handler had returned it.
func (s *Socket) UseEvents(f func(ctx context.Context, s *Socket, event string, args Args) error) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.gates = append(slices.Clip(s.gates), f)
}

// OnAny has f called with each event that has no handler of its own. What it returns is
// the acknowledgement, if the server asks for one. Without it, such an event is passed
// over.
func (s *Socket) OnAny(f func(ctx context.Context, s *Socket, event string, args Args) (Reply, error)) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.any = f
}

// OnError has f called with each error of a handler, of an OnAny or a UseEvents
// function, and of arguments that could not be decoded. What f returns takes the
// error's place in the acknowledgement; nil acknowledges with nothing. f decides what
// is logged; a panic is logged before, and comes as an error, too.
func (s *Socket) OnError(f func(ctx context.Context, s *Socket, event string, err error) error) {
	s.setup.Lock()
	defer s.setup.Unlock()
	s.failedWith = f
}

// errPanic is what a panic of the program's becomes.
type errPanic struct {
	value any
	stack []byte
}

func (e *errPanic) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// contained calls f and makes an error of its panic.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &errPanic{v, debug.Stack()}
		}
	}()
	return f()
}
