package chat

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/internal/lookalike"
)

// room is the members and the append point of one room. What it has seen is in
// the store.
type room struct {
	hub  *Hub
	name string
	refs int // under hub.mu
	key  lookalike.Key
	// opener is the address that the room counts for; also under hub.mu.
	opener  string
	lasting bool // of Options.Rooms

	// waiting holds the sends that have not been stored yet. If led, the first
	// of them, or somebody who has taken them all, is at work.
	waitingMu sync.Mutex
	waiting   []*pending
	led       bool
	busy      bool // the leader's: the last batch had more than one message

	mu      sync.Mutex
	members []*Session           // in no order
	place   map[*Session]int     // in members
	people  map[string]*presence // by person's ID
	last    Cursor               // of what the members were told, or had when they joined; zero: nobody was told anything
}

// presence is one person in a room, over however many sessions.
type presence struct {
	person   Person
	sessions int
	grace    *time.Timer // runs if sessions is 0; holds a reference to the room
}

// pending is one send on its way into the room's order.
type pending struct {
	message *Message
	sender  *Session      // gets the acknowledgement; nil for Publish
	wake    chan struct{} // closed when done, or when it is to lead; nil if it leads from the start
	done    bool
	stored  Stored
	err     error
}

func newRoom(h *Hub, name string) *room {
	return &room{hub: h, name: name, place: make(map[*Session]int), people: make(map[string]*presence)}
}

// append stores p's message, sends it to the members and acknowledges it. It
// returns when that is done, by this goroutine or by another: the first that
// comes leads, stores all that wait by then in one go, and passes the lead on.
// Under load a store sees few large batches, which a durable one needs (one
// flush for all), and an idle room sees no detour.
func (r *room) append(p *pending) {
	r.waitingMu.Lock()
	r.waiting = append(r.waiting, p)
	if r.led {
		p.wake = make(chan struct{})
		r.waitingMu.Unlock()
		<-p.wake
		if p.done {
			return
		}
	} else {
		r.led = true
		r.waitingMu.Unlock()
	}
	r.lead()
}

func (r *room) lead() {
	if r.busy {
		runtime.Gosched() // those who were answered a moment ago are about to send again
	}
	r.waitingMu.Lock()
	batch := r.waiting
	r.waiting = nil
	r.waitingMu.Unlock()
	r.busy = len(batch) > 1

	defer func() { // also if the store panics: the others must not wait, nor take silence for success
		for _, p := range batch {
			if !p.done {
				p.done, p.err = true, unavailable(nil)
			}
			if p.wake != nil && p != batch[0] {
				close(p.wake)
			}
		}
		r.waitingMu.Lock()
		defer r.waitingMu.Unlock()
		if r.led = len(r.waiting) > 0; r.led {
			close(r.waiting[0].wake)
		}
	}()
	messages := make([]*Message, len(batch))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range batch {
		if messages[i] = p.message; p.sender != nil {
			p.message.From = p.sender.Person() // of this moment: it may have been renamed since
		}
	}
	r.settle(batch, messages)
}

func unavailable(err error) error {
	return &Error{Code: CodeUnavailable, Text: "the message could not be stored; send it again with the same id", Err: err}
}

// settle stores a batch, and tells those concerned. The caller holds mu.
func (r *room) settle(batch []*pending, messages []*Message) {
	h := r.hub
	start := time.Now()
	stored, err := h.o.Store.Append(r.name, messages)
	if f := h.o.Observer.Stored; f != nil {
		f(len(messages), time.Since(start), err)
	}
	if err != nil {
		h.counters.storeFailures.Add(1)
		for _, p := range batch {
			p.done, p.err = true, unavailable(err)
		}
		return
	}
	for i, p := range batch {
		p.done, p.stored = true, stored[i]
		m := p.stored.Message
		if p.sender != nil {
			p.sender.Emit(Ack{ID: m.ID, Room: m.Room, Cursor: m.Cursor, Time: m.Time})
		}
		if p.stored.Duplicate {
			h.counters.duplicates.Add(1)
			if r.catchUp(m.Cursor); m.Cursor.Epoch == r.last.Epoch && m.Cursor.Seq > r.last.Seq {
				r.last = m.Cursor
			}
			continue
		}
		h.counters.messages.Add(1)
		h.counters.messageBytes.Add(uint64(len(m.Text)))
		r.catchUp(Cursor{m.Cursor.Epoch, m.Cursor.Seq - 1})
		r.last = m.Cursor
		r.tell(NewEvent(Posted{m}))
	}
}

