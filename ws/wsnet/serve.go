package wsnet

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"framewright/ws"
)

// Serve accepts connections on l and runs Handler on each whose opening
// handshake is right, without net/http: a handshake costs a fraction of the
// time and leaves nothing behind, so it is for an address that speaks nothing
// but WebSocket. Requests for anything else are refused; for the rest Serve
// does what ServeHTTP does. l may be a TLS listener.
//
// Serve closes l and returns when l fails or, with ErrServerClosed, after
// Shutdown.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.track(l) {
		return ErrServerClosed
	}
	defer s.untrack(l)
	var pause time.Duration
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = 0
			go s.open(conn)
			continue
		}
		s.mu.Lock()
		closing := s.closing
		s.mu.Unlock()
		if closing {
			return ErrServerClosed
		}
		t, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err)
		if !ok || !t.Temporary() { // such as too many open files
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.logger().Error("ws: accept failed", "err", err, "retry", pause)
		time.Sleep(pause)
	}
}

// ListenAndServe is Serve on the TCP address addr.
func (s *Server) ListenAndServe(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// track notes what Shutdown closes, unless that was called already.
func (s *Server) track(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.serving == nil {
		s.serving = map[io.Closer]struct{}{}
	}
	s.serving[c] = struct{}{}
	return true
}

func (s *Server) untrack(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.serving, c)
	s.checkIdle()
}

// open does the handshake. The handler gets a goroutine of its own, whose stack
// has not grown.
func (s *Server) open(conn net.Conn) {
	if !s.track(conn) {
		conn.Close()
		return
	}
	defer s.untrack(conn)
	u := newUpgrade(conn, &s.Options)
	defer u.free()
	address, admitted, opened, returned := "", false, false, false
	defer func() { // Connect, Address or Trace may panic, or end the goroutine
		if p := recover(); p != nil {
			s.logger().Error("ws: panic in the opening handshake", "remote", conn.RemoteAddr(), "err", p, "stack", string(debug.Stack()))
		}
		if !returned {
			conn.Close()
		}
		if admitted && !opened {
			s.release(nil, address)
		}
	}()
	c, err := u.accept(context.Background(), s.settings(), func() (context.Context, error) {
		var r *http.Request
		if s.Connect != nil || s.Address != nil {
			var err error
			if r, err = u.httpRequest(); err != nil {
				return nil, err
			}
		}
		switch {
		case s.MaxPerAddress <= 0:
		case s.Address != nil:
			address = s.Address(r)
		default:
			address = hostOf(conn.RemoteAddr().String())
		}
		if err := s.admit(address); err != nil {
			return nil, err
		}
		admitted = true
		if s.Connect == nil {
			return nil, nil
		}
		return s.Connect(r)
	})
	returned = true
	if err == nil {
		opened = true
		s.noteSubprotocol(c, u.req.Values("Sec-Websocket-Protocol"), conn.RemoteAddr().String())
		s.adopt(c, address)
		return
	}
	if !errors.Is(err, errNoRequest) {
		r, parseErr := u.httpRequest()
		if parseErr != nil {
			r = &http.Request{RemoteAddr: conn.RemoteAddr().String(), URL: &url.URL{Path: u.req.Target}, Host: u.req.Host}
		}
		s.refused(r, err)
	}
}

// AcceptStream does the server's half of the opening handshake over rwc, as
// NewClient does the client's: it reads the request itself. It owns rwc, also
// when it fails; what it refuses it has answered, and then closes. ctx and
// Options.HandshakeTimeout bound the handshake if rwc has deadlines; ctx's
// values are those of Conn.Context. An error is a *HandshakeError, which wraps
// ctx's cause if that was the reason.
func AcceptStream(ctx context.Context, rwc io.ReadWriteCloser, o *Options) (*Conn, error) {
	u := newUpgrade(rwc, o)
	defer u.free()
	if ctx.Done() == nil {
		return u.accept(ctx, nil, nil)
	}
	s, fired := u.stream, make(chan struct{})
	u.limit() // later it could undo what ctx does
	stop := context.AfterFunc(ctx, func() {
		setDeadlines(s, aLongTimeAgo)
		close(fired)
	})
	c, err := u.accept(ctx, nil, nil)
	if !stop() && err == nil { // too late: the answer is out
		<-fired
		setDeadlines(s, time.Time{})
	}
	if e, ok := errors.AsType[*ws.HandshakeError](err); ok && ctx.Err() != nil && (e.Status == http.StatusRequestTimeout || e.Status == 0) {
		e.Detail, e.Err = "the context ended before the handshake did", context.Cause(ctx)
	}
	return c, err
}

