package wsnet

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"sync"

	"framewright/ws"
	"framewright/ws/internal/http1"
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
// URL go out as Basic authorization, unless o.Header has an Authorization;
// up to eight answers of status 1xx may come before the 101. ctx bounds the
// handshake, and so does Options.HandshakeTimeout. An error is a *HandshakeError.
// Over HTTP/2 only if o.HTTP2 asks for it.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (c *Conn, err error) {
	o = cmp.Or(o, &noDialOptions)
	h, err := newClientHandshake(rawURL, o)
	if err != nil {
		return nil, err
	}
	base := ctx
	timeout := o.handshakeTimeout()
	if o.HTTPClient != nil && o.HTTPClient.Timeout > 0 && (timeout <= 0 || o.HTTPClient.Timeout < timeout) {
		timeout = o.HTTPClient.Timeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}

	if o.HTTP2 != nil {
		c, err := h.stream(ctx, base)
		if !errors.Is(err, errors.ErrUnsupported) {
			return c, err
		}
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
	body := resp.Body
	defer func() {
		if c == nil { // also if Trace has panicked
			body.Close()
		}
	}()
	h.answer = func() ([]byte, bool) { return append(interim, answerText(resp)...), true }
	subprotocol, agreed, err := h.check(resp)
	if err != nil {
		return nil, err
	}
	rwc, ok := body.(io.ReadWriteCloser)
	if !ok {
		return nil, &ws.HandshakeError{Status: resp.StatusCode, Header: resp.Header,
			Detail: "HTTPClient wraps the answer's body, which then cannot be written to"}
	}
	if conn != nil {
		rwc = &clientStream{conn, rwc}
	}
	return h.conn(base, rwc, resp, subprotocol, agreed, nil), nil
}

// NewClient does the client's half of the opening handshake for rawURL over
// rwc, a stream to the server that exists already, as Dial does. It owns rwc, also when it
// fails. ctx and Options.HandshakeTimeout bound the handshake if rwc has
// deadlines. An error is a *HandshakeError.
func NewClient(ctx context.Context, rwc io.ReadWriteCloser, rawURL string, o *DialOptions) (c *Conn, err error) {
	defer func() {
		if c == nil { // also if Trace has panicked
			rwc.Close()
		}
	}()
	h, err := newClientHandshake(rawURL, cmp.Or(o, &noDialOptions))
	if err != nil {
		return nil, err
	}
	s := newStream(rwc)
	var b bound
	b.set(ctx, s, h.o.handshakeTimeout())
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
	subprotocol, agreed, err := h.check(resp)
	if err != nil {
		return nil, err
	}
	if b.lift() {
		return nil, &ws.HandshakeError{Detail: "interrupted", Err: ctx.Err()}
	}
	return h.conn(ctx, s, resp, subprotocol, agreed, early(br)), nil
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
		d.interim = http1.AppendFields(appendStatus(d.interim, 1, code), header)
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

// httpClient returns the caller's client without its Timeout, which would go
// on to bound the connection, or the default one, which follows no redirects:
// "a client MAY" (§4.1), and its caller should know where it ends.
func httpClient(o *DialOptions) *http.Client {
	if o.HTTPClient == nil {
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
