package chat

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/internal/admission"
	"framewright/internal/lookalike"
	"framewright/internal/tokens"
)

// Hub connects sessions and rooms. Its methods may be called from any
// goroutine.
type Hub struct {
	o        Options
	counters counters
	workers  group

	mu        sync.Mutex
	closed    bool
	draining  bool
	sessions  map[string]*Session // by ID
	people    map[string]*owner   // by person's ID
	names     lookalike.Index[*claim]
	house     house
	addresses admission.Counts // sessions from there
	rooms     map[string]*room
	roomNames lookalike.Index[string] // in use, and Options.Rooms
	quiet     quiet
	lasting   int                // rooms in use of Options.Rooms
	opened    admission.Counts   // rooms in use, by the address that opened them
	vacant    map[*room]struct{} // rooms in use that nobody is in, but for those within the grace
	graced    admission.Counts   // sessions that were lost within the grace, by address

	openings tokens.Table[string] // of rooms, by address

	mutes    mutes
	bans     bans
	privates recent
}

// New returns a hub. Close it in the end, for its store's sake.
func New(o Options) *Hub {
	h := &Hub{
		o:        o.withDefaults(),
		sessions: make(map[string]*Session),
		people:   make(map[string]*owner),
		rooms:    make(map[string]*room),
		vacant:   make(map[*room]struct{}),
	}
	h.openings.Rate = h.o.RoomRate.tokens()
	for _, name := range slices.Concat(HouseNames, o.ReservedNames) {
		h.house.add(h, name)
	}
	for _, name := range o.Rooms {
		h.roomNames.Add(lookalike.Of(name, false), name)
	}
	h.quiet.learn(h.o.Store)
	return h
}

// Connect is [Hub.Admit] for a person of whom there is nothing more to say.
func (h *Hub) Connect(person Person, c Codec) (*Session, error) {
	return h.Admit(Identity{Person: person}, c)
}

// Admit registers a session, whose events are encoded by c, and greets it with
// a [Welcome]. An empty Person.ID gets a random one. The error is an [*Error]:
// the name is not acceptable (CodeBadName), somebody else has it or one that
// looks like it, or it is reserved (CodeNameTaken), there are too many
// (CodeTooManySessions), or the hub is closing (CodeUnavailable).
//
// An account (Person.Account) gets its name: guests that have it, or one that
// looks like it, are given others, see [Renamed]. If another account has it, the
// newcomer's gets a number. A guest that comes back by the name that was taken
// from it has the other one, and gets a Renamed, too.
//
// The caller owes the session somebody who writes what it has for its client, by
// [Session.Attend] or [Session.Next], and, when the connection is over, a
// [Session.Close].
func (h *Hub) Admit(id Identity, c Codec) (*Session, error) {
	if err := CheckName(id.Person.Name); err != nil {
		return nil, err
	}
	if !id.Person.Account && strings.ContainsAny(id.Person.Name, checkMarks) {
		return nil, &Error{Code: CodeBadName, Text: "a guest's name may not contain a check mark: that is how accounts are marked"}
	}
	if err := notExpired(id.Expires); err != nil {
		return nil, err
	}
	if id.Person.Account && strings.HasPrefix(id.Person.ID, GuestPrefix) {
		return nil, &Error{Code: CodeBadToken, Text: fmt.Sprintf("the id %.64q begins as those of guests do; an account cannot have it", id.Person.ID)}
	}
	s := newSession(h, id, c)
	renamed, wanted, err := h.register(s)
	if err != nil {
		return nil, err
	}
	admitted := false
	defer func() {
		if !admitted { // the Welcome hook panicked
			s.Close(ErrPanic)
		}
	}()
	h.announce(renamed)
	you := s.Person()
	s.greet(Welcome{You: you, Text: h.o.Welcome(you), Expires: id.Expires, MaxText: h.o.MaxText})
	if wanted != "" {
		s.Emit(isNow(you, wanted))
	}
	admitted = true
	h.counters.connected.Add(1)
	s.expireAt(id.Expires)
	if f := h.o.Connected; f != nil {
		s.tell(func() { f(s) })
	}
	return s, nil
}

