package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Socket is one client in one namespace. Its methods may be called from any
// goroutine, in handlers and outside.
type Socket struct {
	client *client
	ns     *Namespace
	id     string
	pid    string // the secret with which the client may come back; "" without recovery
	auth   []byte
	back   bool
	born   int64 // in milliseconds

	// The namespace's mu guards these.
	rooms  map[string]struct{}
	state  state
	base   string // offset before its first event
	virgin bool   // no event with an offset of its own yet
	was    bool   // connected at some time

	mu     sync.Mutex
	values context.Context // what SetValue has put there
	ctx    context.Context // values, and ends with the socket
	cancel context.CancelCauseFunc
	acks   map[int64]chan Args
	lastID int64

	jobs jobs
}

type state uint8

const (
	connecting state = iota // in the Use functions
	recovering              // in OnRecover: may be sent to, and is not reachable yet
	connected
	over
)

func newSocket(c *client, n *Namespace, auth []byte) *Socket {
	s := &Socket{client: c, ns: n, id: newID(), auth: auth, born: time.Now().UnixMilli(), rooms: make(map[string]struct{}), acks: make(map[int64]chan Args)}
	s.values = context.WithoutCancel(c.ctx)
	s.ctx, s.cancel = context.WithCancelCause(s.values)
	return s
}

// ID is the socket's own in its namespace, random, and what the client knows
// as socket.id. It is not a secret from others whom the program tells it.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket is.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Recovered tells whether the client came back to the state that it left: see
// [Recovery].
func (s *Socket) Recovered() bool { return s.back }

// Session is the beginning of the client's Engine.IO session's ID: the same for its sockets
// in all namespaces, as in the log, and too little to speak as the client.
func (s *Socket) Session() string { return label(s.client.engine) }

// Transport is what the client is connected by now: [engineio.Polling] or
// [engineio.WebSocket].
func (s *Socket) Transport() string { return s.client.engine.Transport() }

// Since is when the client asked to be connected, to the millisecond.
func (s *Socket) Since() time.Time { return time.UnixMilli(s.born) }

// Request is the handshake's request: its headers, cookies and query. Its body
// and its context are over.
func (s *Socket) Request() *http.Request { return s.client.engine.Request() }

// DecodeAuth stores what the client has sent as auth, a JSON object, in what v
// points to; if it has sent nothing, v stays as it is. The error is an
// [*Error].
func (s *Socket) DecodeAuth(v any) error {
	if s.auth == nil {
		return nil
	}
	err := halfPair(s.auth)
	if err == nil {
		err = json.Unmarshal(s.auth, v)
	}
	if err != nil {
		return &Error{Message: "auth: " + cause(err), Err: err}
	}
	return nil
}

// Context ends when the socket is disconnected. It has what SetValue has set,
// and the values that the Engine.IO session's Connect function gave. Handlers
// get it.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// SetValue makes value part of the contexts of handlers that begin after it,
// under key, as [context.WithValue] does. A socket that is recovered has its
// values again.
func (s *Socket) SetValue(key, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = context.WithValue(s.values, key, value)
	s.ctx = context.WithValue(s.ctx, key, value)
}

// ownValues is a context with what SetValue has set, and without an end.
func (s *Socket) ownValues() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values
}

// Emit sends an event to this socket. A []byte among or inside the arguments,
// at any depth, goes as a binary attachment. The error is [ErrClosed] or says
// what cannot be encoded. It never waits: a client that lets more wait than its
// Engine.IO session's QueueBytes is cut.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(event, args, false)
}

// EmitVolatile is Emit for what may be lost if the socket cannot take it at
// once.
func (s *Socket) EmitVolatile(event string, args ...any) error {
	return s.emit(event, args, true)
}

func (s *Socket) emit(event string, args []any, volatile bool) error {
	e, err := encodeEvent(s.ns.name, noID, event, args)
	if err != nil {
		return err
	}
	return s.send(e, volatile)
}

// send sends e to this socket alone.
func (s *Socket) send(e *encoded, volatile bool) error {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return s.sendLocked(e, volatile)
}

// sendLocked is send for who holds the namespace's mu.
func (s *Socket) sendLocked(e *encoded, volatile bool) error {
	if s.state != connected && s.state != recovering {
		return ErrClosed
	}
	if s.state == connected && e.marked == nil {
		own := *e // a prepared event is others', too
		e = s.ns.log.add(&own, Target{ns: s.ns, rooms: []string{s.id}, volatile: volatile})
	}
	return s.deliver(e, volatile)
}

// deliver puts e on the socket's way. The caller holds the namespace's mu.
func (s *Socket) deliver(e *encoded, volatile bool) error {
	if len(s.ns.watchers) > 0 {
		s.ns.tellSent(s, e)
	}
	if s.pid != "" {
		if e.marked != nil {
			e = e.marked
		}
		s.virgin = s.virgin && !e.place
	}
	if volatile {
		s.client.engine.SendVolatile(e.prepared)
		return nil
	}
	if err := s.client.engine.SendPrepared(e.prepared); err != nil {
		if s.client.engine.Err() != nil {
			return ErrClosed
		}
		return err
	}
	return nil
}

