package engineio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"framewright/internal/address"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The names of the transports, as they stand in a request's query and in
// Options.Transports.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Options are the settings of a [Server]. The zero value is safe, and a nil
// *Options is the zero value. A field that is 0 has its default.
type Options struct {
	// Transports are those that the server offers, [Polling] and [WebSocket]
	// by default. WebSocket alone makes a server that needs no affinity behind
	// a balancer; its clients have to say so, too.
	Transports []string

	// NoUpgrade keeps a session on the transport that it began with.
	NoUpgrade bool

	// PingInterval is how long after a client's last pong, or the beginning,
	// the server sends a ping, and PingTimeout how long the client then has
	// for its pong: 25 s and 20 s by default. Clients are told both, and give
	// up on a server that is silent for the sum of them.
	PingInterval time.Duration
	PingTimeout  time.Duration

	// UpgradeTimeout bounds an upgrade to WebSocket from its beginning to its
	// last packet: 10 s by default. The session stays on polling if it passes.
	UpgradeTimeout time.Duration

	// CloseTimeout is how long a session that this side has closed may take to
	// deliver what was queued: 30 s by default. The rest is dropped then.
	CloseTimeout time.Duration

	// BodyTimeout bounds the time that the body of one request by polling may
	// take in either direction: 30 s by default.
	BodyTimeout time.Duration

	// MaxPayload is the longest body of a POST, and the longest WebSocket
	// message, that is received, in bytes: 1,000,000 by default. Clients are
	// told, and split what they post. A longer body is answered with 413, a
	// longer message ends the session.
	MaxPayload int

	// QueueBytes bounds what waits to be sent to one client, in bytes and with
	// 64 added for each packet: 2 MiB by default. A client that lets more wait
	// is [SlowClient].
	QueueBytes int

	// CompressOver is from how many bytes on an answer by polling is compressed with
	// gzip, if the client takes that (Accept-Encoding): 1,024 by default, never below 0.
	// Where a page of others can make a client send text of theirs beside a secret, the
	// length of what is compressed tells of the secret; such a program turns it off.
	CompressOver int

	// IdleRate is how many packets and requests a second a client may send in
	// the long run of which nothing comes: pongs that no ping has asked for,
	// packets that mean nothing from a client, requests that are answered
	// with nothing; an upgrade counts as ten. 20 by default, no limit below 0.
	// Ten seconds' worth may come at once. More end the session: [Flood]. How
	// fast messages come is the handler's to say: it is not sent more than it
	// receives.
	IdleRate int

	// ByteRate is how many bytes a second one client may send in the long run, and
	// AddressByteRate all those from one address together (see Address), each
	// packet counting 64 more. Ten seconds' worth may come at once. A client that
	// sends more is held up, before anything is parsed: its POST is not answered,
	// or its WebSocket not read from, until its time has come. 16 MiB and 64 MiB
	// by default, no limit below 0.
	ByteRate        int
	AddressByteRate int

	// MaxSessions bounds the sessions at one time, and MaxSessionsPerAddress
	// those that were opened from one address: 100,000 and 10,000 by default,
	// no limit below 0. A handshake above them is refused with 503 or 429 and
	// Retry-After.
	MaxSessions           int
	MaxSessionsPerAddress int

	// Address returns what MaxSessionsPerAddress and AddressByteRate count by; nil
	// takes the host of r.RemoteAddr. Behind a proxy, all come from one address unless this
	// reads the header that the proxy sets.
	Address func(r *http.Request) string

	// Remote returns what the log calls a client; nil takes r.RemoteAddr, which
	// behind a proxy is the proxy's.
	Remote func(r *http.Request) string

	// OriginPatterns are the origins whose pages may use the server besides
	// its own, on every transport, as in [wsnet.Options]: "example.com",
	// "*.example.com", "localhost:*", "https://example.com:8443", or "*" for
	// all. Those pages get CORS answers, with credentials unless only "*"
	// allows them. A WebSocket brings cookies whatever CORS says: who allows all
	// and goes by cookies lets every page act for its visitor.
	OriginPatterns []string

	// RequireOrigin refuses a request that has cookies but no Origin, unless
	// it says Sec-Fetch-Site: same-origin, as browsers do for a page's own
	// GET requests.
	RequireOrigin bool

	// Connect, if not nil, is asked about every handshake, after the checks
	// of the protocol: to authenticate, for example. The context that it
	// returns, if not nil, gives the session's context its values. An error
	// refuses the handshake with 403 and code 4; its text goes to the client.
	// It is not asked again for the upgrade of a session.
	Connect func(r *http.Request) (context.Context, error)

	// Cookie, if not nil, is set by the answer to a handshake by polling, with
	// the session's id as its value, so that a balancer can send a client's
	// requests to the same server. It needs a Name; an empty Path is "/", and
	// SameSite is Lax unless it says otherwise.
	Cookie *http.Cookie

	// WebSocket are the options of the WebSocket connections: compression and
	// timeouts, for example. Its MaxMessage, OriginPatterns and RequireOrigin
	// come from the fields above, and its keepalive is off unless
	// PingInterval is set, as the protocol has its own.
	WebSocket wsnet.ServerOptions

	// Logger gets refusals (Info; Warn for clients of an older protocol),
	// handlers' errors and panics (Error). nil is slog.Default().
	Logger *slog.Logger
}

