package wsnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"

	"framewright/ws"
)

// An upgrade is a server's half of an opening handshake under way (RFC 6455
// §4.2). What it decides does not depend on how the bytes come and go, which is
// the exchange's.
type upgrade struct {
	shaking
	o        *ServerOptions
	exchange exchange
	req      *ws.Request
	wrong    error       // what is, with a request that could not be read; nil otherwise
	extra    http.Header // what the 101 says besides what it has to
	apart    bool        // the connection has settings of its own, and so no group

	answer answer
	room   [256]byte // for its text
}

// An exchange carries a request and its answer: through net/http, see Accept, or
// over a stream, see AcceptStream.
type exchange interface {
	// request is the request as net/http has it; of one that could not be read,
	// what is known of it.
	request() *http.Request

	// accept sends the answer and gives up the stream, with the bytes that came early.
	// An error that has a status is one that the client can still be told.
	accept(a *answer) (rwc io.ReadWriteCloser, early []byte, err *ws.HandshakeError)

	// refuse sends what e and text say.
	refuse(e *ws.HandshakeError, text string)
}

// An answer is that of a request which becomes a connection.
type answer struct {
	text                    []byte
	subprotocol, extensions string // which text has, too
}

// run decides, answers, and returns the connection. It asks admit, if that is not
// nil, whether a request that is right may become one, and with which context. g
// is nil if the connection is in no group.
func (u *upgrade) run(ctx context.Context, g *group, admit func() (context.Context, error)) (*Conn, error) {
	err := u.check()
	if err == nil && admit != nil {
		var base context.Context
		if base, err = admit(); base != nil {
			ctx = base
		}
	}
	if err != nil {
		return nil, u.refuse(err)
	}
	subprotocol, agreed, extensions, err := u.agree()
	if err != nil {
		return nil, u.refuse(err)
	}
	a := &u.answer
	a.subprotocol, a.extensions = subprotocol, extensions
	if u.req.Major == 2 {
		a.text = ws.AppendConnectResponse(u.room[:0], subprotocol, extensions, u.extra)
	} else {
		a.text = ws.AppendResponse(ws.AppendContinue(u.room[:0], u.req), u.req.Values("Sec-Websocket-Key")[0], subprotocol, extensions, u.extra)
	}
	rwc, early, failed := u.exchange.accept(a)
	if failed != nil {
		if failed.Status != 0 {
			return nil, u.refuse(failed)
		}
		return nil, failed
	}
	if u.apart {
		g = nil
	}
	c := u.o.conn(g)
	c.link.id = u.id
	traced := false
	defer func() {
		if !traced { // Trace has panicked, and nobody else knows of the connection
			rwc.Close()
		}
	}()
	u.trace(true, u.req.Major == 2, a.text, "")
	traced = true
	c.start(ctx, rwc, ws.RoleServer, agreed, early)
	c.settle(subprotocol, nil)
	return c, nil
}

// traceTo lets report, which TraceTarget has returned, see the text of the request and
// what follows, besides Options.Trace.
func (u *upgrade) traceTo(report func(ws.TraceEvent), parsed bool, request []byte) {
	o := *u.o
	o.Trace = report
	u.shaking.o = &o.Options
	u.trace(false, parsed, request, "")
	if both := u.o.Trace; both != nil {
		o.Trace = func(e ws.TraceEvent) { both(e); report(e) }
	}
	u.o, u.apart = &o, true
}

// check decides about a request by itself, before anything is taken over or sent.
func (u *upgrade) check() error {
	if u.wrong != nil {
		return u.wrong
	}
	p := u.o.policy()
	if err := ws.CheckRequest(u.req, p); err != nil {
		return err
	}
	if err := ws.CheckHost(u.req, p); err != nil {
		return err
	}
	if err := ws.CheckOrigin(u.req, p); err != nil {
		return err
	}
	// What is wrong with these is this program's mistake, and has no status: see refusal.
	if err := ws.CheckCompression(u.o.Compression); err != nil {
		return err
	}
	return ws.CheckHeader(u.extra)
}

// agree decides on what the request offers.
func (u *upgrade) agree() (subprotocol string, agreed *ws.DeflateParams, extensions string, err error) {
	subprotocol = ws.ChooseSubprotocol(u.req.Values("Sec-Websocket-Protocol"), u.o.Subprotocols)
	agreed, extensions, err = ws.AcceptDeflate(u.req.Values("Sec-Websocket-Extensions"), u.o.Compression)
	return subprotocol, agreed, extensions, err
}

// refuse answers with what err, a *HandshakeError or not, says.
func (u *upgrade) refuse(err error) *ws.HandshakeError {
	e, text := refusal(err)
	u.exchange.refuse(e, text)
	return e
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

// appendStatus appends a status line, which over HTTP/2 is only for the trace.
func appendStatus(dst []byte, major, status int) []byte {
	version := "HTTP/1.1 "
	if major == 2 {
		version = "HTTP/2.0 "
	}
	return append(dst, version+strconv.Itoa(status)+" "+http.StatusText(status)+"\r\n"...)
}

// isLoopback reports whether addr, of this end, is one that only this machine
// reaches.
func isLoopback(addr net.Addr) bool {
	a, ok := addr.(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}
