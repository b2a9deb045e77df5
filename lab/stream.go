package lab

import (
	"fmt"
	"net/http"
	"time"
)

// writeTime is how long a page may take to accept a part of a stream.
const writeTime = 10 * time.Second

// A stream is an answer of Server-Sent Events. A page may take writeTime to accept each
// part of it.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func newStream(w http.ResponseWriter) *stream {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	return &stream{w, http.NewResponseController(w)}
}

// write adds to what flush sends. It reports false once the page is gone.
func (s *stream) write(format string, args ...any) bool {
	s.control.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := fmt.Fprintf(s.w, format, args...)
	return err == nil
}

// flush sends what was written, or the head of the answer. It reports false once the page
// is gone.
func (s *stream) flush() bool {
	s.control.SetWriteDeadline(time.Now().Add(writeTime))
	return s.control.Flush() == nil
}
