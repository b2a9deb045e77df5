package wsnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"

	"framewright/ws"
)

const (
	// maxAnswer bounds the headers of a server's answer, in bytes.
	maxAnswer = 64 << 10

	// maxErrorBody is how much of a refusal's body a HandshakeError keeps.
	maxErrorBody = 1 << 10
)

// Dial connects to a ws, wss, http or https URL and does the client's half of
// the opening handshake (RFC 6455 §4.1) through o.HTTPClient, so proxies, TLS
// settings, cookies and redirects are those of Go's HTTP client; a redirect
// is not followed unless o.HTTPClient is set. A user name and a password in the
// URL go out as Basic authorization, unless Options.Header has an Authorization;
// up to eight answers of status 1xx may come before the 101. ctx bounds the
// handshake, and so does Options.HandshakeTimeout. An error is a *HandshakeError.
func Dial(ctx context.Context, rawURL string, o *Options) (*Conn, error) {
	h, err := newClientHandshake(rawURL, o)
	if err != nil {
		return nil, err
	}
	base := ctx
	timeout := o.handshakeTimeout()
	if o != nil && o.HTTPClient != nil && o.HTTPClient.Timeout > 0 && (timeout <= 0 || o.HTTPClient.Timeout < timeout) {
		timeout = o.HTTPClient.Timeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}

	// The transport does not say over which connection the answer came, and
	// its body has no deadlines. The trace does say.
	var conn net.Conn
	d := &dialTrace{h: h}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:          func(info httptrace.GotConnInfo) { conn = info.Conn },
		WroteHeaderField: d.wroteHeader,
		WroteHeaders:     d.wroteHeaders,
		Got1xxResponse:   d.got1xx,
	})
	req := (&http.Request{
		Method: http.MethodGet, URL: h.url, Host: h.request.Host, Header: h.request.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	resp, err := httpClient(o).Do(req)
	interim := d.done()
	if err != nil {
		if e, ok := errors.AsType[*ws.HandshakeError](err); ok { // of got1xx
			h.trace(false, true, interim, e.Rule)
			return nil, e
		}
		h.trace(false, true, interim, "")
		return nil, &ws.HandshakeError{Detail: "no answer from " + strconv.Quote(h.url.Host), Err: err}
	}
	h.answer = func() ([]byte, bool) { return append(interim, answerText(resp)...), true }
	subprotocol, agreed, err := h.check(o, resp)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	body, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		resp.Body.Close()
		return nil, &ws.HandshakeError{Status: resp.StatusCode, Header: resp.Header,
			Detail: "HTTPClient wraps the answer's body, which then cannot be written to"}
	}
	if conn != nil {
		body = &clientStream{conn, body}
	}
	return h.conn(base, body, o, resp, subprotocol, agreed, nil), nil
}

// NewClient does the client's half of the opening handshake for rawURL over
// rwc, a stream to the server that exists already, as Dial does. It owns rwc, also when it
// fails. ctx and Options.HandshakeTimeout bound the handshake if rwc has
// deadlines. An error is a *HandshakeError.
func NewClient(ctx context.Context, rwc io.ReadWriteCloser, rawURL string, o *Options) (c *Conn, err error) {
	defer func() {
		if err != nil {
			rwc.Close()
		}
	}()
	h, err := newClientHandshake(rawURL, o)
	if err != nil {
		return nil, err
	}
	s := newStream(rwc)
	var b bound
	b.set(ctx, s, o.handshakeTimeout())
	defer b.leave()

	request := ws.AppendRequest(nil, &h.request)
	h.trace(true, false, request, "")
	if _, err := s.Write(request); err != nil {
		return nil, &ws.HandshakeError{Detail: "request not sent", Err: cmpErr(ctx.Err(), err)}
	}
	limited := &io.LimitedReader{R: s, N: maxAnswer}
	last := &lastError{r: limited}
	var came bytes.Buffer // for the trace
	if h.on() {
		last.r = io.TeeReader(limited, &came)
	}
	br := bufio.NewReader(last)
	h.answer = func() ([]byte, bool) { return came.Bytes()[:max(0, came.Len()-br.Buffered())], false }
	resp, err := readAnswer(br)
	if err != nil {
		e, ok := errors.AsType[*ws.HandshakeError](err)
		switch {
		case ok:
		case limited.N <= 0:
			e = ws.RuleAnswerSize.Refusal("the answer's headers are longer than " + strconv.Itoa(maxAnswer) + " bytes")
		case last.err != nil: // what net/http says of half a line is beside the point
			if last.err == io.EOF {
				last.err = io.ErrUnexpectedEOF
			}
			e = &ws.HandshakeError{Detail: "no answer", Err: cmpErr(ctx.Err(), last.err)}
		default:
			e = ws.RuleAnswerNotHTTP.Refusal("the answer is not HTTP")
			e.Err = err
		}
		h.trace(false, false, came.Bytes(), e.Rule)
		return nil, e
	}
	subprotocol, agreed, err := h.check(o, resp)
	if err != nil {
		return nil, err
	}
	if b.lift() {
		return nil, &ws.HandshakeError{Detail: "interrupted", Err: ctx.Err()}
	}
	return h.conn(ctx, s, o, resp, subprotocol, agreed, early(br)), nil
}

// maxInterim is how many 1xx answers may come before the 101 or what there is
// in its place: "A client MUST be able to parse one or more 1xx responses
// received prior to a final response" (RFC 9110 §15.2).
const maxInterim = 8

func tooManyInterim(status int) error {
	e := ws.RuleStatus.Refusal("more than " + strconv.Itoa(maxInterim) + " answers of status 1xx, 101 is needed")
	e.Status = status
	return e
}

