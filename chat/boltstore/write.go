package boltstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"framewright/chat"
)

// writer is one transaction, and what it will have changed.
type writer struct {
	s                                     *Store
	tx                                    *bbolt.Tx
	rooms, messages, ids, order, deletedB *bbolt.Bucket

	epoch   uint64
	bytes   int64
	next    uint64 // place in order
	touched map[string]*roomRecord
	last    map[string]uint64 // for Store.rooms
	fresh   int               // rooms that are new
	gone    []string
	assign  []assigned
	buf     []byte
}

// assigned is a cursor that its message gets if the commit succeeds.
type assigned struct {
	message *chat.Message
	cursor  chat.Cursor
}

func newWriter(s *Store, tx *bbolt.Tx) *writer {
	w := &writer{s: s, tx: tx, epoch: s.epoch, bytes: s.bytes,
		rooms: tx.Bucket(bucketRooms), messages: tx.Bucket(bucketMessages), ids: tx.Bucket(bucketIDs),
		order: tx.Bucket(bucketOrder), deletedB: tx.Bucket(bucketDeleted),
		touched: make(map[string]*roomRecord), last: make(map[string]uint64)}
	// Places come in order, so full pages are better than half full ones.
	w.order.FillPercent = 0.9
	if k, _ := w.order.Cursor().Last(); k != nil {
		w.next = binary.BigEndian.Uint64(k) + 1
	}
	return w
}

func (w *writer) committed() {
	w.s.epoch, w.s.bytes = w.epoch, w.bytes
	w.s.roomsMu.Lock()
	maps.Copy(w.s.rooms, w.last)
	for _, name := range w.gone {
		delete(w.s.rooms, name)
	}
	w.s.roomsMu.Unlock()
	for _, a := range w.assign {
		a.message.Cursor = a.cursor
	}
}

// room returns the record of a room, making one if make is set; nil if there is
// none.
func (w *writer) room(name string, make bool) (*roomRecord, error) {
	if r := w.touched[name]; r != nil {
		return r, nil
	}
	if b := w.rooms.Get([]byte(name)); b != nil {
		r, err := parseRoom(b)
		if err != nil {
			return nil, damaged("room %q", name)
		}
		w.touched[name] = &r
		return &r, nil
	}
	if !make {
		return nil, nil
	}
	id, err := w.rooms.NextSequence()
	if err != nil {
		return nil, err
	}
	w.fresh++
	r := &roomRecord{id: id, epoch: w.epoch}
	w.touched[name] = r
	w.last[name] = w.next
	return r, nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrDamaged, fmt.Sprintf(format, args...))
}

