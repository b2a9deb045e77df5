package ws

import (
	"bytes"
	"strconv"
	"strings"

	"framewright/ws/internal/http1"
)

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
	n = http1.HeadEnd(b, 0)
	if n == 0 {
		return nil, 0, nil
	}
	r = &Request{}
	if err = r.Parse(b[:n]); err != nil {
		return nil, 0, err
	}
	r.Header, r.head.Fields = r.Fields(), nil
	return r, n, nil
}

// Fields returns Header or, after Parse, a new map of the same.
func (r *Request) Fields() Fields {
	if r.Header != nil {
		return r.Header
	}
	header := make(Fields, len(r.head.Fields))
	for _, f := range r.head.Fields {
		header[f.Name] = append(header[f.Name], f.Value)
	}
	return header
}

// Parse is ParseRequest for a head that is whole, into r, whose memory it uses again
// but for TLS and Local. Header is nil then: see Values. All strings are parts of one.
func (r *Request) Parse(head []byte) error {
	*r = Request{TLS: r.TLS, Local: r.Local, head: r.head}
	h := &r.head
	e := h.Parse(head)
	r.Method, r.Target, r.Major, r.Minor, r.Host, r.Length = h.Method, h.Target, h.Major, h.Minor, h.Host, h.Length
	if e != nil {
		return &HandshakeError{Status: e.Status, Detail: e.Detail, Section: e.Section}
	}
	if r.Major != 1 && !(r.Major == 2 && r.Minor == 0 && r.Method == "PRI" && r.Target == "*") {
		e := RuleHTTPVersion.Refusal("HTTP/" + strconv.Itoa(r.Major) + "." + strconv.Itoa(r.Minor) + " request, HTTP/1.1 is needed")
		e.Status = 505 // as net/http answers, before anybody else is asked
		return e
	}
	return nil
}

// Reset empties r and keeps its memory for the next Parse.
func (r *Request) Reset() {
	r.head.Reset()
	*r = Request{head: r.head}
}

// CheckHTTP holds a request that was parsed against what HTTP demands whatever is
// asked for, and what an HTTP server would refuse before it asks anybody else: a
// Host that is one, and no expectation but 100-continue. An error is a
// *HandshakeError.
func CheckHTTP(r *Request) error {
	if r.head.NoHost && r.Method != "CONNECT" && r.Major == 1 && r.Minor >= 1 {
		return RuleHost.Refusal("no Host header")
	}
	if i := strings.IndexFunc(r.Host, func(c rune) bool { return c > 0x7E || !http1.IsHostByte(byte(c)) }); i >= 0 {
		return malformed("Host "+http1.Quote(r.Host)+" has characters that no host has", "RFC 9112 §3.2")
	}
	// "A server that receives an Expect field value containing a member other
	// than 100-continue MAY respond with a 417 (Expectation Failed)"
	if v := r.Values("Expect"); len(v) > 0 && v[0] != "" && !http1.ExpectsContinue(v[0]) {
		return &HandshakeError{Status: 417, Detail: "Expect " + http1.Quote(v[0]) + ", only 100-continue is known", Section: "RFC 9110 §10.1.1"}
	}
	return nil
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
	if end := http1.HeadEnd(b, h.looked); end > 0 && end <= maxHead {
		return skip, end, nil
	}
	if http1.HasBareLF(b, h.looked) { // the end may never come
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

// Values returns the values of a header, whose name is spelled as in Fields. They are
// valid until Parse is called again.
func (r *Request) Values(name string) []string {
	if r.Header != nil {
		return r.Header[name]
	}
	return r.head.Values(name)
}

func malformed(detail, section string) *HandshakeError {
	return &HandshakeError{Status: 400, Detail: detail, Section: section}
}
