package chat

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// room is the members and the append point of one room. What it has seen is in
// the store.
type room struct {
	hub  *Hub
	name string
	refs int // under hub.mu

	// waiting holds the sends that have not been stored yet. Whoever gets mu
	// next stores all of them in one go.
	waitingMu sync.Mutex
	waiting   []*pending

	mu       sync.Mutex
	sessions map[*Session]struct{}
	people   map[string]*presence // by person's ID
}

// presence is one person in a room, over however many sessions.
type presence struct {
	person   Person
	sessions int
}

// pending is one send on its way into the room's order.
type pending struct {
	message *Message
	sender  *Session // gets the acknowledgement; nil for Publish
	done    bool     // under room.mu
	stored  Stored
	err     error
}

func newRoom(h *Hub, name string) *room {
	return &room{hub: h, name: name, sessions: make(map[*Session]struct{}), people: make(map[string]*presence)}
}

// append stores p's message, sends it to the members and acknowledges it. It
// returns when that is done, by this goroutine or by another one that got the
// lock first: under load a store sees few large batches, which a durable one
// needs (one flush for all), and an idle room sees no detour.
func (r *room) append(p *pending) {
	r.waitingMu.Lock()
	r.waiting = append(r.waiting, p)
	r.waitingMu.Unlock()

	r.mu.Lock()
	defer r.mu.Unlock()
	if p.done {
		return
	}
	r.waitingMu.Lock()
	batch := r.waiting
	r.waiting = nil
	r.waitingMu.Unlock()

	messages := make([]*Message, len(batch))
	for i, p := range batch {
		messages[i] = p.message
	}
	stored, err := r.hub.o.Store.Append(r.name, messages)
	for i, p := range batch {
		p.done = true
		if err != nil {
			p.err = &Error{Code: CodeUnavailable, Text: "the message could not be stored; send it again with the same id", Err: err}
			continue
		}
		p.stored = stored[i]
		m := p.stored.Message
		if p.sender != nil {
			p.sender.Emit(Ack{ID: m.ID, Room: m.Room, Cursor: m.Cursor, Time: m.Time})
		}
		if !p.stored.Duplicate {
			r.tell(NewEvent(Posted{m}))
		}
	}
}

// tell puts e on the queue of every member but those given. The caller holds mu.
func (r *room) tell(e *Event, except ...*Session) {
	for s := range r.sessions {
		if !slices.Contains(except, s) {
			s.Deliver(e)
		}
	}
}

// join subscribes s and puts the Joined on its queue. Because nothing is
// appended while mu is held, the history ends exactly where the live messages
// begin.
func (r *room) join(s *Session, since Cursor, ref string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := Joined{Ref: ref, Room: r.name}
	if err := r.read(&j, since); err != nil {
		return &Error{Code: CodeUnavailable, Text: "the room's history could not be read; try again soon", Err: err}
	}
	if _, again := r.sessions[s]; !again {
		r.enter(s)
	}
	j.Members, j.People = r.members()
	s.Emit(j)
	return nil
}

// read fills in j what the store has to say. A query is bounded in bytes so
// that what a join gives always fits a queue: JSON may make six bytes of one.
func (r *room) read(j *Joined, since Cursor) error {
	o := &r.hub.o
	q := Query{Since: since, Limit: o.Resume, MaxBytes: o.QueueBytes / 8}
	if since.IsZero() {
		q.Limit = o.History
	}
	page, err := o.Store.Read(r.name, q)
	if err == nil && !since.IsZero() && !page.Recovered {
		page, err = o.Store.Read(r.name, Query{Limit: o.History, MaxBytes: q.MaxBytes})
	}
	j.Cursor, j.Recovered, j.Messages = page.Head, page.Recovered, page.Messages
	return err
}

// enter adds s, and tells the others if its person was not here yet.
func (r *room) enter(s *Session) {
	p := r.people[s.person.ID]
	if p == nil {
		p = &presence{person: s.person}
		r.people[s.person.ID] = p
		r.tell(NewEvent(Presence{Room: r.name, Who: s.person, Here: true, People: len(r.people), Time: time.Now().UTC()}))
	}
	p.sessions++
	r.sessions[s] = struct{}{}
}

// leave takes s out, and tells the others if its person has no other session
// here.
func (r *room) leave(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s)
	p := r.people[s.person.ID]
	if p.sessions--; p.sessions > 0 {
		return
	}
	delete(r.people, s.person.ID)
	r.tell(NewEvent(Presence{Room: r.name, Who: p.person, People: len(r.people), Time: time.Now().UTC()}))
}

func (r *room) members() ([]Person, int) {
	list := make([]Person, 0, min(len(r.people), r.hub.o.MaxMembers))
	for _, p := range r.people {
		if len(list) == cap(list) {
			break
		}
		list = append(list, p.person)
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return list, len(r.people)
}
