package socketio

import "errors"

// Error is an error that the client gets to read: a [Namespace.Use] function
// that returns one refuses the client with it, in a CONNECT_ERROR; a handler
// that returns one answers the event with it, if the client asked for an
// answer: {"error": Message, "data": Data}. Of any other error, the client
// reads "internal error", and the log the rest.
type Error struct {
	Message string
	Data    any   // more, for the program on the other side; nil: nothing
	Err     error // the cause, if there is one; not for the client
}

func (e *Error) Error() string { return "socketio: " + e.Message }

func (e *Error) Unwrap() error { return e.Err }

var (
	// ErrClosed: the socket is not connected any more.
	ErrClosed = errors.New("socketio: the socket is disconnected")
	// ErrNoAnswer: the client did not acknowledge an event in time.
	ErrNoAnswer = errors.New("socketio: the client did not acknowledge in time (option AckTimeout)")
)

// ClosedError is the cause of the end of a socket's context. It is [ErrClosed].
type ClosedError struct{ Reason Reason }

func (e *ClosedError) Error() string { return ErrClosed.Error() + ": " + string(e.Reason) }

func (e *ClosedError) Unwrap() error { return ErrClosed }

const internalError = "internal error"
