// Package wstrace writes trace events of package ws for people: the bytes in
// hexadecimal, the bits of the header, what they mean, and the sections of RFC 6455 that
// say so.
package wstrace

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"framewright/ws"
)

// A Style says how events are written. The zero Style is the whole explanation of each.
type Style struct {
	// Payload is how many bytes of a data frame's payload are shown, and of what a
	// compressed message inflates to: 0 is 32. An event has ws.TracePayload at most.
	Payload int

	// OneLine leaves the explanation out: a frame is its title, its size and its text.
	OneLine bool

	// Color marks with the terminal's colours what was sent, what was received, and what
	// breaks a rule.
	Color bool
}

const (
	column = 38 // where the meaning begins
	indent = "     "
	line   = 8 // bytes of payload in one line
)

// Append appends e to dst as lines of text. "<" stands for received, ">" for sent.
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
// Of a data frame's payload it shows the beginning, of a control frame's all. Control
// characters, and what is no UTF-8, are escaped: a terminal does not obey them.
func (s Style) Append(dst []byte, e ws.TraceEvent) []byte {
	from := len(dst)
	who := "<"
	if e.Sent {
		who = ">"
	}
	if e.Conn != 0 {
		who = fmt.Sprintf("#%d %s", e.Conn, who)
	}
	switch {
	case e.Handshake != "":
		dst = s.appendHandshake(dst, who, e)
	case len(e.Wire) == 0 && e.Conn == 0: // of no connection
	case len(e.Wire) == 0:
		dst = fmt.Appendf(dst, "%s no frame, %s\n", who, e.Before)
	case s.OneLine:
		dst = s.appendLine(dst, who, e)
	default:
		dst = s.appendRows(appendRow(dst, who+" "+spaced(e.Wire), ws.Title(e)), e)
	}
	if s.Color {
		color := received
		if e.Sent {
			color = sent
		}
		dst = paint(dst, from, color)
	}
	from = len(dst)
	dst = appendBreach(dst, e)
	if s.Color {
		dst = paint(dst, from, broken)
	}
	return dst
}

// Append writes e in the zero Style.
func Append(dst []byte, e ws.TraceEvent) []byte { return Style{}.Append(dst, e) }

// The colours of a terminal (ECMA-48, 8.3.117), which are readable on light and on dark.
const (
	received = "\x1b[36m" // cyan
	sent     = "\x1b[32m" // green
	broken   = "\x1b[31m" // red
	plain    = "\x1b[0m"
)

// paint colours what stands in dst behind from, up to the end of its last line.
func paint(dst []byte, from int, color string) []byte {
	if len(dst) == from {
		return dst
	}
	dst = slices.Insert(dst, from, []byte(color)...)
	return slices.Insert(dst, len(dst)-1, []byte(plain)...)
}

func (s Style) shown() int {
	if s.Payload > 0 {
		return s.Payload
	}
	return 4 * line
}

func (s Style) appendHandshake(dst []byte, who string, e ws.TraceEvent) []byte {
	for l := range strings.Lines(e.Handshake) {
		dst = fmt.Appendf(dst, "%s\n", strings.TrimRight(who+" "+printable(strings.TrimRight(l, "\r\n")), " "))
		if s.OneLine {
			return dst
		}
	}
	switch {
	case e.Parsed && e.Sent:
		dst = append(dst, indent+"(as it was given to net/http, which orders the lines and adds some)\n"...)
	case e.Parsed:
		dst = append(dst, indent+"(as net/http has parsed it: the order and spelling of the lines are not known)\n"...)
	}
	return dst
}

// appendLine is a frame in one line: the connection, the frame, its size, its text.
func (s Style) appendLine(dst []byte, who string, e ws.TraceEvent) []byte {
	dst = fmt.Appendf(dst, "%s %s", who, e.Header.Opcode)
	if !e.Header.Fin {
		dst = append(dst, " (more follows)"...)
	}
	dst = fmt.Appendf(dst, " %d", e.Header.Length)
	rows := ws.Explain(e, s.shown())
	for _, r := range rows {
		switch {
		case r.Kind == ws.RowNote:
			dst = fmt.Appendf(dst, " (%s)", r.Meaning)
		case r.Kind == ws.RowCode:
			dst = fmt.Appendf(dst, " %s", r.Meaning)
		case r.Kind == ws.RowText, r.Kind == ws.RowData && utf8.Valid(r.Bytes):
			dst = append(append(dst, ' '), quote(r.Bytes)...)
		case r.Kind == ws.RowData:
			dst = fmt.Appendf(dst, " % x", r.Bytes)
		}
	}
	return append(dst, '\n')
}

