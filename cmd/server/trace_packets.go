package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"

	"framewright/engineio"
	"framewright/socketio"
	"framewright/ws"
)

// Of Engine.IO and Socket.IO a trace says what the packets are, above the frames that
// carry them, and in the bodies of polling.

// appendPacket explains the packet in a frame of Engine.IO. A packet that is longer than
// the part of it that a trace has, or is in fragments, is only named.
func appendPacket(dst []byte, e ws.TraceEvent) []byte {
	switch p := e.Payload; {
	case e.Compressed:
		if e.Header.Fin {
			return appendPacketWords(dst, e.Content, int64(len(e.Content)) < e.ContentLength)
		}
	case e.Header.Opcode == ws.OpBinary:
		return append(dst, "     Engine.IO binary message\n"...)
	case e.Header.Opcode == ws.OpText:
		return appendPacketWords(dst, p, int64(len(p)) < e.Header.Length || !e.Header.Fin)
	}
	return dst
}

func appendPacketWords(dst, wire []byte, cut bool) []byte {
	if cut {
		return fmt.Appendf(dst, "     Engine.IO packet that begins %q\n", wire[:min(len(wire), 16)])
	}
	words, m, err := engineio.Explain(wire)
	if err != nil {
		return fmt.Appendf(dst, "     no packet of Engine.IO: %v\n", err)
	}
	if engineio.IsMessage(wire) {
		above, err := socketio.Explain(m.Data)
		if err != nil {
			above = "no packet of Socket.IO: " + err.Error()
		}
		words += ", " + above
	}
	return fmt.Appendf(dst, "     %s\n", words)
}

// maxTracedBody is how much of a polling body is kept for the trace, in bytes.
const maxTracedBody = 64 << 10

// polling traces the bodies of a handler of Engine.IO. Requests for a WebSocket pass
// through: their frames are traced.
func (t *tracer) polling(h http.Handler) http.Handler {
	if t == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || r.Method == http.MethodConnect || !t.wanted(0, r.URL.Path) || !strings.Contains(r.URL.RawQuery, "EIO=") {
			h.ServeHTTP(w, r)
			return
		}
		var body heldBody
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, &body), r.Body}
		}
		answer := &tracedAnswer{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(answer, r)

		t.mu.Lock()
		defer t.mu.Unlock()
		t.begin()
		t.buf = fmt.Appendf(t.buf, "< %s %s\n", r.Method, printableTarget(r.URL.RequestURI()))
		t.buf = t.appendBody(t.buf, &body)
		t.buf = fmt.Appendf(t.buf, "> HTTP %d, %d bytes", answer.status, answer.body.size)
		if encoding := w.Header().Get("Content-Encoding"); encoding != "" {
			t.buf = fmt.Appendf(t.buf, ", %s", encoding)
			answer.body.unzip()
		}
		t.buf = t.appendBody(append(t.buf, '\n'), &answer.body)
		t.end()
	})
}

// appendBody explains the packets of a payload, one after the other.
func (t *tracer) appendBody(dst []byte, b *heldBody) []byte {
	if len(b.kept) == 0 {
		return dst
	}
	if b.size > len(b.kept) {
		return fmt.Appendf(dst, "     a payload of %d bytes that begins %s\n", b.size, orLonger(string(b.kept[:min(len(b.kept), 64)]), 64))
	}
	for p := range bytes.SplitSeq(b.kept, []byte{0x1e}) {
		dst = appendPacketWords(dst, p, false)
		dst = fmt.Appendf(dst, "     %s\n", orLonger(string(p), t.style.Payload))
	}
	return dst
}

func printableTarget(s string) string {
	q := orLonger(s, 512)
	if strings.HasSuffix(q, `"`) {
		return q[1 : len(q)-1]
	}
	return q
}

// A heldBody keeps the beginning of what is written to it, and its size.
type heldBody struct {
	kept []byte
	size int
}

func (b *heldBody) Write(p []byte) (int, error) {
	b.size += len(p)
	b.kept = append(b.kept, p[:min(len(p), maxTracedBody-len(b.kept))]...)
	return len(p), nil
}

// unzip has the beginning of what was written before it was compressed.
func (b *heldBody) unzip() {
	if b.size > len(b.kept) {
		return // compressed to more than is kept
	}
	z, err := gzip.NewReader(bytes.NewReader(b.kept))
	if err != nil {
		return
	}
	var plain heldBody
	io.Copy(&plain, io.LimitReader(z, 64<<20)) // of the server's own making
	*b = plain
}

// A tracedAnswer keeps what a handler answers. What else the ResponseWriter can do is
// reached by http.ResponseController.
type tracedAnswer struct {
	http.ResponseWriter
	status int
	body   heldBody
}

func (a *tracedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *tracedAnswer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *tracedAnswer) Write(p []byte) (int, error) {
	a.body.Write(p)
	return a.ResponseWriter.Write(p)
}
