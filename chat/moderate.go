package chat

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Kick takes a person out of a room: each of its sessions there gets a [Left]
// with the reason, and the members learn that it went. An empty room means the
// whole hub: the person's sessions end with [ErrKicked]. Kick reports how many
// sessions it was. It does not keep the person out: Ban, AllowJoin
// and Authenticate do.
func (h *Hub) Kick(room, person, reason string) int {
	n := 0
	for _, s := range h.sessionsOf(person) {
		if room == "" {
			s.Kick(reason)
			n++
		} else if s.expel(room, reason) {
			n++
		}
	}
	if r := h.inUse(room); r != nil {
		r.gone(person)
		h.release(r)
	}
	return n
}

// expel is leave, as the program wants it.
func (s *Session) expel(name, reason string) bool {
	s.op.Lock()
	r := s.rooms[name]
	if r == nil {
		s.op.Unlock()
		return false
	}
	delete(s.rooms, name)
	r.leave(s, 0)
	s.hub.release(r)
	if reason == "" {
		reason = "removed by an operator"
	}
	s.Emit(Left{Room: name, Reason: reason})
	s.op.Unlock()
	s.tellLeft(name)
	return true
}

// mutes are few: they are made by the program's own calls.
type mutes struct {
	mu    sync.Mutex
	until map[muteKey]time.Time
}

type muteKey struct{ room, person string }

// Mute makes the hub refuse what a person sends to a room (empty: to any room,
// and in private) until the given time, with CodeMuted, and tells the person's
// sessions. A time in the past ends a mute. Mutes are gone when the process is.
func (h *Hub) Mute(room, person string, until time.Time) {
	m := &h.mutes
	now := time.Now()
	m.mu.Lock()
	for k, t := range m.until { // keep only what still counts
		if !now.Before(t) {
			delete(m.until, k)
		}
	}
	if m.until == nil {
		m.until = make(map[muteKey]time.Time)
	}
	if now.Before(until) {
		m.until[muteKey{room, person}] = until
	} else {
		delete(m.until, muteKey{room, person})
	}
	m.mu.Unlock()
	h.ToPerson(person, Muted{Room: room, Until: until})
}

// check refuses if the person may not speak in the room (empty: in private).
func (m *mutes) check(room, person string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.until) == 0 {
		return nil
	}
	until := m.until[muteKey{"", person}]
	if t := m.until[muteKey{room, person}]; t.After(until) {
		until = t
	}
	if left := time.Until(until); left > 0 {
		return &Error{Code: CodeMuted, Retry: left,
			Text: fmt.Sprintf("you may not write here for another %v", left.Round(time.Second))}
	}
	return nil
}

// Delete takes a message out of its room's history and tells the members. It
// reports whether the store had it. A repeated send of the deleted message is
// still acknowledged and still not stored again.
func (h *Hub) Delete(room string, c Cursor) (bool, error) {
	r, err := h.open(room, "", true) // also one that could not be joined any more
	if err != nil {
		return false, err
	}
	defer h.release(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := h.o.Store.Delete(room, c)
	if err != nil {
		h.counters.storeFailures.Add(1)
		return false, &Error{Code: CodeUnavailable, Text: "the message could not be deleted", Err: err}
	}
	if found {
		r.tell(NewEvent(Deleted{Room: room, Cursor: c}))
	}
	return found, nil
}

// Drain ends all sessions in an orderly way: no new ones are admitted; each
// gets a [Restart] with a hint of retry/2 to retry of its own, so that they do
// not come back all at once, and then ends with [ErrRestart] after what is
// queued for it. The ends are spread over the window, or come all at once when
// ctx is done. Drain returns when the last one has been told; the transports
// close the connections.
func (h *Hub) Drain(ctx context.Context, window, retry time.Duration) {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	all := h.Sessions()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	start := time.Now()
	t := time.NewTimer(0)
	defer t.Stop()
	for i, s := range all {
		t.Reset(time.Until(start.Add(window * time.Duration(i) / time.Duration(len(all)))))
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		hint := retry/2 + rand.N(max(retry/2, 1))
		s.Emit(Restart{Retry: hint})
		s.end(ErrRestart)
	}
}