// An upgrade is a server's half of an opening handshake under way. Its memory
// is used again.
type upgrade struct {
	rwc    io.ReadWriteCloser
	stream stream
	socket syscall.RawConn // nil unless the stream is nothing but a socket
	o      *Options
	buf    []byte // what was read
	n      int    // of which the request takes this much
	req    ws.Request

	limited bool // the stream has a deadline
	raw     rawUpgrade

	shaking shaking
	traced  bool // what was read
}

var upgrades = sync.Pool{New: func() any { return &upgrade{buf: make([]byte, 0, 2<<10)} }}

func newUpgrade(rwc io.ReadWriteCloser, o *Options) *upgrade {
	u := upgrades.Get().(*upgrade)
	u.rwc, u.stream, u.o = rwc, newStream(rwc), o
	u.shaking = shaking{o, ws.RoleServer, lastConnID.Add(1)}
	u.socket = rawConnOf(u.stream)
	return u
}

func (u *upgrade) free() {
	if cap(u.buf) > 16<<10 {
		return
	}
	u.req.Reset()
	*u = upgrade{buf: u.buf[:0], req: u.req, raw: u.raw}
	upgrades.Put(u)
}

// errNoRequest: a connection on which nothing was asked, as a browser opens
// some for later.
var errNoRequest = errors.New("no request came")

// accept reads the request, asks admit, if it is not nil, and answers.
func (u *upgrade) accept(ctx context.Context, set *settings, admit func() (context.Context, error)) (*Conn, error) {
	err := u.read()
	if err == nil {
		err = checkAll(&u.req, u.o)
	}
	if err == nil && admit != nil {
		var base context.Context
		if base, err = admit(); base != nil {
			ctx = base
		}
	}
	if err != nil {
		return nil, u.refuse(err)
	}
	subprotocol, agreed, extensions, err := agree(&u.req, u.o)
	if err != nil {
		return nil, u.refuse(err)
	}
	var early []byte
	if len(u.buf) > u.n {
		early = bytes.Clone(u.buf[u.n:])
	}
	answer := ws.AppendResponse(ws.AppendContinue(u.buf[:0], &u.req), u.req.Values("Sec-Websocket-Key")[0], subprotocol, extensions, nil)
	if err := u.writeAll(answer); err != nil {
		u.rwc.Close()
		return nil, &ws.HandshakeError{Detail: "answer not sent", Err: err}
	}
	u.shaking.trace(true, false, answer, "")
	if u.limited {
		setDeadlines(u.stream, time.Time{})
	}
	c := u.o.conn(set)
	c.socket, c.id = u.socket, u.shaking.id
	c.start(ctx, u.stream, ws.RoleServer, agreed, early) // which may have read ahead
	c.settle(subprotocol, nil)
	return c, nil
}

// setDeadlines sets both of a stream's, at once where that is possible.
func setDeadlines(s stream, t time.Time) {
	if both, ok := s.(net.Conn); ok {
		both.SetDeadline(t)
		return
	}
	s.SetReadDeadline(t)
	s.SetWriteDeadline(t)
}