// ask sends an event and waits for its acknowledgement.
func (s *Socket) ask(ctx context.Context, event string, args []any) (Args, error) {
	q := s.question()
	if q.err == nil {
		var e *encoded
		if e, q.err = encodeEvent(s.ns.name, q.id, event, args); q.err == nil {
			e.asks = true
			q.err = s.send(e, false)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.ns.server.o.AckTimeout, ErrNoAnswer)
	defer cancel()
	return q.wait(ctx)
}

func tooManyAsks(most int) error {
	return fmt.Errorf("socketio: %d events wait for this client's acknowledgement already (option MaxAsks)", most)
}

// acknowledged hands an acknowledgement to who waits for it. One that nobody
// waits for, or not any more, is of no use: then it reports false.
func (s *Socket) acknowledged(id int64, a Args) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.acks[id]
	if c == nil {
		return false
	}
	delete(s.acks, id)
	c <- a
	return true
}

// Join puts the socket into rooms, names of the program's own. The error is
// [ErrClosed], or says that the socket would be in more than [Options.MaxRooms].
func (s *Socket) Join(rooms ...string) error {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return s.join(rooms)
}

// join is Join for who holds the namespace's mu.
func (s *Socket) join(rooms []string) error {
	if s.state != connected {
		return ErrClosed
	}
	for _, r := range rooms {
		if _, in := s.rooms[r]; !in && len(s.rooms) > s.ns.server.o.MaxRooms {
			return fmt.Errorf("socketio: the socket is in %d rooms already (option MaxRooms)", s.ns.server.o.MaxRooms)
		}
		s.ns.join(s, r)
	}
	return nil
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	s.leave(rooms)
}

// leave is Leave for who holds the namespace's mu.
func (s *Socket) leave(rooms []string) {
	for _, r := range rooms {
		if _, in := s.rooms[r]; in && r != s.id {
			s.ns.leave(s, r)
			delete(s.rooms, r)
		}
	}
}

// Rooms returns the rooms that the socket is in, sorted, without its own.
func (s *Socket) Rooms() []string {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return s.roomList()
}

func (s *Socket) roomList() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.rooms)), func(r string) bool { return r == s.id })
}

// Broadcast is all sockets of the namespace but this one.
func (s *Socket) Broadcast() Target { return s.ns.Except(s.id) }

// To is all sockets in at least one of the rooms but this one.
func (s *Socket) To(rooms ...string) Target { return s.Broadcast().To(rooms...) }

// Disconnect ends the socket: the client is told, after what was sent before,
// and does not connect again by itself.
func (s *Socket) Disconnect() {
	if s.end(ServerDisconnect) {
		s.client.tell(packet{typ: typeDisconnect, namespace: s.ns.name, id: noID})
	}
}

// DisconnectClient is Disconnect of all sockets that the client has, and closes its
// connection.
func (s *Socket) DisconnectClient() {
	for _, one := range s.client.list() {
		one.Disconnect()
	}
	s.Drop()
}

// Drop closes the client's connection, after what was sent before, and so ends
// its sockets in all namespaces. Unlike after Disconnect, the client connects
// again by itself, and may be recovered.
func (s *Socket) Drop() { s.client.engine.Close() }

// Ready waits until at least half of what may wait to be sent to the client is
// free. Who sends much to one client, such as a history, waits for it in
// between. The error is ctx's or [ErrClosed].
func (s *Socket) Ready(ctx context.Context) error {
	err := s.client.engine.Ready(ctx)
	if err != nil && s.client.engine.Err() != nil {
		return ErrClosed
	}
	return err
}

// end takes the socket out of its namespace and has OnDisconnect called. It
// reports whether the socket was connected until now.
func (s *Socket) end(why Reason) bool {
	n := s.ns
	n.mu.Lock()
	was := s.state
	s.state = over
	if was == connected {
		s.detach(why)
	}
	n.mu.Unlock()
	if was == over {
		return false
	}
	s.mu.Lock()
	s.cancel(&ClosedError{why})
	s.mu.Unlock()
	s.client.forget(s)
	if was != connected {
		return false
	}
	s.jobs.last(s, func() {
		n.setup.RLock()
		f := n.disconnect
		n.setup.RUnlock()
		if f == nil {
			return
		}
		if err := contained(func() error { f(s.Context(), s, why); return nil }); err != nil {
			s.failed("OnDisconnect", err)
		}
	})
	return true
}

// detach makes the socket unreachable. The caller holds the namespace's mu.
func (s *Socket) detach(why Reason) {
	n := s.ns
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
	}
	if len(n.watchers) > 0 {
		n.tellDisconnected(s, why)
	}
	for r := range s.rooms {
		n.leave(s, r)
	}
	if s.pid != "" {
		delete(n.log.live, s.pid)
		if why.recoverable() {
			n.log.keep(s)
		}
	}
}

// failed logs an error of the program's.
func (s *Socket) failed(where string, err error) {
	log := s.ns.server.o.Logger
	if e, ok := errors.AsType[*errPanic](err); ok {
		log.Error("socketio: panic", "remote", s.client.engine.Remote(), "in", where, "namespace", s.ns.name, "socket", s.id, "panic", e.value, "stack", string(e.stack))
		return
	}
	log.Info("socketio: handler failed", "remote", s.client.engine.Remote(), "in", where, "namespace", s.ns.name, "socket", s.id, "err", err)
}
