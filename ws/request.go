package ws

import (
	"bytes"
	"strconv"
	"strings"
)

// A field is one header line.
type field struct{ name, value string }

// ParseRequest parses the opening handshake that b begins with, the head of an
// HTTP/1.1 request (RFC 6455 §4.1 point 2, RFC 9112 §2 to §5):
//
//	method SP request-target SP HTTP-version CRLF
//	*( field-name ":" OWS field-value OWS CRLF )
//	CRLF
//
// n is the length of the head; n == 0 with a nil error means that more bytes
// are needed. It is strict, as an endpoint may be that knows what it talks to:
// lines end with CRLF, a field is on one line. What the request says is for
// CheckRequest to judge, except where HTTP itself leaves no choice. An error is
// a *HandshakeError with status 400, 501 or 505, as net/http has it. Empty
// lines before the request are for the caller to skip (RFC 9112 §2.2), and the
// TLS and Local fields to set.
func ParseRequest(b []byte) (r *Request, n int, err error) {
	n = headEnd(b, 0)
	if n == 0 {
		return nil, 0, nil
	}
	r = &Request{}
	if err = r.Parse(b[:n]); err != nil {
		return nil, 0, err
	}
	r.Header, r.fields = r.Fields(), nil
	return r, n, nil
}

// Fields returns Header or, after Parse, a new map of the same.
func (r *Request) Fields() Fields {
	if r.Header != nil {
		return r.Header
	}
	header := make(Fields, len(r.fields))
	for _, f := range r.fields {
		header[f.name] = append(header[f.name], f.value)
	}
	return header
}

// headEnd returns the length of the head that b begins with, 0 if its end has
// not come. Of b, the first from bytes were looked at before.
func headEnd(b []byte, from int) int {
	from = max(0, from-3)
	if i := bytes.Index(b[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// Parse is ParseRequest for a head that is whole, into r, whose memory it uses again
// but for TLS and Local. Header is nil then: see Values. All strings are parts of one.
func (r *Request) Parse(head []byte) error {
	*r = Request{TLS: r.TLS, Local: r.Local, fields: r.fields[:0], scratch: r.scratch[:0]}
	rest := string(head[:len(head)-2])
	line, rest, _ := strings.Cut(rest, "\r\n")
	if err := r.parseStart(line); err != nil {
		return err
	}
	hosts, lengths, length, codings, coding := 0, 0, "", 0, ""
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\r\n")
		name, value, found := strings.Cut(line, ":")
		// "No whitespace is allowed between the field name and colon."
		if !found || !isToken(name) {
			return malformed("header line "+quote(line)+" does not begin with a name and a colon", "RFC 9112 §5.1")
		}
		value = trimOWS(value)
		if !isFieldValue(value) {
			return malformed("header "+name+" has a value with a control character: "+quote(value), "RFC 9110 §5.5")
		}
		name = canonicalName(name)
		switch name {
		case "Host":
			hosts++
			if r.Host == "" {
				r.Host = value
			}
			continue
		case "Content-Length":
			if lengths++; lengths == 1 {
				length = value
			} else if value != length {
				return malformed("two Content-Length headers that differ: "+quote(length)+" and "+quote(value), "RFC 9112 §6.3")
			}
			continue
		case "Transfer-Encoding":
			codings++
			coding = value
			continue
		}
		r.fields = append(r.fields, field{name, value})
	}
	// "A server MUST respond with a 400 (Bad Request) status code to any
	// HTTP/1.1 request message that lacks a Host header field and to any
	// request message that contains more than one Host header field line"
	if hosts > 1 {
		return malformed("more than one Host header", "RFC 9112 §3.2")
	}
	r.noHost = hosts == 0
	if codings > 0 && (r.Major > 1 || r.Major == 1 && r.Minor >= 1) {
		if codings > 1 || !equalFold(coding, "chunked") {
			return &HandshakeError{Status: 501, Detail: "a Transfer-Encoding other than chunked: " + quote(coding), Section: "RFC 9112 §6.1"}
		}
		r.Length = -1
	}
	if lengths > 0 {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return malformed("Content-Length "+quote(length)+" is not a number of bytes", "RFC 9110 §8.6")
		}
		// "If a message is received with both a Transfer-Encoding and a
		// Content-Length header field, the Transfer-Encoding overrides the
		// Content-Length."
		if r.Length == 0 {
			r.Length = int64(n)
			r.fields = append(r.fields, field{"Content-Length", length})
		}
	}
	if r.Length < 0 {
		if name := framingTrailer(r.Values("Trailer")); name != "" {
			return malformed("Trailer announces "+name+", which says how a message is framed", "RFC 9110 §6.5.1")
		}
	}
	if r.Major != 1 && !(r.Major == 2 && r.Minor == 0 && r.Method == "PRI" && r.Target == "*") {
		e := RuleHTTPVersion.Refusal("HTTP/" + strconv.Itoa(r.Major) + "." + strconv.Itoa(r.Minor) + " request, HTTP/1.1 is needed")
		e.Status = 505 // as net/http answers, before anybody else is asked
		return e
	}
	return nil
}

// framingTrailer returns the first name in a list of them that must not come behind
// a body, or "".
func framingTrailer(lists []string) string {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			switch name = canonicalName(trimOWS(name)); name {
			case "Transfer-Encoding", "Content-Length", "Trailer":
				return name
			}
		}
	}
	return ""
}

