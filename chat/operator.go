package chat

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A RoomInfo is what an operator sees of a room that somebody is in.
type RoomInfo struct {
	Name     string
	People   int
	Sessions int
}

// Rooms lists the rooms that somebody is in, by name.
func (h *Hub) Rooms() []RoomInfo {
	h.mu.Lock()
	rooms := slices.Collect(maps.Values(h.rooms))
	for _, r := range rooms {
		r.refs++
	}
	h.mu.Unlock()
	list := make([]RoomInfo, 0, len(rooms))
	for _, r := range rooms {
		r.mu.Lock()
		if len(r.people) > 0 {
			list = append(list, RoomInfo{r.name, len(r.people), len(r.members)})
		}
		r.mu.Unlock()
		h.release(r)
	}
	slices.SortFunc(list, func(a, b RoomInfo) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Messages returns the latest messages of a room before a place (zero: the latest
// of all), whoever is in it. The error is an [*Error].
func (h *Hub) Messages(room string, before Cursor, limit int) (Page, error) {
	if err := CheckRoom(room); err != nil {
		return Page{}, err
	}
	r, err := h.open(room, "", true)
	if err != nil {
		return Page{}, err
	}
	defer h.release(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	page, err := h.o.Store.Read(room, Query{Before: before, Limit: limit, MaxBytes: h.o.QueueBytes})
	if err != nil {
		h.counters.storeFailures.Add(1)
		return Page{}, &Error{Code: CodeUnavailable, Text: "the room's history could not be read; try again soon", Err: err}
	}
	return page, nil
}

// CloseRoom takes everybody out of a room, as [Hub.Kick] does, and reports how
// many sessions it was. Its history stays, and who is not kept out may join it
// again.
func (h *Hub) CloseRoom(room, reason string) int {
	r := h.inUse(room)
	if r == nil {
		return 0
	}
	defer h.release(r)
	r.mu.Lock()
	members := slices.Clone(r.members)
	people := slices.Collect(maps.Keys(r.people))
	r.mu.Unlock()
	n := 0
	for _, s := range members {
		if s.expel(room, reason) {
			n++
		}
	}
	for _, p := range people { // those who were lost, and would still count as here
		r.gone(p)
	}
	return n
}

// Since is when the session was made.
func (s *Session) Since() time.Time { return s.since }

// Codec is that of [Hub.Admit].
func (s *Session) Codec() Codec { return s.codec }

// Rooms lists the rooms that the session is in, by name.
func (s *Session) Rooms() []string {
	s.op.Lock()
	defer s.op.Unlock()
	return slices.Sorted(maps.Keys(s.rooms))
}

// bans are few: they are made by the program's own calls.
type bans struct {
	mu    sync.Mutex
	until map[banKey]time.Time
}

type banKey struct{ person, address string }

// Ban refuses sessions of a person, or from an address ([Identity]'s; one of the
// two is empty), until the given time, with CodeNotAllowed. It does not end
// those that there are: Kick does. A time in the past ends a ban. Bans are gone
// when the process is.
func (h *Hub) Ban(person, address string, until time.Time) {
	b, key, now := &h.bans, banKey{person, address}, time.Now()
	if (person == "") == (address == "") {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = make(map[banKey]time.Time)
	}
	maps.DeleteFunc(b.until, func(_ banKey, t time.Time) bool { return !now.Before(t) })
	if delete(b.until, key); now.Before(until) {
		b.until[key] = until
	}
}

// check refuses if the person or the address is to stay out.
func (b *bans) check(person, address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.until) == 0 {
		return nil
	}
	until := b.until[banKey{person: person}]
	if t := b.until[banKey{address: address}]; address != "" && t.After(until) {
		until = t
	}
	if left := time.Until(until); left > 0 {
		return &Error{Code: CodeNotAllowed, Retry: left,
			Text: fmt.Sprintf("an operator keeps you out for another %v", cmp.Or(left.Round(time.Second), time.Second))}
	}
	return nil
}
