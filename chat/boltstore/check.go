package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"framewright/chat"
)

// What bbolt's two meta pages look like: a page's header, then magic, version
// and page size (4 each), flags (4), root (16), free list, high water mark,
// transaction (8 each), checksum (8). Numbers are the machine's.
const (
	boltPageHead = 16
	boltMetaSize = 64
	boltMagic    = 0xED0CDAED
)

// checkFile looks at the file's head before bbolt does, because bbolt maps the
// file into memory: a part that is missing would be a fault at some later time.
func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w (not a regular file)", ErrForeign)
	}
	first, firstOK := readMeta(f, 0)
	size := int64(first.pageSize)
	if !firstOK && first.magic != boltMagic {
		// Its page size may still be read from the second, wherever that is.
		for size = 1 << 10; size <= 16<<20; size *= 2 {
			if m, ok := readMeta(f, size); ok && int64(m.pageSize) == size {
				break
			}
		}
	}
	second, secondOK := readMeta(f, size)
	switch {
	case !firstOK && !secondOK && first.magic != boltMagic && second.magic != boltMagic:
		return ErrForeign
	case !firstOK && !secondOK:
		return fmt.Errorf("%w (neither of its two heads is whole)", ErrDamaged)
	case !firstOK || secondOK && second.tx > first.tx:
		first = second
	}
	if need := first.pages * uint64(first.pageSize); uint64(info.Size()) < need {
		return fmt.Errorf("%w (%d bytes long; its head says at least %d)", ErrDamaged, info.Size(), need)
	}
	return nil
}

type boltMeta struct {
	magic, version, pageSize uint32
	pages, tx                uint64
}

func readMeta(r io.ReaderAt, at int64) (m boltMeta, ok bool) {
	b := make([]byte, boltMetaSize)
	if _, err := r.ReadAt(b, at+boltPageHead); err != nil {
		return m, false
	}
	e := binary.NativeEndian
	m = boltMeta{e.Uint32(b), e.Uint32(b[4:]), e.Uint32(b[8:]), e.Uint64(b[40:]), e.Uint64(b[48:])}
	sum := fnv.New64a()
	sum.Write(b[:56])
	return m, m.magic == boltMagic && m.version == 2 && sum.Sum64() == e.Uint64(b[56:])
}

// load reads the whole file, and with it what the committer must know.
func (s *Store) load() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w (%v)", ErrDamaged, v)
		}
	}()
	return s.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return fmt.Errorf("%w (a bbolt file of another program)", ErrForeign)
		}
		if f := meta.Get(keyFormat); len(f) != 1 || f[0] != format {
			return fmt.Errorf("%w of this version (its format is %x, this program's %x)", ErrForeign, f, format)
		}
		for _, name := range allBuckets {
			if tx.Bucket(name) == nil {
				return damaged("%q is missing", name)
			}
		}
		e := meta.Get(keyEpoch)
		if len(e) != 8 {
			return damaged("the epoch")
		}
		s.epoch = binary.BigEndian.Uint64(e)
		if err := s.loadMessages(tx); err != nil {
			return err
		}
		// Last, because it runs where a fault could not be caught: by now every
		// page that is in use was seen.
		var all []error
		for err := range tx.Check() {
			if len(all) < 3 {
				all = append(all, err)
			}
		}
		if len(all) > 0 {
			return damaged("%v", errors.Join(all...))
		}
		return nil
	})
}

// loadMessages sees that rooms, messages and their order agree.
func (s *Store) loadMessages(tx *bbolt.Tx) error {
	type known struct {
		roomRecord
		name string
		next uint64 // Seq that must come next
	}
	rooms := make(map[uint64]*known)
	err := tx.Bucket(bucketRooms).ForEach(func(k, v []byte) error {
		r, err := parseRoom(v)
		if err != nil || rooms[r.id] != nil {
			return damaged("room %q", k)
		}
		rooms[r.id] = &known{r, string(k), r.first + 1}
		s.rooms[string(k)] = 0
		return nil
	})
	if err != nil {
		return err
	}
	order := tx.Bucket(bucketOrder)
	n := 0
	err = tx.Bucket(bucketMessages).ForEach(func(k, v []byte) error {
		if len(k) != 16 {
			return damaged("a message's key")
		}
		id, seq := binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:])
		r := rooms[id]
		if r == nil || seq != r.next {
			return damaged("message %d of room %d is where none should be", seq, id)
		}
		rec, err := parseRecord(v)
		if err != nil {
			return damaged("message %d of room %q", seq, r.name)
		}
		room, at, name, err := parseOrder(order.Get(number(rec.order)))
		if err != nil || room != id || at != seq || name != r.name {
			return damaged("the order of message %d of room %q", seq, r.name)
		}
		r.next++
		n++
		s.bytes += int64(rec.of(r.name, chat.Cursor{}).Size())
		s.rooms[r.name] = max(s.rooms[r.name], rec.order)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range rooms {
		if r.next != r.head+1 {
			return damaged("room %q ends at message %d instead of %d", r.name, r.next-1, r.head)
		}
	}
	places := 0
	if err := order.ForEach(func(k, v []byte) error { places++; return nil }); err != nil {
		return err
	}
	if places != n {
		return damaged("%d messages, and %d places in their order", n, places)
	}
	// The smaller indexes, for their pages' sake.
	for _, name := range [][]byte{bucketIDs, bucketDeleted} {
		if err := tx.Bucket(name).ForEach(func(k, v []byte) error {
			if len(v) != 8 {
				return damaged("%q", name)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
