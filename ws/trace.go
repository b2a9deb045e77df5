package ws

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A TraceEvent is one thing that went over a connection: a frame, the text of
// one half of an opening handshake, or, with only Rule set, the breach of a
// rule outside of any frame.
type TraceEvent struct {
	Conn      uint64 // Conn.ID; 0 for a handshake that did not become one
	Role      Role   // of the endpoint that looks on
	Sent      bool   // by this endpoint; false: received
	Offset    int64  // of the frame's first byte since the handshake
	Header    Header
	Wire      []byte // the header's bytes, as they are on the wire
	Payload   []byte // unmasked; its first TracePayload bytes at most
	Before    State  // of the frame's direction
	After     State
	Rule      RuleID // that the frame broke; "" if none
	Handshake string // an HTTP message without its body
}

// TracePayload is how much of a frame's payload a TraceEvent has, in bytes.
const TracePayload = 128

// A frameTrace gathers an event for one direction. A nil one does nothing, so
// that a connection nobody listens to pays a comparison a frame.
type frameTrace struct {
	e      TraceEvent
	report func(TraceEvent)
	active bool // between begin and end
}

func newFrameTrace(c *Conn, sent bool) *frameTrace {
	if c.set.trace == nil {
		return nil
	}
	return &frameTrace{e: TraceEvent{Conn: c.id, Role: c.role, Sent: sent}, report: c.set.trace}
}

func (t *frameTrace) begin(before State, h Header, wire []byte, offset int64) {
	if t == nil {
		return
	}
	t.active = true
	t.e.Before, t.e.After, t.e.Header, t.e.Offset, t.e.Rule = before, before, h, offset, ""
	t.e.Wire = append(t.e.Wire[:0], wire...)
	t.e.Payload = t.e.Payload[:0]
}

func (t *frameTrace) payload(p []byte) {
	if t != nil {
		t.e.Payload = append(t.e.Payload, p[:min(len(p), TracePayload-len(t.e.Payload))]...)
	}
}

func (t *frameTrace) end(after State) {
	if t != nil {
		t.active = false
		t.e.After = after
		t.report(t.e)
	}
}

func (t *frameTrace) violation(id RuleID) {
	if t == nil {
		return
	}
	if !t.active {
		t.e.Header, t.e.Wire, t.e.Payload = Header{}, nil, nil
		t.e.Before = t.e.After
	}
	t.active = false
	t.e.Rule = id
	t.report(t.e)
}

// whole reports a frame that is about to be sent.
func (t *frameTrace) whole(out *outgoing, h Header, p []byte) {
	if t == nil {
		return
	}
	t.begin(out.state, h, AppendHeader(t.e.Wire[:0], h), out.offset)
	t.payload(p)
	after, _ := out.state.After(h)
	t.end(after)
}

// traceHandshake reports one half of an opening handshake.
func (o *Options) traceHandshake(role Role, sent bool, text []byte) {
	if o != nil && o.Trace != nil {
		o.Trace(TraceEvent{Role: role, Sent: sent, Handshake: string(text)})
	}
}

// AppendTrace appends e to dst as lines of text: the bytes in hexadecimal, the
// bits of the header, what they mean, and the sections of RFC 6455 that say
// so.
//
//	#7 < 81 85 37 fa 21 3d              offset 0, ready -> ready
//	     1... ....  FIN=1               last fragment (§5.4)
//	     .000 ....  RSV1-3=0            (§5.2)
//	     .... 0001  opcode=1            text (§5.6)
//	     1... ....  MASK=1              from a client (§5.1)
//	     .000 0101  length=5            (§5.2)
//	     37 fa 21 3d                    masking key (§5.3)
//	     7f 9f 4d 51 58                 masked payload
//	     48 65 6c 6c 6f                 "Hello"
func AppendTrace(dst []byte, e TraceEvent) []byte {
	arrow := "<"
	if e.Sent {
		arrow = ">"
	}
	who := arrow
	if e.Conn != 0 {
		who = fmt.Sprintf("#%d %s", e.Conn, arrow)
	}
	if e.Handshake != "" {
		for line := range strings.Lines(e.Handshake) {
			dst = fmt.Appendf(dst, "%s %s\n", who, strings.TrimRight(line, "\r\n"))
		}
		return dst
	}
	if len(e.Wire) == 0 {
		return appendRule(fmt.Appendf(dst, "%s no frame, %s\n", who, e.Before), e.Rule)
	}
	dst = appendRow(dst, who+" "+spaced(e.Wire), fmt.Sprintf("offset %d, %s -> %s", e.Offset, e.Before, e.After))
	dst = appendBits(dst, e.Wire, e.Header)
	dst = appendPayload(dst, e)
	return appendRule(dst, e.Rule)
}

const traceColumn = 38

