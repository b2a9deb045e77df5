package wsnet

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"framewright/ws"
	"framewright/ws/internal/http1"
)

// A clientHandshake is what Dial and NewClient share.
type clientHandshake struct {
	shaking
	o       *DialOptions
	url     *url.URL
	key     string
	request ws.Request
	answer  func() (text []byte, parsed bool) // for the trace
}

func newClientHandshake(rawURL string, o *DialOptions) (*clientHandshake, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which may have a password
		}
		return nil, &ws.HandshakeError{Detail: "bad URL", Err: err}
	}
	shown := strconv.Quote(u.Redacted())
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, &ws.HandshakeError{Detail: "URL " + shown + " has scheme " + strconv.Quote(u.Scheme) + ", expected ws or wss (§3)"}
	}
	switch {
	case u.Host == "":
		return nil, &ws.HandshakeError{Detail: "URL " + shown + " has no host (§3)"}
	case strings.ContainsAny(u.RequestURI(), " \t"):
		return nil, &ws.HandshakeError{Detail: "URL " + shown + " has white space, which %20 stands for"}
	case u.Fragment != "" || strings.HasSuffix(rawURL, "#"):
		return nil, &ws.HandshakeError{Detail: "URL " + shown + " has a fragment, which makes no sense for WebSocket (§3)"}
	}
	if err := ws.CheckHeader(o.Header); err != nil {
		return nil, err
	}
	for name := range o.Header {
		if http.CanonicalHeaderKey(name) == "Host" {
			return nil, &ws.HandshakeError{Detail: "header Host comes from the URL and cannot be set by DialOptions.Header; DialOptions.Host changes it"}
		}
	}
	if err := ws.CheckCompression(o.Compression); err != nil {
		return nil, err
	}
	if !httpguts.ValidHostHeader(o.Host) {
		return nil, &ws.HandshakeError{Detail: "DialOptions.Host " + strconv.Quote(o.Host) + " is not a host"}
	}
	for i, name := range o.Subprotocols {
		if !httpguts.ValidHeaderFieldName(name) { // both are tokens
			return nil, &ws.HandshakeError{Detail: "subprotocol " + strconv.Quote(name) + " is not a token (§4.1)"}
		}
		if slices.Contains(o.Subprotocols[:i], name) {
			return nil, &ws.HandshakeError{Detail: "subprotocol " + strconv.Quote(name) + " is offered twice (§4.1)"}
		}
	}
	var nonce [16]byte // "a randomly selected 16-byte value" (§4.1)
	if _, err := io.ReadFull(o.rand(), nonce[:]); err != nil {
		return nil, &ws.HandshakeError{Detail: "no randomness for the key", Err: err}
	}
	h := &clientHandshake{shaking: shaking{&o.Options, ws.RoleClient, lastConnID.Add(1)}, o: o, url: u, key: base64.StdEncoding.EncodeToString(nonce[:])}
	header := make(http.Header, len(o.Header)+5)
	maps.Copy(header, o.Header)
	header["Upgrade"] = []string{"websocket"}
	header["Connection"] = []string{"Upgrade"}
	header["Sec-Websocket-Key"] = []string{h.key}
	header["Sec-Websocket-Version"] = []string{"13"}
	if o.Compression != nil {
		header["Sec-Websocket-Extensions"] = []string{ws.OfferDeflate(o.Compression)}
	}
	if len(o.Subprotocols) > 0 {
		header["Sec-Websocket-Protocol"] = []string{strings.Join(o.Subprotocols, ", ")}
	}
	// Credentials in the URL are for the Authorization header (RFC 7617 §2),
	// unless the caller has one.
	if user := u.User; user != nil {
		u.User = nil
		if !hasHeader(header, "Authorization") {
			password, _ := user.Password()
			if strings.Contains(user.Username(), ":") {
				return nil, &ws.HandshakeError{Detail: "the URL's user name has a colon, which ends it in an Authorization header (RFC 7617 §2)"}
			}
			header["Authorization"] = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))}
		}
	}
	host := u.Host
	if o.Host != "" {
		host = o.Host
	}
	if host, err = hostHeader(host); err != nil {
		return nil, err
	}
	h.request = ws.Request{Method: http.MethodGet, Target: u.RequestURI(), Major: 1, Minor: 1, Host: host,
		TLS: u.Scheme == "https", Header: header}
	return h, nil
}

