package wsnet

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"framewright/ws"
)

// Options are the settings that every connection has. ServerOptions and
// DialOptions add what only one role has. The zero value, and a nil pointer, are
// safe. A field that is 0 has its default; where it makes sense, a value below 0
// means none. Options are read when a connection is made and must not be changed
// while one is being made.
type Options struct {
	// Subprotocols are, on a server, those that it supports in order of
	// preference; on a client, those that it offers (RFC 6455 §1.9).
	Subprotocols []string

	// HandshakeTimeout bounds a client's opening handshake and, on a server,
	// the writing of the answer, and with Serve and AcceptStream the reading
	// of the request before it; 10 s by default, none below 0.
	HandshakeTimeout time.Duration

	// Compression turns permessage-deflate (RFC 7692) on; nil is off.
	Compression *ws.Compression

	// MaxMessage is the longest message that is received, in bytes: 1 MiB by
	// default, no limit below 0. A longer one fails the connection with 1009
	// as soon as a frame's header announces it (§10.4). Conn.SetMaxMessage
	// changes it for one connection.
	MaxMessage int64

	// MaxFragments is the highest number of frames of one incoming message,
	// empty ones included: by default 1,024, or one for each KiB of MaxMessage
	// if that is more, so that peers which send in 4 KiB pieces can fill a
	// message; no limit below 0. More fail the connection with 1008.
	MaxFragments int

	// MessageTimeout bounds the time from a message's first byte to its last:
	// 30 s by default, none below 0. A slower one fails the connection with
	// 1008. It runs only while a reader waits for the rest.
	MessageTimeout time.Duration

	// PingRate is how many pings a second the peer may send in the long run,
	// together with pongs that no ping has asked for, and EmptyRate how many
	// messages without any content: 20 and 200 by default, no limit below 0.
	// Ten seconds' worth may come at once. More fail the connection with 1008.
	PingRate  int
	EmptyRate int

	// InflateRate is how many bytes a second compressed messages may inflate
	// to, in the long run, beyond 32 times their size: 4 MiB by default, no
	// limit below 0. Ten seconds' worth may come at once. What compresses
	// better than that is hardly text; a series of it fails the connection
	// with 1008.
	InflateRate int

	// PingInterval is how often this endpoint looks whether anything has
	// come, and sends a ping if not, so after a silence of one to two such
	// intervals, however long PongTimeout is. PongTimeout is how long the peer
	// has after a ping to send anything at all, its pong or not. They are 30 s
	// and 20 s by default; an interval below 0 turns keepalive off. A dead peer
	// is noticed only while someone reads.
	PingInterval time.Duration
	PongTimeout  time.Duration

	// WriteTimeout is how long the peer may take to accept one frame, or
	// one piece of a long one, before the connection is cut: 10 s by default,
	// none below 0.
	WriteTimeout time.Duration

	// WriteDelay bounds how long a message that was written may wait for
	// others to go out with, while the reader has more messages in its buffer
	// than it has given out: 1 ms by default, twice that at the most, no
	// waiting below 0. What was written when the reader waits for more, or
	// has nothing left, never waits.
	WriteDelay time.Duration

	// CloseTimeout bounds the closing handshake, from our Close frame to the
	// end of the connection: 5 s by default. It cannot be turned off.
	CloseTimeout time.Duration

	// Trace, if not nil, is called with both halves of the opening handshake
	// and with every frame in both directions, in order for each direction,
	// from the goroutine that reads or writes. It must be quick, must not panic
	// or use the connection, and must copy what it keeps.
	Trace func(ws.TraceEvent)

	// OnControl, if not nil, is called with each ping and pong that comes, before
	// it is counted or answered, by the goroutine that reads; conn is the
	// Conn.ID. It must be quick, must not panic or read, and must copy what it
	// keeps of the payload.
	OnControl func(conn uint64, op ws.Opcode, payload []byte)

	// Rand gives masking keys (§10.3) and the Sec-WebSocket-Key; nil is
	// crypto/rand.Reader, which a program should never need to change. It may
	// be used by several goroutines at once.
	Rand io.Reader
}

// ServerOptions are the settings of a server's connections.
type ServerOptions struct {
	Options

	// OriginPatterns are the origins from which a browser's page may connect
	// besides the server's own (§10.2): "example.com",
	// "*.example.com" (subdomains), "localhost:*" (any port),
	// "https://example.com:8443", "null", or "*" for all. See
	// CheckOriginPattern.
	OriginPatterns []string

	// Hosts are those that the server answers for, without ports: "example.com",
	// "*.example.com" (subdomains), "192.0.2.1", "::1", or "*" for all. Without
	// any, all are right, except for a request that came to a loopback address:
	// that must be for localhost, a name below it, or an address of 127.0.0.0/8
	// or ::1, which are right there in any case. So a page whose name somebody
	// has let point to this machine (DNS rebinding), and whose Origin is
	// therefore that of its Host, cannot connect. A proxy on the same machine
	// that passes a public Host on needs that here. See CheckHost.
	Hosts []string

	// RequireOrigin refuses a request that has cookies but no Origin. No browser
	// sends one; other clients may.
	RequireOrigin bool

	// MaxHeaderBytes and MaxHeaders bound the opening handshake's headers: 8 KiB
	// and 100 by default, no limit below 0. http.Server has a bound of its own,
	// 1 MiB by default, and takes up to 4 KiB more than it says.
	MaxHeaderBytes int
	MaxHeaders     int

	// TraceTarget, if not nil, is asked about the target of each request that can be
	// read, such as "/ws?x=y", and returns what sees that handshake and its connection
	// besides Trace, or nil: then the call is all that is paid for. What is said of
	// Trace is true of what it returns.
	TraceTarget func(target string) func(ws.TraceEvent)
}

