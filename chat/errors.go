package chat

import (
	"errors"
	"time"
)

// Why a session was closed by this side. [Session.Err] wraps one of these, or
// holds whatever the transport gave to [Session.Close].
var (
	// ErrSlow: the client did not read what was sent to it, and its queue
	// passed [Options.QueueBytes] or [Options.QueueAge].
	ErrSlow = errors.New("chat: the connection reads too slowly")
	// ErrKicked: the program closed the session with [Session.Kick].
	ErrKicked = errors.New("chat: removed by an operator")
	// ErrExpired: what the client had shown to [Options.Authenticate] is no
	// longer good, and was not refreshed.
	ErrExpired = errors.New("chat: the session's token has expired")
	// ErrFlood: the client went on asking after many refusals for asking too
	// much.
	ErrFlood = errors.New("chat: too many requests")
	// ErrPanic: a hook of the program panicked while it served the session.
	ErrPanic = errors.New("chat: a hook panicked")
	// ErrStore: the store has failed in a way that leaves a gap in what the
	// session was sent. Joining again with a cursor fills it.
	ErrStore = errors.New("chat: the store has failed")
	// ErrRestart: [Hub.Drain] asked the client to come back later.
	ErrRestart = errors.New("chat: the server is restarting")
	// ErrShutdown: the hub is closing.
	ErrShutdown = errors.New("chat: the server is shutting down")
	// ErrClosed: an operation on a session that is over.
	ErrClosed = errors.New("chat: the session is closed")
)

// An ErrorCode says for a program what a refusal's text says for a person.
type ErrorCode string

// The codes of refusals that the hub makes. A transport may add its own.
const (
	CodeBadName      ErrorCode = "bad-name"       // a person's name is not acceptable
	CodeNameTaken    ErrorCode = "name-taken"     // somebody else has it
	CodeBadRoom      ErrorCode = "bad-room"       // a room's name is not acceptable
	CodeTooManyRooms ErrorCode = "too-many-rooms" // for this session, or for the hub
	CodeNotJoined    ErrorCode = "not-joined"     // the request needs membership
	CodeBadMessage   ErrorCode = "bad-message"    // empty, too long, or not UTF-8
	CodeBadID        ErrorCode = "bad-id"         // the client's message id
	CodeNotAllowed   ErrorCode = "not-allowed"    // a hook said no
	CodeUnavailable  ErrorCode = "unavailable"    // the store failed, or the hub is closing

	CodeRateLimited     ErrorCode = "rate-limited"      // too much at once; [Error.Retry] says when
	CodeMuted           ErrorCode = "muted"             // by [Hub.Mute]
	CodeTooManySessions ErrorCode = "too-many-sessions" // of one person, or from one address
	CodeNotHere         ErrorCode = "not-here"          // the person has no session
	CodeExpired         ErrorCode = "expired"           // the token is no longer good
	CodeBadToken        ErrorCode = "bad-token"         // the token is not one of this server's, or somebody else's
	CodeBadSecret       ErrorCode = "bad-secret"        // too short to be a secret, or too long
)

// Error is a refusal: the client asked for something that it may not have, and
// can go on. Its text names what was wrong, what was expected, and where it
// depends on an option, which.
type Error struct {
	Code ErrorCode
	Text string
	// Retry, if not zero, is how long to wait before asking again.
	Retry time.Duration
	Err   error // the cause, if there is one; not for the client's eyes
}

func (e *Error) Error() string { return "chat: " + e.Text + " (" + string(e.Code) + ")" }

func (e *Error) Unwrap() error { return e.Err }