func (w *writer) serve(q *request) error {
	if q.trial {
		// What an earlier trial left is freed by the commit and not before, so
		// this one needs room of its own.
		return w.tx.Bucket(bucketMeta).Put(keyTrial, make([]byte, trialBytes))
	}
	if !q.remove.IsZero() {
		return w.remove(q)
	}
	r, err := w.room(q.room, true)
	if err != nil {
		return err
	}
	q.stored = make([]chat.Stored, len(q.messages))
	for i, m := range q.messages {
		if q.stored[i], err = w.append(q.room, r, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) append(name string, r *roomRecord, m *chat.Message) (chat.Stored, error) {
	var key []byte
	if m.ID != "" {
		key = idKey(r.id, m.From.ID, m.ID)
		if b := w.ids.Get(key); len(b) == 8 {
			old, err := w.get(r, binary.BigEndian.Uint64(b))
			if err != nil {
				return chat.Stored{}, err
			}
			return chat.Stored{Message: old.of(name, chat.Cursor{Epoch: r.epoch, Seq: binary.BigEndian.Uint64(b)}), Duplicate: true}, nil
		}
	}
	r.head++
	rec := record{order: w.next, message: *m}
	w.buf = rec.append(w.buf[:0])
	if err := w.messages.Put(place(r.id, r.head), slices.Clone(w.buf)); err != nil {
		return chat.Stored{}, err
	}
	if key != nil {
		if err := w.ids.Put(key, number(r.head)); err != nil {
			return chat.Stored{}, err
		}
	}
	if err := w.order.Put(number(w.next), orderValue(r.id, r.head, name)); err != nil {
		return chat.Stored{}, err
	}
	w.last[name] = w.next
	w.next++
	w.bytes += int64(m.Size())
	w.assign = append(w.assign, assigned{m, chat.Cursor{Epoch: r.epoch, Seq: r.head}})
	for w.s.o.MaxMessages > 0 && r.head-r.first > uint64(w.s.o.MaxMessages) {
		if err := w.drop(name, r); err != nil {
			return chat.Stored{}, err
		}
	}
	return chat.Stored{Message: m}, nil
}

func (w *writer) get(r *roomRecord, seq uint64) (record, error) {
	rec, err := parseRecord(w.messages.Get(place(r.id, seq)))
	if err != nil {
		return rec, damaged("message %d of room %d", seq, r.id)
	}
	return rec, nil
}

// drop forgets the oldest message of a room.
func (w *writer) drop(name string, r *roomRecord) error {
	seq := r.first + 1
	rec, err := w.get(r, seq)
	if err != nil {
		return err
	}
	r.first = seq
	w.bytes -= int64(rec.of(name, chat.Cursor{}).Size())
	key := place(r.id, seq)
	var noID error
	if rec.message.ID != "" {
		noID = w.ids.Delete(idKey(r.id, rec.message.From.ID, rec.message.ID))
	}
	return errors.Join(noID, w.messages.Delete(key), w.deletedB.Delete(key), w.order.Delete(number(rec.order)))
}

func (w *writer) remove(q *request) error {
	r, err := w.room(q.room, false)
	if err != nil || r == nil {
		return err
	}
	seq := q.remove.Seq
	if q.remove.Epoch != r.epoch || seq <= r.first || seq > r.head {
		return nil
	}
	rec, err := w.get(r, seq)
	if err != nil || rec.deleted {
		return err
	}
	w.bytes -= int64(len(rec.message.Text))
	rec.deleted, rec.message.Text = true, ""
	q.found = true
	key := place(r.id, seq)
	return errors.Join(w.messages.Put(key, rec.append(nil)), w.deletedB.Put(key, number(r.head)))
}

// retain drops the oldest of all messages, up to n, as long as they are too old
// or too much, and reports how many it was.
func (w *writer) retain(n int) (dropped int, err error) {
	oldest := time.Time{}
	if w.s.o.MaxAge > 0 {
		oldest = time.Now().Add(-w.s.o.MaxAge)
	}
	for ; dropped < n; dropped++ {
		_, v := w.order.Cursor().First()
		if v == nil {
			return dropped, nil
		}
		_, seq, name, err := parseOrder(v)
		if err != nil {
			return dropped, damaged("the order")
		}
		r, err := w.room(name, false)
		if err != nil {
			return dropped, err
		}
		if r == nil || seq != r.first+1 {
			return dropped, damaged("the order of room %q", name)
		}
		if tooMuch := w.s.o.MaxBytes > 0 && w.bytes > w.s.o.MaxBytes; !tooMuch {
			rec, err := w.get(r, seq)
			if err != nil {
				return dropped, err
			}
			if !rec.message.Time.Before(oldest) {
				return dropped, nil
			}
		}
		if err := w.drop(name, r); err != nil {
			return dropped, err
		}
	}
	return dropped, nil
}

// finish applies retention and writes the rooms' records. It drops at least as
// many messages as a full batch adds, so that it always keeps up.
func (w *writer) finish() error {
	if _, err := w.retain(maxBatch + purgeBatch); err != nil {
		return err
	}
	if err := w.forgetRooms(); err != nil {
		return err
	}
	for name, r := range w.touched {
		if err := w.rooms.Put([]byte(name), r.encode()); err != nil {
			return err
		}
	}
	return nil
}

// forgetRooms drops the rooms that were written to longest ago, if there are
// too many. Their numbers may come again, so what is new has another epoch.
func (w *writer) forgetRooms() error {
	excess := len(w.s.rooms) + w.fresh - w.s.o.MaxRooms
	if w.s.o.MaxRooms <= 0 || excess <= 0 {
		return nil
	}
	all := make(map[string]uint64, len(w.s.rooms)+w.fresh)
	maps.Copy(all, w.s.rooms)
	maps.Copy(all, w.last)
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Compare(all[a], all[b]) })
	// A few more than must be, so that not every new room costs a search.
	for _, name := range names[:min(excess+w.s.o.MaxRooms/64, len(names))] {
		if _, used := w.last[name]; used {
			continue
		}
		r, err := w.room(name, false)
		if err != nil {
			return err
		}
		if r == nil {
			return damaged("room %q", name)
		}
		for r.first < r.head {
			if err := w.drop(name, r); err != nil {
				return err
			}
		}
		if err := w.rooms.Delete([]byte(name)); err != nil {
			return err
		}
		delete(w.touched, name)
		w.gone = append(w.gone, name)
	}
	w.epoch = chat.NewEpoch()
	return w.tx.Bucket(bucketMeta).Put(keyEpoch, number(w.epoch))
}
