package socketio

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"framewright/engineio"
)

// Options are the settings of a [Server]. The zero value is safe, and a nil
// *Options is the zero value. A field that is 0 has its default.
type Options struct {
	// Engine are the settings of the layer below: transports, origins,
	// heartbeats, payload and queue limits, sessions per address.
	Engine engineio.Options

	// ConnectTimeout is how long a client may take to connect to a first
	// namespace before its connection is closed: 45 s by default.
	ConnectTimeout time.Duration

	// AckTimeout is how long [Ask] waits for a client's acknowledgement: 10 s
	// by default. A context may shorten it.
	AckTimeout time.Duration

	// MaxMessage bounds one packet with its attachments, in bytes: 4 MiB by
	// default. Its text, and each attachment, are bounded by
	// Engine.MaxPayload, too.
	MaxMessage int

	// MaxAttachments, MaxArgs and MaxDepth bound an incoming packet's binary
	// attachments, its arguments and how deep its JSON is nested: 64, 64 and
	// 32 by default. A packet beyond a limit closes the connection, as any
	// that breaks the protocol does: [ParseError].
	MaxAttachments int
	MaxArgs        int
	MaxDepth       int

	// PacketRate and ByteRate are how many packets a second of every kind, and
	// how many bytes of them, one client may send in the long run; a packet's
	// attachments are packets, too. Ten seconds' worth may come at once. A
	// client that sends more is held up, before anything is parsed: it is not
	// read from until its time has come. 10,000 and 16 MiB by default, no limit
	// below 0.
	PacketRate int
	ByteRate   int

	// IdleRate is how many packets a second one client may send of which
	// nothing comes: events that have no handler, or arguments that it cannot
	// take; acknowledgements that nobody waits for; CONNECTs to a namespace
	// that there is not, and whatever is sent to one that was left. Other
	// CONNECTs count as 25. Ten seconds' worth may come at once; more closes
	// the connection: [Flood]. 100 by default, no limit below 0.
	IdleRate int

	// MaxWaiting is how many events of one socket may wait for their handlers
	// before no more are read from its connection: 64 by default.
	MaxWaiting int

	// MaxAsks is how many [Ask] may wait for one socket: 1,000 by default.
	MaxAsks int

	// MaxRooms is how many rooms one socket may be in: 1,000 by default.
	MaxRooms int

	// Recovery turns connection state recovery on; nil is off.
	Recovery *Recovery

	// Logger gets what handlers fail with (Info), their panics (Error), and
	// what clients did wrong (Info). nil is slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxMessage", &o.MaxMessage, 4 << 20}, {"MaxAttachments", &o.MaxAttachments, 64}, {"MaxArgs", &o.MaxArgs, 64},
		{"MaxDepth", &o.MaxDepth, 32}, {"MaxWaiting", &o.MaxWaiting, 64}, {"MaxAsks", &o.MaxAsks, 1000}, {"MaxRooms", &o.MaxRooms, 1000},
	} {
		if *n.value < 0 {
			return o, fmt.Errorf("socketio: Options.%s is %d: expected a number above 0, or 0 for the default of %d", n.name, *n.value, n.def)
		}
		*n.value = cmp.Or(*n.value, n.def)
	}
	if o.ConnectTimeout < 0 || o.AckTimeout < 0 {
		return o, errors.New("socketio: Options.ConnectTimeout and AckTimeout: expected a time above 0, or 0 for the default")
	}
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 45*time.Second)
	o.AckTimeout = cmp.Or(o.AckTimeout, 10*time.Second)
	if r := o.Recovery; r != nil && (r.Seal == nil) != (r.Open == nil) {
		return o, errors.New("socketio: Recovery.Seal and Open go together: one makes the secrets that the other reads")
	}
	if o.Recovery != nil {
		o.Recovery = o.Recovery.withDefaults()
	}
	o.PacketRate = cmp.Or(o.PacketRate, 10_000)
	o.ByteRate = cmp.Or(o.ByteRate, 16<<20)
	o.IdleRate = cmp.Or(o.IdleRate, 100)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Engine.Logger == nil {
		o.Engine.Logger = o.Logger
	}
	return o, nil
}

func newID() string { return rand.Text() }

const maxNamespace = 128 // bytes of a namespace's name

func (o *Options) limits() limits {
	return limits{depth: o.MaxDepth, args: o.MaxArgs + 1, attachments: o.MaxAttachments, namespace: maxNamespace}
}

// A Server is an http.Handler that speaks Socket.IO v5, for the path
// /socket.io/ as a rule. The methods and handlers of its embedded Namespace are
// those of the namespace "/".
type Server struct {
	*Namespace
	o       Options
	engine  *engineio.Server
	running tally // goroutines of jobs

	watching atomic.Pointer[[]*Watcher] // watchers, for who does not hold mu

	mu         sync.RWMutex
	namespaces map[string]*Namespace
	watchers   []*Watcher
}

// New returns a server; o may be nil. The error says which option makes no
// sense.
func New(o *Options) (*Server, error) {
	if o == nil {
		o = new(Options)
	}
	s := &Server{namespaces: make(map[string]*Namespace)}
	var err error
	if s.o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if s.engine, err = engineio.NewReceiverServer(s.opened, &s.o.Engine); err != nil {
		return nil, err
	}
	s.Namespace = s.Of("/")
	return s, nil
}

// Of returns the namespace of this name, which begins with a slash. Until Of
// was called for it, clients are told that it is invalid. It panics for a name
// that no client could use.
func (s *Server) Of(name string) *Namespace {
	if err := checkNamespace(name); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.namespaces[name]
	if n == nil {
		n = newNamespace(s, name)
		n.watchers = s.watchers
		s.namespaces[name] = n
	}
	return n
}

// Namespaces returns those that [Server.Of] has made, sorted by name.
func (s *Server) Namespaces() []*Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	byName := func(a, b *Namespace) int { return strings.Compare(a.name, b.name) }
	return slices.SortedFunc(maps.Values(s.namespaces), byName)
}

func (s *Server) namespace(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}

// ServeHTTP serves a client's polling requests and WebSocket connections.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Count returns the number of clients that are connected, whatever their
// transport.
func (s *Server) Count() int { return s.engine.Count() }

// Has reports whether there is an Engine.IO session of this id.
func (s *Server) Has(session string) bool { return s.engine.Has(session) }

// Shutdown refuses new clients, closes the connections of those there are, and
// waits for their handlers until ctx ends. Clients connect again by themselves.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.engine.Shutdown(ctx)
	return errors.Join(err, s.running.wait(ctx))
}
