package wsh2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"framewright/ws"
	"framewright/ws/internal/h2"
)

// A Client opens WebSockets as streams of HTTP/2 (RFC 8441), all to one host on one
// connection, as long as that has room. It is for wsnet.DialOptions.HTTP2. The zero value
// has safe limits. Its fields must not be changed once it is used. For durations, 0 is the
// default and below 0 none.
type Client struct {
	// TLSConfig is for https and wss; what it says of ALPN is not looked at.
	TLSConfig *tls.Config

	// Plain has ws and http URLs speak HTTP/2, too, of which the server is known to do so
	// (RFC 9113 §3.3). Otherwise they are left to HTTP/1.1.
	Plain bool

	// DialContext connects; nil is that of a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	StreamWindow   int // as a Server's
	SendBuffer     int
	MaxHeaderBytes int // of an answer

	HandshakeTimeout time.Duration // for TLS and a server's SETTINGS; default 10 s
	FrameTimeout     time.Duration // for the rest of a frame that has begun; default 30 s
	WriteTimeout     time.Duration // for a server to take what is sent; default 30 s
	IdleTimeout      time.Duration // of a connection without streams; default 3 min

	mu     sync.Mutex
	hosts  map[string]*host
	closed bool
}

const (
	// forgetAfter is how long a host that does not speak RFC 8441 is not asked again.
	forgetAfter = 10 * time.Minute

	// maxHosts is how many hosts are remembered.
	maxHosts = 1000
)

// A host is what is known of one.
type host struct {
	making chan struct{} // has one value while somebody makes a connection

	// Of Client.mu.
	conn  *conn     // the one that takes streams; nil if there is none
	until time.Time // then it may speak RFC 8441 again
}

// Connect asks the host of u for a WebSocket, as r says, and returns the answer and the
// stream. Where the host does not speak RFC 8441 the error wraps errors.ErrUnsupported.
// ctx bounds it.
func (c *Client) Connect(ctx context.Context, u *url.URL, r *ws.Request) (*http.Response, net.Conn, error) {
	if u.Scheme != "https" && !c.Plain {
		return nil, nil, fmt.Errorf("wsh2: %s is left to HTTP/1.1: Client.Plain is not set: %w", u.Scheme, errors.ErrUnsupported)
	}
	for refusals := 0; ; {
		sc, err := c.conn(ctx, u)
		if err != nil {
			return nil, nil, err
		}
		resp, st, err := sc.ask(ctx, r)
		switch {
		case err == nil:
			return resp, st, nil
		case errors.Is(err, errNotOpened) && sc.wasUsed(): // it is full, or has just ended
		case refused(err) && refusals == 0: // "can be safely retried" (RFC 9113 §8.7)
			refusals++
		case errors.Is(err, errNotOpened):
			c.leave(sc)
			return nil, nil, err
		default:
			return nil, nil, err
		}
		c.leave(sc)
	}
}

// refused reports whether a stream was not even looked at.
func refused(err error) bool {
	e, ok := errors.AsType[*h2.Error](err)
	return ok && e.Remote && e.Code == http2.ErrCodeRefusedStream
}

// host returns what is known of the one that key names.
func (c *Client) host(key string) *host {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[key]
	if h == nil {
		for name, other := range c.hosts {
			if len(c.hosts) < maxHosts {
				break
			}
			if other.conn == nil && len(other.making) == 0 {
				delete(c.hosts, name)
			}
		}
		if c.hosts == nil {
			c.hosts = map[string]*host{}
		}
		h = &host{making: make(chan struct{}, 1)}
		c.hosts[key] = h
	}
	return h
}

// conn returns the connection to u's host, which it makes if there is none.
func (c *Client) conn(ctx context.Context, u *url.URL) (*conn, error) {
	h := c.host(u.Scheme + "://" + u.Host)
	select {
	case h.making <- struct{}{}:
		defer func() { <-h.making }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	sc, until, closed := h.conn, h.until, c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return nil, net.ErrClosed
	case sc != nil:
		return sc, nil
	case time.Now().Before(until):
		return nil, errNotSpoken(u)
	}
	sc, err := c.make(ctx, u)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		h.until = time.Now().Add(forgetAfter)
	case err == nil && c.closed:
		sc.nc.Close()
		return nil, net.ErrClosed
	case err == nil:
		h.conn = sc
		go func() { <-sc.wrote; c.leave(sc) }()
	}
	return sc, err
}

func errNotSpoken(u *url.URL) error {
	return fmt.Errorf("wsh2: %s does not speak WebSocket over HTTP/2 (RFC 8441 §3): %w", u.Host, errors.ErrUnsupported)
}

// leave lets sc finish its streams, and take no others.
func (c *Client) leave(sc *conn) {
	c.mu.Lock()
	for _, h := range c.hosts {
		if h.conn == sc {
			h.conn = nil
		}
	}
	c.mu.Unlock()
	sc.goAway()
}

// make connects to u's host, and waits until it is known what that speaks.
func (c *Client) make(ctx context.Context, u *url.URL) (*conn, error) {
	if t := after(c.HandshakeTimeout, 10*time.Second); !t.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, t)
		defer cancel()
	}
	nc, err := c.dial(ctx, u)
	if err != nil {
		return nil, err
	}
	e := h2.NewClient(h2.Limits{StreamWindow: c.StreamWindow, SendBuffer: c.SendBuffer, HeaderBytes: c.MaxHeaderBytes})
	sc := newConn(context.Background(), nc, e, times{c.HandshakeTimeout, c.FrameTimeout, -1, c.WriteTimeout, c.IdleTimeout})
	sc.asked, sc.settled = map[*h2.Stream]*stream{}, make(chan struct{})
	go sc.serve()
	select {
	case <-sc.settled:
	case <-ctx.Done():
		nc.Close()
		return nil, context.Cause(ctx)
	}
	sc.mu.Lock()
	err, speaks := e.Err(), e.Connect()
	sc.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case !speaks:
		sc.goAway()
		return nil, errNotSpoken(u)
	}
	return sc, nil
}

// dial connects to u's host, with TLS if that is its scheme.
func (c *Client) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	dial := c.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	nc, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil || u.Scheme != "https" {
		return nc, err
	}
	config := c.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	config.NextProtos = []string{"h2", "http/1.1"} // one that speaks HTTP/1.1 alone need not refuse
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	if tc.ConnectionState().NegotiatedProtocol != "h2" {
		tc.NetConn().Close()
		return nil, errNotSpoken(u)
	}
	return tc, nil
}

// Close closes every connection, and with it the WebSockets on it.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, h := range c.hosts {
		if h.conn != nil {
			h.conn.nc.Close()
		}
	}
	return nil
}
