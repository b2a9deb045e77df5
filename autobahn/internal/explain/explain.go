// Package explain writes a dialogue of the conformance suite for people: the heads
// of the opening handshake, and each frame with its bytes, its bits and the sections
// that say what they mean.
//
// The words are those of package ws, which explains here and does not judge.
package explain

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"framewright/autobahn/wsspec"
	"framewright/ws"
	"framewright/ws/wstrace"
)

// Write writes what went over the wire with a testee of a role. The suite's bytes
// stand behind ">", the testee's behind "<".
func Write(w io.Writer, testee wsspec.Role, wire []wsspec.Record, leftOut int) error {
	x := &explainer{role: ws.RoleServer}
	if testee == wsspec.Server {
		x.role = ws.RoleClient
	}
	x.connected()
	for i, r := range wire {
		if leftOut > 0 && i == len(wire)/2 {
			x.gap(leftOut)
		}
		x.record(r)
	}
	x.rest()
	_, err := w.Write(x.out)
	return err
}

// An explainer has the two directions of the connection that is looked at.
type explainer struct {
	role       ws.Role // of the suite
	sent, came stream
	out        []byte
}

// A stream is one direction.
type stream struct {
	b       []byte // that no head or frame has been made of yet
	missing int    // bytes behind those, which were not kept
	pieces  int    // that b came in
	head    bool   // it begins with the head of an HTTP message
	raw     bool   // it cannot be read as frames
	offset  int64  // of b since the head
	state   ws.State
}

func (x *explainer) connected() { x.sent, x.came = stream{head: true}, stream{head: true} }

func (x *explainer) record(r wsspec.Record) {
	if r.Note != "" {
		if r.Note == "connected" {
			x.rest()
			x.connected()
		}
		x.out = fmt.Appendf(x.out, "%8.1f ms   -- %s\n", float64(r.At.Microseconds())/1000, r.Note)
		return
	}
	s := &x.came
	if r.Sent {
		s = &x.sent
	}
	before := len(x.out)
	s.add(r)
	for x.next(s, r.Sent) {
	}
	if len(x.out) > before { // the time stands before what it completed
		lines := append([]byte(nil), x.out[before:]...)
		x.out = fmt.Appendf(x.out[:before], "%8.1f ms\n%s", float64(r.At.Microseconds())/1000, lines)
	}
}

// add takes a piece in. Behind bytes that were not kept none can be placed, but those
// of the same frame.
func (s *stream) add(r wsspec.Record) {
	s.pieces++
	if s.missing > 0 {
		h, n, _ := ws.ParseHeader(s.b)
		need := int64(n) + h.Length - int64(len(s.b)+s.missing)
		if n == 0 || need <= 0 {
			s.raw = true
		} else if need < int64(r.Size) {
			s.missing += int(need)
			// What follows belongs to the next frame, which next sees when this one is out.
			rest := r.Bytes[min(need, int64(len(r.Bytes))):]
			s.b = append(s.b, make([]byte, s.missing)...)
			s.b = append(s.b, rest...)
			s.missing = r.Size - int(need) - len(rest)
			return
		} else {
			s.missing += r.Size
			return
		}
	}
	s.b = append(s.b, r.Bytes...)
	s.missing += r.Size - len(r.Bytes)
}

