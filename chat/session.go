package chat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Session is one connection of one person. A transport's reader makes the
// client's requests on it, in order, by way of [Session.Do]; its writer takes
// from Next. Every method may be called from any goroutine.
type Session struct {
	hub       *Hub
	id        string
	person    atomic.Pointer[Person] // its ID stays
	address   string
	since     time.Time
	anonymous bool   // its ID was made up for it: nobody can come back as it
	owner     *owner // what the person's sessions share
	claim     *claim // to its name; under hub.mu
	codec     Codec
	q         outbox
	limits    limits
	typing    bucket
	work      worker
	ctx       context.Context
	cancel    context.CancelCauseFunc

	expiryMu sync.Mutex
	expiry   *time.Timer

	op    sync.Mutex // one request at a time
	over  bool
	rooms map[string]*room

	placesMu sync.Mutex
	places   map[*room]struct{} // that it is in, or was lost from within the grace
}

func newSession(h *Hub, id Identity, c Codec) *Session {
	s := &Session{hub: h, id: rand.Text(), address: id.Address, since: time.Now(), codec: c, rooms: make(map[string]*room), places: make(map[*room]struct{})}
	who := id.Person
	if s.anonymous = who.ID == ""; s.anonymous {
		who.ID = NewGuestID()
	}
	s.person.Store(&who)
	s.q.init(h.o.QueueBytes, h.o.QueueAge)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// ID is unique to the session, random, and nobody else's business.
func (s *Session) ID() string { return s.id }

// Person says whose session it is. Its name may become another, see [Renamed].
func (s *Session) Person() Person { return *s.person.Load() }

// Address is where the session comes from, as its [Identity] said.
func (s *Session) Address() string { return s.address }

// Context ends when the session does; its cause says why.
func (s *Session) Context() context.Context { return s.ctx }

// Err is why the session is over, or nil.
func (s *Session) Err() error { return context.Cause(s.ctx) }

// Next gives the next packet to write, waiting for one. When the session is
// over, it first gives what was queued before (nothing, after ErrSlow) and then
// the reason as an error. It must not be called by two goroutines at once.
func (s *Session) Next(ctx context.Context) (Packet, error) {
	var one [1]Packet
	ps, err := s.q.take(ctx, one[:0], 1, 0)
	if err != nil {
		return Packet{}, err
	}
	return ps[0], nil
}

// NextBatch is Next for several: it appends to dst the packets that wait, at
// least one and at most so many that their sizes are maxBytes together.
func (s *Session) NextBatch(ctx context.Context, dst []Packet, maxBytes int) ([]Packet, error) {
	return s.q.take(ctx, dst, math.MaxInt, maxBytes)
}

// Queue is what a session has yet to be sent, and the bounds of it.
type Queue struct {
	Packets  int
	Bytes    int           // as they count against MaxBytes: each packet costs 64 besides its own
	MaxBytes int           // [Options.QueueBytes]
	Age      time.Duration // of the oldest packet
	MaxAge   time.Duration // [Options.QueueAge]
	Dropped  uint64        // volatile packets that it did not get, since it began
}

// Queue says what waits at this moment. What the transport has taken counts no longer,
// and nothing waits after [ErrSlow].
func (s *Session) Queue() Queue { return s.q.look(time.Now()) }

// Emit sends b to this session alone.
func (s *Session) Emit(b Body) { s.Deliver(NewEvent(b)) }

// greet is Emit of what comes before all that others have sent s already.
func (s *Session) greet(b Welcome) {
	e := NewEvent(b)
	p, err := e.Packet(s.codec)
	if err != nil {
		s.cannotSay(e, err)
		return
	}
	s.q.putFirst(p, time.Now())
	s.hub.counters.delivered.Add(1)
	s.hub.counters.deliveredSize.Add(uint64(p.Size))
}

// Deliver puts e on the session's queue. It never waits: a queue that is full
// ends the session with [ErrSlow].
func (s *Session) Deliver(e *Event) {
	p, err := e.Packet(s.codec)
	if err != nil {
		s.cannotSay(e, err)
		return
	}
	s.put(p, e.Volatile, time.Now())
	s.hub.counters.delivered.Add(1)
	s.hub.counters.deliveredSize.Add(uint64(p.Size))
}

// cannotSay ends a session whose codec cannot write e, which is the program's
// mistake: the client would miss something without knowing.
func (s *Session) cannotSay(e *Event, err error) {
	s.end(fmt.Errorf("chat: event %q: %w", e.Body.EventName(), err))
}

func (s *Session) put(p Packet, volatile bool, now time.Time) {
	dropped, err := s.q.put(p, volatile, now)
	if dropped > 0 {
		s.hub.counters.dropped.Add(uint64(dropped))
	}
	if err != nil {
		s.cancel(err)
	}
}

// Join subscribes to a room and answers with a [Joined] event that carries ref.
// A zero since asks for recent history, any other for what came after it. To
// join again is allowed, and is how a client asks for what it may have missed.
// The error is an [*Error] or wraps [ErrClosed].
func (s *Session) Join(room string, since Cursor, ref string) error {
	fresh, err := s.join(room, since, ref)
	if f := s.hub.o.Joined; err == nil && fresh && f != nil {
		s.tell(func() { f(s, room) })
	}
	return err
}

func (s *Session) join(name string, since Cursor, ref string) (fresh bool, err error) {
	if err := CheckRoom(name); err != nil {
		return false, err
	}
	if err := s.spendRead(); err != nil {
		return false, err
	}
	if f := s.hub.o.AllowJoin; f != nil {
		if err := f(s, name); err != nil {
			return false, asError(err, CodeNotAllowed)
		}
	}
	how := joining{ref: ref, since: since, history: s.mayRead(name) == nil}
	s.op.Lock()
	defer s.op.Unlock()
	if s.over || s.Err() != nil {
		return false, ErrClosed
	}
	if r := s.rooms[name]; r != nil {
		return false, r.join(s, how)
	}
	if limit := s.hub.o.MaxRoomsPerSession; len(s.rooms) >= limit {
		return false, &Error{Code: CodeTooManyRooms,
			Text: fmt.Sprintf("already in %d rooms, which is all that one connection may join (option MaxRoomsPerSession)", limit)}
	}
	r, err := s.hub.acquire(name, s.address)
	if err != nil {
		return false, err
	}
	if err := r.join(s, how); err != nil {
		s.hub.release(r)
		return false, err
	}
	s.rooms[name] = r
	return true, nil
}

func (s *Session) mayRead(room string) error {
	if f := s.hub.o.AllowHistory; f != nil {
		if err := f(s, room); err != nil {
			return asError(err, CodeNotAllowed)
		}
	}
	return nil
}

// History answers with a [History] event that carries ref and has the latest
// messages before the given place (zero: before the room's), oldest first: at
// most limit, and at most [Options.History]; a limit out of range means that.
// The error is an [*Error] or wraps [ErrClosed].
func (s *Session) History(room string, before Cursor, limit int, ref string) error {
	if err := s.spendRead(); err != nil {
		return err
	}
	most := s.hub.o.History
	if most < 0 {
		most = 100
	}
	if limit <= 0 || limit > most {
		limit = most
	}
	if err := s.mayRead(room); err != nil {
		return err
	}
	s.op.Lock()
	defer s.op.Unlock()
	r, err := s.member(room)
	if err != nil {
		return err
	}
	return r.history(s, Query{Before: before, Limit: limit, MaxBytes: s.hub.o.QueueBytes / messagesPart}, ref)
}

// Leave ends a subscription and answers with a [Left] event that carries ref,
// after which nothing of the room follows. The error is an [*Error] of
// CodeNotJoined or wraps [ErrClosed].
func (s *Session) Leave(room, ref string) error {
	err := s.leave(room, ref)
	if err == nil {
		s.tellLeft(room)
	}
	return err
}

func (s *Session) tellLeft(room string) {
	if f := s.hub.o.Left; f != nil {
		s.tell(func() { f(s, room) })
	}
}

func (s *Session) leave(name, ref string) error {
	s.op.Lock()
	defer s.op.Unlock()
	r, err := s.member(name)
	if err != nil {
		return err
	}
	delete(s.rooms, name)
	r.leave(s, 0)
	s.hub.release(r)
	s.Emit(Left{Ref: ref, Room: name})
	return nil
}

// member returns the room if the session is in it. The caller holds op.
func (s *Session) member(name string) (*room, error) {
	if s.over || s.Err() != nil {
		return nil, ErrClosed
	}
	if r := s.rooms[name]; r != nil {
		return r, nil
	}
	return nil, &Error{Code: CodeNotJoined, Text: fmt.Sprintf("not in the room %.64q; join it first", name)}
}

// Kick ends the session with [ErrKicked] after what is queued for it. The
// transport closes the connection.
func (s *Session) Kick(why string) {
	if why == "" {
		s.end(ErrKicked)
		return
	}
	s.end(fmt.Errorf("%w: %s", ErrKicked, why))
}

// end stops the queue and the context; the transport does the rest.
func (s *Session) end(err error) {
	s.q.close(err)
	s.cancel(err)
}

// Close is the transport's word that the connection is over: the session leaves
// its rooms, and the Left and Disconnected hooks are told, with the first
// reason there was for the end (nil: it simply left). A second Close does
// nothing. Close does not wait for hooks.
func (s *Session) Close(reason error) {
	if reason == nil {
		reason = ErrClosed
	}
	s.end(reason)
	s.expireAt(time.Time{})
	s.op.Lock()
	if s.over {
		s.op.Unlock()
		return
	}
	s.over = true
	rooms := s.rooms
	s.rooms = nil
	grace := s.grace()
	for _, r := range rooms {
		r.leave(s, grace)
		s.hub.release(r)
	}
	s.op.Unlock()
	for name := range rooms {
		s.tellLeft(name)
	}
	s.hub.unregister(s, grace)
	reason = s.Err()
	s.hub.counters.count(reason)
	if f := s.hub.o.Disconnected; f != nil {
		if errors.Is(reason, ErrClosed) {
			reason = nil
		}
		s.tell(func() { f(s, reason) })
	}
}

// grace is how long the session's person still counts as here.
func (s *Session) grace() time.Duration {
	if s.anonymous || errors.Is(s.Err(), ErrKicked) {
		return 0
	}
	return s.hub.o.PresenceGrace
}
