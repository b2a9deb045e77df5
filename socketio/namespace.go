package socketio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Namespace is one of the channels that share a connection: its own sockets,
// rooms and handlers. [Server.Of] makes one. Its methods may be called from any
// goroutine.
type Namespace struct {
	server *Server
	name   string

	setup      sync.RWMutex
	handlers   map[string]handler
	any        func(context.Context, *Socket, string, Args) (Reply, error)
	gates      []func(context.Context, *Socket, string, Args) error // UseEvents
	failed     func(context.Context, *Socket, string, error) error  // OnError
	middleware []func(context.Context, *Socket) error
	connect    func(context.Context, *Socket) error
	disconnect func(context.Context, *Socket, Reason)
	recover    func(context.Context, *Socket, string) error // OnRecover

	// mu orders what is sent to more than one socket: everyone gets it in the
	// same order, and nothing falls between a log that is replayed and the
	// first live event. Sending only fills queues, so it is held shortly.
	mu      sync.Mutex
	sockets map[string]*Socket // by ID
	rooms   map[string]map[*Socket]struct{}
	log     eventLog // with Options.Recovery

	watchers []*Watcher // who writes holds both setup and mu, who reads one of them
}

func newNamespace(s *Server, name string) *Namespace {
	n := &Namespace{
		server: s, name: name,
		handlers: make(map[string]handler), sockets: make(map[string]*Socket), rooms: make(map[string]map[*Socket]struct{}),
	}
	n.log.init(s.o.Recovery)
	return n
}

// Name begins with a slash.
func (n *Namespace) Name() string { return n.name }

func (n *Namespace) handle(event string, h handler) {
	if slices.Contains(reserved, event) {
		panic(fmt.Sprintf("socketio: On %q: no client can send an event of this name; see OnConnect, OnDisconnect and Use", event))
	}
	n.setup.Lock()
	defer n.setup.Unlock()
	n.handlers[event] = h
}

// Use adds a function that each client must pass to be connected, in the order
// they were added. Here the program authenticates: see [Socket.DecodeAuth],
// [Socket.Request] and [Socket.SetValue]. An error refuses the client: an
// [*Error] with its message and data, any other with "internal error". f cannot
// send to the socket yet.
func (n *Namespace) Use(f func(ctx context.Context, s *Socket) error) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.middleware = append(slices.Clip(n.middleware), f)
}

// OnConnect has f called with each socket that has just been connected, before
// the first of its events. An error is logged and disconnects it.
func (n *Namespace) OnConnect(f func(ctx context.Context, s *Socket) error) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.connect = f
}

// OnDisconnect has f called with each socket that was connected, when it is not
// any more, as the last of its handlers. Its rooms are still listed, but it is
// not in them. ctx has the socket's values and is over already.
func (n *Namespace) OnDisconnect(f func(ctx context.Context, s *Socket, why Reason)) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.disconnect = f
}

// OnRecover replaces the namespace's log: for a program that has a history of
// its own, with offsets of its own: see [Prepared.At]. With [Options.Recovery],
// f is called with each socket whose client comes back in time. since is the
// last offset that the client has received, or the socket's at its beginning:
// see [Socket.SetOffset]. f sends what came after it, before the client is told
// that it is connected. An error means that f cannot, and the client is
// connected as a new one. Other events in such a namespace should not end with
// a string: the client would take it for an offset.
//
// A client may bring an offset from before the socket's beginning. It gets the
// beginning then, if offsets are written as the log's own are: two numbers in
// base 36 with a hyphen between them, the first always the same in one history,
// the second growing.
func (n *Namespace) OnRecover(f func(ctx context.Context, s *Socket, since string) error) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.recover = f
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log.foreign = true
}

// Sockets returns the sockets of this moment, in no order.
func (n *Namespace) Sockets() []*Socket { return n.all().Sockets() }

func (n *Namespace) all() Target { return Target{ns: n} }

// Emit sends an event to all sockets of the namespace. The error says what
// cannot be encoded.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// To is all sockets that are in at least one of the rooms.
func (n *Namespace) To(rooms ...string) Target { return n.all().To(rooms...) }

// Except is all sockets that are in none of the rooms.
func (n *Namespace) Except(rooms ...string) Target { return n.all().Except(rooms...) }

// Volatile is all sockets, see [Target.Volatile].
func (n *Namespace) Volatile() Target { return n.all().Volatile() }

// Rooms returns the rooms that have a socket in them, sorted, without the sockets' own.
func (n *Namespace) Rooms() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for r, in := range n.rooms {
		if s := n.sockets[r]; s != nil {
			if _, own := in[s]; own && len(in) == 1 {
				continue
			}
		}
		names = append(names, r)
	}
	slices.Sort(names)
	return names
}

// CloseRoom takes all sockets out of a room, which ends it.
func (n *Namespace) CloseRoom(room string) { n.To(room).Leave(room) }

// enter makes s reachable. The caller holds mu.
func (n *Namespace) enter(s *Socket, rooms []string) {
	n.sockets[s.id] = s
	for _, r := range append(rooms, s.id) {
		n.join(s, r)
	}
}

// join adds s to a room. The caller holds mu.
func (n *Namespace) join(s *Socket, room string) {
	m := n.rooms[room]
	if m == nil {
		m = make(map[*Socket]struct{})
		n.rooms[room] = m
	}
	m[s] = struct{}{}
	if len(n.watchers) > 0 {
		n.tellJoined(s, room)
	}
	s.rooms[room] = struct{}{}
}

