package ws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A TraceEvent is one thing that went over a connection: a frame, the text of
// one half of an opening handshake, or, with only Rule set, the breach of a
// rule outside of any frame.
type TraceEvent struct {
	Conn    uint64 // Conn.ID; a handshake that does not become a Conn has a number, too
	Role    Role   // of the endpoint that looks on
	Sent    bool   // by this endpoint; false: received
	Offset  int64  // of the frame's first byte since the handshake
	Header  Header
	Wire    []byte // the header's bytes, as they are on the wire
	Payload []byte // unmasked; its first TracePayload bytes at most
	Before  State  // of the frame's direction
	After   State
	Rule    RuleID // that the frame broke, or the handshake, with its last event; "" if none

	// Compressed says that the payload is of a compressed message. With the
	// last frame of one comes what the whole message inflates to (RFC 7692
	// §7.2.2): its first TracePayload bytes at most, and its length.
	Compressed    bool
	Content       []byte
	ContentLength int64

	// Detail is what was seen of the breach, with the place: for a text that is
	// not UTF-8, the byte and its offset in the message.
	Detail string

	// Handshake is one half of an opening handshake, or as much of it as came:
	// the bytes that were sent or received, unless Parsed says that they went
	// through net/http. Then it is what net/http said of them, and the order of
	// the header lines, the spelling of their names, and white space are not
	// known; nor is what net/http adds, such as Date.
	Handshake string
	Parsed    bool
}

// TracePayload is how much of a frame's payload a TraceEvent has, in bytes.
const TracePayload = 128

// AppendTrace appends e to dst as lines of text: the bytes in hexadecimal, the
// bits of the header, what they mean, and the sections of RFC 6455 that say
// so. "<" stands for received, ">" for sent.
//
//	#7 < 81 85 37 fa 21 3d                server receives text at offset 0, ready -> ready
//	     1... ....  FIN=1                 a whole message (§5.4)
//	     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
//	     .... 0001  opcode=1              text (§5.6)
//	     1... ....  MASK=1                a masking key follows (§5.1)
//	     .000 0101  length=5              bytes of payload (§5.2)
//	     37 fa 21 3d                      masking key (§5.3)
//	     7f 9f 4d 51 58                   payload, masked (§5.3)
//	     48 65 6c 6c 6f                   "Hello"
//
// Of a data frame's payload it shows the beginning, of a control frame's all.
func AppendTrace(dst []byte, e TraceEvent) []byte {
	who, verb := "<", " receives "
	if e.Sent {
		who, verb = ">", " sends "
	}
	if e.Conn != 0 {
		who = fmt.Sprintf("#%d %s", e.Conn, who)
	}
	switch {
	case e.Handshake != "":
		for line := range strings.Lines(e.Handshake) {
			dst = fmt.Appendf(dst, "%s\n", strings.TrimRight(who+" "+printable(strings.TrimRight(line, "\r\n")), " "))
		}
		if e.Parsed && e.Sent {
			dst = append(dst, traceIndent+"(as it was given to net/http, which orders the lines and adds some)\n"...)
		} else if e.Parsed {
			dst = append(dst, traceIndent+"(as net/http has parsed it: the order and spelling of the lines are not known)\n"...)
		}
		return appendRule(dst, e)
	case len(e.Wire) == 0 && e.Conn == 0: // of no connection
		return appendRule(dst, e)
	case len(e.Wire) == 0:
		return appendRule(fmt.Appendf(dst, "%s no frame, %s\n", who, e.Before), e)
	}
	dst = appendRow(dst, who+" "+spaced(e.Wire),
		fmt.Sprintf("%s%s%s at offset %d, %s -> %s", e.Role, verb, e.Header.Opcode, e.Offset, e.Before, e.After))
	if len(e.Wire) >= 2 {
		dst = appendBits(dst, e)
	}
	dst = appendPayload(dst, e)
	dst = appendContent(dst, e)
	return appendRule(dst, e)
}

const (
	traceColumn = 38 // where the meaning begins
	traceIndent = "     "
	traceLine   = 8 // bytes of payload in one line
)

// appendRow writes left, and right in its column.
func appendRow(dst []byte, left, right string) []byte {
	if right == "" {
		return fmt.Appendf(dst, "%s\n", left)
	}
	return fmt.Appendf(dst, "%-*s %s\n", traceColumn-1, left, right)
}

func appendBits(dst []byte, e TraceEvent) []byte {
	wire, h := e.Wire, e.Header
	row := func(b, mask byte, field, meaning string) {
		s := []byte(".... ....")
		for i, at := range []int{0, 1, 2, 3, 5, 6, 7, 8} {
			if bit := byte(0x80) >> i; mask&bit != 0 {
				s[at] = '0' + b>>(7-i)&1
			}
		}
		dst = appendRow(dst, traceIndent+string(s)+"  "+field, meaning)
	}
	row(wire[0], 0x80, "FIN="+itoa(int64(wire[0]>>7)), finMeaning(h))
	rsv := "reserved for extensions (§5.2)"
	switch {
	case h.RSV == RSV1 && e.Compressed:
		rsv = "RSV1: a compressed message (RFC 7692 §6)"
	case h.RSV != 0:
		rsv = rsvNames(h.RSV) + " set (§5.2)"
	}
	row(wire[0], 0x70, "RSV1-3="+itoa(int64(h.RSV)), rsv)
	row(wire[0], 0x0F, fmt.Sprintf("opcode=%x", uint8(h.Opcode)), h.Opcode.String()+" ("+opcodeSection(h.Opcode)+")")
	mask := "not masked (§5.1)"
	if h.Masked {
		mask = "a masking key follows (§5.1)"
	}
	row(wire[1], 0x80, "MASK="+itoa(int64(wire[1]>>7)), mask)

	at, length7 := 2, wire[1]&0x7F
	length := "bytes of payload (§5.2)"
	switch length7 {
	case 126:
		at, length = 4, "the length takes 16 bits more (§5.2)"
	case 127:
		at, length = 10, "the length takes 64 bits more (§5.2)"
	}
	row(wire[1], 0x7F, "length="+itoa(int64(length7)), length)
	if at > 2 && len(wire) >= at {
		dst = appendRow(dst, traceIndent+spaced(wire[2:at]), itoa(h.Length)+" bytes of payload (§5.2)")
	}
	if h.Masked && len(wire) >= at+4 {
		dst = appendRow(dst, traceIndent+spaced(wire[at:at+4]), "masking key (§5.3)")
	}
	return dst
}

