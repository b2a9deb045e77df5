package h2

import (
	"errors"

	"golang.org/x/net/http2"
)

// An Error says why a connection or a stream ended before its time (RFC 9113 §5.4).
type Error struct {
	Code    http2.ErrCode
	Section string // of RFC 9113, "§6.9"; "" if the peer said it
	Detail  string
	Stream  uint32 // 0: the whole connection
	Remote  bool   // the peer said so
}

// Error has the detail, the code's name and the section.
func (e *Error) Error() string {
	s := "h2: " + e.Detail + ": " + e.Code.String()
	if e.Section != "" {
		s += " (RFC 9113 " + e.Section + ")"
	}
	return s
}

// Errors of the caller's own making.
var (
	// ErrClosed: the stream was ended or reset by this end.
	ErrClosed = errors.New("h2: stream is closed")

	// ErrStreams: the peer allows no more streams, or no new ones.
	ErrStreams = errors.New("h2: the peer allows no more streams")
)

// connError is an error of the connection.
func connError(code http2.ErrCode, section, detail string) *Error {
	return &Error{Code: code, Section: section, Detail: detail}
}
