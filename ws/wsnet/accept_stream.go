package wsnet

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"framewright/ws"
	"framewright/ws/internal/http1"
)

// AcceptStream does the server's half of the opening handshake over rwc, as
// NewClient does the client's: it reads the request itself. It owns rwc, also
// when it fails; what it refuses it has answered, and then closes. ctx and
// Options.HandshakeTimeout bound the handshake if rwc has deadlines; ctx's
// values are those of Conn.Context. An error is a *HandshakeError, which wraps
// ctx's cause if that was the reason.
func AcceptStream(ctx context.Context, rwc io.ReadWriteCloser, o *ServerOptions) (*Conn, error) {
	x := newStreamExchange(ctx, rwc, cmp.Or(o, &noServerOptions))
	ended := false
	defer func() {
		if !ended { // Trace, or what reads and writes rwc, has panicked
			rwc.Close()
		}
		x.free()
	}()
	x.read()
	c, err := x.run(ctx, nil, nil)
	ended = true
	if e, ok := errors.AsType[*ws.HandshakeError](err); ok && ctx.Err() != nil && (e.Status == http.StatusRequestTimeout || e.Status == 0) {
		e.Detail, e.Err = "the context ended before the handshake did", context.Cause(ctx)
	}
	return c, err
}

// A streamExchange is one that this package carries itself. Its memory is used
// again.
type streamExchange struct {
	upgrade
	rwc    io.ReadWriteCloser
	stream stream
	bound  bound

	buf  []byte // what was read
	n    int    // of which the request takes this much
	mine ws.Request
	url  *url.URL      // the target; nil if that is none, or a plain path that nobody has asked for
	asks *http.Request // what request returned
}

var streamExchanges = sync.Pool{New: func() any { return &streamExchange{buf: make([]byte, 0, 2<<10)} }}

// newStreamExchange begins a handshake, which ctx and HandshakeTimeout bound.
func newStreamExchange(ctx context.Context, rwc io.ReadWriteCloser, o *ServerOptions) *streamExchange {
	x := streamExchanges.Get().(*streamExchange)
	x.rwc, x.stream = rwc, newStream(rwc)
	x.shaking, x.o = shaking{&o.Options, ws.RoleServer, lastConnID.Add(1)}, o
	x.exchange, x.req = x, &x.mine
	x.bound.set(ctx, x.stream, o.handshakeTimeout())
	return x
}

func (x *streamExchange) free() {
	x.bound.leave()
	if cap(x.buf) > 16<<10 {
		return
	}
	x.mine.Reset()
	*x = streamExchange{buf: x.buf[:0], mine: x.mine}
	streamExchanges.Put(x)
}

// errNoRequest: a connection on which nothing was asked, as a browser opens
// some for later.
var errNoRequest = errors.New("no request came")

// read reads the request. What was wrong with it, run will say.
func (x *streamExchange) read() {
	x.wrong = x.readHead()
	if x.n == 0 { // it did not come to its end
		x.trace(false, false, x.buf[:min(len(x.buf), 16<<10)], "")
		return
	}
	head := x.buf[:x.n]
	x.trace(false, false, head, "")
	_, x.mine.TLS = x.rwc.(*tls.Conn)
	if conn, ok := x.rwc.(net.Conn); ok {
		x.mine.Local = isLoopback(conn.LocalAddr())
	}
	x.wrong = x.mine.Parse(head)
	if x.mine.Target == "" {
		return
	}
	if !plainPath(x.mine.Target) {
		var err error
		if x.url, err = parseTarget(x.mine.Method, x.mine.Target); err != nil {
			x.wrong = err // which stands in front of what else is wrong
		}
	}
	if x.wrong == nil {
		x.wrong = ws.CheckHTTP(&x.mine)
	}
	if x.url != nil && x.url.Host != "" {
		// "the origin server MUST ignore the received Host header field (if any)
		// and instead use the host information of the request-target" (RFC 9112
		// §3.2.2)
		x.mine.Host = x.url.Host
	}
	if x.wrong == nil && x.o.TraceTarget != nil {
		if report := x.o.TraceTarget(x.mine.Target); report != nil {
			x.traceTo(report, false, head)
		}
	}
}

// readHead reads until the n bytes of the request's head are there.
func (x *streamExchange) readHead() error {
	head := ws.RequestHead{Policy: x.o.policy()}
	for {
		if len(x.buf) == cap(x.buf) {
			x.buf = append(x.buf, 0)[:len(x.buf)]
		}
		n, readErr := x.stream.Read(x.buf[len(x.buf):cap(x.buf)])
		x.buf = x.buf[:len(x.buf)+n]
		skip, end, err := head.Find(x.buf)
		x.buf = x.buf[:copy(x.buf, x.buf[skip:])]
		switch {
		case end > 0:
			x.n = end
			return nil
		case err != nil:
			return err
		case readErr == nil:
			continue
		}
		e := &ws.HandshakeError{Status: http.StatusBadRequest, Detail: "the connection ended before the request did", Err: readErr}
		if isTimeout(readErr) {
			e.Status, e.Detail = http.StatusRequestTimeout, "the request did not come within HandshakeTimeout"
		}
		if len(x.buf) == 0 {
			e.Err = errNoRequest
		}
		return e
	}
}

// request makes what net/http would have made, when somebody asks for it.
func (x *streamExchange) request() *http.Request {
	if x.asks == nil {
		if x.url == nil {
			x.url, _ = parseTarget(x.mine.Method, x.mine.Target)
		}
		x.asks = httpRequest(&x.mine, x.url, x.rwc)
	}
	return x.asks
}

func (x *streamExchange) accept(a *answer) (io.ReadWriteCloser, []byte, *ws.HandshakeError) {
	if _, err := x.stream.Write(a.text); err != nil {
		x.rwc.Close()
		return nil, nil, &ws.HandshakeError{Detail: "answer not sent", Err: err}
	}
	x.bound.lift()
	var early []byte
	if len(x.buf) > x.n {
		early = bytes.Clone(x.buf[x.n:])
	}
	return x.stream, early, nil
}

// refuse closes the stream without losing the answer: see lingerBytes.
func (x *streamExchange) refuse(e *ws.HandshakeError, text string) {
	x.bound.leave()
	s := x.stream
	if errors.Is(e, errNoRequest) {
		abort(s)
		return
	}
	header := http.Header{
		"Content-Type":           {"text/plain; charset=utf-8"},
		"X-Content-Type-Options": {"nosniff"},
		"Connection":             {"close"},
		"Content-Length":         {strconv.Itoa(len(text) + 1)},
	}
	for name, values := range e.Header {
		if name == "Connection" {
			values = []string{strings.Join(append(values, "close"), ", ")}
		}
		header[name] = values
	}
	answer := http1.AppendFields(appendStatus(nil, 1, e.Status), header)
	if x.mine.Method != http.MethodHead {
		answer = append(append(answer, text...), '\n')
	}
	x.trace(true, false, answer, e.Rule)
	at := time.Now().Add(lingerAfterClose)
	s.SetWriteDeadline(at)
	if _, err := s.Write(answer); err != nil {
		abort(s)
		return
	}
	go func() {
		defer abort(s)
		closeWrite(s)
		s.SetReadDeadline(at)
		io.CopyN(io.Discard, s, lingerBytes)
	}()
}
