package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

var (
	// ErrFull: more waits to be sent than Options.QueueBytes allows. Nothing of it
	// was queued, and the session goes on; [Conn.Ready] waits for room.
	ErrFull = errors.New("engineio: the server has not taken what was sent before, and Options.QueueBytes allows no more to wait")

	// ErrTooLarge: a message is larger than the server takes, which its handshake
	// says, or than Options.QueueBytes is.
	ErrTooLarge = errors.New("engineio: a message that is too large")
)

// A RefusedError is what a server has answered that does not want a request.
type RefusedError struct {
	Status  int         // of HTTP
	Code    int         // of Engine.IO, 0 to 5; -1 if there is none
	Message string      // what the answer says, 200 bytes at the most
	Header  http.Header // of the answer
	hint    string
}

// codeRefusal is what Engine.IO's own refusals look like.
type codeRefusal struct {
	Code    *int   `json:"code"`
	Message string `json:"message"`
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "engineio: the server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	if e.Code >= 0 {
		fmt.Fprintf(&b, " (code %d)", e.Code)
	}
	b.WriteString(e.hint)
	return b.String()
}

// hint says what is mostly the reason for a status.
func (c *Conn) hint(status int, h http.Header) string {
	switch {
	case 300 <= status && status < 400:
		return fmt.Sprintf("; it redirects to %q, which is not followed: use that address, or set Options.HTTPClient", clip(h.Get("Location")))
	case status == http.StatusNotFound:
		return fmt.Sprintf("; is Engine.IO at %q? The path is that of the URL, or else Options.Path", c.url.Path)
	}
	return ""
}
