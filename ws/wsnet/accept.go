package wsnet

import (
	"bufio"
	"cmp"
	"io"
	"net"
	"net/http"
	"time"

	"framewright/ws"
	"framewright/ws/internal/http1"
)

// Accept does the server's half of the opening handshake (RFC 6455 §4.2) on
// an HTTP/1.1 request, or on an extended CONNECT over HTTP/2 (RFC 8441 §5), and
// returns the connection. What w.Header() holds goes
// out with the answer, such as Set-Cookie. If the request is refused, the
// HTTP answer has been written when Accept returns; the error is a
// *HandshakeError.
//
// The connection outlives the request and its context. Its own context, see
// Conn.Context, has the values of the request's. The caller closes it. A
// Server does that and more.
//
// net/http's HTTP/2 hands an extended CONNECT over only if the environment has
// GODEBUG=http2xconnect=1, and takes the stream back when the handler returns: there
// the caller stays in it until the connection is over. framewright/ws/wsh2 asks for
// neither.
func Accept(w http.ResponseWriter, r *http.Request, o *ServerOptions) (*Conn, error) {
	return newHTTPExchange(w, r, cmp.Or(o, &noServerOptions)).run(r.Context(), nil, nil)
}

// An httpExchange is one that net/http carries.
type httpExchange struct {
	upgrade
	w    http.ResponseWriter
	r    *http.Request
	left chan struct{} // closed when the handler may return; nil: at once
}

// newHTTPExchange begins a handshake, whose request is r.
func newHTTPExchange(w http.ResponseWriter, r *http.Request, o *ServerOptions) *httpExchange {
	x := &httpExchange{w: w, r: r}
	x.shaking, x.o = shaking{&o.Options, ws.RoleServer, lastConnID.Add(1)}, o
	x.exchange, x.req, x.extra = x, requestOf(r), w.Header()
	if x.on() {
		x.trace(false, true, requestText(r), "")
	}
	if o.TraceTarget != nil {
		if report := o.TraceTarget(r.RequestURI); report != nil {
			x.traceTo(report, true, requestText(r))
		}
	}
	return x
}

// requestOf is r as the pure part sees it.
func requestOf(r *http.Request) *ws.Request {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	length := r.ContentLength
	if len(r.TransferEncoding) > 0 {
		length = -1
	}
	scheme, protocol := "http", ""
	if r.TLS != nil {
		scheme = "https"
	}
	if v := r.Header[":protocol"]; len(v) == 1 {
		protocol = v[0]
	}
	return &ws.Request{
		Scheme:   cmp.Or(r.URL.Scheme, scheme), // net/http keeps that of HTTP/2 to itself
		Protocol: protocol,

		Method: r.Method,
		Target: r.RequestURI,
		Major:  r.ProtoMajor,
		Minor:  r.ProtoMinor,
		Host:   r.Host,
		TLS:    r.TLS != nil,
		Length: length,
		Local:  isLoopback(local),
		Header: r.Header,
	}
}

// requestText is r for the trace.
func requestText(r *http.Request) []byte {
	b := []byte(r.Method + " " + r.RequestURI + " " + r.Proto + "\r\n")
	if r.Host != "" {
		b = append(b, "Host: "+r.Host+"\r\n"...)
	}
	for _, coding := range r.TransferEncoding {
		b = append(b, "Transfer-Encoding: "+coding+"\r\n"...)
	}
	return http1.AppendFields(b, r.Header)
}

func (x *httpExchange) request() *http.Request { return x.r }

func (x *httpExchange) accept(a *answer) (io.ReadWriteCloser, []byte, *ws.HandshakeError) {
	if x.req.Major == 2 {
		return x.acceptConnect(a)
	}
	// A ResponseController finds the Hijacker through any middleware that
	// has an Unwrap method.
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return nil, nil, &ws.HandshakeError{
			Status: http.StatusInternalServerError,
			Detail: "the ResponseWriter cannot hijack; middleware that wraps it needs an Unwrap method",
			Err:    err,
		}
	}
	if err := sendAnswer(conn, a.text, x.o.handshakeTimeout()); err != nil {
		conn.Close()
		return nil, nil, &ws.HandshakeError{Detail: "answer not sent", Err: err}
	}
	return conn, early(rw.Reader), nil
}

// sendAnswer writes the 101. Deadlines that the HTTP server left behind would
// fire in the middle of the connection, so they are cleared.
func sendAnswer(conn net.Conn, answer []byte, timeout time.Duration) error {
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if timeout > 0 {
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
	}
	if _, err := conn.Write(answer); err != nil {
		return err
	}
	return conn.SetWriteDeadline(time.Time{})
}

// early returns a copy of the frames that came right behind the request and
// wait in the HTTP server's buffer.
func early(r *bufio.Reader) []byte {
	if r == nil {
		return nil
	}
	b, _ := r.Peek(r.Buffered())
	return append([]byte(nil), b...)
}

func (x *httpExchange) refuse(e *ws.HandshakeError, text string) {
	h := x.w.Header()
	for name, values := range e.Header {
		h[name] = values
	}
	http.Error(x.w, text, e.Status)
	if x.on() {
		x.trace(true, true, append(http1.AppendFields(appendStatus(nil, x.req.Major, e.Status), h), text+"\n"...), e.Rule)
	}
}
