package boltstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"framewright/chat"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("a record is wrong")

// record is a message as it is stored.
//
//	checksum (4, of all that follows), place in bucketOrder (8), time (8, Unix nanoseconds),
//	flags (1), then length (uvarint) and bytes of: person's ID, person's name, ID, text
type record struct {
	order   uint64
	deleted bool
	message chat.Message // without Room and Cursor
}

const recordHead = 4 + 8 + 8 + 1

// Flags of a record. What was stored before one was thought of does not have it.
const (
	flagDeleted = 1 << iota
	flagAccount // the person's name was vouched for
)

func (r *record) append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, r.order)
	b = binary.BigEndian.AppendUint64(b, uint64(r.message.Time.UnixNano()))
	flags := byte(0)
	if r.deleted {
		flags |= flagDeleted
	}
	if r.message.From.Account {
		flags |= flagAccount
	}
	b = append(b, flags)
	for _, s := range []string{r.message.From.ID, r.message.From.Name, r.message.ID, r.message.Text} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	binary.BigEndian.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli))
	return b
}

func parseRecord(b []byte) (record, error) {
	if len(b) < recordHead || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return record{}, errRecord
	}
	r := record{order: binary.BigEndian.Uint64(b[4:]), deleted: b[20]&flagDeleted != 0}
	r.message.From.Account = b[20]&flagAccount != 0
	r.message.Time = time.Unix(0, int64(binary.BigEndian.Uint64(b[12:]))).UTC()
	b = b[recordHead:]
	for _, s := range []*string{&r.message.From.ID, &r.message.From.Name, &r.message.ID, &r.message.Text} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return record{}, errRecord
		}
		*s = string(b[size : size+int(n)])
		b = b[size+int(n):]
	}
	return r, nil
}

// of gives the record's message as one of a room, whose name counts in its
// size.
func (r *record) of(room string, c chat.Cursor) *chat.Message {
	m := r.message
	m.Room, m.Cursor = room, c
	return &m
}

// roomRecord is what is stored of a room: id, epoch, first and head (8 each).
type roomRecord struct {
	id    uint64
	epoch uint64
	first uint64 // Seq before the oldest message that is kept
	head  uint64 // Seq of the last message
}

func (r roomRecord) encode() []byte {
	b := make([]byte, 0, 32)
	for _, n := range []uint64{r.id, r.epoch, r.first, r.head} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func parseRoom(b []byte) (roomRecord, error) {
	if len(b) != 32 {
		return roomRecord{}, errRecord
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(b[8*i:]) }
	r := roomRecord{n(0), n(1), n(2), n(3)}
	if r.epoch == 0 || r.first > r.head {
		return roomRecord{}, errRecord
	}
	return r, nil
}

// idKey is the key under which a room remembers that a person has used an id.
// The hash keeps it short; 128 bits of SHA-256 are more than anybody collides.
func idKey(room uint64, person, id string) []byte {
	b := make([]byte, 8, 8+len(person)+len(id)+10)
	binary.BigEndian.PutUint64(b, room)
	b = binary.AppendUvarint(b, uint64(len(person)))
	b = append(append(b, person...), id...)
	sum := sha256.Sum256(b)
	return append(b[:8], sum[:16]...)
}

// orderValue is what bucketOrder holds: where the message is.
func orderValue(room, seq uint64, name string) []byte { return append(place(room, seq), name...) }

func parseOrder(b []byte) (room, seq uint64, name string, err error) {
	if len(b) < 16 {
		return 0, 0, "", errRecord
	}
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), string(b[16:]), nil
}
