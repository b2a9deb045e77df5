package wsnet

import (
	"errors"
	"strings"
)

// Errors of the caller's own making.
var (
	// ErrWriterClosed: a message writer was used after its Close.
	ErrWriterClosed = errors.New("ws: message writer is closed")

	// ErrServerClosed: what Server.Serve returns after Shutdown.
	ErrServerClosed = errors.New("ws: server closed")

	// ErrReaderStale: what was left of a message reader's message was skipped
	// by a later read.
	ErrReaderStale = errors.New("ws: message was skipped by a later read")
)

// Causes of a CloseError with CodeAbnormal.
var (
	// ErrPongTimeout: the peer gave no sign of life within
	// Options.PongTimeout after a keepalive ping.
	ErrPongTimeout = errors.New("ws: no sign of life from the peer within PongTimeout after a ping (§5.5.2)")

	// ErrWriteTimeout: the peer did not take what was sent within
	// Options.WriteTimeout.
	ErrWriteTimeout = errors.New("ws: the peer did not take data within WriteTimeout")

	// ErrStillSending: after this endpoint's Close frame the peer has sent thousands of
	// frames, and no Close frame.
	ErrStillSending = errors.New("ws: the peer goes on sending and does not answer the Close frame (§7.1.2)")

	// ErrCloseTimeout: the peer did not answer a Close frame within
	// Options.CloseTimeout.
	ErrCloseTimeout = errors.New("ws: the peer did not answer the Close frame within CloseTimeout (§7.1.2)")
)

// An opError names the operation that failed.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string {
	return "ws: " + e.op + ": " + strings.TrimPrefix(e.err.Error(), "ws: ")
}
func (e *opError) Unwrap() error { return e.err }

// wrapOp says which operation failed, unless err is nil.
func wrapOp(op string, err error) error {
	if err == nil {
		return nil
	}
	return &opError{op, err}
}
