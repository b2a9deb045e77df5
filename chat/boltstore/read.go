package boltstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"framewright/chat"
)

// Read implements [chat.Store]. It does not wait for commits.
func (s *Store) Read(room string, q chat.Query) (page chat.Page, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			page, err = chat.Page{}, fmt.Errorf("%w (%v)", ErrDamaged, v)
		}
	}()
	err = s.db.View(func(tx *bbolt.Tx) (err error) {
		page, err = read(tx, room, q)
		return err
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return page, err
}

func read(tx *bbolt.Tx, name string, q chat.Query) (chat.Page, error) {
	b := tx.Bucket(bucketRooms).Get([]byte(name))
	var r roomRecord
	if b == nil {
		// What a room will have whose first message is yet to come.
		r.epoch = binary.BigEndian.Uint64(tx.Bucket(bucketMeta).Get(keyEpoch))
	} else {
		var err error
		if r, err = parseRoom(b); err != nil {
			return chat.Page{}, damaged("room %q", name)
		}
	}
	p := chat.Page{Head: chat.Cursor{Epoch: r.epoch, Seq: r.head}}
	w := window{tx: tx, name: name, room: r, from: r.first + 1, to: r.head}
	if s := q.Since; !s.IsZero() {
		if s.Epoch != r.epoch || s.Seq < r.first || s.Seq > r.head {
			return p, nil // of another epoch, too old, or ahead
		}
		w.from = s.Seq + 1
		missed, more, err := w.latest(q)
		if err != nil || more {
			return p, err
		}
		p.Messages, p.Recovered = missed, true
		p.Deleted = deletedSince(tx, r, s.Seq)
		return p, nil
	}
	if b := q.Before; !b.IsZero() {
		if b.Epoch != r.epoch || b.Seq <= r.first || b.Seq > r.head+1 {
			return p, nil
		}
		w.to = b.Seq - 1
	}
	var err error
	p.Messages, p.More, err = w.latest(q)
	return p, err
}

// window is a range of a room's messages, both ends included.
type window struct {
	tx       *bbolt.Tx
	name     string
	room     roomRecord
	from, to uint64
}

// latest gives the messages from the window's end that the query's bounds
// allow, and says whether that leaves some out.
func (w window) latest(q chat.Query) (out []*chat.Message, more bool, err error) {
	if w.from > w.to {
		return nil, false, nil
	}
	c := w.tx.Bucket(bucketMessages).Cursor()
	size := 0
	k, v := c.Seek(place(w.room.id, w.to))
	for seq := w.to; seq >= w.from; seq-- {
		if string(k) != string(place(w.room.id, seq)) {
			return nil, false, damaged("message %d of room %q is missing", seq, w.name)
		}
		rec, err := parseRecord(v)
		if err != nil {
			return nil, false, damaged("message %d of room %q", seq, w.name)
		}
		k, v = c.Prev()
		if rec.deleted {
			continue
		}
		m := rec.of(w.name, chat.Cursor{Epoch: w.room.epoch, Seq: seq})
		size += m.Size()
		if len(out) == q.Limit || q.Exceeds(len(out), size) {
			more = true
			break
		}
		out = append(out, m)
	}
	slices.Reverse(out)
	return out, more, nil
}

// Rooms implements [chat.RoomLister].
func (s *Store) Rooms(limit int) ([]string, error) {
	s.roomsMu.Lock()
	rooms := maps.Clone(s.rooms)
	s.roomsMu.Unlock()
	names := slices.SortedFunc(maps.Keys(rooms), func(a, b string) int {
		return cmp.Or(cmp.Compare(rooms[b], rooms[a]), cmp.Compare(a, b))
	})
	return names[:max(0, min(limit, len(names)))], nil
}

func deletedSince(tx *bbolt.Tx, r roomRecord, since uint64) (out []chat.Cursor) {
	c := tx.Bucket(bucketDeleted).Cursor()
	for k, v := c.Seek(place(r.id, r.first+1)); len(k) == 16 && len(v) == 8; k, v = c.Next() {
		seq := binary.BigEndian.Uint64(k[8:])
		if binary.BigEndian.Uint64(k) != r.id || seq > since {
			break
		}
		if binary.BigEndian.Uint64(v) >= since {
			out = append(out, chat.Cursor{Epoch: r.epoch, Seq: seq})
		}
	}
	return out
}