// withDefaults returns a copy of o, which may be nil, with every default set,
// or says what is wrong with it.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	if len(c.Transports) == 0 {
		return c, errors.New("engineio: Options.Transports is empty: expected polling, websocket, or nil for both")
	}
	for i, name := range c.Transports {
		if name != Polling && name != WebSocket || slices.Contains(c.Transports[:i], name) {
			return c, fmt.Errorf("engineio: Options.Transports has %q: expected polling and websocket, each once at the most", name)
		}
	}
	for _, pattern := range c.OriginPatterns {
		if err := ws.CheckOriginPattern(pattern); err != nil {
			return c, fmt.Errorf("engineio: Options.OriginPatterns: %w", err)
		}
	}
	if err := ws.CheckCompression(c.WebSocket.Compression); err != nil {
		return c, fmt.Errorf("engineio: Options.WebSocket: %w", err)
	}
	if c.Cookie != nil {
		cookie := *c.Cookie
		if cookie.Path == "" {
			cookie.Path = "/"
		}
		if cookie.SameSite == 0 {
			cookie.SameSite = http.SameSiteLaxMode
		}
		c.Cookie = &cookie
		if err := (&http.Cookie{Name: c.Cookie.Name, Value: "x", Path: c.Cookie.Path, Domain: c.Cookie.Domain}).Valid(); err != nil {
			return c, fmt.Errorf("engineio: Options.Cookie: %w", err)
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"PingInterval", &c.PingInterval, 25 * time.Second},
		{"PingTimeout", &c.PingTimeout, 20 * time.Second},
		{"UpgradeTimeout", &c.UpgradeTimeout, 10 * time.Second},
		{"CloseTimeout", &c.CloseTimeout, 30 * time.Second},
		{"BodyTimeout", &c.BodyTimeout, 30 * time.Second},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.def
		case *d.value < time.Millisecond: // what the handshake can say
			return c, fmt.Errorf("engineio: Options.%s is %v: expected a millisecond or more, or 0 for the default of %v", d.name, *d.value, d.def)
		}
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxPayload", &c.MaxPayload, 1_000_000},
		{"QueueBytes", &c.QueueBytes, 2 << 20},
	} {
		switch {
		case *n.value == 0:
			*n.value = n.def
		case *n.value < 0:
			return c, fmt.Errorf("engineio: Options.%s is %d: expected a number of bytes, or 0 for the default of %d", n.name, *n.value, n.def)
		}
	}
	if c.IdleRate == 0 {
		c.IdleRate = 20
	}
	c.CompressOver = cmp.Or(c.CompressOver, 1024)
	c.ByteRate = cmp.Or(c.ByteRate, 16<<20)
	c.AddressByteRate = cmp.Or(c.AddressByteRate, 64<<20)
	if c.MaxSessions == 0 {
		c.MaxSessions = 100_000
	}
	if c.MaxSessionsPerAddress == 0 {
		c.MaxSessionsPerAddress = 10_000
	}
	if c.Address == nil {
		c.Address = remoteHost
	}
	if c.Remote == nil {
		c.Remote = func(r *http.Request) string { return r.RemoteAddr }
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.WebSocket.MaxMessage = int64(c.MaxPayload)
	c.WebSocket.OriginPatterns = c.OriginPatterns
	c.WebSocket.RequireOrigin = c.RequireOrigin
	if c.WebSocket.PingInterval == 0 {
		c.WebSocket.PingInterval = -1
	}
	return c, nil
}

func remoteHost(r *http.Request) string {
	host, _ := address.Host(r.RemoteAddr)
	return host
}
