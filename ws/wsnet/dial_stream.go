package wsnet

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"framewright/ws"
)

// stream is Dial over HTTP/2 (RFC 8441 §5). ctx bounds the handshake, and base has the
// values for the connection.
func (h *clientHandshake) stream(ctx, base context.Context) (c *Conn, err error) {
	http1 := h.request
	defer func() {
		if errors.Is(err, errors.ErrUnsupported) { // what comes now is HTTP/1.1
			h.request = http1
		}
	}()
	h.request = extended(http1)
	resp, rwc, err := h.o.HTTP2.Connect(ctx, h.url, &h.request)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	text := h.on()
	if text {
		h.trace(true, true, requestText(&http.Request{
			Method: h.request.Method, RequestURI: h.request.Target, Proto: "HTTP/2.0", Host: h.request.Host, Header: h.request.Header,
		}), "")
	}
	if err != nil {
		if e, ok := errors.AsType[*ws.HandshakeError](err); ok { // of an answer that is too long
			return nil, e
		}
		return nil, &ws.HandshakeError{Detail: "no answer from " + strconv.Quote(h.url.Host) + " over HTTP/2", Err: err}
	}
	defer func() {
		if c == nil { // also if Trace has panicked
			rwc.Close()
		}
	}()
	var b bound
	b.set(ctx, newStream(rwc), 0)
	defer b.leave()
	h.answer = func() ([]byte, bool) { return answerText(resp), true }
	subprotocol, agreed, err := h.check(resp)
	if err != nil {
		return nil, err
	}
	if b.lift() {
		return nil, &ws.HandshakeError{Detail: "interrupted", Err: ctx.Err()}
	}
	return h.conn(base, rwc, resp, subprotocol, agreed, nil), nil
}

// extended is the request r as an extended CONNECT.
func extended(r ws.Request) ws.Request {
	header := maps.Clone(r.Header)
	for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Key"} {
		delete(header, name)
	}
	r.Method, r.Major, r.Minor, r.Header, r.Length = http.MethodConnect, 2, 0, header, -1
	if r.Protocol, r.Scheme = "websocket", "http"; r.TLS {
		r.Scheme = "https"
	}
	return r
}
