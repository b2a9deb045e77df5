package ws

import (
	"errors"
	"strconv"
)

// A ProtocolError says how the peer broke RFC 6455 or one of our limits. It
// is the Err of the CloseError that ends such a connection.
type ProtocolError struct {
	Code    Code   // what the connection fails with
	Rule    RuleID // which rule, see Rules
	Section string // where the rule stands, "§5.4"
	Detail  string // what was seen
}

// Error returns the detail and the section: "ws: continuation without a
// message (§5.4)".
func (e *ProtocolError) Error() string { return "ws: " + e.Detail + " (" + e.Section + ")" }

// A CloseError is the one reason for which a connection ended. Every
// operation on a connection that is over returns an error that wraps it, and
// so does the cause of the connection's context.
type CloseError struct {
	// Code is what the Close frame of the side that closed first said
	// (RFC 6455 §7.1.5): CodeNoStatus if it said none, CodeAbnormal if no
	// Close frame came.
	Code   Code
	Reason string
	Remote bool  // the peer closed, or went away; false: this endpoint did
	Err    error // what made this endpoint fail the connection, or what broke it; nil after a closing handshake
}

// Error returns the whole story in one line.
func (e *CloseError) Error() string {
	var s string
	switch {
	case e.Code == CodeAbnormal:
		s = "ws: connection lost without a closing handshake"
	case e.Remote:
		s = "ws: closed by the peer with " + e.Code.String()
	default:
		s = "ws: closed by this endpoint with " + e.Code.String()
	}
	if e.Reason != "" && e.Err == nil {
		s += ": " + strconv.Quote(e.Reason)
	}
	if e.Err != nil {
		s += ": " + trimPrefix(e.Err.Error())
	} else if e.Code == CodeAbnormal {
		s += " (§7.1.5)"
	}
	return s
}

// Unwrap returns Err.
func (e *CloseError) Unwrap() error { return e.Err }

// Errors of the caller's own making. Nothing was sent and the connection goes
// on, except after Close, which ends it whatever the code and the reason are.
var (
	// ErrOpcode: a message is OpText or OpBinary (§5.6).
	ErrOpcode = errors.New("ws: a message is OpText or OpBinary (§5.6)")

	// ErrNotUTF8: a text message, or a close reason, is UTF-8 (§5.6, §5.5.1).
	ErrNotUTF8 = errors.New("ws: text to send is not UTF-8 (§5.6)")

	// ErrCloseCode: a code that must not stand in a Close frame (§7.4).
	ErrCloseCode = errors.New("ws: close code must not be sent (§7.4)")

	// ErrReasonTooLong: a close reason is 123 bytes at the most (§5.5).
	ErrReasonTooLong = errors.New("ws: close reason is longer than 123 bytes (§5.5)")

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

	// ErrCloseTimeout: the peer did not answer a Close frame within
	// Options.CloseTimeout.
	ErrCloseTimeout = errors.New("ws: the peer did not answer the Close frame within CloseTimeout (§7.1.2)")
)

// An opError names the operation that failed.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string { return "ws: " + e.op + ": " + trimPrefix(e.err.Error()) }
func (e *opError) Unwrap() error { return e.err }

// wrapOp says which operation failed, unless err is nil.
func wrapOp(op string, err error) error {
	if err == nil {
		return nil
	}
	return &opError{op, err}
}

// trimPrefix takes "ws: " off a text that becomes a part of another.
func trimPrefix(s string) string {
	const prefix = "ws: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}