// DialOptions are the settings of a client's connection.
type DialOptions struct {
	Options

	// HTTPClient makes the opening handshake of Dial; nil is one with the
	// settings of http.DefaultTransport, so with proxies from the
	// environment. Its Timeout, if any, bounds the handshake only.
	HTTPClient *http.Client

	// HTTP2, if not nil, opens the connection as a stream of HTTP/2 (RFC 8441), where
	// the server speaks that, and HTTPClient where it does not. A *wsh2.Client has one
	// connection to a host for all that are dialled with it. It has nothing of
	// HTTPClient's: no proxies, cookies or redirects.
	HTTP2 Streams

	// Header is what the opening handshake has besides, such as Origin,
	// Cookie or Authorization. What the handshake has itself is refused, Host
	// too.
	Header http.Header

	// Host, if set, is sent as Host instead of the URL's.
	Host string
}

// Streams open WebSockets as streams of HTTP/2: a *wsh2.Client does.
type Streams interface {
	// Connect asks the host of u, whose scheme is http or https, for what r says, and
	// returns the answer and the stream, which has deadlines. ctx bounds that. Where
	// the host does not speak RFC 8441, the error wraps errors.ErrUnsupported, and
	// nothing of r was sent.
	Connect(ctx context.Context, u *url.URL, r *ws.Request) (*http.Response, net.Conn, error)
}

// What a nil pointer stands for. Nobody writes to them.
var (
	noOptions       Options
	noServerOptions ServerOptions
	noDialOptions   DialOptions
)

// policy is what the handshake needs of o.
func (o *ServerOptions) policy() *ws.Policy {
	return &ws.Policy{MaxHeaderBytes: o.MaxHeaderBytes, MaxHeaders: o.MaxHeaders, Hosts: o.Hosts, OriginPatterns: o.OriginPatterns,
		RequireOrigin: o.RequireOrigin, Subprotocols: o.Subprotocols, Compression: o.Compression}
}

func (o *Options) handshakeTimeout() time.Duration {
	return orNone(o.HandshakeTimeout, 10*time.Second)
}

func (o *Options) rand() io.Reader { return cmp.Or[io.Reader](o.Rand, rand.Reader) }

// settings are what a connection needs of its Options, defaults filled in. A duration of
// 0 is none.
type settings struct {
	asked        ws.Limits // as they are in Options
	limits       ws.Limits // filled
	threshold    int
	spans        ws.Spans // of keepalive
	writeTimeout time.Duration
	writeDelay   time.Duration
	closeTimeout time.Duration
	trace        func(ws.TraceEvent)
	onControl    func(uint64, ws.Opcode, []byte)
	rand         io.Reader
}

// A group is the connections that have the same settings, such as those of a Server. They
// share the timers of keepalive, too.
type group struct {
	settings
	timers timers
}

// init sets g, which is new: field by field, since a copy of all would take longer than
// the rest.
func (g *group) init(o *Options) {
	g.asked = ws.Limits{MessageSize: o.MaxMessage, Fragments: o.MaxFragments, MessageTime: int64(o.MessageTimeout),
		PingRate: o.PingRate, EmptyRate: o.EmptyRate, InflateRate: o.InflateRate}
	g.limits = g.asked.Filled()
	g.spans = ws.Spans{Interval: int64(orNone(o.PingInterval, 30*time.Second)), Timeout: int64(20 * time.Second)}
	if o.PongTimeout > 0 {
		g.spans.Timeout = int64(o.PongTimeout)
	}
	g.timers.interval = g.spans.Interval
	g.writeTimeout = orNone(o.WriteTimeout, 10*time.Second)
	g.writeDelay = orNone(o.WriteDelay, time.Millisecond)
	g.closeTimeout = 5 * time.Second
	if o.CloseTimeout > 0 {
		g.closeTimeout = o.CloseTimeout
	}
	g.trace, g.onControl, g.rand = o.Trace, o.OnControl, o.rand()
	if o.Compression != nil {
		g.threshold = max(0, cmp.Or(o.Compression.Threshold, ws.DefaultThreshold))
	}
}

// orNone returns def for 0 and 0, which stands for none, below it.
func orNone(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	}
	return d
}
