package ws

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
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
// is not followed unless o.HTTPClient is set. ctx bounds the handshake, and
// so does Options.HandshakeTimeout. An error is a *HandshakeError.
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
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn },
	})
	req := (&http.Request{
		Method: http.MethodGet, URL: h.url, Host: h.request.Host, Header: h.request.Header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	o.traceHandshake(RoleClient, true, AppendRequest(nil, &h.request))
	resp, err := httpClient(o).Do(req)
	if err != nil {
		return nil, &HandshakeError{Detail: "no answer from " + strconv.Quote(h.url.Host), Err: err}
	}
	subprotocol, agreed, err := h.check(o, resp)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	body, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		resp.Body.Close()
		return nil, &HandshakeError{Status: resp.StatusCode, Header: resp.Header,
			Detail: "HTTPClient wraps the answer's body, which then cannot be written to"}
	}
	if conn != nil {
		body = &clientStream{conn, body}
	}
	return h.conn(base, body, o, resp, subprotocol, agreed, nil), nil
}

// NewClient does the client's half of the opening handshake for rawURL over
// rwc, a stream to the server that exists already. It owns rwc, also when it
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
	if timeout := o.handshakeTimeout(); timeout > 0 {
		at := time.Now().Add(timeout)
		s.SetReadDeadline(at)
		s.SetWriteDeadline(at)
	}
	stop := context.AfterFunc(ctx, func() {
		s.SetReadDeadline(aLongTimeAgo)
		s.SetWriteDeadline(aLongTimeAgo)
	})
	defer stop()

	request := AppendRequest(nil, &h.request)
	o.traceHandshake(RoleClient, true, request)
	if _, err := s.Write(request); err != nil {
		return nil, &HandshakeError{Detail: "request not sent", Err: cmpErr(ctx.Err(), err)}
	}
	limited := &io.LimitedReader{R: s, N: maxAnswer}
	last := &lastError{r: limited}
	br := bufio.NewReader(last)
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodGet})
	if err != nil {
		if limited.N <= 0 {
			e := refused(RuleAnswerSize, "the answer's headers are longer than "+strconv.Itoa(maxAnswer)+" bytes")
			return nil, e
		}
		if last.err != nil { // what net/http says of half a line is beside the point
			if last.err == io.EOF {
				last.err = io.ErrUnexpectedEOF
			}
			return nil, &HandshakeError{Detail: "no answer", Err: cmpErr(ctx.Err(), last.err)}
		}
		e := refused(RuleAnswerNotHTTP, "the answer is not HTTP")
		e.Err = err
		return nil, e
	}
	subprotocol, agreed, err := h.check(o, resp)
	if err != nil {
		return nil, err
	}
	if !stop() {
		return nil, &HandshakeError{Detail: "interrupted", Err: ctx.Err()}
	}
	s.SetReadDeadline(time.Time{})
	s.SetWriteDeadline(time.Time{})
	return h.conn(ctx, s, o, resp, subprotocol, agreed, early(br)), nil
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
	url     *url.URL
	key     string
	request Request
}