// checkMarks could be taken for the mark that a page puts behind an account's
// name.
const checkMarks = "✓✔☑✅🗸🗹⍻√☒🮱𐄂"

// Broadcast sends b to every session but those given.
func (h *Hub) Broadcast(b Body, except ...*Session) {
	h.fanOut(NewEvent(b), h.Sessions(), except)
}

// ToRoom sends b to every session in a room but those given. It is not stored;
// [Hub.Publish] is.
func (h *Hub) ToRoom(name string, b Body, except ...*Session) {
	r := h.inUse(name)
	if r == nil {
		return
	}
	defer h.release(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(NewEvent(b), except...)
}

// ToPerson sends b to every session of one person, and reports how many there
// are.
func (h *Hub) ToPerson(id string, b Body) int {
	all := h.sessionsOf(id)
	h.fanOut(NewEvent(b), all, nil)
	return len(all)
}

func (h *Hub) sessionsOf(person string) []*Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.people[person]
	if o == nil {
		return nil
	}
	return slices.Collect(maps.Keys(o.sessions))
}

// fanOut puts e on the queue of every receiver but those excepted.
func (h *Hub) fanOut(e *Event, to, except []*Session) {
	var (
		start = time.Now()
		codec Codec
		p     Packet
		n     int
		bytes int
	)
	for _, s := range to {
		if len(except) > 0 && slices.Contains(except, s) {
			continue
		}
		if codec == nil || s.codec != codec {
			var err error
			if p, err = e.Packet(s.codec); err != nil {
				s.cannotSay(e, err)
				codec = nil
				continue
			}
			codec = s.codec
		}
		s.put(p, e.Volatile, start)
		n++
		bytes += p.Size
	}
	h.counters.delivered.Add(uint64(n))
	h.counters.deliveredSize.Add(uint64(bytes))
	if f := h.o.Observer.FanOut; f != nil {
		f(n, time.Since(start))
	}
}

// Publish stores a message of the program's own in a room and sends it to the
// members. An id makes it safe to repeat, as in [Session.Send]; it may be
// empty. The name of an account is reserved from here on, as long as it is among
// the last thousand; a guest that has it is given another. The stored message is
// returned; the error is an [*Error].
func (h *Hub) Publish(room string, from Person, id, text string) (*Message, error) {
	if err := CheckRoom(room); err != nil {
		return nil, err
	}
	if err := h.checkText(text); err != nil {
		return nil, err
	}
	if from.Account {
		h.reserve(from.Name)
	}
	r, err := h.acquire(room, "")
	if err != nil {
		return nil, err
	}
	defer h.release(r)
	p := &pending{message: &Message{Room: room, Time: now(), From: from, ID: id, Text: text}}
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

// Full reports whether there are all the rooms that Options.MaxRooms allows, so
// that nobody can open another one.
func (h *Hub) Full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms)-h.lasting >= h.o.MaxRooms && len(h.vacant) == 0
}

// Refusal turns the error of a request into the event that tells the client,
// and counts it. It reports false for an error that is no refusal: the session
// or the connection is over.
func (h *Hub) Refusal(ref string, err error) (Refusal, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return Refusal{}, false
	}
	h.counters.refuse(e.Code)
	return Refusal{Ref: ref, Code: e.Code, Text: e.Text, Retry: e.Retry}, true
}

// hookTimeout is how long Close waits for hooks that are at work.
const hookTimeout = 5 * time.Second

// Close refuses new sessions, ends those there are with ErrShutdown, waits a
// few seconds for hooks that are at work, and closes the store if it is an
// [io.Closer]. The transports should have ended before: a send that comes after
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
	h.workers.wait(hookTimeout)
	if c, ok := h.o.Store.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func asError(err error, code ErrorCode) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{Code: code, Text: err.Error(), Err: err}
}
