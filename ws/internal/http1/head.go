// Package http1 is what the opening handshake needs of HTTP/1.1: the grammar of
// fields (RFC 9110), of hosts (RFC 3986, RFC 6454) and of a request's head (RFC
// 9112). It knows nothing of WebSocket.
package http1

import (
	"bytes"
	"strconv"
	"strings"
)

// A Head is that of a request.
type Head struct {
	Method, Target string
	Major, Minor   int    // of the HTTP version
	Host           string // the first
	NoHost         bool   // there is none, not even an empty one
	Length         int64  // of the body, in bytes; -1 if it is chunked
	Fields         []Field

	scratch []string // what Values gave out
}

// A Field is one header line but Host, its name as CanonicalName has it. Content-Length
// is among them if it counts, Transfer-Encoding never.
type Field struct{ Name, Value string }

// An Error says why bytes are no head, and which status answers that.
type Error struct {
	Status  int
	Detail  string
	Section string // with the RFC
}

func malformed(detail, section string) *Error { return &Error{400, detail, section} }

// Parse reads a head that is whole, its empty line included, into h, whose memory it
// uses again. All strings are parts of one.
func (h *Head) Parse(head []byte) *Error {
	*h = Head{Fields: h.Fields[:0], scratch: h.scratch[:0]}
	rest := string(head[:len(head)-2])
	line, rest, _ := strings.Cut(rest, "\r\n")
	if err := h.parseStart(line); err != nil {
		return err
	}
	hosts, lengths, length, codings, coding := 0, 0, "", 0, ""
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\r\n")
		name, value, found := strings.Cut(line, ":")
		// "No whitespace is allowed between the field name and colon."
		if !found || !IsToken(name) {
			return malformed("header line "+Quote(line)+" does not begin with a name and a colon", "RFC 9112 §5.1")
		}
		value = TrimOWS(value)
		if !IsFieldValue(value) {
			return malformed("header "+name+" has a value with a control character: "+Quote(value), "RFC 9110 §5.5")
		}
		name = CanonicalName(name)
		switch name {
		case "Host":
			hosts++
			if h.Host == "" {
				h.Host = value
			}
			continue
		case "Content-Length":
			if lengths++; lengths == 1 {
				length = value
			} else if value != length {
				return malformed("two Content-Length headers that differ: "+Quote(length)+" and "+Quote(value), "RFC 9112 §6.3")
			}
			continue
		case "Transfer-Encoding":
			codings++
			coding = value
			continue
		}
		h.Fields = append(h.Fields, Field{name, value})
	}
	// "A server MUST respond with a 400 (Bad Request) status code to any
	// HTTP/1.1 request message that lacks a Host header field and to any
	// request message that contains more than one Host header field line"
	if hosts > 1 {
		return malformed("more than one Host header", "RFC 9112 §3.2")
	}
	h.NoHost = hosts == 0
	if codings > 0 && (h.Major > 1 || h.Major == 1 && h.Minor >= 1) {
		if codings > 1 || !EqualFold(coding, "chunked") {
			return &Error{501, "a Transfer-Encoding other than chunked: " + Quote(coding), "RFC 9112 §6.1"}
		}
		h.Length = -1
	}
	if lengths > 0 {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return malformed("Content-Length "+Quote(length)+" is not a number of bytes", "RFC 9110 §8.6")
		}
		// "If a message is received with both a Transfer-Encoding and a
		// Content-Length header field, the Transfer-Encoding overrides the
		// Content-Length."
		if h.Length == 0 {
			h.Length = int64(n)
			h.Fields = append(h.Fields, Field{"Content-Length", length})
		}
	}
	if h.Length < 0 {
		if name := framingTrailer(h.Values("Trailer")); name != "" {
			return malformed("Trailer announces "+name+", which says how a message is framed", "RFC 9110 §6.5.1")
		}
	}
	return nil
}

// HeadEnd returns the length of the head that b begins with, 0 if its end has
// not come. Of b, the first from bytes were looked at before.
func HeadEnd(b []byte, from int) int {
	from = max(0, from-3)
	if i := bytes.Index(b[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// HasBareLF reports whether a line of b ends without CR. Of b, the first from
// bytes were looked at before.
func HasBareLF(b []byte, from int) bool {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return false
		}
		if from += i + 1; from < 2 || b[from-2] != '\r' {
			return true
		}
	}
}

// parseStart parses the request line.
func (h *Head) parseStart(line string) *Error {
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	if !ok || !IsToken(method) || target == "" || !IsFieldValue(target) {
		return malformed("request line "+Quote(line)+", expected a method, a target and HTTP/1.1", "RFC 9112 §3")
	}
	// HTTP-version = "HTTP/" DIGIT "." DIGIT
	if len(version) != len("HTTP/1.1") || version[:5] != "HTTP/" || !isDigit(version[5]) || version[6] != '.' || !isDigit(version[7]) {
		return malformed("request line "+Quote(line)+" does not end with HTTP/1.1", "RFC 9112 §2.3")
	}
	h.Method, h.Target = method, target
	h.Major, h.Minor = int(version[5]-'0'), int(version[7]-'0')
	return nil
}

// framingTrailer returns the first name in a list of them that must not come behind
// a body, or "".
func framingTrailer(lists []string) string {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			switch name = CanonicalName(TrimOWS(name)); name {
			case "Transfer-Encoding", "Content-Length", "Trailer":
				return name
			}
		}
	}
	return ""
}

// Values returns the values of the fields of that name. They are valid until Parse is
// called again.
func (h *Head) Values(name string) []string {
	start := len(h.scratch)
	for _, f := range h.Fields {
		if f.Name == name {
			h.scratch = append(h.scratch, f.Value)
		}
	}
	return h.scratch[start:]
}

// Reset empties h and keeps its memory for the next Parse.
func (h *Head) Reset() {
	clear(h.Fields[:cap(h.Fields)])
	clear(h.scratch[:cap(h.scratch)])
	*h = Head{Fields: h.Fields[:0], scratch: h.scratch[:0]}
}