// readAnswer reads the server's final answer, and those before it.
func readAnswer(br *bufio.Reader) (*http.Response, error) {
	status := 0
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
		if err != nil || resp.StatusCode < 100 || resp.StatusCode > 199 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
		status = resp.StatusCode
	}
	return nil, tooManyInterim(status)
}

// A dialTrace learns from net/http what went over the wire.
type dialTrace struct {
	h *clientHandshake

	mu      sync.Mutex
	over    bool
	fields  []byte // of the request that is being written
	sent    bool
	interim []byte // answers of status 1xx
	count   int
}

func (d *dialTrace) wroteHeader(name string, values []string) {
	if !d.h.on() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range values {
		d.fields = append(d.fields, name+": "+v+"\r\n"...)
	}
}

func (d *dialTrace) wroteHeaders() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.fields) > 0 && !d.over {
		d.sent = true
		d.h.trace(true, false, append(append([]byte("GET "+d.h.request.Target+" HTTP/1.1\r\n"), d.fields...), "\r\n"...), "")
		d.fields = d.fields[:0]
	}
}

func (d *dialTrace) got1xx(code int, header textproto.MIMEHeader) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.h.on() && len(d.interim) < maxAnswer {
		d.interim = ws.AppendFields(appendStatus(d.interim, code), ws.Fields(header))
	}
	if d.count++; d.count > maxInterim {
		return tooManyInterim(code)
	}
	return nil
}

// done returns the 1xx answers. Nothing is reported any more.
func (d *dialTrace) done() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if !d.sent { // a transport that says nothing
		d.h.trace(true, true, ws.AppendRequest(nil, &d.h.request), "")
	}
	return slices.Clip(d.interim)
}

// lastError remembers how reading ended.
type lastError struct {
	r   io.Reader
	err error
}

func (l *lastError) Read(p []byte) (n int, err error) {
	n, err = l.r.Read(p)
	l.err = err
	return n, err
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// A clientHandshake is what Dial and NewClient share.
type clientHandshake struct {
	shaking
	url     *url.URL
	key     string
	request ws.Request
	answer  func() (text []byte, parsed bool) // for the trace
}

func newClientHandshake(rawURL string, o *Options) (*clientHandshake, error) {
	if o == nil {
		o = &Options{}
	}
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
			return nil, &ws.HandshakeError{Detail: "header Host comes from the URL and cannot be set by Options.Header; Options.Host changes it"}
		}
	}
	if err := ws.CheckCompression(o.Compression); err != nil {
		return nil, err
	}
	if !httpguts.ValidHostHeader(o.Host) {
		return nil, &ws.HandshakeError{Detail: "Options.Host " + strconv.Quote(o.Host) + " is not a host"}
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
	h := &clientHandshake{shaking: shaking{o, ws.RoleClient, lastConnID.Add(1)}, url: u, key: base64.StdEncoding.EncodeToString(nonce[:])}
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
func (h *clientHandshake) check(o *Options, resp *http.Response) (subprotocol string, agreed *ws.DeflateParams, err error) {
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
	var offered []string
	if o != nil {
		offered = o.Subprotocols
	}
	subprotocol, err = ws.CheckResponse(&ws.Response{Status: resp.StatusCode, Header: resp.Header}, h.key, offered)
	if err == nil {
		// What net/http has taken out of the headers.
		var e *ws.HandshakeError
		if resp.ProtoMajor != 1 || resp.ProtoMinor < 1 {
			e = ws.RuleAnswerNotHTTP.Refusal("the answer is " + strconv.Quote(resp.Proto) + ", HTTP/1.1 is needed")
		} else if len(resp.TransferEncoding) > 0 {
			e = ws.RuleAnswerBodyForbidden.Refusal("the 101 answer announces a body")
		}
		if e != nil {
			err = e
		} else {
			agreed, err = ws.CheckDeflate(resp.Header["Sec-Websocket-Extensions"], o.compression())
		}
	}
	if err != nil {
		e := err.(*ws.HandshakeError)
		e.Status, e.Header = resp.StatusCode, resp.Header
		if resp.StatusCode != http.StatusSwitchingProtocols {
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

func (h *clientHandshake) conn(ctx context.Context, rwc io.ReadWriteCloser, o *Options, resp *http.Response, subprotocol string, agreed *ws.DeflateParams, early []byte) *Conn {
	c := o.conn(nil)
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
	return ws.AppendFields(b.Bytes(), resp.Header, "Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Protocol")
}

// httpClient returns the caller's client without its Timeout, which would go
// on to bound the connection, or the default one, which follows no redirects:
// "a client MAY" (§4.1), and its caller should know where it ends.
func httpClient(o *Options) *http.Client {
	if o == nil || o.HTTPClient == nil {
		return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	c := *o.HTTPClient
	c.Timeout = 0
	return &c
}

// A clientStream reads and writes through the body of a 101 answer, which has
// the bytes that came with it, and has the deadlines of the connection below.
type clientStream struct {
	net.Conn // for deadlines and addresses
	body     io.ReadWriteCloser
}

func (s *clientStream) Read(p []byte) (int, error)  { return s.body.Read(p) }
func (s *clientStream) Write(p []byte) (int, error) { return s.body.Write(p) }
func (s *clientStream) Close() error                { return s.body.Close() }

// below: see innermost.
func (s *clientStream) below() stream { return s.Conn }

// CloseWrite passes on to the connection below, if it can.
func (s *clientStream) CloseWrite() error { return closeWrite(s.Conn) }