// hasHeader looks for a name in any case.
func hasHeader(h http.Header, name string) bool {
	for n := range h {
		if http.CanonicalHeaderKey(n) == name {
			return true
		}
	}
	return false
}

// hostHeader returns a URL's host as the Host header has it: an international
// name in punycode, an IPv6 address without its zone (RFC 6874 §4).
func hostHeader(host string) (string, error) {
	ascii, err := httpguts.PunycodeHostPort(host)
	if err != nil || !httpguts.ValidHostHeader(ascii) {
		return "", &ws.HandshakeError{Detail: strconv.Quote(host) + " is not a host", Err: err}
	}
	if end := strings.LastIndexByte(ascii, ']'); end > 0 {
		if zone := strings.LastIndexByte(ascii[:end], '%'); zone > 0 {
			ascii = ascii[:zone] + ascii[end:]
		}
	}
	return ascii, nil
}

// check judges the answer. A refusal's error has the beginning of the body.
func (h *clientHandshake) check(resp *http.Response) (subprotocol string, agreed *ws.DeflateParams, err error) {
	defer func() { // with as much of a refusal's body as was read
		if h.on() {
			text, parsed := h.answer()
			rule := ws.RuleID("")
			if e, ok := err.(*ws.HandshakeError); ok {
				if rule = e.Rule; parsed {
					text = append(text, e.Body...)
				}
			}
			h.trace(false, parsed, text, rule)
		}
	}()
	accepted := http.StatusSwitchingProtocols
	if h.request.Major == 2 {
		accepted = http.StatusOK
		subprotocol, err = ws.CheckConnectResponse(&ws.Response{Status: resp.StatusCode, Header: resp.Header}, h.o.Subprotocols)
	} else {
		subprotocol, err = ws.CheckResponse(&ws.Response{Status: resp.StatusCode, Header: resp.Header}, h.key, h.o.Subprotocols)
	}
	if err == nil {
		// What net/http has taken out of the headers.
		var e *ws.HandshakeError
		if h.request.Major == 1 && (resp.ProtoMajor != 1 || resp.ProtoMinor < 1) {
			e = ws.RuleAnswerNotHTTP.Refusal("the answer is " + strconv.Quote(resp.Proto) + ", HTTP/1.1 is needed")
		} else if len(resp.TransferEncoding) > 0 {
			e = ws.RuleAnswerBodyForbidden.Refusal("the 101 answer announces a body")
		}
		if e != nil {
			err = e
		} else {
			agreed, err = ws.CheckDeflate(resp.Header["Sec-Websocket-Extensions"], h.o.Compression)
		}
	}
	if err != nil {
		e := err.(*ws.HandshakeError)
		e.Status, e.Header = resp.StatusCode, resp.Header
		if resp.StatusCode != accepted {
			e.Body = firstBytes(resp.Body)
			if len(e.Body) > 0 {
				e.Detail += ": " + strconv.Quote(string(e.Body[:min(len(e.Body), 200)]))
			}
		}
		return "", nil, e
	}
	return subprotocol, agreed, nil
}

// firstBytes reads the beginning of a refusal's body; the handshake's own
// time limit bounds it.
func firstBytes(body io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
	return b
}

func (h *clientHandshake) conn(ctx context.Context, rwc io.ReadWriteCloser, resp *http.Response, subprotocol string, agreed *ws.DeflateParams, early []byte) *Conn {
	c := h.o.conn(nil)
	c.link.id = h.id
	c.start(ctx, rwc, ws.RoleClient, agreed, early)
	resp.Body, resp.Request = http.NoBody, nil
	c.settle(subprotocol, resp)
	return c
}

// answerText is the head of resp for the trace.
func answerText(resp *http.Response) []byte {
	var b bytes.Buffer
	b.WriteString(resp.Proto + " " + resp.Status + "\r\n")
	for _, coding := range resp.TransferEncoding {
		b.WriteString("Transfer-Encoding: " + coding + "\r\n")
	}
	return http1.AppendFields(b.Bytes(), resp.Header, "Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Protocol")
}