func newClientHandshake(rawURL string, o *Options) (*clientHandshake, error) {
	if o == nil {
		o = &Options{}
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &HandshakeError{Detail: "bad URL", Err: err}
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, &HandshakeError{Detail: "URL " + strconv.Quote(rawURL) + " has scheme " + strconv.Quote(u.Scheme) + ", expected ws or wss (§3)"}
	}
	switch {
	case u.Host == "":
		return nil, &HandshakeError{Detail: "URL " + strconv.Quote(rawURL) + " has no host (§3)"}
	case strings.ContainsAny(u.RequestURI(), " \t"):
		return nil, &HandshakeError{Detail: "URL " + strconv.Quote(rawURL) + " has white space, which %20 stands for"}
	case u.Fragment != "" || strings.HasSuffix(rawURL, "#"):
		return nil, &HandshakeError{Detail: "URL " + strconv.Quote(rawURL) + " has a fragment, which makes no sense for WebSocket (§3)"}
	}
	if err := CheckHeader(o.Header); err != nil {
		return nil, err
	}
	if err := CheckCompression(o.Compression); err != nil {
		return nil, err
	}
	if !httpguts.ValidHostHeader(o.Host) {
		return nil, &HandshakeError{Detail: "Options.Host " + strconv.Quote(o.Host) + " is not a host"}
	}
	for i, name := range o.Subprotocols {
		if !httpguts.ValidHeaderFieldName(name) { // both are tokens
			return nil, &HandshakeError{Detail: "subprotocol " + strconv.Quote(name) + " is not a token (§4.1)"}
		}
		if slices.Contains(o.Subprotocols[:i], name) {
			return nil, &HandshakeError{Detail: "subprotocol " + strconv.Quote(name) + " is offered twice (§4.1)"}
		}
	}
	var nonce [16]byte // "a randomly selected 16-byte value" (§4.1)
	if _, err := io.ReadFull(o.rand(), nonce[:]); err != nil {
		return nil, &HandshakeError{Detail: "no randomness for the key", Err: err}
	}
	h := &clientHandshake{url: u, key: base64.StdEncoding.EncodeToString(nonce[:])}
	header := make(http.Header, len(o.Header)+5)
	maps.Copy(header, o.Header)
	header["Upgrade"] = []string{"websocket"}
	header["Connection"] = []string{"Upgrade"}
	header["Sec-Websocket-Key"] = []string{h.key}
	header["Sec-Websocket-Version"] = []string{"13"}
	if o.Compression != nil {
		header["Sec-Websocket-Extensions"] = []string{OfferDeflate(o.Compression)}
	}
	if len(o.Subprotocols) > 0 {
		header["Sec-Websocket-Protocol"] = []string{strings.Join(o.Subprotocols, ", ")}
	}
	host := u.Host
	if o.Host != "" {
		host = o.Host
	}
	h.request = Request{Method: http.MethodGet, Target: u.RequestURI(), Major: 1, Minor: 1, Host: host,
		TLS: u.Scheme == "https", Header: header}
	return h, nil
}

// check judges the answer. A refusal's error has the beginning of the body.
func (h *clientHandshake) check(o *Options, resp *http.Response) (subprotocol string, agreed *DeflateParams, err error) {
	if o != nil && o.Trace != nil {
		o.traceHandshake(RoleClient, false, answerText(resp))
	}
	var offered []string
	if o != nil {
		offered = o.Subprotocols
	}
	subprotocol, err = CheckResponse(&Response{resp.StatusCode, resp.Header}, h.key, offered)
	if err == nil {
		// What net/http has taken out of the headers.
		var e *HandshakeError
		if resp.ProtoMajor != 1 || resp.ProtoMinor < 1 {
			e = refused(RuleAnswerNotHTTP, "the answer is "+quote(resp.Proto)+", HTTP/1.1 is needed")
		} else if len(resp.TransferEncoding) > 0 {
			e = refused(RuleAnswerBodyForbidden, "the 101 answer announces a body")
		}
		if e != nil {
			err = e
		} else {
			agreed, err = CheckDeflate(resp.Header["Sec-Websocket-Extensions"], o.compression())
		}
	}
	if err != nil {
		e := err.(*HandshakeError)
		e.Status, e.Header = resp.StatusCode, resp.Header
		if resp.StatusCode != http.StatusSwitchingProtocols {
			e.Body = firstBytes(resp.Body)
			if len(e.Body) > 0 {
				e.Detail += ": " + strconv.Quote(string(e.Body[:min(len(e.Body), 200)]))
			}
		}
		if o != nil && o.Trace != nil {
			o.Trace(TraceEvent{Role: RoleClient, Rule: e.Rule})
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

func (h *clientHandshake) conn(ctx context.Context, rwc io.ReadWriteCloser, o *Options, resp *http.Response, subprotocol string, agreed *DeflateParams, early []byte) *Conn {
	c := o.conn(nil).start(ctx, rwc, RoleClient, agreed, early)
	resp.Body, resp.Request = http.NoBody, nil
	c.settle(subprotocol, resp)
	return c
}

// answerText is the head of resp for the trace. net/http does not keep the
// order of the headers.
func answerText(resp *http.Response) []byte {
	var b bytes.Buffer
	b.WriteString(resp.Proto + " " + resp.Status + "\r\n")
	return appendHeaders(b.Bytes(), resp.Header, []string{"Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Protocol"})
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

// CloseWrite passes on to the connection below, if it can.
func (s *clientStream) CloseWrite() error { return closeWrite(s.Conn) }
