package inflate

import (
	"errors"
	"fmt"
)

// What an [*Error] may wrap.
var (
	// ErrCorrupt: the data breaks RFC 1951.
	ErrCorrupt = errors.New("corrupt DEFLATE data")
	// ErrHistory: a distance goes back to before all that is known: the start of the
	// connection, or of the message where no context is kept.
	ErrHistory = errors.New("a distance goes back to before the history")
	// ErrWindow: a distance is longer than the window that was agreed on.
	ErrWindow = errors.New("a distance is longer than the window")
	// ErrLimit: the content is longer than Options.Limit.
	ErrLimit = errors.New("the content is longer than the limit")
	// ErrUnfinished: the message ends inside a block (RFC 7692 §7.2.1).
	ErrUnfinished = errors.New("the message ends inside a block")
)

// An Error says what is wrong with the data of a message, and where. It wraps one of
// the errors of this package.
type Error struct {
	Byte   int64 // of the compressed message, from 0
	Bit    int   // of that byte, from 0, the least significant first (RFC 1951 §3.1.1)
	Output int64 // bytes of content before it
	Detail string
	kind   error
}

func (e *Error) Error() string {
	return fmt.Sprintf("inflate: byte %d bit %d, after %d bytes of content: %s", e.Byte, e.Bit, e.Output, e.Detail)
}

// Unwrap returns one of ErrCorrupt, ErrHistory, ErrWindow, ErrLimit, ErrUnfinished.
func (e *Error) Unwrap() error { return e.kind }

// fault makes an Error at the reader's place.
func (d *Decoder) fault(kind error, format string, args ...any) error {
	at := d.before*8 + int64(d.r.at)*8 - int64(d.r.n)
	return &Error{Byte: at / 8, Bit: int(at % 8), Output: d.Out(), Detail: fmt.Sprintf(format, args...), kind: kind}
}
