package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	engine "framewright/engineio/client"
	"framewright/socketio"
)

// Options are the settings of a [Client]. The zero value is safe, and a nil *Options
// is the zero value. A field that is 0 has its default.
type Options struct {
	// Engine are the settings of the layer below: transports, headers, the HTTP
	// client (and with it proxies, TLS, connections in memory), payload and queue
	// limits. Its Path is "/socket.io/" by default.
	Engine engine.Options

	// Auth goes with every CONNECT, as JSON that is an object; nil is none. AuthFunc,
	// if not nil, takes its place: it is asked before every CONNECT, also when the
	// client comes back, so that a token may be new each time. An error fails this
	// attempt.
	Auth     any
	AuthFunc func(ctx context.Context, namespace string) (any, error)

	// ConnectTimeout is how long the server may take to answer a CONNECT: 20 s by
	// default. How long the connection below may take is Engine.ConnectTimeout.
	ConnectTimeout time.Duration

	// AckTimeout is how long [Ask] waits for the server's acknowledgement, the time
	// until it can be asked included: 10 s by default. A context may shorten it.
	AckTimeout time.Duration

	// KeepTrying has [Socket.Connect] try until its context ends, for programs that
	// may be up before their server. Without it, Connect says why the first attempt
	// failed. A refusal of the namespace ends it either way.
	KeepTrying bool

	// NoReconnect ends all when the connection is lost. Otherwise the client comes
	// back: it waits ReconnectDelay before the first attempt and twice as long before
	// each further one, up to ReconnectDelayMax, and a random half more or less of
	// that, so that a server which was away does not have all its clients at once:
	// 1 s and 5 s by default. After MaxAttempts attempts in a row that came to
	// nothing it gives up; 0 is no limit.
	NoReconnect       bool
	ReconnectDelay    time.Duration
	ReconnectDelayMax time.Duration
	MaxAttempts       int

	// BufferBytes bounds what one socket may emit while it is away, which is sent
	// when it is back: 1 MiB by default, nothing below 0. Emit refuses what does not
	// fit: [ErrAway].
	BufferBytes int

	// MaxMessage bounds one packet from the server with its attachments, in bytes:
	// 16 MiB by default. Its text, and each attachment, are bounded by
	// Engine.MaxPayload, too.
	MaxMessage int

	// MaxAttachments, MaxArgs and MaxDepth bound an incoming packet's binary
	// attachments, its arguments and how deep its JSON is nested: 64, 64 and 32 by
	// default. A packet beyond a limit closes the connection, as any that breaks the
	// protocol does: [ParseError].
	MaxAttachments int
	MaxArgs        int
	MaxDepth       int

	// IdleRate is how many packets a second the server may send of which nothing
	// comes: acknowledgements that nobody waits for, packets for a namespace that was
	// left. Ten seconds' worth may come at once; more closes the connection: [Flood].
	// 100 by default, no limit below 0. Events that have no handler are not among
	// them: a server tells all its clients the same, and a program picks what it
	// wants.
	IdleRate int

	// MaxWaiting is how many events of one socket may wait for their handlers before
	// no more are read from the connection: 64 by default.
	MaxWaiting int

	// MaxAsks is how many [Ask] may wait on one socket: 1,000 by default.
	MaxAsks int

	// Logger gets what handlers fail with (Info), their panics (Error), and why a
	// connection was lost (Info). nil is slog.Default().
	Logger *slog.Logger
}

// withDefaults returns a copy of o, which may be nil, with every default set, or
// says what is wrong with it.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxMessage", &c.MaxMessage, 16 << 20}, {"MaxAttachments", &c.MaxAttachments, 64}, {"MaxArgs", &c.MaxArgs, 64},
		{"MaxDepth", &c.MaxDepth, 32}, {"MaxWaiting", &c.MaxWaiting, 64}, {"MaxAsks", &c.MaxAsks, 1000},
	} {
		if *n.value < 0 {
			return c, fmt.Errorf("socketio: Options.%s is %d: expected a number above 0, or 0 for the default of %d", n.name, *n.value, n.def)
		}
		*n.value = cmp.Or(*n.value, n.def)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"ConnectTimeout", &c.ConnectTimeout, 20 * time.Second}, {"AckTimeout", &c.AckTimeout, 10 * time.Second},
		{"ReconnectDelay", &c.ReconnectDelay, time.Second}, {"ReconnectDelayMax", &c.ReconnectDelayMax, 5 * time.Second},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("socketio: Options.%s is %v: expected a time above 0, or 0 for the default of %v", d.name, *d.value, d.def)
		}
		*d.value = cmp.Or(*d.value, d.def)
	}
	if c.MaxAttempts < 0 {
		return c, fmt.Errorf("socketio: Options.MaxAttempts is %d: expected a number above 0, or 0 for no limit; NoReconnect is for none", c.MaxAttempts)
	}
	if c.Auth != nil && c.AuthFunc != nil {
		return c, errors.New("socketio: Options.Auth and Options.AuthFunc are both set: expected one of them")
	}
	c.ReconnectDelayMax = max(c.ReconnectDelay, c.ReconnectDelayMax)
	c.BufferBytes = cmp.Or(c.BufferBytes, 1<<20)
	c.IdleRate = cmp.Or(c.IdleRate, 100)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.Engine.Path = cmp.Or(c.Engine.Path, "/socket.io/")
	return c, nil
}

func (o *Options) limits() socketio.Limits {
	return socketio.Limits{Message: o.MaxMessage, Attachments: o.MaxAttachments, Args: o.MaxArgs, Depth: o.MaxDepth}
}
