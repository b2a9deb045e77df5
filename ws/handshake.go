package ws

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"framewright/ws/internal/http1"
)

// A Request is the opening handshake as a client sends it (RFC 6455 §4.1):
//
//	GET /chat HTTP/1.1
//	Host: server.example.com
//	Upgrade: websocket
//	Connection: Upgrade
//	Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
//	Origin: http://example.com
//	Sec-WebSocket-Protocol: chat, superchat
//	Sec-WebSocket-Version: 13
type Request struct {
	Method string
	Target string // path and query
	Major  int    // of the HTTP version
	Minor  int
	Host   string
	TLS    bool   // it came through TLS: its origin must be an https one
	Length int64  // of the body, in bytes; -1 if it is chunked, or a stream of HTTP/2
	Local  bool   // it came to a loopback address of this machine: see CheckHost
	Header Fields // all others

	// Of a CONNECT over HTTP/2, the pseudo-headers of these names; Target is :path,
	// and Host is :authority (RFC 8441 §4).
	Scheme, Protocol string

	head http1.Head // instead of Header, in a request that Parse has made
}

// A Response is the server's half of the opening handshake (§4.2.2).
type Response struct {
	Status int
	Header Fields
}

// A HandshakeError says why an opening handshake failed. A server's Accept
// has answered with Status by the time it returns one. On a client, Status,
// Header and Body are what the server answered.
type HandshakeError struct {
	Status  int    // HTTP status code; 0 if no answer came
	Rule    RuleID // which rule was broken; "" if none was, as when a server refused
	Section string // where the rule stands
	Detail  string // what was seen, what was expected, and the option that changes it
	Header  Fields // to answer with, or that the server answered with
	Body    []byte // client: the first bytes of the answer's body, 1 KiB at the most
	Err     error  // the error below, if there was one
}

// Error returns the detail, the status and the section.
func (e *HandshakeError) Error() string {
	s := "ws: handshake: " + e.Detail
	if e.Err != nil {
		s += ": " + strings.TrimPrefix(e.Err.Error(), "ws: ")
	}
	if e.Section != "" {
		s += " (" + e.Section + ")"
	}
	return s
}

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

// KeyGUID is what §1.3 appends to the key, so that the answer cannot come
// from a server that does not know WebSocket.
const KeyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AcceptKey returns the Sec-WebSocket-Accept for a Sec-WebSocket-Key: the
// base64 of the SHA-1 of the key and a fixed GUID (§4.2.2). SHA-1 is no
// safeguard here, only a sign of understanding.
func AcceptKey(key string) string {
	return string(appendAcceptKey(nil, key))
}

