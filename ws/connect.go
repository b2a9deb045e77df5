package ws

import (
	"strconv"
	"strings"

	"framewright/ws/internal/http1"
)

// The opening handshake over HTTP/2 is an extended CONNECT (RFC 8441 §5.1):
//
//	HEADERS + END_HEADERS                 HEADERS + END_HEADERS
//	:method = CONNECT                     :status = 200
//	:protocol = websocket                 sec-websocket-protocol = chat
//	:scheme = https
//	:path = /chat
//	:authority = server.example.com
//	sec-websocket-protocol = chat, superchat
//	sec-websocket-version = 13
//	origin = http://www.example.com
//
// What is not said of it here is as over HTTP/1.1: limits, host, origin, subprotocols,
// extensions.

// CheckConnect holds a request over HTTP/2 whose method is CONNECT against RFC 8441,
// as far as HTTP/2 has to know of it: pseudo-headers, and what must not stand beside
// them. CheckRequest does that and more. Sec-WebSocket-Key is no part of it:
// "Implementations using this extended CONNECT to bootstrap WebSockets do not do the
// processing of the Sec-WebSocket-Key and Sec-WebSocket-Accept header fields" (§5).
// An error is a *HandshakeError.
func CheckConnect(r *Request) error {
	// "it MUST have a value of "websocket" to initiate a WebSocket connection on an
	// HTTP/2 stream" (§5)
	switch {
	case r.Protocol == "":
		return RuleConnectProtocol.Refusal("CONNECT without :protocol asks for a tunnel to another host, :protocol websocket is needed")
	case r.Protocol != "websocket":
		return RuleConnectProtocol.Refusal(":protocol " + http1.Quote(r.Protocol) + ", websocket is needed")
	}
	// "On requests that contain the :protocol pseudo-header field, the :scheme and
	// :path pseudo-header fields of the target URI (see Section 5) MUST also be
	// included." (§4)
	for _, f := range [...]struct{ name, value string }{{":scheme", r.Scheme}, {":path", r.Target}, {":authority", r.Host}} {
		if f.value == "" {
			return RuleConnectPseudo.Refusal("CONNECT with :protocol websocket and without " + f.name)
		}
	}
	if !strings.HasPrefix(r.Target, "/") {
		return RuleConnectPseudo.Refusal(":path " + http1.Quote(r.Target) + ", a path that begins with / is needed")
	}
	// "The scheme of the target URI MUST be "https" for "wss"-schemed WebSockets and
	// "http" for "ws"-schemed WebSockets." (§5) Which of them it was, a proxy may have
	// changed.
	if r.Scheme != "http" && r.Scheme != "https" {
		return RuleConnectScheme.Refusal(":scheme " + http1.Quote(r.Scheme) + ", http or https is needed")
	}
	// "The Host information is conveyed as part of the :authority pseudo-header
	// field" (§5)
	for _, host := range r.Values("Host") {
		if !http1.EqualFold(host, r.Host) {
			return RuleConnectAuthority.Refusal("Host " + http1.Quote(host) + " beside :authority " + http1.Quote(r.Host))
		}
	}
	// "[RFC6455] requires the use of Connection and Upgrade header fields that are
	// not part of HTTP/2. They MUST NOT be included in the CONNECT request defined
	// here." (§5)
	if name := upgradeHeader(r.Values); name != "" {
		return RuleConnectHeaders.Refusal(name + " " + http1.QuoteValues(r.Values(name)) + " in a request over HTTP/2, which has no such header")
	}
	return nil
}

// upgradeHeader is the one of HTTP/1.1's handshake that a message over HTTP/2 has; ""
// if it has none.
func upgradeHeader(values func(name string) []string) string {
	for _, name := range [...]string{"Connection", "Upgrade"} {
		if len(values(name)) > 0 {
			return name
		}
	}
	return ""
}

// checkConnect is CheckRequest for a CONNECT over HTTP/2.
func checkConnect(r *Request, p *Policy) error {
	if err := CheckConnect(r); err != nil {
		return err
	}
	if err := checkHeaderLimits(r, p); err != nil {
		return err
	}
	// "The Origin, Sec-WebSocket-Version, Sec-WebSocket-Protocol, and
	// Sec-WebSocket-Extensions header fields are used in the CONNECT request and
	// response header fields in the same way as defined in [RFC6455]." (§5) But
	// there is no 426 without an Upgrade header to go with it. None at all is taken as
	// 13, the only one that :protocol websocket stands for: Firefox behind a proxy has
	// been seen to send none.
	if v := r.Values("Sec-Websocket-Version"); len(v) > 1 || len(v) == 1 && v[0] != "13" {
		e := RuleConnectVersion.Refusal("Sec-WebSocket-Version " + http1.QuoteValues(v) + ", 13 is needed")
		e.Header = Fields{"Sec-Websocket-Version": {"13"}}
		return e
	}
	// "using the HTTP/2 stream from the CONNECT transaction as if it were the TCP
	// connection" (§5), which neither ends with the request nor has a length.
	if r.Length >= 0 {
		return RuleConnectStream.Refusal("the request ends its stream after " + strconv.FormatInt(r.Length, 10) + " bytes: frames could not follow")
	}
	return nil
}

// AppendConnectResponse is AppendResponse for an answer over HTTP/2, as text: what a
// trace shows of it.
func AppendConnectResponse(dst []byte, subprotocol, extensions string, header Fields) []byte {
	dst = append(dst, "HTTP/2.0 200 OK"...)
	if subprotocol != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Protocol: "...), subprotocol...)
	}
	if extensions != "" {
		dst = append(append(dst, "\r\nSec-WebSocket-Extensions: "...), extensions...)
	}
	return http1.AppendFields(append(dst, "\r\n"...), header)
}

// CheckConnectResponse is CheckResponse for an answer over HTTP/2 (RFC 8441 §5).
func CheckConnectResponse(r *Response, offered []string) (subprotocol string, err error) {
	fail := func(id RuleID, detail string) (string, error) {
		e := id.Refusal(detail)
		e.Status, e.Header = r.Status, r.Header
		return "", e
	}
	if r.Status != 200 {
		return fail(RuleConnectStatus, "the server answered with status "+strconv.Itoa(r.Status)+", 200 is needed")
	}
	if name := upgradeHeader(func(name string) []string { return r.Header[name] }); name != "" {
		return fail(RuleConnectAnswer, "the answer has "+name+" "+http1.QuoteValues(r.Header[name])+", which HTTP/2 does not have")
	}
	return chosenSubprotocol(r, offered)
}

// CheckConnectSetting holds a value of SETTINGS_ENABLE_CONNECT_PROTOCOL against RFC
// 8441 §3. was says whether the server has announced it before; on is what holds from
// now on. An error, a *HandshakeError, is one of the HTTP/2 connection.
func CheckConnectSetting(was bool, value uint32) (on bool, err error) {
	// "The value of the parameter MUST be 0 or 1."
	if value > 1 {
		return was, RuleConnectSetting.Refusal("SETTINGS_ENABLE_CONNECT_PROTOCOL is " + strconv.FormatUint(uint64(value), 10) + ", 0 or 1 is needed")
	}
	// "A sender MUST NOT send a SETTINGS_ENABLE_CONNECT_PROTOCOL parameter with the
	// value of 0 after previously sending a value of 1."
	if was && value == 0 {
		return was, RuleConnectSetting.Refusal("SETTINGS_ENABLE_CONNECT_PROTOCOL is 0 after it was 1")
	}
	return value == 1, nil
}
