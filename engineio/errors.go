package engineio

import "errors"

// A Reason says in a few words why a session ended. Those that the reference
// server has are spelt as there. Package engineio/client has the same.
type Reason string

// The reasons.
const (
	TransportClose Reason = "transport close" // the client closed, or its connection did
	TransportError Reason = "transport error" // the client broke the rules of its transport, or gave up a request
	PingTimeout    Reason = "ping timeout"    // no pong within Options.PingTimeout
	ParseError     Reason = "parse error"     // a packet that cannot be decoded
	ForcedClose    Reason = "forced close"    // this side closed: Socket.Close, or the handler returned
	SlowClient     Reason = "slow client"     // more was waiting for the client than Options.QueueBytes allows
	ServerShutdown Reason = "server shutting down"
	Flood          Reason = "too many packets" // of no use: above Options.IdleRate, or Socket.Abort
)

// A CloseError is the one reason for which a session ended. Every operation on
// a session that is over returns an error that is or wraps it, and so does the
// cause of the session's context.
type CloseError struct {
	Reason Reason
	Err    error // what happened in detail; may be nil
}

// Error returns the reason and the detail.
func (e *CloseError) Error() string {
	if e.Err == nil {
		return "engineio: " + string(e.Reason)
	}
	return "engineio: " + string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *CloseError) Unwrap() error { return e.Err }

// Errors of the caller's own making. Nothing was sent and the session goes on.
var (
	// ErrNotUTF8: a text message is UTF-8.
	ErrNotUTF8 = errors.New("engineio: text to send is not UTF-8")

	// ErrSeparator: a text message that might be polled has no U+001E, which
	// stands between the packets of a payload. JSON never has it.
	ErrSeparator = errors.New("engineio: text to send has U+001E, which separates packets in polling; send it as binary, or set Options.Transports to websocket alone")

	// ErrTooLarge: what is sent at once fits into an empty queue.
	ErrTooLarge = errors.New("engineio: more to send at once than Options.QueueBytes allows to wait")
)
