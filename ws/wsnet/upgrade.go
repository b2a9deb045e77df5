package wsnet

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"framewright/ws"
)

// Accept does the server's half of the opening handshake (RFC 6455 §4.2) on
// an HTTP/1.1 request and returns the connection. What w.Header() holds goes
// out with the answer, such as Set-Cookie. If the request is refused, the
// HTTP answer has been written when Accept returns; the error is a
// *HandshakeError.
//
// The connection outlives the request and its context. Its own context, see
// Conn.Context, has the values of the request's. The caller closes it. A
// Server does that and more.
func Accept(w http.ResponseWriter, r *http.Request, o *Options) (*Conn, error) {
	shaking := askedFor(r, o)
	if err := check(w, r, o); err != nil {
		return nil, refuse(w, shaking, err)
	}
	return accept(w, r, shaking, nil)
}

// askedFor begins a handshake, whose request is r.
func askedFor(r *http.Request, o *Options) *shaking {
	s := &shaking{o, ws.RoleServer, lastConnID.Add(1)}
	if s.on() {
		s.trace(false, true, requestText(r), "")
	}
	return s
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
	return ws.AppendFields(b, r.Header)
}

// accept is Accept for a request that check has passed. set is nil if the
// connection has settings of its own.
func accept(w http.ResponseWriter, r *http.Request, s *shaking, set *settings) (*Conn, error) {
	o := s.o
	req := &ws.Request{Header: r.Header}
	subprotocol, agreed, extensions, err := agree(req, o)
	if err != nil {
		return nil, refuse(w, s, err)
	}

	// A ResponseController finds the Hijacker through any middleware that
	// has an Unwrap method.
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, s, &ws.HandshakeError{
			Status: http.StatusInternalServerError,
			Detail: "the ResponseWriter cannot hijack; middleware that wraps it needs an Unwrap method",
			Err:    err,
		})
	}
	answer := ws.AppendResponse(ws.AppendContinue(rw.AvailableBuffer(), req), r.Header["Sec-Websocket-Key"][0], subprotocol, extensions, w.Header())
	if err := sendAnswer(conn, answer, o.handshakeTimeout()); err != nil {
		conn.Close()
		return nil, &ws.HandshakeError{Detail: "answer not sent", Err: err}
	}
	traced := false
	defer func() {
		if !traced { // Trace has panicked, and nobody else knows of the connection
			conn.Close()
		}
	}()
	s.trace(true, false, answer, "")
	traced = true
	c := o.conn(set)
	c.id = s.id
	c.start(r.Context(), conn, ws.RoleServer, agreed, early(rw.Reader))
	c.settle(subprotocol, nil)
	return c, nil
}

// agree decides on what the request offers.
func agree(r *ws.Request, o *Options) (subprotocol string, agreed *ws.DeflateParams, extensions string, err error) {
	if o != nil {
		subprotocol = ws.ChooseSubprotocol(r.Values("Sec-Websocket-Protocol"), o.Subprotocols)
	}
	agreed, extensions, err = ws.AcceptDeflate(r.Values("Sec-Websocket-Extensions"), o.compression())
	return subprotocol, agreed, extensions, err
}

// check decides about a request, before anything is taken over or sent.
func check(w http.ResponseWriter, r *http.Request, o *Options) error {
	req := requestOf(r)
	if err := checkAll(req, o); err != nil {
		return err
	}
	if err := ws.CheckHeader(w.Header()); err != nil {
		return internal(err)
	}
	return nil
}

// checkAll decides about a request by itself.
func checkAll(r *ws.Request, o *Options) error {
	p := o.policy()
	if err := ws.CheckRequest(r, p); err != nil {
		return err
	}
	if err := ws.CheckHost(r, p); err != nil {
		return err
	}
	if err := ws.CheckOrigin(r, p); err != nil {
		return err
	}
	if err := ws.CheckCompression(o.compression()); err != nil {
		return internal(err)
	}
	return nil
}

// internal is a mistake of this program, which the client need not hear about.
func internal(err error) error {
	e := err.(*ws.HandshakeError)
	e.Status = http.StatusInternalServerError
	return e
}

// isLoopback reports whether addr, of this end, is one that only this machine
// reaches.
func isLoopback(addr net.Addr) bool {
	a, ok := addr.(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// requestOf is r as the pure part sees it.
func requestOf(r *http.Request) *ws.Request {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return &ws.Request{
		Method: r.Method,
		Target: r.RequestURI,
		Major:  r.ProtoMajor,
		Minor:  r.ProtoMinor,
		Host:   r.Host,
		TLS:    r.TLS != nil,
		Body:   r.ContentLength != 0 || len(r.TransferEncoding) > 0,
		Local:  isLoopback(local),
		Header: r.Header,
	}
}

// refuse answers the request with what err, a *HandshakeError or not, says.
func refuse(w http.ResponseWriter, s *shaking, err error) *ws.HandshakeError {
	e, text := refusal(err)
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	http.Error(w, text, e.Status)
	if s.on() {
		answer := ws.AppendFields(appendStatus(nil, e.Status), w.Header())
		s.trace(true, true, append(answer, text+"\n"...), e.Rule)
	}
	return e
}

// appendStatus appends a status line.
func appendStatus(dst []byte, status int) []byte {
	return append(dst, "HTTP/1.1 "+strconv.Itoa(status)+" "+http.StatusText(status)+"\r\n"...)
}

// refusal returns err, a *HandshakeError or not, as one with a status, and the
// text of the answer.
func refusal(err error) (e *ws.HandshakeError, text string) {
	e, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok {
		e = &ws.HandshakeError{Status: http.StatusForbidden, Detail: err.Error(), Err: nil}
	}
	if e.Status < 400 || e.Status > 599 {
		e.Status = http.StatusInternalServerError
	}
	if e.Status == http.StatusInternalServerError {
		return e, "ws: handshake: internal error" // the details are for the log
	}
	return e, e.Error()
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
	if r == nil || r.Buffered() == 0 {
		return nil
	}
	b, _ := r.Peek(r.Buffered())
	return append([]byte(nil), b...)
}