// catchUp tells the members what they have not been told up to and including
// c. There is nothing of that kind unless a store has failed after it had
// stored: whoever sent that message was told to try again, and the others were
// told nothing. If the store fails now, too, the members are cut, because resume
// is what fills a gap.
func (r *room) catchUp(c Cursor) {
	if len(r.members) == 0 || c.Epoch != r.last.Epoch || c.Seq <= r.last.Seq {
		return
	}
	page, err := r.hub.o.Store.Read(r.name, Query{Since: r.last, Limit: r.hub.o.Resume})
	if err != nil || !page.Recovered {
		for _, s := range r.members {
			s.end(ErrStore)
		}
		return
	}
	for _, m := range page.Messages {
		if m.Cursor.Seq <= c.Seq {
			r.tell(NewEvent(Posted{m}))
		}
	}
}

// tell puts e on the queue of every member but those given. The caller holds mu.
func (r *room) tell(e *Event, except ...*Session) { r.hub.fanOut(e, r.members, except) }

// joining is what a session wants when it joins.
type joining struct {
	ref     string
	since   Cursor
	history bool // it may have what was said before
}

// join subscribes s and puts the Joined on its queue. Because nothing is
// appended while mu is held, the history ends exactly where the live messages
// begin.
func (r *room) join(s *Session, how joining) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := Joined{Ref: how.ref, Room: r.name}
	if err := r.read(&j, how); err != nil {
		r.hub.counters.storeFailures.Add(1)
		return &Error{Code: CodeUnavailable, Text: "the room's history could not be read; try again soon", Err: err}
	}
	// What the members were not told of comes before this one enters.
	r.catchUp(j.Cursor)
	r.last = j.Cursor
	if _, again := r.place[s]; !again {
		r.enter(s)
	}
	j.Members, j.People = r.present()
	switch c := &r.hub.counters; {
	case how.since.IsZero():
		c.joins.Add(1)
	case j.Recovered:
		c.recovered.Add(1)
	default:
		c.notRecovered.Add(1)
	}
	s.Emit(j)
	return nil
}

// What a join gives must fit a queue, or nobody could join. So each of its lists
// has a part of Options.QueueBytes.
const (
	messagesPart = 8 // because JSON may make six bytes of one
	membersPart  = 8
	deletedPart  = 16

	cursorBytes    = 32 // of a cursor as text, at most
	personOverhead = 24 // of a person in a list, besides the texts
)

// read fills in j what the store has to say.
func (r *room) read(j *Joined, how joining) error {
	o := &r.hub.o
	recent := Query{Limit: max(o.History, 0), MaxBytes: o.QueueBytes / messagesPart}
	q := recent
	if !how.since.IsZero() {
		q.Since, q.Limit = how.since, o.Resume
	}
	page, err := o.Store.Read(r.name, q)
	if tooMany := len(page.Deleted) > o.QueueBytes/deletedPart/cursorBytes; err == nil && !how.since.IsZero() && (!page.Recovered || tooMany) {
		page, err = o.Store.Read(r.name, recent)
	}
	if !how.history && len(page.Messages) > 0 {
		page = Page{Head: page.Head}
	}
	j.Cursor, j.Recovered, j.Messages, j.Deleted = page.Head, page.Recovered, page.Messages, page.Deleted
	return err
}

// history answers s. It holds mu so that a message which is deleted meanwhile
// does not come after the word that it was.
func (r *room) history(s *Session, q Query, ref string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	page, err := r.hub.o.Store.Read(r.name, q)
	if err != nil {
		r.hub.counters.storeFailures.Add(1)
		return &Error{Code: CodeUnavailable, Text: "the room's history could not be read; try again soon", Err: err}
	}
	s.Emit(History{Ref: ref, Room: r.name, Messages: page.Messages, More: page.More})
	return nil
}

