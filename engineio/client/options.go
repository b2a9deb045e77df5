package client

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Options are the settings of a connection. The zero value is safe, and a nil
// *Options is the zero value. A field that is 0 has its default.
type Options struct {
	// Path is where Engine.IO is looked for if the URL has no path:
	// "/engine.io/" by default.
	Path string

	// Transports are those that may be used, [engineio.Polling] and
	// [engineio.WebSocket] by default. The session begins with the first; one that
	// begins with polling moves to a WebSocket if that is among them and the server
	// offers it.
	Transports []string

	// NoUpgrade keeps a session on the transport that it began with.
	NoUpgrade bool

	// HTTPClient makes all requests, the opening handshake of the WebSocket
	// included: its transport is where proxies, TLS settings and connections that
	// are no network (DialContext) come from, its Jar where a balancer's cookie is
	// kept. nil is one with the settings of http.DefaultTransport that follows no
	// redirects, takes at most 64 KiB of headers and keeps no cookies, and whose
	// connections are closed with the session.
	HTTPClient *http.Client

	// Header is what every request has besides, such as Authorization or Origin.
	Header http.Header

	// ConnectTimeout bounds the handshake, 20 s by default, and UpgradeTimeout an
	// upgrade to WebSocket: 10 s by default. The session stays on polling if that
	// passes.
	ConnectTimeout time.Duration
	UpgradeTimeout time.Duration

	// BodyTimeout bounds the time that the body of one answer by polling may take,
	// from its headers to its end: 30 s by default.
	BodyTimeout time.Duration

	// CloseTimeout bounds Close: what was queued goes out, and the server is told.
	// 5 s by default.
	CloseTimeout time.Duration

	// MaxSilence bounds how long a server may want to be silent, the pingInterval
	// and pingTimeout of its handshake together: 10 min by default. A server that
	// wants more is refused: its death would not be noticed.
	MaxSilence time.Duration

	// MaxPayload is the longest answer by polling, unpacked, and the longest
	// WebSocket message, that is received, in bytes: 16 MiB by default. A longer
	// one ends the session. It also bounds what waits for Receive.
	MaxPayload int

	// QueueBytes bounds what waits to be sent, in bytes and with 64 added for each
	// packet: 2 MiB by default. Send refuses what does not fit: [ErrFull].
	QueueBytes int

	// IdleRate is how many packets and answers a second the server may send in the
	// long run of which nothing comes: pings while the last one's pong has not gone
	// out yet, noops, packets that mean nothing from a server. 20 by default, no
	// limit below 0. Ten seconds' worth may come at once. More end the session:
	// [engineio.Flood].
	IdleRate int

	// WebSocket are the options of the WebSocket: compression, for example. Its
	// HTTPClient, Header and MaxMessage come from the fields above, and its
	// keepalive is off unless PingInterval is set, as the protocol has its own.
	// So is its WriteTimeout: a server that makes its client wait, and pings it,
	// is alive.
	WebSocket wsnet.DialOptions
}

// withDefaults returns a copy of o, which may be nil, with every default set, or
// says what is wrong with it.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Transports == nil {
		c.Transports = []string{engineio.Polling, engineio.WebSocket}
	}
	if len(c.Transports) == 0 {
		return c, errors.New("engineio: Options.Transports is empty: expected polling, websocket, or nil for both")
	}
	for i, name := range c.Transports {
		if name != engineio.Polling && name != engineio.WebSocket || slices.Contains(c.Transports[:i], name) {
			return c, fmt.Errorf("engineio: Options.Transports has %q: expected polling and websocket, each once at the most", name)
		}
	}
	if err := ws.CheckCompression(c.WebSocket.Compression); err != nil {
		return c, fmt.Errorf("engineio: Options.WebSocket: %w", err)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"ConnectTimeout", &c.ConnectTimeout, 20 * time.Second},
		{"UpgradeTimeout", &c.UpgradeTimeout, 10 * time.Second},
		{"BodyTimeout", &c.BodyTimeout, 30 * time.Second},
		{"CloseTimeout", &c.CloseTimeout, 5 * time.Second},
		{"MaxSilence", &c.MaxSilence, 10 * time.Minute},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("engineio: Options.%s is %v: expected a time above 0, or 0 for the default of %v", d.name, *d.value, d.def)
		}
		*d.value = cmp.Or(*d.value, d.def)
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxPayload", &c.MaxPayload, 16 << 20},
		{"QueueBytes", &c.QueueBytes, 2 << 20},
	} {
		if *n.value < 0 {
			return c, fmt.Errorf("engineio: Options.%s is %d: expected a number of bytes, or 0 for the default of %d", n.name, *n.value, n.def)
		}
		*n.value = cmp.Or(*n.value, n.def)
	}
	c.Path = cmp.Or(c.Path, "/engine.io/")
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#") {
		return c, fmt.Errorf("engineio: Options.Path is %q: expected a path that begins with a slash", c.Path)
	}
	c.IdleRate = cmp.Or(c.IdleRate, 20)
	c.WebSocket.Header = c.Header
	c.WebSocket.MaxMessage = int64(c.MaxPayload)
	c.WebSocket.PingInterval = cmp.Or(c.WebSocket.PingInterval, -1)
	c.WebSocket.WriteTimeout = cmp.Or(c.WebSocket.WriteTimeout, -1)
	return c, nil
}

// reserved are the parts of the query that the protocol has.
var reserved = []string{"EIO", "transport", "sid"}

// address is the URL of Engine.IO for what the caller has given.
func (o *Options) address(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("engineio: the URL %q: expected http, https, ws or wss", clip(rawURL))
	}
	if u.Host == "" {
		return nil, fmt.Errorf("engineio: the URL %q has no host", clip(rawURL))
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = o.Path, ""
	}
	if !strings.HasSuffix(u.Path, "/") { // servers have it so
		u = u.JoinPath("/")
	}
	q := u.Query()
	for _, name := range reserved {
		if q.Has(name) {
			return nil, fmt.Errorf("engineio: the URL %q has the parameter %q, which is the protocol's own", clip(rawURL), name)
		}
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// clip bounds what a message quotes.
func clip(s string) string { return s[:min(len(s), 200)] }

// Check says what is wrong with o, which may be nil, or with a URL for Dial.
func (o *Options) Check(rawURL string) error {
	c, err := o.withDefaults()
	if err == nil {
		_, err = c.address(rawURL)
	}
	return err
}
