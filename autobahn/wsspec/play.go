package wsspec

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"time"
)

// A target is a server under test.
type target struct {
	network, address string
	tls              *tls.Config
	host, path       string                                  // of the request
	connect          func(context.Context) (net.Conn, error) // instead of TCP, for tests
}

// newTarget reads a ws: or wss: URL (§3).
func newTarget(raw string, config *tls.Config) (*target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%q is no URL: %w", raw, err)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q: want a ws:// or wss:// URL with a host", raw)
	}
	if u.Fragment != "" {
		return nil, fmt.Errorf("%q has a fragment, which §3 forbids", raw)
	}
	t := &target{network: "tcp", host: u.Host, path: u.RequestURI()}
	port := u.Port()
	if u.Scheme == "wss" {
		t.tls = config.Clone()
		if t.tls == nil {
			t.tls = &tls.Config{}
		}
		if t.tls.ServerName == "" {
			t.tls.ServerName = u.Hostname()
		}
		t.tls.NextProtos = []string{"http/1.1"}
	}
	if port == "" {
		if port = "80"; u.Scheme == "wss" {
			port = "443"
		}
	}
	t.address = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

func (t *target) dial(ctx context.Context) (net.Conn, error) {
	if t.connect != nil {
		return t.connect(ctx)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, t.network, t.address)
	if err != nil || t.tls == nil {
		return conn, err
	}
	c := tls.Client(conn, t.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// caseTime bounds a whole case whose own waits do not: in a minute a case of the
// slowest group is done many times over.
const caseTime = 2 * time.Minute

// A ServerTest plays cases with a server.
type ServerTest struct {
	Settings
	target *target
}

// NewServerTest prepares to play cases with the server at a ws: or wss: URL. The
// config, for wss, may be nil.
func NewServerTest(url string, s Settings, config *tls.Config) (*ServerTest, error) {
	t, err := newTarget(url, config)
	if err != nil {
		return nil, err
	}
	if s.HTTP2 && t.tls != nil {
		t.tls.NextProtos = []string{"h2"}
	}
	return &ServerTest{s.filled(), t}, nil
}

// Play plays a case, on as many connections as it wants. It may be called by
// several goroutines at once.
func (t *ServerTest) Play(ctx context.Context, c *Case) Result {
	d := newDialogue(t.Settings, Server)
	d.target = t.target
	return play(ctx, c, d)
}

// PlayClient plays a case with a client that has connected and has sent request, the
// head of its handshake; rest is what came behind that. It closes conn.
func PlayClient(ctx context.Context, c *Case, s Settings, conn net.Conn, request, rest []byte) Result {
	d := newDialogue(s.filled(), Client)
	d.Request, d.conn, d.rest = parseHead(string(request)), conn, rest
	d.log.note("a client has connected")
	d.log.bytes(false, request)
	return play(ctx, c, d)
}

func play(ctx context.Context, c *Case, d *Dialogue) (r Result) {
	ctx, cancel := context.WithTimeout(ctx, caseTime+time.Duration(d.Count)*time.Second)
	defer cancel()
	d.Ctx = ctx
	if d.conn != nil { // a client's
		d.use(d.conn, d.rest)
	}
	defer func() {
		if p := recover(); p != nil { // a fault of the suite is no fault of the testee's, and no end of the run
			d.log.note(fmt.Sprintf("the suite panicked: %v", p))
			r = d.result(c, Verdict{Outcome: Failed, Actual: fmt.Sprintf("the suite itself failed: %v\n%s", p, debug.Stack())})
		}
		d.CloseNow()
	}()
	if d.HTTP2 && c.Chapter == "handshake" {
		return d.result(c, Skip("it is about the opening handshake of HTTP/1.1 (§4), and HTTP/2 has another one (RFC 8441 §5)"))
	}
	v := c.Play(d)
	if err := ctx.Err(); err != nil && v.Outcome != Passed {
		v.Actual += "; then it was ended: " + context.Cause(ctx).Error()
	}
	if v.Outcome == Failed && c.Level == Should && !v.Hard {
		v.Outcome = Weak
	}
	return d.result(c, v)
}
