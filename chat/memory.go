package chat

import (
	"cmp"
	"container/list"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Memory is a [Store] that forgets everything when the process ends. It is
// bounded four ways; the zero value has the defaults, and a negative field is no
// bound. Set the fields before the first call.
type Memory struct {
	MaxMessages int           // kept per room; default 1000
	MaxAge      time.Duration // of a message; default: no limit
	MaxRooms    int           // remembered; default 10,000. Past it the longest unused is forgotten
	MaxBytes    int           // of all messages together; default 64 MiB. Past it a room that has a quarter of it loses its oldest when it is written to, or else the longest unused room does

	mu    sync.Mutex
	seed  maphash.Seed             // of the epochs of rooms that are not remembered
	rooms map[string]*list.Element // of *memoryRoom
	used  list.List                // front: used last
	bytes int
}

type memoryRoom struct {
	name     string
	epoch    uint64
	dropped  uint64     // how many messages came before messages[0]
	messages []*Message // messages[i] has Seq dropped+i+1
	bytes    int        // of them
	byID     map[sendKey]*Message
	deleted  map[uint64]uint64 // Seq of a deleted message: the head's Seq when that was done
}

// exceeds reports whether n is over a bound, which has a default.
func exceeds(n, bound, byDefault int) bool {
	bound = cmp.Or(bound, byDefault)
	return bound >= 0 && n > bound
}

// sendKey is what makes two sends the same one.
type sendKey struct{ person, id string }

// room returns the room of a name. If there is none, it is what there will be
// after the first message, and keep says whether that is now: who only looks
// must not push out what others have written.
func (m *Memory) room(name string, keep bool) *memoryRoom {
	if e := m.rooms[name]; e != nil {
		m.used.MoveToFront(e)
		r := e.Value.(*memoryRoom)
		for m.MaxAge > 0 && len(r.messages) > 0 && time.Since(r.messages[0].Time) > m.MaxAge {
			m.dropOldest(r)
		}
		return r
	}
	if m.rooms == nil {
		m.rooms = make(map[string]*list.Element)
		m.seed = maphash.MakeSeed()
	}
	r := &memoryRoom{name: name, epoch: max(maphash.String(m.seed, name), 1)}
	if !keep {
		return r
	}
	r.byID = make(map[sendKey]*Message)
	m.rooms[name] = m.used.PushFront(r)
	for exceeds(len(m.rooms), m.MaxRooms, 10_000) { // a bound is at least one
		m.forget(m.used.Back())
	}
	return r
}

// forget drops a room whole. If it comes back, it has another epoch.
func (m *Memory) forget(e *list.Element) {
	r := m.used.Remove(e).(*memoryRoom)
	delete(m.rooms, r.name)
	m.seed = maphash.MakeSeed()
	for _, msg := range r.messages {
		m.bytes -= msg.Size()
	}
}

// dropOldest makes the room forget its oldest message.
func (m *Memory) dropOldest(r *memoryRoom) {
	old := r.messages[0]
	r.messages[0] = nil // the array behind the slice lives on for a while
	r.messages = r.messages[1:]
	r.dropped++
	delete(r.byID, sendKey{old.From.ID, old.ID})
	delete(r.deleted, old.Cursor.Seq)
	m.bytes -= old.Size()
	r.bytes -= old.Size()
}

func (r *memoryRoom) head() Cursor {
	return Cursor{Epoch: r.epoch, Seq: r.dropped + uint64(len(r.messages))}
}

// Append implements [Store]. It never fails.
func (m *Memory) Append(room string, messages []*Message) ([]Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.room(room, true)
	out := make([]Stored, len(messages))
	for i, msg := range messages {
		key := sendKey{msg.From.ID, msg.ID}
		if old := r.byID[key]; old != nil && msg.ID != "" {
			out[i] = Stored{Message: old, Duplicate: true}
			continue
		}
		msg.Cursor = r.head()
		msg.Cursor.Seq++
		r.messages = append(r.messages, msg)
		if msg.ID != "" {
			r.byID[key] = msg
		}
		m.bytes += msg.Size()
		r.bytes += msg.Size()
		out[i] = Stored{Message: msg}
		for exceeds(len(r.messages), m.MaxMessages, 1000) {
			m.dropOldest(r)
		}
	}
	// Who fills one room does not push out the others' messages.
	for exceeds(m.bytes, m.MaxBytes, 64<<20) && r.bytes > cmp.Or(m.MaxBytes, 64<<20)/largeRoom && len(r.messages) > 1 {
		m.dropOldest(r)
	}
	m.shrink()
	return out, nil
}

// largeRoom is the part of MaxBytes from which on a room makes way itself.
const largeRoom = 4

// shrink brings the sum of all rooms under MaxBytes, from the longest unused
// room on; the last message of the last room stays.
func (m *Memory) shrink() {
	for exceeds(m.bytes, m.MaxBytes, 64<<20) {
		e := m.used.Back()
		r := e.Value.(*memoryRoom)
		switch last := e == m.used.Front(); {
		case len(r.messages) > 1 || len(r.messages) == 1 && !last:
			m.dropOldest(r)
		case !last:
			m.forget(e)
		default:
			return
		}
	}
}

// Read implements [Store]. It never fails.
func (m *Memory) Read(room string, q Query) (Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.room(room, false)
	p := Page{Head: r.head()}
	all := r.messages
	if s := q.Since; !s.IsZero() {
		if s.Epoch != r.epoch || s.Seq < r.dropped || s.Seq > p.Head.Seq {
			return p, nil // of another epoch, too old, or ahead
		}
		missed, more := r.latest(all[s.Seq-r.dropped:], q)
		if more {
			return p, nil
		}
		p.Messages, p.Recovered = missed, true
		for seq, head := range r.deleted {
			if seq <= s.Seq && head >= s.Seq {
				p.Deleted = append(p.Deleted, Cursor{r.epoch, seq})
			}
		}
		slices.SortFunc(p.Deleted, func(a, b Cursor) int { return cmp.Compare(a.Seq, b.Seq) })
		return p, nil
	}
	if b := q.Before; !b.IsZero() {
		if b.Epoch != r.epoch || b.Seq <= r.dropped || b.Seq > p.Head.Seq+1 {
			return p, nil
		}
		all = all[:b.Seq-r.dropped-1]
	}
	p.Messages, p.More = r.latest(all, q)
	return p, nil
}

// latest gives the messages from the end of ms that the query's bounds allow,
// and says whether that leaves some out.
func (r *memoryRoom) latest(ms []*Message, q Query) (out []*Message, more bool) {
	size := 0
	for _, m := range slices.Backward(ms) {
		if _, gone := r.deleted[m.Cursor.Seq]; gone {
			continue
		}
		size += m.Size()
		if len(out) == q.Limit || q.Exceeds(len(out), size) {
			more = true
			break
		}
		out = append(out, m)
	}
	slices.Reverse(out)
	return out, more
}

// Rooms implements [RoomLister]. It never fails. To read a room counts as using
// it.
func (m *Memory) Rooms(limit int) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := m.used.Front(); e != nil && len(names) < limit; e = e.Next() {
		names = append(names, e.Value.(*memoryRoom).name)
	}
	return names, nil
}

// Delete implements [Store]. It never fails.
func (m *Memory) Delete(room string, c Cursor) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.room(room, false)
	if c.Epoch != r.epoch || c.Seq <= r.dropped || c.Seq > r.head().Seq {
		return false, nil
	}
	if _, again := r.deleted[c.Seq]; again {
		return false, nil
	}
	if r.deleted == nil {
		r.deleted = make(map[uint64]uint64)
	}
	r.deleted[c.Seq] = r.head().Seq
	old := r.messages[c.Seq-r.dropped-1]
	bare := *old // others hold the message itself, which does not change
	bare.Text = ""
	m.bytes -= old.Size() - bare.Size()
	r.bytes -= old.Size() - bare.Size()
	r.messages[c.Seq-r.dropped-1] = &bare
	if bare.ID != "" {
		r.byID[sendKey{bare.From.ID, bare.ID}] = &bare
	}
	return true, nil
}