// expectsContinue reports whether an Expect header's value has 100-continue.
func expectsContinue(value string) bool {
	for member := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		if equalFold(member, "100-continue") {
			return true
		}
	}
	return false
}

// Reset empties r and keeps its memory for the next Parse.
func (r *Request) Reset() {
	clear(r.fields[:cap(r.fields)])
	clear(r.scratch[:cap(r.scratch)])
	*r = Request{fields: r.fields[:0], scratch: r.scratch[:0]}
}

// CheckHTTP holds a request that was parsed against what HTTP demands whatever is
// asked for, and what an HTTP server would refuse before it asks anybody else: a
// Host that is one, and no expectation but 100-continue. An error is a
// *HandshakeError.
func CheckHTTP(r *Request) error {
	if r.noHost && r.Method != "CONNECT" && r.Major == 1 && r.Minor >= 1 {
		return RuleHost.Refusal("no Host header")
	}
	if i := strings.IndexFunc(r.Host, func(c rune) bool { return c > 0x7E || !isHostByte(byte(c)) }); i >= 0 {
		return malformed("Host "+quote(r.Host)+" has characters that no host has", "RFC 9112 §3.2")
	}
	// "A server that receives an Expect field value containing a member other
	// than 100-continue MAY respond with a 417 (Expectation Failed)"
	if v := r.Values("Expect"); len(v) > 0 && v[0] != "" && !expectsContinue(v[0]) {
		return &HandshakeError{Status: 417, Detail: "Expect " + quote(v[0]) + ", only 100-continue is known", Section: "RFC 9110 §10.1.1"}
	}
	return nil
}

// isHostByte: what reg-name, an address in brackets and a port have (RFC 3986
// §3.2.2).
func isHostByte(c byte) bool {
	l := c | 0x20
	return 'a' <= l && l <= 'z' || isDigit(c) || strings.IndexByte("!$%&'()*+,-.:;=[]_~", c) >= 0
}

// A RequestHead finds the end of a request's head while its bytes come.
type RequestHead struct {
	Policy *Policy // whose MaxHeaderBytes counts, up to 1 MiB; nil: the default

	looked int // so many bytes were there at the last look
	empty  int // bytes of empty lines that were skipped
}

// maxHead bounds a request's head where MaxHeaderBytes does not.
const maxHead = 1 << 20