// enter adds s, and tells the others if its person was not here yet.
func (r *room) enter(s *Session) {
	// First the place, then the name: whoever renames s afterwards finds it here.
	s.placesMu.Lock()
	s.places[r] = struct{}{}
	s.placesMu.Unlock()
	who := s.Person()
	p := r.people[who.ID]
	if p == nil {
		p = &presence{person: who}
		r.people[who.ID] = p
		r.tellPresence(who, true, "")
	} else {
		r.call(p, who)
	}
	r.stopGrace(p)
	p.sessions++
	r.place[s] = len(r.members)
	r.members = append(r.members, s)
	if len(r.members) == 1 {
		r.hub.setVacant(r, false)
	}
}

// call has a person go by another name, if it is one, and tells the members.
func (r *room) call(p *presence, who Person) {
	if was := p.person; was != who {
		p.person = who
		r.tellPresence(who, true, was.Name)
	}
}

// callAsOthers has a person go by a name that one of its sessions here has, when
// s, another one, has gone. As long as a session of the person has the name, here
// or in other rooms, it stays the person's: somebody who takes another name in one
// tab goes by that one until the tab is closed.
func (r *room) callAsOthers(p *presence, s *Session) {
	var another *Session
	for _, other := range r.hub.sessionsOf(p.person.ID) {
		if other.Person() == p.person {
			return
		}
		if _, here := r.place[other]; here {
			another = other
		}
	}
	if another != nil && p.person == s.Person() {
		r.call(p, another.Person())
	}
}

// outlived is callAsOthers when the name of s, which was somewhere else, is nobody's
// any more.
func (r *room) outlived(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.people[s.Person().ID]; p != nil {
		r.callAsOthers(p, s)
	}
}

// renamed is call for a session that had the name was.
func (r *room) renamed(s *Session, was string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who := s.Person()
	if p := r.people[who.ID]; p != nil && p.person.Name == was {
		r.call(p, who)
	}
}

func (r *room) tellPresence(who Person, here bool, was string) {
	if limit := r.hub.o.MaxPresence; limit > 0 && len(r.people) > limit {
		return
	}
	r.tell(NewEvent(Presence{Room: r.name, Who: who, Here: here, Was: was, People: len(r.people), Time: time.Now().UTC()}))
}

func (r *room) stopGrace(p *presence) {
	if p.grace != nil {
		if p.grace.Stop() {
			r.hub.release(r)
		}
		p.grace = nil
	}
}

// leave takes s out, and tells the others if its person has no other session
// here: at once, or when it has not come back within the grace.
func (r *room) leave(s *Session, grace time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, last := r.place[s], len(r.members)-1
	r.members[i] = r.members[last]
	r.place[r.members[i]] = i
	r.members[last] = nil
	r.members = r.members[:last]
	delete(r.place, s)
	if len(r.members) == 0 {
		r.hub.setVacant(r, true)
	}
	if grace == 0 {
		s.placesMu.Lock()
		delete(s.places, r)
		s.placesMu.Unlock()
	}

	p := r.people[s.Person().ID]
	if p.sessions--; p.sessions > 0 {
		r.callAsOthers(p, s)
		return
	}
	if grace == 0 {
		r.remove(p)
		return
	}
	r.hub.hold(r)
	var timer *time.Timer
	timer = time.AfterFunc(grace, func() {
		r.mu.Lock()
		if p.grace == timer {
			p.grace = nil
			r.remove(p)
		}
		r.mu.Unlock()
		r.hub.release(r)
	})
	p.grace = timer
}

// vacate ends the graces of all if nobody is here.
func (r *room) vacate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.members) > 0 {
		return
	}
	for _, p := range r.people {
		r.stopGrace(p)
		r.remove(p)
	}
}

func (r *room) remove(p *presence) {
	delete(r.people, p.person.ID)
	r.tellPresence(p.person, false, "")
}

// gone ends a person's grace.
func (r *room) gone(person string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.people[person]; p != nil && p.sessions == 0 {
		r.stopGrace(p)
		r.remove(p)
	}
}

// present lists who is here, as far as it may.
func (r *room) present() ([]Person, int) {
	list := make([]Person, 0, min(len(r.people), r.hub.o.MaxMembers))
	bytes := r.hub.o.QueueBytes / membersPart
	for _, p := range r.people {
		bytes -= len(p.person.ID) + len(p.person.Name) + personOverhead
		if len(list) == cap(list) || bytes < 0 {
			break
		}
		list = append(list, p.person)
	}
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return list, len(r.people)
}
