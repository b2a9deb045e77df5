package ws

import (
	"errors"
	"strconv"
	"strings"
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
func (e *ProtocolError) Error() string { return "ws: " + e.Reason() }

// Reason is what a Close frame says of it, see FitReason: Error without the package.
func (e *ProtocolError) Reason() string { return e.Detail + " (" + e.Section + ")" }

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
		s += ": " + strings.TrimPrefix(e.Err.Error(), "ws: ")
	} else if e.Code == CodeAbnormal {
		s += " (§7.1.5)"
	}
	return s
}

// Unwrap returns Err.
func (e *CloseError) Unwrap() error { return e.Err }

// CloseStatus returns the code of the *CloseError that err is or wraps. It is 0, which
// is no code, if there is none: err is nil, or not the end of a connection.
func CloseStatus(err error) Code {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e.Code
	}
	return 0
}

// Errors of the caller's own making. Nothing was sent and the connection goes
// on, except after Close, which ends it whatever the code and the reason are.
var (
	// ErrOpcode: a message is OpText or OpBinary (§5.6).
	ErrOpcode = errors.New("ws: a message is OpText or OpBinary (§5.6)")

	// ErrInMessage: another message is being sent in fragments (§5.4).
	ErrInMessage = errors.New("ws: another message is being sent in fragments (§5.4)")

	// ErrNotUTF8: a text message, or a close reason, is UTF-8 (§5.6, §5.5.1).
	ErrNotUTF8 = errors.New("ws: text to send is not UTF-8 (§5.6)")

	// ErrCloseCode: a code that must not stand in a Close frame (§7.4).
	ErrCloseCode = errors.New("ws: close code must not be sent (§7.4)")

	// ErrReasonTooLong: a close reason is 123 bytes at the most (§5.5).
	ErrReasonTooLong = errors.New("ws: close reason is longer than 123 bytes (§5.5)")
)