// Find looks at b, all of the request that has come. The first skip bytes are empty
// lines, which the caller takes off: it shows only what is behind them from then on.
// n is the length of the head behind them, 0 if its end has not come. An error, a
// *HandshakeError, says that it never will.
func (h *RequestHead) Find(b []byte) (skip, n int, err error) {
	if h.looked < 2 {
		// "a server that is expecting to receive and parse a request-line SHOULD
		// ignore at least one empty line (CRLF) received prior to the request-line"
		// (RFC 9112 §2.2)
		for bytes.HasPrefix(b[skip:], []byte("\r\n")) {
			skip += 2
		}
		if skip > 0 { // the CR of the first may have been looked at
			h.empty, h.looked, b = h.empty+skip, 0, b[skip:]
		}
	}
	if end := headEnd(b, h.looked); end > 0 && end <= maxHead {
		return skip, end, nil
	}
	if hasBareLF(b, h.looked) { // the end may never come
		return skip, 0, malformed("a line that ends with LF alone, CRLF is needed", "RFC 9112 §2.2")
	}
	h.looked = len(b)
	limit := h.Policy.maxHeaderBytes()
	if limit <= 0 || limit > maxHead {
		limit = maxHead
	}
	if h.empty+len(b) > limit+len("\r\n") {
		return skip, 0, RuleHeaderSize.Refusal("request headers of more than " + strconv.Itoa(limit) + " bytes, the limit that MaxHeaderBytes sets")
	}
	return skip, 0, nil
}

// hasBareLF reports whether a line of b ends without CR. Of b, the first from
// bytes were looked at before.
func hasBareLF(b []byte, from int) bool {
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
func (r *Request) parseStart(line string) error {
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	if !ok || !isToken(method) || target == "" || !isFieldValue(target) {
		return malformed("request line "+quote(line)+", expected a method, a target and HTTP/1.1", "RFC 9112 §3")
	}
	// HTTP-version = "HTTP/" DIGIT "." DIGIT
	if len(version) != len("HTTP/1.1") || version[:5] != "HTTP/" || !isDigit(version[5]) || version[6] != '.' || !isDigit(version[7]) {
		return malformed("request line "+quote(line)+" does not end with HTTP/1.1", "RFC 9112 §2.3")
	}
	r.Method, r.Target = method, target
	r.Major, r.Minor = int(version[5]-'0'), int(version[7]-'0')
	return nil
}

// Values returns the values of a header, whose name is spelled as in Fields. They are
// valid until Parse is called again.
func (r *Request) Values(name string) []string {
	if r.Header != nil {
		return r.Header[name]
	}
	start := len(r.scratch)
	for _, f := range r.fields {
		if f.name == name {
			r.scratch = append(r.scratch, f.value)
		}
	}
	return r.scratch[start:]
}

func malformed(detail, section string) *HandshakeError {
	return &HandshakeError{Status: 400, Detail: detail, Section: section}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isToken: 1*tchar (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTokenByte: tchar.
func isTokenByte(b byte) bool {
	switch c := b | 0x20; {
	case 'a' <= c && c <= 'z', isDigit(b), b == '-':
		return true
	}
	return strings.IndexByte("!#$%&'*+.^_`|~", b) >= 0
}

// isFieldValue: no control characters but HTAB.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// knownNames are the names that handshakes have, in canonical form.
var knownNames = [...]string{"Host", "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version",
	"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Origin", "User-Agent", "Cookie", "Pragma", "Cache-Control",
	"Accept", "Accept-Encoding", "Accept-Language", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Authorization", "Content-Length"}

// canonicalName returns a header's name as net/http has it: Sec-Websocket-Key.
func canonicalName(name string) string {
	for _, known := range knownNames {
		if len(known) == len(name) && strings.EqualFold(known, name) {
			return known
		}
	}
	b := []byte(name)
	upper := true
	for i, c := range b {
		if c |= 0x20; 'a' <= c && c <= 'z' {
			if upper {
				c -= 0x20
			}
			b[i] = c
		}
		upper = b[i] == '-'
	}
	return string(b)
}
