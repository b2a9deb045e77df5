package chat

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"framewright/internal/lookalike"
)

// owner is what all sessions of one person share.
type owner struct {
	id       string
	sessions map[*Session]struct{}
	claims   []*claim
	holds    int // sessions, and those that were lost within the grace
	messages bucket
}

// register makes s known, unless something speaks against it. It reports whose
// names had to yield, and what s itself wanted to be called if it has another
// name now.
func (h *Hub) register(s *Session) (yielded []renamed, wanted string, err error) {
	who := s.Person()
	w := newWish(who)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.draining {
		return nil, "", &Error{Code: CodeUnavailable, Text: "the server is shutting down; try again soon", Err: ErrShutdown}
	}
	// Under mu: who is banned from here on is found among the sessions.
	if err := h.bans.check(who.ID, s.address); err != nil {
		return nil, "", err
	}
	if err := h.mayHave(w); err != nil {
		now := h.now(w)
		if now == "" {
			return nil, "", err
		}
		wanted, w.Name = w.Name, now
		w = newWish(w.Person)
	}
	if limit := h.o.MaxSessionsPerAddress; h.addresses.Full(s.address, limit) {
		return nil, "", &Error{Code: CodeTooManySessions,
			Text: fmt.Sprintf("%d sessions from one address is all there may be (option MaxSessionsPerAddress)", limit)}
	}
	o := h.people[who.ID]
	if o == nil {
		o = &owner{id: who.ID, sessions: make(map[*Session]struct{})}
	}
	if limit := h.o.MaxSessionsPerPerson; limit > 0 && len(o.sessions) >= limit {
		return nil, "", &Error{Code: CodeTooManySessions,
			Text: fmt.Sprintf("%d sessions of one person is all there may be (option MaxSessionsPerPerson)", limit)}
	}
	h.people[who.ID] = o
	o.sessions[s] = struct{}{}
	o.holds++
	s.owner = o
	h.addresses.Add(s.address)
	h.sessions[s.id] = s
	return h.take(s, w), wanted, nil
}

// unregister forgets the session at once, and who it was after the grace.
func (h *Hub) unregister(s *Session, grace time.Duration) {
	h.mu.Lock()
	delete(h.sessions, s.id)
	delete(s.owner.sessions, s)
	h.addresses.Remove(s.address)
	// An address has as many names within the grace as it may have sessions.
	if h.graced.Full(s.address, h.o.MaxSessionsPerAddress) {
		grace = 0
	}
	if grace > 0 {
		h.graced.Add(s.address)
	}
	h.mu.Unlock()
	if grace == 0 {
		h.forget(s)
		return
	}
	time.AfterFunc(grace, func() {
		h.forget(s)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.graced.Remove(s.address)
	})
}

func (h *Hub) forget(s *Session) {
	for _, r := range h.unclaim(s) {
		r.outlived(s)
	}
}

// unclaim ends what s has of its name and its person. It returns the rooms in which
// the person may still go by the name, if nobody has it any more.
func (h *Hub) unclaim(s *Session) []*room {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s)
	if s.owner.holds--; s.owner.holds == 0 {
		delete(h.people, s.owner.id)
	}
	if len(s.claim.sessions) > 0 {
		return nil
	}
	var rooms []*room
	for other := range s.owner.sessions {
		other.placesMu.Lock()
		for r := range other.places {
			rooms = append(rooms, r)
		}
		other.placesMu.Unlock()
	}
	return rooms
}

// acquire returns the room, which stays the one room of its name until as many
// releases as acquires. One that is not in use is refused if it looks like
// another. It counts for the address, which is "" if it is the program's own wish.
func (h *Hub) acquire(name, address string) (*room, error) { return h.open(name, address, false) }

// open is acquire. What an operator does is done whatever the room looks like, and
// however many there are.
func (h *Hub) open(name, address string, whatever bool) (*room, error) {
	if r := h.inUse(name); r != nil {
		return r, nil
	}
	key := lookalike.Of(name, false)
	for {
		r, vacant, err := h.tryOpen(name, address, key, whatever)
		if vacant == nil {
			return r, err
		}
		vacant.vacate() // and so make room
	}
}