func appendAcceptKey(dst []byte, key string) []byte {
	var both [24 + len(KeyGUID)]byte // as long as it is for a key that is right
	sum := sha1.Sum(append(append(both[:0], key...), KeyGUID...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// CheckRequest holds r against §4.2.1 and the policy's limits, without the Host and the
// Origin: see CheckHost and CheckOrigin. An error is a *HandshakeError with the status
// and the headers that the answer should have.
func CheckRequest(r *Request, p *Policy) error {
	// "The HTTP version MUST be at least 1.1." HTTP/2 has a handshake of its
	// own.
	if r.Major == 2 && r.Method == "CONNECT" {
		return checkConnect(r, p)
	}
	if r.Major != 1 || r.Minor < 1 {
		needed := " request, HTTP/1.1 is needed"
		if r.Major == 2 {
			needed = " request, a CONNECT is needed (RFC 8441), or HTTP/1.1"
		}
		return RuleHTTPVersion.Refusal("HTTP/" + strconv.Itoa(r.Major) + "." + strconv.Itoa(r.Minor) + needed)
	}
	// "The method of the request MUST be GET"
	if r.Method != "GET" {
		e := RuleMethod.Refusal(http1.Quote(r.Method) + " request, GET is needed")
		e.Header = Fields{"Allow": {"GET"}}
		return e
	}
	if err := checkHeaderLimits(r, p); err != nil {
		return err
	}
	// "The request MUST contain a |Host| header field"
	if r.Host == "" {
		return RuleHost.Refusal("no Host header")
	}
	// "an |Upgrade| header field whose value MUST include the "websocket"
	// keyword"
	upgrade := func(e *HandshakeError) error { // "Upgrade Required"
		e.Header = Fields{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
		return e
	}
	if !http1.HasToken(r.Values("Upgrade"), "websocket") {
		return upgrade(RuleUpgrade.Refusal("no websocket in the Upgrade header: this address speaks WebSocket"))
	}
	// "a |Connection| header field whose value MUST include the "Upgrade"
	// token"
	if !http1.HasToken(r.Values("Connection"), "upgrade") {
		return upgrade(RuleConnection.Refusal("no upgrade in the Connection header: a proxy in between may have taken it off"))
	}
	// "a header field with the name |Sec-WebSocket-Version|. The value of
	// this header field MUST be 13."
	if v := r.Values("Sec-Websocket-Version"); len(v) != 1 || v[0] != "13" {
		e := RuleVersion.Refusal("Sec-WebSocket-Version " + http1.QuoteValues(v) + ", 13 is needed")
		e.Header = Fields{"Sec-Websocket-Version": {"13"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
		return e
	}
	// "The value of this header field MUST be a nonce consisting of a
	// randomly selected 16-byte value that has been base64-encoded"
	if v := r.Values("Sec-Websocket-Key"); len(v) != 1 {
		return RuleKey.Refusal(strconv.Itoa(len(v)) + " Sec-WebSocket-Key headers, one is needed")
	} else if !validKey(v[0]) {
		return RuleKey.Refusal("Sec-WebSocket-Key " + http1.QuoteValues(v) + " is not the base64 of 16 bytes")
	}
	if r.Length != 0 {
		e := RuleNoBody.Refusal("the request has a body")
		e.Header = Fields{"Connection": {"close"}}
		return e
	}
	return nil
}

func checkHeaderLimits(r *Request, p *Policy) error {
	size, count := len(r.Method)+len(r.Target)+len("  HTTP/1.1\r\n")+len("Host: \r\n")+len(r.Host), 1
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(": \r\n") + len(v)
			count++
		}
	}
	for _, f := range r.head.Fields {
		size += len(f.Name) + len(": \r\n") + len(f.Value)
		count++
	}
	if limit := p.maxHeaderBytes(); limit > 0 && size > limit {
		return RuleHeaderSize.Refusal("request headers of " + strconv.Itoa(size) + " bytes, the limit that MaxHeaderBytes sets is " + strconv.Itoa(limit))
	}
	if limit := p.maxHeaders(); limit > 0 && count > limit {
		return RuleHeaderCount.Refusal(strconv.Itoa(count) + " request headers, the limit that MaxHeaders sets is " + strconv.Itoa(limit))
	}
	return nil
}

func validKey(key string) bool {
	if len(key) != 24 { // 16 bytes in base64
		return false
	}
	var buf [18]byte
	n, err := base64.StdEncoding.Decode(buf[:], []byte(key))
	return err == nil && n == 16
}

// ChooseSubprotocol returns the first of supported, which stand in the
// server's order of preference, that the request's Sec-WebSocket-Protocol
// headers offer; "" if none does (§4.2.2). Names are compared as they are.
func ChooseSubprotocol(offered []string, supported []string) string {
	best := len(supported)
	for _, line := range offered {
		for name := range strings.SplitSeq(line, ",") {
			if i := slices.Index(supported[:best], http1.TrimOWS(name)); i >= 0 {
				best = i
			}
		}
	}
	if best == len(supported) {
		return ""
	}
	return supported[best]
}

// AppendRequest appends the wire form of a client's request to dst, in the
// order of §1.3. Names and values of r.Header must be valid, see
// CheckHeader.
func AppendRequest(dst []byte, r *Request) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.Target...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, r.Host...)
	dst = append(dst, "\r\n"...)
	return http1.AppendFields(dst, r.Header, "Upgrade", "Connection", "Sec-Websocket-Key", "Origin",
		"Sec-Websocket-Protocol", "Sec-Websocket-Version")
}

// AppendContinue appends the answer that comes before the 101 if the request r
// asked for it, although it has no body for which that would matter: "If a
// server receives both an Upgrade and an Expect header field with the
// "100-continue" expectation, the server MUST send a 100 (Continue) response
// before sending a 101 (Switching Protocols) response." (RFC 9110 §7.8)
func AppendContinue(dst []byte, r *Request) []byte {
	if v := r.Values("Expect"); len(v) > 0 && http1.ExpectsContinue(v[0]) {
		dst = append(dst, "HTTP/1.1 100 Continue\r\n\r\n"...)
	}
	return dst
}

// AppendResponse appends the wire form of a 101 answer to dst (§4.2.2).
// key is the request's; subprotocol and extensions may be ""; header holds
// what else the answer has and must be valid, see CheckHeader.
func AppendResponse(dst []byte, key, subprotocol, extensions string, header Fields) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	dst = appendAcceptKey(dst, key)
	if subprotocol != "" {
		dst = append(dst, "\r\nSec-WebSocket-Protocol: "...)
		dst = append(dst, subprotocol...)
	}
	if extensions != "" {
		dst = append(dst, "\r\nSec-WebSocket-Extensions: "...)
		dst = append(dst, extensions...)
	}
	dst = append(dst, "\r\n"...)
	return http1.AppendFields(dst, header)
}

// ownHeaders are those of the handshake itself, which no caller may set.
var ownHeaders = []string{"Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version",
	"Sec-Websocket-Protocol", "Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Content-Length", "Transfer-Encoding", "Trailer"}

// CheckHeader reports the first name or value in h, headers that a caller
// wants to add to the handshake, that would break the message or is the
// handshake's own. CR and LF are what an attacker would use to add headers.
func CheckHeader(h Fields) error {
	for name, values := range h {
		if !http1.IsToken(name) {
			return &HandshakeError{Detail: "header name " + strconv.Quote(name) + " is not a token"}
		}
		if slices.Contains(ownHeaders, http1.CanonicalName(name)) {
			return &HandshakeError{Detail: "header " + name + " belongs to the handshake and cannot be set"}
		}
		for _, v := range values {
			if !http1.IsFieldValue(v) {
				return &HandshakeError{Detail: "header " + name + " has a value with a control character: " + strconv.Quote(v)}
			}
		}
	}
	return nil
}

// CheckResponse holds a server's answer against §4.1, points 1 to 6 of the
// client's checks, and returns the subprotocol that it chose. key is what the
// request had, offered its subprotocols. What it says of extensions is for
// CheckDeflate to judge. An error is a *HandshakeError.
func CheckResponse(r *Response, key string, offered []string) (subprotocol string, err error) {
	fail := func(id RuleID, detail string) (string, error) {
		e := id.Refusal(detail)
		e.Status, e.Header = r.Status, r.Header
		return "", e
	}
	if r.Status != 101 {
		return fail(RuleStatus, "the server answered with status "+strconv.Itoa(r.Status)+", 101 is needed")
	}
	if v := r.Header["Upgrade"]; len(v) != 1 || !http1.EqualFold(v[0], "websocket") {
		return fail(RuleAnswerUpgrade, "the answer's Upgrade header is "+http1.QuoteValues(v)+", websocket is needed")
	}
	if v := r.Header["Connection"]; !http1.HasToken(v, "upgrade") {
		return fail(RuleAnswerConnection, "the answer's Connection header is "+http1.QuoteValues(v)+", upgrade is needed")
	}
	if v := r.Header["Sec-Websocket-Accept"]; len(v) != 1 || http1.TrimOWS(v[0]) != AcceptKey(key) {
		return fail(RuleAccept, "Sec-WebSocket-Accept is "+http1.QuoteValues(v)+", "+AcceptKey(key)+" is needed")
	}
	if subprotocol, err = chosenSubprotocol(r, offered); err != nil {
		return "", err
	}
	if announcesBody(r.Header["Content-Length"]) || len(r.Header["Transfer-Encoding"]) > 0 {
		return fail(RuleAnswerBodyForbidden, "the 101 answer announces a body")
	}
	return subprotocol, nil
}

// chosenSubprotocol is the one of those offered that the answer r chooses; "" if it
// chooses none.
func chosenSubprotocol(r *Response, offered []string) (string, error) {
	fail := func(id RuleID, detail string) (string, error) {
		e := id.Refusal(detail)
		e.Status, e.Header = r.Status, r.Header
		return "", e
	}
	v := r.Header["Sec-Websocket-Protocol"]
	if len(v) > 1 || len(v) == 1 && strings.Contains(v[0], ",") {
		return fail(RuleAnswerOneSubproto, "the answer chooses several subprotocols: "+http1.QuoteValues(v))
	}
	if len(v) == 1 && !slices.Contains(offered, v[0]) {
		return fail(RuleAnswerSubprotocol, "the answer chooses subprotocol "+http1.QuoteValues(v)+", offered were "+http1.QuoteValues(offered))
	}
	if len(v) == 0 {
		return "", nil
	}
	return v[0], nil
}

// announcesBody reports whether a Content-Length is there and not 0.
func announcesBody(lengths []string) bool {
	return len(lengths) > 0 && lengths[0] != "" && lengths[0] != "0"
}
