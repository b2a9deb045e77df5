package chat

import (
	"fmt"
	"time"
)

// owner is what all sessions of one person share.
type owner struct {
	sessions map[*Session]struct{}
	holds    int // sessions, and those that were lost within the grace
	messages bucket
}

// nameHolder is who has a name, under one of its keys.
type nameHolder struct {
	person string
	holds  int
}

func (h *Hub) register(s *Session) error {
	keys := nameKeys(s.person.Name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.draining {
		return &Error{Code: CodeUnavailable, Text: "the server is shutting down; try again soon", Err: ErrShutdown}
	}
	for _, key := range keys {
		if n := h.names[key]; n != nil && n.person != s.person.ID {
			return &Error{Code: CodeNameTaken,
				Text: fmt.Sprintf("the name %q is taken, or looks too much like one that is; choose another", s.person.Name)}
		}
	}
	if limit := h.o.MaxSessionsPerAddress; limit > 0 && s.address != "" && h.addresses[s.address] >= limit {
		return &Error{Code: CodeTooManySessions,
			Text: fmt.Sprintf("%d sessions from one address is all there may be (option MaxSessionsPerAddress)", limit)}
	}
	o := h.people[s.person.ID]
	if o == nil {
		o = &owner{sessions: make(map[*Session]struct{})}
	}
	if limit := h.o.MaxSessionsPerPerson; limit > 0 && len(o.sessions) >= limit {
		return &Error{Code: CodeTooManySessions,
			Text: fmt.Sprintf("%d sessions of one person is all there may be (option MaxSessionsPerPerson)", limit)}
	}
	h.people[s.person.ID] = o
	o.sessions[s] = struct{}{}
	o.holds++
	s.owner = o
	for _, key := range keys {
		n := h.names[key]
		if n == nil {
			n = &nameHolder{person: s.person.ID}
			h.names[key] = n
		}
		n.holds++
	}
	if s.address != "" {
		h.addresses[s.address]++
	}
	h.sessions[s.id] = s
	return nil
}

// unregister forgets the session at once, and who it was after the grace.
func (h *Hub) unregister(s *Session, grace time.Duration) {
	h.mu.Lock()
	delete(h.sessions, s.id)
	delete(s.owner.sessions, s)
	if s.address != "" {
		if h.addresses[s.address]--; h.addresses[s.address] == 0 {
			delete(h.addresses, s.address)
		}
	}
	h.mu.Unlock()
	if grace > 0 {
		time.AfterFunc(grace, func() { h.forget(s) })
		return
	}
	h.forget(s)
}

func (h *Hub) forget(s *Session) {
	keys := nameKeys(s.person.Name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.owner.holds--; s.owner.holds == 0 {
		delete(h.people, s.person.ID)
	}
	for _, key := range keys {
		if n := h.names[key]; n != nil {
			if n.holds--; n.holds == 0 {
				delete(h.names, key)
			}
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
	}
}
