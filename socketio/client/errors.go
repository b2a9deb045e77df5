package client

import (
	"encoding/json"
	"errors"
	"fmt"

	"framewright/socketio"
)

// Args, Reply and Error are those of package socketio: the arguments of an event as
// they came, an acknowledgement of none or several, and an error that the other side
// gets to read.
type (
	Args  = socketio.Args
	Reply = socketio.Reply
	Error = socketio.Error
)

var (
	// ErrClosed: the socket is not connected and does not try to be: Connect was not
	// called, or Disconnect or Close was, or the server has ended it.
	ErrClosed = errors.New("socketio: the socket is not connected, and Connect was not called since")

	// ErrAway: the socket is not connected at the moment, and what it emits meanwhile
	// does not fit into Options.BufferBytes. Nothing of it will be sent.
	ErrAway = errors.New("socketio: not connected, and Options.BufferBytes allows no more to wait")

	// ErrNoAnswer: the server did not acknowledge an event in time.
	ErrNoAnswer = errors.New("socketio: the server did not acknowledge in time (option AckTimeout)")

	// ErrLost: the connection was lost after an event was sent and before it was
	// acknowledged. Whether the server has seen it is not known.
	ErrLost = errors.New("socketio: the connection was lost before the server acknowledged")

	// ErrGaveUp: the last of Options.MaxAttempts attempts to come back has failed.
	ErrGaveUp = errors.New("socketio: gave up (option MaxAttempts)")
)

// A ConnectError is how a server refuses a namespace.
type ConnectError struct {
	Namespace string
	Message   string
	Data      json.RawMessage // more, of the server's program; nil if there is nothing
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("socketio: the server refuses the namespace %q: %q", e.Namespace, clip(e.Message))
}

// A DisconnectedError says why a socket is not connected any more. It is the cause of
// the end of its context.
type DisconnectedError struct {
	Reason Reason
	Err    error // what happened in detail; may be nil
}

func (e *DisconnectedError) Error() string {
	if e.Err == nil {
		return "socketio: disconnected: " + string(e.Reason)
	}
	return "socketio: disconnected: " + string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *DisconnectedError) Unwrap() error { return e.Err }

// A Reason says why a socket was disconnected. Those that the reference client has are
// spelt as there.
type Reason string

// The reasons. After the first two a socket does not come back by itself.
const (
	ServerDisconnect Reason = "io server disconnect" // the server's program has ended the socket
	ClientDisconnect Reason = "io client disconnect" // Socket.Disconnect, Client.Close
	PingTimeout      Reason = "ping timeout"         // nothing came for too long
	TransportClose   Reason = "transport close"      // the server, or what lies between, closed
	TransportError   Reason = "transport error"      // a request failed, or was refused
	ParseError       Reason = "parse error"          // the server broke the protocol, or a limit
	Flood            Reason = "too many packets"     // of which nothing came: Options.IdleRate
)

// clip bounds what a message quotes.
func clip(s string) string { return s[:min(len(s), 200)] }

func badPacket(format string, args ...any) error {
	return fmt.Errorf("socketio: "+format, args...)
}