func (s Style) appendRows(dst []byte, e ws.TraceEvent) []byte {
	for _, r := range ws.Explain(e, s.shown()) {
		meaning := r.Meaning + " (" + r.Section + ")"
		switch r.Kind {
		case ws.RowBits:
			dst = appendRow(dst, indent+bits(r.Bytes[0], r.Bits)+"  "+r.Field+"="+r.Value, meaning)
		case ws.RowNumber, ws.RowCode:
			dst = appendRow(dst, indent+spaced(r.Bytes), meaning)
		case ws.RowMasked, ws.RowCompressed:
			for l := range slices.Chunk(r.Bytes, line) {
				dst = appendRow(dst, indent+spaced(l), meaning)
			}
		case ws.RowText, ws.RowData:
			dst = appendData(dst, r)
		case ws.RowNote:
			if r.Section == "" {
				dst = fmt.Appendf(dst, "%s(%s)\n", indent, r.Meaning)
			} else {
				dst = appendRow(dst, indent+r.Meaning, "("+r.Section+")")
			}
		}
	}
	return dst
}

// appendData shows data in lines, each with the text that it is; of a longer text the
// beginning so, and then all of it in one line.
func appendData(dst []byte, r ws.Row) []byte {
	const lines = 4
	rest := r.Bytes
	if r.Kind == ws.RowText {
		rest = rest[:min(len(rest), lines*line)]
	}
	for len(rest) > 0 {
		n := textLine(rest)
		text := ""
		if r.Kind == ws.RowText || utf8.Valid(rest[:n]) {
			text = strconv.Quote(string(rest[:n]))
		}
		dst = appendRow(dst, indent+spaced(rest[:n]), text)
		rest = rest[n:]
	}
	if r.Kind == ws.RowText && len(r.Bytes) > lines*line {
		dst = fmt.Appendf(dst, "%stext: %s\n", indent, quote(r.Bytes))
	}
	return dst
}

// appendRow writes left, and right in its column.
func appendRow(dst []byte, left, right string) []byte {
	if right == "" {
		return fmt.Appendf(dst, "%s\n", left)
	}
	return fmt.Appendf(dst, "%-*s %s\n", column-1, left, right)
}

// bits shows those of b that mask has.
func bits(b, mask byte) string {
	s := []byte(".... ....")
	for i, at := range []int{0, 1, 2, 3, 5, 6, 7, 8} {
		if bit := byte(0x80) >> i; mask&bit != 0 {
			s[at] = '0' + b>>(7-i)&1
		}
	}
	return string(s)
}

// textLine returns how much of p fills a line without cutting a code point.
func textLine(p []byte) int {
	if len(p) <= line {
		return len(p)
	}
	for n := line; n > line-utf8.UTFMax; n-- {
		if utf8.RuneStart(p[n]) {
			return n
		}
	}
	return line // no text
}

func appendBreach(dst []byte, e ws.TraceEvent) []byte {
	r := e.Rule.Rule()
	if r == nil {
		return dst
	}
	dst = fmt.Appendf(dst, "%sBREAKS %s: %s (%s), %s\n", indent, r.ID, r.Text, r.Section, r.Cost())
	if e.Detail != "" {
		dst = fmt.Appendf(dst, "%s%s\n", indent, printable(e.Detail))
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

// quote shows text as a string in Go's syntax: one with quotes of its own, such as JSON,
// between backquotes if that can be.
func quote(b []byte) string {
	s := string(b)
	if strings.Contains(s, `"`) && strconv.CanBackquote(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

func spaced(b []byte) string { return fmt.Sprintf("% x", b) }