// leave takes s out of a room, which ends with its last member. The caller
// holds mu.
func (n *Namespace) leave(s *Socket, room string) {
	delete(n.rooms[room], s)
	if len(n.rooms[room]) == 0 {
		delete(n.rooms, room)
	}
	if len(n.watchers) > 0 {
		n.tellLeft(s, room)
	}
}

// A Target is a choice of sockets of one namespace; the zero value is none. Its
// methods return a narrower or wider choice and leave it as it is.
type Target struct {
	ns       *Namespace
	rooms    []string // empty: everyone
	except   []string
	volatile bool
}

// To adds the sockets that are in one of the rooms. Without any To, the target
// is everyone. A socket's ID is a room with only itself in it.
func (t Target) To(rooms ...string) Target {
	t.rooms = append(slices.Clip(t.rooms), rooms...)
	return t
}

// Except leaves out the sockets that are in one of the rooms.
func (t Target) Except(rooms ...string) Target {
	t.except = append(slices.Clip(t.except), rooms...)
	return t
}

// Volatile lets what is emitted be lost on sockets that cannot take it at once:
// a position that the next one will replace.
func (t Target) Volatile() Target {
	t.volatile = true
	return t
}

// Emit sends an event to the target's sockets. It never waits: a client that
// reads too slowly is cut by its Engine.IO session. The error says what cannot
// be encoded.
func (t Target) Emit(event string, args ...any) error {
	if t.ns == nil {
		return nil
	}
	e, err := encodeEvent(t.ns.name, noID, event, args)
	if err != nil {
		return err
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	e = t.ns.log.add(e, t)
	t.each(func(s *Socket) { s.deliver(e, t.volatile) })
	return nil
}

// Sockets returns the sockets that the target is now, in no order.
func (t Target) Sockets() []*Socket {
	if t.ns == nil {
		return nil
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	return t.list()
}

// Count is how many sockets the target is now.
func (t Target) Count() (n int) {
	if t.ns == nil {
		return 0
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	t.each(func(*Socket) { n++ })
	return n
}

// Join puts the target's sockets into rooms. The error is of those that would be in more
// than [Options.MaxRooms]; the others have joined.
func (t Target) Join(rooms ...string) error {
	if t.ns == nil {
		return nil
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	var errs []error
	for _, s := range t.list() {
		if err := s.join(rooms); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 1 {
		return fmt.Errorf("%w; the same with %d others", errs[0], len(errs)-1)
	}
	return errors.Join(errs...)
}

// Leave takes the target's sockets out of rooms.
func (t Target) Leave(rooms ...string) {
	if t.ns == nil {
		return
	}
	t.ns.mu.Lock()
	defer t.ns.mu.Unlock()
	for _, s := range t.list() {
		s.leave(rooms)
	}
}

// Disconnect is [Socket.Disconnect] of each of the target's sockets.
func (t Target) Disconnect() {
	for _, s := range t.Sockets() {
		s.Disconnect()
	}
}

// Drop is [Socket.Drop] of each of the target's sockets.
func (t Target) Drop() {
	for _, s := range t.Sockets() {
		s.Drop()
	}
}

// list is each once, for who changes rooms meanwhile. The caller holds the namespace's mu.
func (t Target) list() (all []*Socket) {
	t.each(func(s *Socket) { all = append(all, s) })
	return all
}

// each calls f for each socket once. The caller holds the namespace's mu.
func (t Target) each(f func(*Socket)) {
	out := func(s *Socket) bool {
		return slices.ContainsFunc(t.except, func(r string) bool { _, in := s.rooms[r]; return in })
	}
	switch len(t.rooms) {
	case 0:
		for _, s := range t.ns.sockets {
			if !out(s) {
				f(s)
			}
		}
	case 1:
		for s := range t.ns.rooms[t.rooms[0]] {
			if !out(s) {
				f(s)
			}
		}
	default:
		seen := make(map[*Socket]struct{})
		for _, r := range t.rooms {
			maps.Copy(seen, t.ns.rooms[r])
		}
		for s := range seen {
			if !out(s) {
				f(s)
			}
		}
	}
}

// includes tells whether a socket in these rooms belongs to t.
func (t Target) includes(rooms map[string]struct{}) bool {
	in := func(r string) bool { _, ok := rooms[r]; return ok }
	return (len(t.rooms) == 0 || slices.ContainsFunc(t.rooms, in)) && !slices.ContainsFunc(t.except, in)
}

// encodeEvent refuses the names that the client makes itself.
func encodeEvent(namespace string, id int64, event string, args []any) (*encoded, error) {
	if err := checkEvent(event); err != nil {
		return nil, err
	}
	return encode(typeEvent, namespace, id, append([]any{event}, args...)...)
}

// checkEvent says what is wrong with an event's name.
func checkEvent(event string) error {
	if slices.Contains(reserved, event) {
		return fmt.Errorf("socketio: an event cannot be called %q, that is the client's own", event)
	}
	return nil
}

// checkNamespace says what is wrong with a name.
func checkNamespace(name string) error {
	if !strings.HasPrefix(name, "/") || strings.ContainsAny(name, ",?#\x1e") || !utf8.ValidString(name) || len(name) > maxNamespace {
		return fmt.Errorf("socketio: a namespace's name begins with a slash, has no comma, ? or # and at most %d bytes, unlike %.80q", maxNamespace, name)
	}
	return nil
}
