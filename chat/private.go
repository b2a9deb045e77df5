package chat

import (
	"fmt"
	"sync"
	"time"
)

// Private sends a message to all sessions of another person, and of the own; it
// is kept nowhere. Before those events it answers with an [Ack] that has no
// Room. The same id again, within some minutes, gets the same Ack and nothing
// is sent. The error is an [*Error], with CodeNotHere if the person has no
// session, or wraps [ErrClosed].
func (s *Session) Private(to, id, text string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := s.hub.checkText(text); err != nil {
		return err
	}
	if s.Err() != nil {
		return ErrClosed
	}
	key := sendKey{s.Person().ID, id}
	if at, again := s.hub.privates.get(key); again {
		s.hub.counters.duplicates.Add(1)
		s.Emit(Ack{ID: id, Time: at})
		return nil
	}
	if err := s.spendMessage(); err != nil {
		return err
	}
	if err := s.hub.mutes.check("", s.Person().ID); err != nil {
		return err
	}
	receivers := s.hub.sessionsOf(to)
	if len(receivers) == 0 {
		return &Error{Code: CodeNotHere, Text: fmt.Sprintf("nobody with the id %.64q is connected", to)}
	}
	whom := receivers[0].Person()
	if f := s.hub.o.AllowPrivate; f != nil {
		if err := f(s, whom, text); err != nil {
			return asError(err, CodeNotAllowed)
		}
	}
	at := now()
	if first, again := s.hub.privates.put(key, at); again { // on another connection, meanwhile
		s.Emit(Ack{ID: id, Time: first})
		return nil
	}
	s.Emit(Ack{ID: id, Time: at})
	if to != s.Person().ID {
		receivers = append(receivers, s.hub.sessionsOf(s.Person().ID)...)
	}
	s.hub.counters.privates.Add(1)
	s.hub.fanOut(NewEvent(Private{From: s.Person(), To: whom, ID: id, Text: text, Time: at}), receivers, nil)
	return nil
}

// recent remembers the last private messages by their keys, so that a client
// which did not get the acknowledgement may ask again.
type recent struct {
	mu   sync.Mutex
	at   map[sendKey]time.Time
	ring []sendKey // the oldest at next
	next int
}

// recentMax bounds the memory: at 64 bytes an id, some 3 MiB.
const recentMax = 10_000

func (r *recent) get(k sendKey) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.at[k]
	return at, ok
}

// put remembers k, or says since when it was known.
func (r *recent) put(k sendKey, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.at[k]; ok {
		return at, true
	}
	if r.at == nil {
		r.at = make(map[sendKey]time.Time)
	}
	r.at[k] = now
	if len(r.ring) < recentMax {
		r.ring = append(r.ring, k)
		return now, false
	}
	delete(r.at, r.ring[r.next])
	r.ring[r.next] = k
	r.next = (r.next + 1) % recentMax
	return now, false
}
