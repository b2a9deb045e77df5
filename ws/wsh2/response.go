package wsh2

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

// smallBody is how much of a response is kept until its handler flushes or returns: what
// fits is sent with its length.
const smallBody = 4 << 10

// A response is what a handler writes to. It is not for several goroutines at once, but
// for the deadlines.
type response struct {
	st *stream
	r  *http.Request

	header   http.Header
	status   int         // 0 before WriteHeader
	snapshot http.Header // header, when WriteHeader was called
	sent     bool        // the header is on its way
	hijacked bool
	buf      []byte
	err      error // of the stream
}

func newResponse(st *stream, r *http.Request) *response {
	w := &response{st: st, r: r, header: http.Header{}}
	if b, ok := r.Body.(*body); ok && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		b.goOn = w.goOn
	}
	return w
}

func (w *response) Header() http.Header { return w.header }

// WriteHeader keeps the header until there is something to send with it. One with a
// status of 1xx goes out at once; 101 has no meaning in HTTP/2 (RFC 9113 §8.6).
func (w *response) WriteHeader(status int) {
	switch {
	case w.status != 0 || w.hijacked || status < 100 || status > 999 || status == http.StatusSwitchingProtocols:
	case status < 200:
		w.send(status, w.header, false)
	default:
		w.status, w.snapshot = status, w.header.Clone()
	}
}

// goOn sends 100 (Continue), unless the answer is there already.
func (w *response) goOn() {
	if w.status == 0 {
		w.send(http.StatusContinue, nil, false)
	}
}

func (w *response) send(status int, header http.Header, end bool) {
	c := w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.e.Headers(w.st.h, fields(status, header), end)
	c.more.Signal()
}

// hasBody reports whether the response may have one (RFC 9110 §6.4.1).
func (w *response) hasBody() bool {
	return w.r.Method != http.MethodHead && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

func (w *response) Write(p []byte) (int, error) {
	if w.hijacked {
		return 0, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.r.Method == http.MethodHead:
		return len(p), nil
	case !w.hasBody():
		return 0, http.ErrBodyNotAllowed
	}
	if len(w.buf)+len(p) <= smallBody {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if len(w.buf) == 0 {
		w.sniff(p)
	}
	if err := w.FlushError(); err != nil {
		return 0, err
	}
	return w.stream(p)
}

// stream sends p, for which the peer has WriteTimeout unless the handler has said
// otherwise: who never opens the window does not hold a handler.
func (w *response) stream(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, w.err
	}
	c := w.st.c
	c.mu.Lock()
	own := w.st.write.IsZero()
	if own {
		w.st.write = after(c.times.write, 30*time.Second)
	}
	c.mu.Unlock()
	n, w.err = w.st.Write(p)
	if own && w.err == nil {
		w.st.SetWriteDeadline(time.Time{})
	}
	return n, w.err
}

func (w *response) Flush() { w.FlushError() }

// FlushError sends the header, if that was not sent, and what was written.
func (w *response) FlushError() error {
	if w.hijacked {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sendHeader(false)
	_, err := w.stream(w.buf)
	w.buf = w.buf[:0]
	return err
}

// sendHeader sends it once; end says that nothing follows.
func (w *response) sendHeader(end bool) {
	if w.sent {
		return
	}
	w.sniff(w.buf)
	w.sent = true
	if _, ok := w.snapshot["Date"]; !ok {
		w.snapshot["Date"] = []string{time.Now().UTC().Format(http.TimeFormat)}
	}
	w.send(w.status, w.snapshot, end)
}

// sniff names the content's type from its beginning, as net/http does, if nobody has.
func (w *response) sniff(p []byte) {
	if _, ok := w.snapshot["Content-Type"]; !ok && len(p) > 0 && w.snapshot.Get("Content-Encoding") == "" && !w.sent {
		w.snapshot["Content-Type"] = []string{http.DetectContentType(p)}
	}
}

// end completes the response when its handler has returned, or resets the stream if it
// has not. What was hijacked is left alone.
func (w *response) end(returned bool) {
	switch {
	case w.hijacked:
		return
	case !returned:
		w.st.reset(http2.ErrCodeInternal)
	default:
		w.complete()
	}
	w.st.Close()
}

func (w *response) complete() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if _, ok := w.snapshot["Content-Length"]; !w.sent && !ok && w.hasBody() && (len(w.buf) > 0 || w.r.Method != http.MethodConnect) {
		w.snapshot["Content-Length"] = lengthOf(len(w.buf))
	}
	w.sendHeader(len(w.buf) == 0)
	if _, err := w.stream(w.buf); err != nil {
		w.st.reset(http2.ErrCodeCancel)
	}
}

// Hijack gives up the stream of an extended CONNECT, after a status of 200. What a
// handler hijacks is its to close.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.r.Method != http.MethodConnect:
		return nil, nil, errHijack
	case w.status != http.StatusOK:
		return nil, nil, errors.New("wsh2: a stream is given up after status 200 (RFC 8441 §5)")
	}
	if err := w.FlushError(); err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	w.st.SetDeadline(time.Time{})
	return w.st, bufio.NewReadWriter(bufio.NewReaderSize(w.st, 16), bufio.NewWriterSize(w.st, 16)), nil
}

// errHijack: RFC 6455's handshake takes over a connection of HTTP/1.1.
var errHijack = errors.New("wsh2: HTTP/2 has no connection to give up: a WebSocket begins with an extended CONNECT (RFC 8441)")

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are for an
// http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error { return w.st.SetReadDeadline(t) }

// SetWriteDeadline takes the place of WriteTimeout. See SetReadDeadline.
func (w *response) SetWriteDeadline(t time.Time) error { return w.st.SetWriteDeadline(t) }

// EnableFullDuplex has nothing to do: streams are. See SetReadDeadline.
func (w *response) EnableFullDuplex() error { return nil }