// finMeaning says what FIN means on a frame like h.
func finMeaning(h Header) string {
	switch {
	case h.Opcode.IsControl() && h.Fin:
		return "not fragmented (§5.5)"
	case h.Opcode.IsControl():
		return "fragmented (§5.5)"
	case h.Fin && h.Opcode == OpContinuation:
		return "the last fragment (§5.4)"
	case h.Fin:
		return "a whole message (§5.4)"
	case h.Opcode == OpContinuation:
		return "more fragments follow (§5.4)"
	}
	return "the first fragment, more follow (§5.4)"
}

func appendPayload(dst []byte, e TraceEvent) []byte {
	if len(e.Payload) == 0 {
		return dst
	}
	show := e.Payload
	if !e.Header.Opcode.IsControl() {
		show = show[:min(len(show), 4*traceLine)]
	}
	if e.Header.Masked {
		masked := slices.Clone(show)
		Mask(masked, e.Header.Key, 0)
		for line := range slices.Chunk(masked, traceLine) {
			dst = appendRow(dst, traceIndent+spaced(line), "payload, masked (§5.3)")
		}
	}
	rest := show
	if e.Compressed {
		for line := range slices.Chunk(show, traceLine) {
			dst = appendRow(dst, traceIndent+spaced(line), "compressed (RFC 7692 §7.2.1)")
		}
		rest = nil
	}
	always := e.Header.Opcode == OpText || e.Header.Opcode == OpContinuation && e.Before == StateInText
	if e.Header.Opcode == OpClose {
		if len(show) >= 2 {
			code := Code(uint16(show[0])<<8 | uint16(show[1]))
			dst = appendRow(dst, traceIndent+spaced(show[:2]), "code "+code.String()+" (§7.4)")
			rest = show[2:]
		}
		always = true
	}
	return appendText(dst, rest, always, len(show), e.Header.Length)
}

// appendText shows bytes in lines, each with the text that it is, and whether the shown
// ones are all of the whole.
func appendText(dst, rest []byte, text bool, shown int, whole int64) []byte {
	for len(rest) > 0 {
		n := textLine(rest)
		dst = appendRow(dst, traceIndent+spaced(rest[:n]), quoted(rest[:n], text))
		rest = rest[n:]
	}
	if int64(shown) < whole {
		dst = fmt.Appendf(dst, "%s(%d of %d bytes)\n", traceIndent, shown, whole)
	}
	return dst
}

// appendContent shows what a compressed message inflates to.
func appendContent(dst []byte, e TraceEvent) []byte {
	if !e.Compressed || !e.Header.Fin {
		return dst
	}
	dst = appendRow(dst, traceIndent+itoa(e.ContentLength)+" bytes inflated", "(RFC 7692 §7.2.2)")
	show := e.Content[:min(len(e.Content), 4*traceLine)]
	text := e.Header.Opcode == OpText || e.Header.Opcode == OpContinuation && e.Before == StateInText
	return appendText(dst, show, text, len(show), e.ContentLength)
}

// textLine returns how much of p fills a line without cutting a code point.
func textLine(p []byte) int {
	if len(p) <= traceLine {
		return len(p)
	}
	for n := traceLine; n > traceLine-utf8.UTFMax; n-- {
		if utf8.RuneStart(p[n]) {
			return n
		}
	}
	return traceLine // no text
}

func appendRule(dst []byte, e TraceEvent) []byte {
	r := e.Rule.Rule()
	if r == nil {
		return dst
	}
	cost := "the dial fails"
	switch {
	case r.Code != 0:
		cost = "close with " + r.Code.String()
	case r.Status != 0:
		cost = "answer with HTTP " + itoa(int64(r.Status))
	case r.ID == RuleAfterClose:
		cost = "which is ignored"
	}
	dst = fmt.Appendf(dst, "%sBREAKS %s: %s (%s), %s\n", traceIndent, r.ID, r.Text, r.Section, cost)
	if e.Detail != "" {
		dst = fmt.Appendf(dst, "%s%s\n", traceIndent, printable(e.Detail))
	}
	return dst
}

// printable returns a line as it is, or with escapes if it has what is no text.
func printable(line string) string {
	if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		line = strconv.Quote(line)
		return line[1 : len(line)-1]
	}
	return line
}

func spaced(b []byte) string { return fmt.Sprintf("% x", b) }

// quoted shows text as a string in Go's syntax, which escapes what is not
// UTF-8 or not printable; other data, unless it is text too, as nothing.
func quoted(b []byte, always bool) string {
	if !always && !utf8.Valid(b) {
		return ""
	}
	return strconv.Quote(string(b))
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