// tryOpen is open, once. If there are too many rooms, but some that nobody is in,
// it returns one of those.
func (h *Hub) tryOpen(name, address string, key lookalike.Key, whatever bool) (r, vacant *room, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r = h.rooms[name]; r != nil {
		r.refs++
		return r, nil, nil
	}
	if err := h.looksNew(name, key); err != nil && !whatever {
		return nil, nil, err
	}
	lasting := slices.Contains(h.o.Rooms, name)
	if lasting {
		address = ""
	}
	if limit := h.o.MaxRoomsPerAddress; h.opened.Full(address, limit) {
		for r := range h.vacant {
			if r.opener == address {
				delete(h.vacant, r)
				return nil, r, nil
			}
		}
		return nil, nil, &Error{Code: CodeTooManyRooms,
			Text: fmt.Sprintf("%d rooms are in use because somebody at your address opened them, which is all there may be (option MaxRoomsPerAddress)", limit)}
	}
	if !lasting && !whatever && len(h.rooms)-h.lasting >= h.o.MaxRooms {
		for r := range h.vacant {
			delete(h.vacant, r)
			if !r.lasting {
				return nil, r, nil
			}
		}
		return nil, nil, &Error{Code: CodeTooManyRooms,
			Text: fmt.Sprintf("the server has %d rooms in use, which is all it may have (option MaxRooms)", h.o.MaxRooms)}
	}
	if address != "" {
		if wait, ok := h.openings.Take(address, 1, time.Now()); !ok {
			rate := h.o.RoomRate
			wait = (wait + time.Millisecond - 1).Truncate(time.Millisecond)
			return nil, nil, &Error{Code: CodeRateLimited, Retry: wait,
				Text: fmt.Sprintf("too many rooms opened by your address: at most %g a second, %d at once (option RoomRate); try again in %v", rate.PerSecond, rate.Burst, wait)}
		}
	}
	r = newRoom(h, name)
	r.key = key
	h.rooms[name] = r
	if r.lasting = lasting; lasting {
		h.lasting++
	}
	r.opener = address
	h.opened.Add(address)
	h.roomNames.Add(key, name)
	r.refs++
	return r, nil, nil
}

// setVacant notes whether nobody is in a room any more.
func (h *Hub) setVacant(r *room, vacant bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if vacant && !r.lasting {
		h.vacant[r] = struct{}{}
	} else {
		delete(h.vacant, r)
	}
}

// looksNew refuses the name of a room that looks like one in use, one of
// Options.Rooms, or one that messages are kept of. A name in plain ASCII yields to such a one only: what is typed
// is not to be kept from anybody by what only looks like it.
func (h *Hub) looksNew(name string, key lookalike.Key) error {
	if slices.Contains(h.o.Rooms, name) {
		return nil
	}
	other := h.quiet.alike(name, key)
	for used := range h.roomNames.Alike(key) {
		if !isASCII(name) || isASCII(used) || slices.Contains(h.o.Rooms, used) {
			other = used
			break
		}
	}
	if other != "" {
		return &Error{Code: CodeBadRoom,
			Text: fmt.Sprintf("the room's name %q looks like that of the room %q; join that one, or choose another name", name, other)}
	}
	if lookalike.Mixed(name) {
		return &Error{Code: CodeBadRoom, Text: fmt.Sprintf("the room's name %q has a word in letters of several alphabets, which look like one another", name)}
	}
	return nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// inUse is acquire for a room that somebody is in; nil if nobody is.
func (h *Hub) inUse(name string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[name]
	if r != nil {
		r.refs++
	}
	return r
}

// hold is acquire for somebody who has the room already.
func (h *Hub) hold(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.refs++
}

func (h *Hub) release(r *room) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.refs--; r.refs == 0 {
		delete(h.rooms, r.name)
		delete(h.vacant, r)
		if r.lasting {
			h.lasting--
		}
		h.opened.Remove(r.opener)
		h.roomNames.Remove(r.key, r.name)
		if r.last.Seq > 0 {
			h.quiet.add(r.name, r.key)
		}
	}
}
