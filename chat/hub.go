package chat

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Options are a hub's limits and hooks. A zero limit means its default.
//
// The hooks run on the goroutine that made the session's request, with no lock
// held, so for one session one after the other if its transport makes requests
// so; one that is slow delays its own session only. They may use the session
// and the hub.
type Options struct {
	Store Store // default: a new [Memory]

	QueueBytes         int           // waiting for one session; default 1 MiB, at least 16 KiB
	QueueAge           time.Duration // of the oldest waiting packet; default 30 s
	MaxText            int           // bytes of one message; default 16 KiB
	MaxRooms           int           // with members at the same time; default 10,000
	MaxRoomsPerSession int           // default 128
	MaxMembers         int           // listed in a Joined; default 500
	History            int           // messages given on a join; default 100, negative: none
	Resume             int           // the most missed messages that a join catches up on; default 1000

	// Welcome is what greets the one who connects; default "Welcome, NAME."
	Welcome func(p Person) string

	Connected    func(s *Session)                    // after it is registered and greeted
	Disconnected func(s *Session, reason error)      // after it has left its rooms
	AllowJoin    func(s *Session, room string) error // a non-nil error refuses; its text goes to the client
	AllowSend    func(s *Session, room, text string) error
	Joined       func(s *Session, room string)
	Left         func(s *Session, room string)
	Message      func(s *Session, m *Message) // stored and sent to the room; not called for a repeated send
}

const minQueueBytes = 16 << 10

func (o Options) withDefaults() Options {
	if o.Store == nil {
		o.Store = new(Memory)
	}
	if o.Welcome == nil {
		o.Welcome = func(p Person) string { return "Welcome, " + p.Name + "." }
	}
	o.QueueBytes = max(cmp.Or(o.QueueBytes, 1<<20), minQueueBytes)
	o.QueueAge = cmp.Or(o.QueueAge, 30*time.Second)
	o.MaxText = cmp.Or(o.MaxText, 16<<10)
	o.MaxRooms = cmp.Or(o.MaxRooms, 10_000)
	o.MaxRoomsPerSession = cmp.Or(o.MaxRoomsPerSession, 128)
	o.MaxMembers = cmp.Or(o.MaxMembers, 500)
	o.History = max(cmp.Or(o.History, 100), 0)
	o.Resume = cmp.Or(o.Resume, 1000)
	return o
}

// Hub connects sessions and rooms. Its methods may be called from any
// goroutine.
type Hub struct {
	o Options

	mu       sync.Mutex
	closed   bool
	sessions map[string]*Session // by ID
	rooms    map[string]*room
	names    map[string]*nameHolder // by nameKey
}

type nameHolder struct {
	person   string
	sessions int
}

// New returns a hub. Close it in the end, for its store's sake.
func New(o Options) *Hub {
	return &Hub{
		o:        o.withDefaults(),
		sessions: make(map[string]*Session),
		rooms:    make(map[string]*room),
		names:    make(map[string]*nameHolder),
	}
}

// Connect registers a session of person, whose events are encoded by c, and
// greets it with a [Welcome]. An empty person.ID gets a random one. The error is an [*Error]: the name is not
// acceptable (CodeBadName), somebody else has it (CodeNameTaken), or the hub is
// closing (CodeUnavailable).
//
// The caller owes the session a goroutine that writes what [Session.Next] gives
// and, when the connection is over, exactly one goroutine's [Session.Close].
func (h *Hub) Connect(person Person, c Codec) (*Session, error) {
	if err := CheckName(person.Name); err != nil {
		return nil, err
	}
	if person.ID == "" {
		person.ID = rand.Text()
	}
	s := newSession(h, person, c)
	s.Emit(Welcome{You: person, Text: h.o.Welcome(person)}) // before anyone else can reach it
	if err := h.register(s); err != nil {
		return nil, err
	}
	if f := h.o.Connected; f != nil {
		f(s)
	}
	return s, nil
}