// read reads and parses the request.
func (u *upgrade) read() error {
	head := ws.RequestHead{Policy: u.o.policy()}
	for {
		if len(u.buf) == cap(u.buf) {
			u.buf = append(u.buf, 0)[:len(u.buf)]
		}
		n, readErr := u.readMore(u.buf[len(u.buf):cap(u.buf)])
		u.buf = u.buf[:len(u.buf)+n]
		skip, end, err := head.Find(u.buf)
		u.buf = u.buf[:copy(u.buf, u.buf[skip:])]
		switch {
		case end > 0:
			u.shaking.trace(false, false, u.buf[:end], "")
			u.traced = true
			_, u.req.TLS = u.rwc.(*tls.Conn)
			if conn, ok := u.rwc.(net.Conn); ok {
				u.req.Local = isLoopback(conn.LocalAddr())
			}
			u.n = end
			if err := u.req.Parse(u.buf[:end]); err != nil {
				return err
			}
			return u.asNetHTTP()
		case err != nil:
			return err
		case readErr == nil:
		case isTimeout(readErr):
			return &ws.HandshakeError{Status: http.StatusRequestTimeout, Detail: "the request did not come within HandshakeTimeout", Err: errNoRequestIf(len(u.buf) == 0, readErr)}
		default:
			return &ws.HandshakeError{Status: http.StatusBadRequest, Detail: "the connection ended before the request did", Err: errNoRequestIf(len(u.buf) == 0, readErr)}
		}
	}
}

// asNetHTTP sees to it that a request which is out of the ordinary gets the
// verdict that it would get from net/http, in front of Accept: a target that is
// no path in plain characters, which can name another host (RFC 9112 §3.2.2), or
// a body with a trailer.
func (u *upgrade) asNetHTTP() error {
	r := &u.req
	if err := ws.CheckHTTP(r); err != nil {
		return err
	}
	if !plainTarget(r.Target) || len(r.Values("Trailer")) > 0 {
		h, err := u.httpRequest()
		if err != nil {
			return err
		}
		r.Host = h.Host
	}
	return nil
}

func plainTarget(s string) bool {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z', '0' <= s[i] && s[i] <= '9':
		case !strings.Contains("/?&=-_.~", s[i:i+1]):
			return false
		}
	}
	return s[0] == '/'
}

func (u *upgrade) readStream(p []byte) (int, error) {
	u.limit()
	return u.stream.Read(p)
}

func (u *upgrade) writeStream(p []byte) error {
	u.limit()
	_, err := u.stream.Write(p)
	return err
}

// limit sets HandshakeTimeout's deadline, once.
func (u *upgrade) limit() {
	if timeout := u.o.handshakeTimeout(); timeout > 0 && !u.limited {
		u.limited = true
		setDeadlines(u.stream, time.Now().Add(timeout))
	}
}

func errNoRequestIf(nothing bool, err error) error {
	if nothing {
		return errNoRequest
	}
	return err
}

// httpRequest is the request as net/http has it, for those who ask.
func (u *upgrade) httpRequest() (*http.Request, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(u.buf[:u.n])))
	if err != nil {
		return nil, &ws.HandshakeError{Status: http.StatusBadRequest, Detail: err.Error(), Section: "RFC 9112 §3"}
	}
	if conn, ok := u.rwc.(net.Conn); ok {
		r.RemoteAddr = conn.RemoteAddr().String()
	}
	if conn, ok := u.rwc.(*tls.Conn); ok {
		state := conn.ConnectionState()
		r.TLS = &state
	}
	return r, nil
}

// refuse answers with what err says, and closes the stream without losing the
// answer: see lingerBytes.
func (u *upgrade) refuse(err error) error {
	e, text := refusal(err)
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
	answer := ws.AppendFields(appendStatus(nil, e.Status), header)
	if u.req.Method != http.MethodHead {
		answer = append(append(answer, text...), '\n')
	}
	if !u.traced { // it did not come to its end
		u.shaking.trace(false, false, u.buf[:min(len(u.buf), 16<<10)], "")
	}
	if !errors.Is(err, errNoRequest) {
		u.shaking.trace(true, false, answer, e.Rule)
	}
	s := u.stream
	at := time.Now().Add(lingerAfterClose)
	s.SetWriteDeadline(at)
	if errors.Is(err, errNoRequest) {
		abort(s)
		return e
	}
	if _, err := s.Write(answer); err != nil {
		abort(s)
		return e
	}
	go func() {
		defer abort(s)
		closeWrite(s)
		s.SetReadDeadline(at)
		io.CopyN(io.Discard, s, lingerBytes)
	}()
	return e
}
