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
	if err = r.parse(b[:n]); err != nil {
		return nil, 0, err
	}
	header := make(map[string][]string, len(r.fields))
	for _, f := range r.fields {
		header[f.name] = append(header[f.name], f.value)
	}
	r.Header, r.fields = header, nil
	return r, n, nil
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

// parse is ParseRequest, for a head that is whole, into r, whose memory it uses
// again, and which has fields then in place of Header. All its strings are parts
// of one.
func (r *Request) parse(head []byte) error {
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
			} else {
				continue
			}
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
		if codings > 1 || lower(coding) != "chunked" {
			return &HandshakeError{Status: 501, Detail: "a Transfer-Encoding other than chunked: " + quote(coding), Section: "RFC 9112 §6.1"}
		}
		r.Body = true
	}
	if lengths > 0 {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return malformed("Content-Length "+quote(length)+" is not a number of bytes", "RFC 9110 §8.6")
		}
		if n > 0 {
			r.Body = true
		}
	}
	if r.Major != 1 && !(r.Major == 2 && r.Minor == 0 && r.Method == "PRI" && r.Target == "*") {
		e := refused(RuleHTTPVersion, "HTTP/"+strconv.Itoa(r.Major)+"."+strconv.Itoa(r.Minor)+" request, HTTP/1.1 is needed")
		e.Status = 505 // as net/http answers, before anybody else is asked
		return e
	}
	return nil
}

// expectsContinue reports whether an Expect header's value has 100-continue.
func expectsContinue(value string) bool {
	for member := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		if lower(member) == "100-continue" {
			return true
		}
	}
	return false
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

// values returns the values of a header, whose name is in canonical form.
func (r *Request) values(name string) []string {
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
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z', isDigit(s[i]), s[i] == '-':
		case !strings.Contains("!#$%&'*+.^_`|~", s[i:i+1]):
			return false
		}
	}
	return s != ""
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
