package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"framewright/internal/address"
	"framewright/internal/tokens"
	"framewright/socketio"
)

// A Mode says how much a page is shown.
type Mode string

// The modes.
const (
	Production  Mode = "production"  // numbers
	Development Mode = "development" // and each socket, room and event
)

// MinPassword is how many bytes a password has at least.
const MinPassword = 16

// Options of [Instrument]. A zero field has its default, but for Password or NoAuth:
// there is one of them.
type Options struct {
	// Username and Password are what the page asks for; "admin" is the default
	// Username. See [MinPassword].
	Username, Password string

	// NoAuth lets pages in without a password, if they are on this machine: client
	// and Host are loopback, and no proxy has added a header.
	NoAuth bool

	Namespace string        // default "/admin"
	Mode      Mode          // default Production
	ReadOnly  bool          // the page may look only
	ServerID  string        // default: the host's name
	Interval  time.Duration // between statistics; default 2 s, the page takes 10 s for dead

	MaxPages   int // at one time; default 8
	MaxSockets int // that a page is shown at its beginning; default 2,000
	EventRate  int // events a second that a page is shown; default 200

	// MaxPacket is about the longest packet to a page, in bytes: 64 KiB by default,
	// 8 KiB at least. It should be at most a quarter of the server's
	// Engine.QueueBytes.
	MaxPacket int

	// Address says where a socket's client is. It is shown, and wrong passwords are
	// counted by it. Default: the address of the connection, without its port.
	Address func(ctx context.Context, s *socketio.Socket) string

	// Data is shown as a socket's data, encoded as JSON; nil is nothing.
	Data func(ctx context.Context, s *socketio.Socket) any

	Logger *slog.Logger // gets who came and what was done (Info); nil is slog.Default()
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Password == "" && !o.NoAuth:
		return o, errors.New("admin: whoever connects could look at the server: expected Options.Password, or NoAuth for this machine alone")
	case o.Password != "" && o.NoAuth:
		return o, errors.New("admin: Options.Password and NoAuth exclude each other")
	case o.Password != "" && len(o.Password) < MinPassword:
		return o, fmt.Errorf("admin: Options.Password has %d bytes: expected at least %d, and random ones", len(o.Password), MinPassword)
	case o.Mode != "" && o.Mode != Production && o.Mode != Development:
		return o, fmt.Errorf("admin: Options.Mode is %q: expected %q or %q", o.Mode, Production, Development)
	case o.Interval < 0:
		return o, fmt.Errorf("admin: Options.Interval is %v: expected a time above 0, or 0 for the default", o.Interval)
	}
	for _, n := range []struct {
		name       string
		value      *int
		def, least int
	}{
		{"MaxPages", &o.MaxPages, 8, 1}, {"MaxSockets", &o.MaxSockets, 2000, 1}, {"EventRate", &o.EventRate, 200, 1}, {"MaxPacket", &o.MaxPacket, 64 << 10, leastPacket},
	} {
		*n.value = cmp.Or(*n.value, n.def)
		if *n.value < n.least {
			return o, fmt.Errorf("admin: Options.%s is %d: expected %d or more, or 0 for the default of %d", n.name, *n.value, n.least, n.def)
		}
	}
	o.Username = cmp.Or(o.Username, "admin")
	o.Namespace = cmp.Or(o.Namespace, "/admin")
	o.Mode = cmp.Or(o.Mode, Production)
	if o.ServerID == "" {
		o.ServerID = hostname()
	}
	o.Interval = cmp.Or(o.Interval, 2*time.Second)
	if o.Address == nil {
		o.Address = remoteHost
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return o, nil
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

func remoteHost(_ context.Context, s *socketio.Socket) string {
	host, _ := address.Host(s.Request().RemoteAddr)
	return host
}

// A panel is what a server has for its pages.
type panel struct {
	io    *socketio.Server
	ns    *socketio.Namespace
	o     Options
	began time.Time
	auth  authenticator

	mu    sync.Mutex
	pages map[*page]struct{}
}

// Instrument adds the namespace to which pages of the Admin UI connect. It takes the
// namespace's handlers; call it once, before the server serves. The error says which
// option makes no sense.
func Instrument(io *socketio.Server, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	p := &panel{io: io, o: o, began: time.Now(), pages: make(map[*page]struct{})}
	p.auth = authenticator{o: &p.o, wrong: tokens.Table[string]{Rate: wrongPasswords}}
	p.ns = io.Of(o.Namespace)
	p.ns.Use(p.admit)
	p.ns.OnConnect(p.connected)
	// What pages are told is not kept for those that were cut: they get everything
	// anew.
	p.ns.OnRecover(func(context.Context, *socketio.Socket, string) error { return errNotKept })
	p.commands()
	return nil
}

var errNotKept = errors.New("admin: a page is not recovered")

// admit lets a page in, or refuses it.
func (p *panel) admit(ctx context.Context, s *socketio.Socket) error {
	session, err := p.auth.admit(ctx, s)
	if err != nil {
		return err
	}
	if err := p.room(); err != nil {
		return err
	}
	s.SetValue(sessionKey{}, session)
	return nil
}

type sessionKey struct{} // of the session that a page is told

func (p *panel) room() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pages) >= p.o.MaxPages {
		return &socketio.Error{Message: fmt.Sprintf("%d pages look at the server already (option MaxPages)", p.o.MaxPages)}
	}
	return nil
}

// connected begins to tell a page of the server.
func (p *panel) connected(ctx context.Context, s *socketio.Socket) error {
	if err := p.room(); err != nil {
		return err // two came at once
	}
	v := newPage(p, s)
	p.mu.Lock()
	p.pages[v] = struct{}{}
	p.mu.Unlock()
	p.o.Logger.Info("admin: a page looks at the server", "remote", p.o.Address(ctx, s), "mode", p.o.Mode)
	session, _ := ctx.Value(sessionKey{}).(string)
	go v.run(s.Context(), session)
	return nil
}

func (p *panel) forget(v *page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pages, v)
}

// features are what the page may do and is shown, by the names that it has for them.
func (p *panel) features() []string {
	var list []string
	if !p.o.ReadOnly {
		list = []string{"EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"}
	}
	list = append(list, "AGGREGATED_EVENTS")
	if p.o.Mode == Development {
		list = append(list, "ALL_EVENTS")
	}
	return list
}