func (h *Hub) register(s *Session) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return &Error{Code: CodeUnavailable, Text: "the server is shutting down; try again soon", Err: ErrShutdown}
	}
	key := nameKey(s.person.Name)
	n := h.names[key]
	if n == nil {
		n = &nameHolder{person: s.person.ID}
		h.names[key] = n
	}
	if n.person != s.person.ID {
		return &Error{Code: CodeNameTaken, Text: fmt.Sprintf("the name %q is taken; choose another", s.person.Name)}
	}
	n.sessions++
	h.sessions[s.id] = s
	return nil
}

func (h *Hub) unregister(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s.id)
	key := nameKey(s.person.Name)
	if n := h.names[key]; n != nil {
		if n.sessions--; n.sessions == 0 {
			delete(h.names, key)
		}
	}
}

// acquire returns the room, which stays the one room of its name until as many
// releases as acquires.
func (h *Hub) acquire(name string) (*room, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[name]
	if r == nil {
		if len(h.rooms) >= h.o.MaxRooms {
			return nil, &Error{Code: CodeTooManyRooms,
				Text: fmt.Sprintf("the server has %d rooms in use, which is all it may have (option MaxRooms)", len(h.rooms))}
		}
		r = newRoom(h, name)
		h.rooms[name] = r
	}
	r.refs++
	return r, nil
}

func (h *Hub) release(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.refs--; r.refs == 0 {
		delete(h.rooms, r.name)
	}
}

// Broadcast sends b to every session but those given.
func (h *Hub) Broadcast(b Body, except ...*Session) {
	e := NewEvent(b)
	for _, s := range h.Sessions() {
		if !slices.Contains(except, s) {
			s.Deliver(e)
		}
	}
}

// ToRoom sends b to every session in a room but those given. It is not stored;
// [Hub.Publish] is.
func (h *Hub) ToRoom(name string, b Body, except ...*Session) {
	h.mu.Lock()
	r := h.rooms[name]
	if r == nil {
		h.mu.Unlock()
		return
	}
	r.refs++
	h.mu.Unlock()
	defer h.release(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(NewEvent(b), except...)
}

// ToPerson sends b to every session of one person, and reports how many there
// are.
func (h *Hub) ToPerson(id string, b Body) int {
	e, n := NewEvent(b), 0
	for _, s := range h.Sessions() {
		if s.person.ID == id {
			s.Deliver(e)
			n++
		}
	}
	return n
}

// Publish stores a message of the program's own in a room and sends it to the
// members. An id makes it safe to repeat, as in [Session.Send]; it may be
// empty. The stored message is returned; the error is an [*Error].
func (h *Hub) Publish(room string, from Person, id, text string) (*Message, error) {
	if err := CheckRoom(room); err != nil {
		return nil, err
	}
	if err := h.checkText(text); err != nil {
		return nil, err
	}
	r, err := h.acquire(room)
	if err != nil {
		return nil, err
	}
	defer h.release(r)
	p := &pending{message: &Message{Room: room, Time: time.Now().UTC(), From: from, ID: id, Text: text}}
	r.append(p)
	return p.stored.Message, p.err
}

// Sessions returns the sessions of this moment, in no order.
func (h *Hub) Sessions() []*Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.AppendSeq(make([]*Session, 0, len(h.sessions)), maps.Values(h.sessions))
}

// Count says how many sessions and rooms in use there are.
func (h *Hub) Count() (sessions, rooms int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions), len(h.rooms)
}

// Close refuses new sessions, ends those there are with ErrShutdown, and closes
// the store. The transports should have ended before: a send that comes after
// it fails.
func (h *Hub) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	for _, s := range h.Sessions() {
		s.end(ErrShutdown)
	}
	return h.o.Store.Close()
}

func asError(err error, code ErrorCode) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{Code: code, Text: err.Error(), Err: err}
}
