package socketio

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// A handler serves one kind of event and returns what it is acknowledged with.
type handler func(ctx context.Context, s *Socket, a Args) (reply []any, err error)

// A Registrar is a [Namespace], or a [Server], which is its namespace "/".
type Registrar interface {
	handle(event string, h handler)
}

// On has f called with each event of this name. The event's first argument is
// decoded into an A as [Args.Decode] does; with [Args] itself as A, f gets all
// of them, and with struct{} none. For one socket, handlers run one after the
// other, in the order of its events.
//
// If the client asks for an acknowledgement, it gets an empty one when f
// returns nil, and otherwise {"error": text}: see [Error]. A later On for the
// same event takes the earlier one's place.
func On[A any](r Registrar, event string, f func(ctx context.Context, s *Socket, a A) error) {
	r.handle(event, func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		a, err := decode1[A](args)
		if err != nil {
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

// OnAck is [On] for an event that is answered: what f returns is the
// acknowledgement's argument. With [Reply] as R, it may have several.
func OnAck[A, R any](r Registrar, event string, f func(ctx context.Context, s *Socket, a A) (R, error)) {
	r.handle(event, func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		a, err := decode1[A](args)
		if err != nil {
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

// Reply is the arguments of an acknowledgement that has none or several.
type Reply []any

// Ask sends an event and waits for the client to acknowledge it. The
// acknowledgement's first argument is decoded into an R; with [Args] as R, all
// of them are there. The error is ctx's, [ErrNoAnswer] after
// [Options.AckTimeout], [ErrClosed], or says what cannot be encoded or decoded.
//
// Acknowledgements come while handlers run, so a handler may ask.
func Ask[R any](ctx context.Context, s *Socket, event string, args ...any) (r R, err error) {
	answer, err := s.ask(ctx, event, args)
	if err != nil {
		return r, err
	}
	return decode1[R](answer)
}

// failure is what an acknowledgement carries when a handler failed.
type failure struct {
	Error string `json:"error"`
	Data  any    `json:"data,omitempty"`
}

// refusal is the payload of a CONNECT_ERROR.
type refusal struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// public returns what the client may know of err.
func public(err error) (message string, data any) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message, e.Data
	}
	return internalError, nil
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