// next writes the next head or frame of a stream, if it is whole.
func (x *explainer) next(s *stream, sent bool) bool {
	switch {
	case s.raw:
		x.raw(s, sent)
		return false
	case s.head:
		return x.head(s, sent)
	}
	h, n, err := ws.ParseHeader(s.b)
	if err != nil && n == 0 { // a length with the top bit, such as only a tester sends
		s.raw = true
		return len(s.b) > 0
	}
	if n == 0 || int64(len(s.b)+s.missing) < int64(n)+h.Length {
		return false
	}
	size := n + int(h.Length)
	payload := append([]byte(nil), s.b[n:min(size, len(s.b))]...)
	if h.Masked {
		for i := range payload {
			payload[i] ^= h.Key[i&3]
		}
	}
	e := ws.TraceEvent{Role: x.role, Sent: sent, Offset: s.offset, Header: h, Wire: s.b[:n], Payload: payload[:min(len(payload), ws.TracePayload)], Before: s.state}
	s.state = after(s.state, h)
	e.After = s.state
	x.out = wstrace.Append(x.out, e)
	if s.pieces > 1 {
		x.out = fmt.Appendf(x.out, "     (in %d pieces)\n", s.pieces)
	}
	s.consume(size)
	return len(s.b) > 0
}

// consume takes a whole frame or head away.
func (s *stream) consume(size int) {
	s.offset += int64(size)
	if size > len(s.b) {
		s.missing -= size - len(s.b)
		s.raw = s.missing > 0 // the next one begins where nothing was kept
		size = len(s.b)
	}
	s.b = s.b[size:]
	s.pieces = 0
	if len(s.b) > 0 {
		s.pieces = 1
	}
}

// head writes the head of an HTTP message. Frames follow behind a request, and behind
// an answer that is a 101.
func (x *explainer) head(s *stream, sent bool) bool {
	i := bytes.Index(s.b, []byte("\r\n\r\n"))
	if i < 0 {
		return false
	}
	text := string(s.b[:i+4])
	x.out = wstrace.Append(x.out, ws.TraceEvent{Role: x.role, Sent: sent, Handshake: text})
	s.consume(i + 4)
	s.offset = 0
	first, _, _ := strings.Cut(text, "\r\n")
	if strings.HasPrefix(first, "HTTP/") {
		_, status, _ := strings.Cut(first, " ")
		switch {
		case strings.HasPrefix(status, "101"):
			s.head = false
		case !strings.HasPrefix(status, "1"):
			s.head, s.raw = false, true
		}
	} else {
		s.head = false
	}
	return len(s.b) > 0
}

// rawLine is how many bytes stand in a line of those that are no frame.
const rawLine = 16

func (x *explainer) raw(s *stream, sent bool) {
	arrow := "<"
	if sent {
		arrow = ">"
	}
	shown := s.b[:min(len(s.b), 8*rawLine)]
	for len(shown) > 0 {
		n := min(rawLine, len(shown))
		x.out = fmt.Appendf(x.out, "%s %-*s  %q\n", arrow, 3*rawLine-1, fmt.Sprintf("% x", shown[:n]), shown[:n])
		shown = shown[n:]
	}
	if more := len(s.b) + s.missing - 8*rawLine; more > 0 {
		x.out = fmt.Appendf(x.out, "     and %d bytes more\n", more)
	}
	s.b, s.missing, s.pieces = nil, 0, 0
}

// rest writes what has not become a frame or a head.
func (x *explainer) rest() {
	for _, s := range []*stream{&x.sent, &x.came} {
		if len(s.b) == 0 {
			continue
		}
		x.out = append(x.out, "     of this the rest never came:\n"...)
		x.raw(s, s == &x.sent)
	}
}

// gap says that records are missing; frames cannot be told apart behind it.
func (x *explainer) gap(n int) {
	x.rest()
	x.out = fmt.Appendf(x.out, "     %d pieces are left out here; what follows may begin in the middle of a frame\n", n)
	x.sent, x.came = stream{raw: true}, stream{raw: true}
}

// after is where a direction stands behind a frame (§5.4, §5.5.1).
func after(s ws.State, h ws.Header) ws.State {
	switch {
	case s == ws.StateClosed || h.Opcode == ws.OpClose:
		return ws.StateClosed
	case h.Opcode.IsControl():
		return s
	case h.Fin:
		return ws.StateReady
	case h.Opcode == ws.OpText:
		return ws.StateInText
	case h.Opcode == ws.OpBinary:
		return ws.StateInBinary
	}
	return s
}
