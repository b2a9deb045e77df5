package connect

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstrace"
)

// runRaw does the opening handshake and then sends what lines stand for, as it is. What
// goes and what comes is explained; nothing is answered.
func runRaw(ctx context.Context, c *Config, s *Streams, o *wsnet.DialOptions) error {
	conn, err := c.dialRaw(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	u, _ := url.Parse(c.URL)
	o.HTTPClient = nil
	if _, err := wsnet.NewClient(ctx, &headOnly{Conn: conn}, u.String(), o); err != nil {
		return err
	}
	conn.SetDeadline(time.Time{}) // that of the handshake
	r := &rawSession{Config: c, Streams: s, conn: conn, out: &lockedWriter{out: s.Out}, came: make(chan struct{}, 1)}
	return r.run(ctx)
}

// dialRaw connects, with TLS for wss.
func (c *Config) dialRaw(ctx context.Context) (net.Conn, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	port := map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	if p := u.Port(); p != "" {
		port = p
	}
	proxy, err := c.proxied(u)
	if err != nil {
		return nil, err
	}
	conn, err := connectTo(ctx, proxy, net.JoinHostPort(u.Hostname(), port))
	if err != nil || u.Scheme == "ws" {
		return conn, err
	}
	t, err := c.tls()
	if err != nil {
		conn.Close()
		return nil, err
	}
	t.ServerName = u.Hostname()
	secure := tls.Client(conn, t)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func connectTo(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	if proxy != nil {
		return tunnel(ctx, proxy, address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// headOnly lets the client's half of the handshake read the answer and not a byte more:
// what follows is ours. It is not closed with the connection that the handshake makes.
type headOnly struct {
	net.Conn
	last [4]byte
	over bool
}

func (h *headOnly) Read(p []byte) (int, error) {
	if h.over || len(p) == 0 {
		return 0, io.EOF
	}
	n, err := h.Conn.Read(p[:1])
	if n == 1 {
		copy(h.last[:], h.last[1:])
		h.last[3] = p[0]
		h.over = string(h.last[:]) == "\r\n\r\n"
	}
	return n, err
}

func (h *headOnly) Close() error { return nil }

// A rawSession is a connection with lines as frames.
type rawSession struct {
	*Config
	*Streams
	conn net.Conn
	out  *lockedWriter
	came chan struct{}
}

func (r *rawSession) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { r.conn.Close() })()
	sent := r.explain(ws.RoleServer, true)
	defer sent.Close()
	ended := make(chan error, 1)
	go func() { ended <- r.read() }()
	stop := make(chan struct{})
	defer close(stop)
	input := lines(r.In, r.Limit, stop)
	var quiet <-chan time.Time
	for {
		select {
		case line, ok := <-input:
			if !ok {
				input = nil
				if r.Wait >= 0 {
					quiet = time.After(r.Wait)
				}
				continue
			}
			b, err := parseRaw(line, rand.Reader)
			if err != nil {
				r.tell("%v", err)
				continue
			}
			sent.Write(b)
			if _, err := r.conn.Write(b); err != nil {
				r.tell("%v", err)
			}
		case <-r.came:
			if quiet != nil {
				quiet = time.After(r.Wait)
			}
		case <-quiet:
			return nil
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				r.tell("the server has ended the connection")
				return nil
			}
			return err
		}
	}
}

// tell says what is no frame.
func (r *rawSession) tell(format string, args ...any) {
	r.out.Write(appendNote(nil, format, args...))
}

// read explains what comes, until it ends.
func (r *rawSession) read() error {
	came := r.explain(ws.RoleClient, false)
	defer came.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.conn.Read(buf)
		if n > 0 {
			came.Write(buf[:n])
			select {
			case r.came <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return err
		}
	}
}

// explain returns what explains bytes as an endpoint of a role receives them. Behind a
// broken rule, and behind a Close, they are only shown.
func (r *rawSession) explain(role ws.Role, sent bool) *explainer {
	rx := ws.NewReceiver(role, ws.Limits{MessageSize: -1, Fragments: -1})
	return &explainer{style: r.style(r.OutTTY, r.NoColors), clock: r.clock(), out: r.out, sent: sent, rx: &rx}
}

// An explainer is one direction.
type explainer struct {
	style wstrace.Style
	clock func([]byte) []byte
	out   *lockedWriter
	sent  bool
	rx    *ws.Receiver

	buf    []byte // that no frame has been made of yet
	offset int64  // of buf
	skip   int64  // payload of the frame before that is still to come
	over   bool   // nothing can be told apart any more
}

// maxKept is the longest frame that is kept until it is whole, in bytes. A longer one is
// explained by its beginning, and the rest goes by.
const maxKept = 64 << 10

// Write explains the frames that b completes.
func (x *explainer) Write(b []byte) (int, error) {
	for x.skip > 0 && len(b) > 0 {
		n := min(x.skip, int64(len(b)))
		x.skip -= n
		x.offset += n
		if !x.over {
			x.judge(bytes.Clone(b[:n]), nil)
		}
		b = b[n:]
	}
	x.buf = append(x.buf, b...)
	for x.frame() {
	}
	return len(b), nil
}

// Close shows what has become no frame.
func (x *explainer) Close() error {
	if len(x.buf) > 0 {
		x.out.Write(appendNote(nil, "%s no whole frame: % x", x.arrow(), x.buf[:min(len(x.buf), 64)]))
		x.buf = nil
	}
	return nil
}

func (x *explainer) arrow() string {
	if x.sent {
		return ">"
	}
	return "<"
}

// frame explains the next frame, if it is there, and reports whether it was.
func (x *explainer) frame() bool {
	if len(x.buf) == 0 {
		return false
	}
	if x.over {
		x.out.Write(appendNote(nil, "%s behind the end: % x", x.arrow(), x.buf[:min(len(x.buf), 64)]))
		x.buf = nil
		return false
	}
	h, n, _ := ws.ParseHeader(x.buf)
	whole := n > 0 && h.Length >= 0 && int64(len(x.buf)-n) >= h.Length
	begun := n > 0 && h.Length > maxKept && len(x.buf)-n >= ws.TracePayload
	if !whole && !begun {
		// A header that breaks a rule is judged before its payload has come.
		if probe := *x.rx; n == 0 || !broken(&probe, x.buf[:n]) {
			return false
		}
	}
	end := n
	switch {
	case whole:
		end += int(h.Length)
	case begun:
		end = len(x.buf)
		x.skip = h.Length - int64(end-n)
	}
	e := ws.TraceEvent{Role: x.rx.Role(), Sent: x.sent, Offset: x.offset, Header: h, Wire: x.buf[:n], Before: x.rx.State()}
	p := bytes.Clone(x.buf[n:end])
	if h.Masked {
		ws.Mask(p, h.Key, 0)
	}
	e.Payload = p[:min(len(p), ws.TracePayload)]
	x.judge(bytes.Clone(x.buf[:end]), &e)
	x.buf, x.offset = append([]byte(nil), x.buf[end:]...), x.offset+int64(end)
	return true
}

// judge has b received, and tells of e, the frame that b begins, or else only of a rule
// that is broken.
func (x *explainer) judge(b []byte, e *ws.TraceEvent) {
	err := feed(x.rx, b)
	if e == nil && err == nil {
		return
	}
	if e == nil {
		e = &ws.TraceEvent{Conn: 1, Role: x.rx.Role(), Sent: x.sent, Before: x.rx.State()}
	}
	if pe, ok := errors.AsType[*ws.ProtocolError](err); ok {
		e.Rule, e.Detail = pe.Rule, pe.Detail
	}
	e.After = x.rx.State()
	x.over = x.over || err != nil || e.After == ws.StateClosed
	x.out.Write(x.style.Append(x.clock(nil), *e))
}

// feed gives a receiver bytes until it has taken all.
func feed(rx *ws.Receiver, b []byte) error {
	for len(b) > 0 {
		_, n, err := rx.Next(b)
		if err != nil || n == 0 {
			return err
		}
		b = b[n:]
	}
	return nil
}

func broken(rx *ws.Receiver, header []byte) bool { return feed(rx, bytes.Clone(header)) != nil }