// appendRow writes left, and right in its column.
func appendRow(dst []byte, left, right string) []byte {
	if right == "" {
		return fmt.Appendf(dst, "%s\n", left)
	}
	return fmt.Appendf(dst, "%-*s %s\n", traceColumn-1, left, right)
}

func appendBits(dst []byte, wire []byte, h Header) []byte {
	const indent = "     "
	bits := func(b byte, mask byte) string {
		s := []byte(".... ....")
		for i, at := range []int{0, 1, 2, 3, 5, 6, 7, 8} {
			if bit := byte(0x80) >> i; mask&bit != 0 {
				s[at] = '0'
				if b&bit != 0 {
					s[at] = '1'
				}
			}
		}
		return indent + string(s) + "  "
	}
	one := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	meaning := "last fragment (§5.4)"
	if !h.Fin {
		meaning = "more fragments follow (§5.4)"
	}
	dst = appendRow(dst, bits(wire[0], 0x80)+"FIN="+one(h.Fin), meaning)
	rsv := "(§5.2)"
	if h.RSV != 0 {
		rsv = rsvNames(h.RSV) + " (§5.2)"
	}
	dst = appendRow(dst, bits(wire[0], 0x70)+"RSV1-3="+itoa(int64(h.RSV)), rsv)
	dst = appendRow(dst, bits(wire[0], 0x0F)+fmt.Sprintf("opcode=%x", uint8(h.Opcode)), h.Opcode.String()+" ("+opcodeSection(h.Opcode)+")")
	who := "from a server (§5.1)"
	if h.Masked {
		who = "from a client (§5.1)"
	}
	dst = appendRow(dst, bits(wire[1], 0x80)+"MASK="+one(h.Masked), who)
	at := 2
	switch wire[1] & 0x7F {
	case 126:
		dst = appendRow(dst, bits(wire[1], 0x7F)+"length=126", "16 more bits (§5.2)")
		at = 4
	case 127:
		dst = appendRow(dst, bits(wire[1], 0x7F)+"length=127", "64 more bits (§5.2)")
		at = 10
	default:
		dst = appendRow(dst, bits(wire[1], 0x7F)+"length="+itoa(h.Length), "(§5.2)")
	}
	if at > 2 && len(wire) >= at {
		dst = appendRow(dst, indent+spaced(wire[2:at]), "length "+itoa(h.Length)+" (§5.2)")
	}
	if h.Masked && len(wire) >= at+4 {
		dst = appendRow(dst, indent+spaced(wire[at:at+4]), "masking key (§5.3)")
	}
	return dst
}

func appendPayload(dst []byte, e TraceEvent) []byte {
	if len(e.Payload) == 0 {
		return dst
	}
	const indent, perLine = "     ", 8
	put := func(p []byte, meaning func([]byte) string) {
		for line := range slices.Chunk(p, perLine) {
			dst = appendRow(dst, indent+spaced(line), meaning(line))
		}
	}
	show := e.Payload[:min(len(e.Payload), 4*perLine)]
	if e.Header.Masked {
		masked := slices.Clone(show)
		Mask(masked, e.Header.Key, 0)
		put(masked, func([]byte) string { return "masked payload" })
	}
	switch {
	case e.Header.Opcode == OpClose && len(show) >= 2:
		code := Code(uint16(show[0])<<8 | uint16(show[1]))
		dst = appendRow(dst, indent+spaced(show[:2]), "code "+code.String()+" (§7.4)")
		put(show[2:], printable)
	default:
		put(show, printable)
	}
	if left := e.Header.Length - int64(len(show)); left > 0 {
		dst = fmt.Appendf(dst, "%s... and %d bytes more\n", indent, left)
	}
	return dst
}

func appendRule(dst []byte, id RuleID) []byte {
	if r := id.Rule(); r != nil {
		dst = fmt.Appendf(dst, "     BREAKS %s: %s (%s), close with %s\n", r.ID, r.Text, r.Section, r.Code)
	}
	return dst
}

func spaced(b []byte) string {
	s := hex.EncodeToString(b)
	var sb strings.Builder
	for i := 0; i < len(s); i += 2 {
		if i > 0 {
			sb.WriteByte(' ')
		}
		sb.WriteString(s[i : i+2])
	}
	return sb.String()
}

// printable shows text as a quoted string and anything else as nothing.
func printable(b []byte) string {
	if !utf8.Valid(b) {
		return ""
	}
	return fmt.Sprintf("%q", b)
}

func opcodeSection(o Opcode) string {
	switch o {
	case OpContinuation:
		return "§5.4"
	case OpText, OpBinary:
		return "§5.6"
	case OpClose:
		return "§5.5.1"
	case OpPing:
		return "§5.5.2"
	case OpPong:
		return "§5.5.3"
	}
	return "§5.2"
}
