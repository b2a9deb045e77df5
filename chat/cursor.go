package chat

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// Cursor is a place in a room's order: after the message that carries it, and
// before the next. The zero Cursor is no place; its text is empty.
//
// A store makes cursors. Seq grows by one with each message of a room. Epoch
// changes whenever the room's numbering starts anew, so that an old cursor is
// recognised as foreign and is not taken for a place in the new history.
type Cursor struct {
	Epoch uint64
	Seq   uint64
}

// IsZero reports whether c is no place at all.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// String gives the text that clients see and bring back. To them it is opaque.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	b := strconv.AppendUint(make([]byte, 0, 28), c.Epoch, 36)
	b = append(b, '-')
	return string(strconv.AppendUint(b, c.Seq, 36))
}

// MarshalText is String, for the encoding packages.
func (c Cursor) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

var errCursor = errors.New("chat: not a cursor of this server")

// ParseCursor is the inverse of [Cursor.String]. Text that String never makes
// is an error; a transport answers it like a cursor of another epoch, because
// to the client it is the same: an old cursor that this server cannot read.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	epoch, seq, ok := strings.Cut(s, "-")
	if !ok || len(s) > 27 {
		return Cursor{}, errCursor
	}
	var c Cursor
	var err1, err2 error
	c.Epoch, err1 = strconv.ParseUint(epoch, 36, 64)
	c.Seq, err2 = strconv.ParseUint(seq, 36, 64)
	if err1 != nil || err2 != nil || c.String() != s {
		return Cursor{}, errCursor
	}
	return c, nil
}

// ForeignCursor is a place in no room of any store. A transport gives it to
// [Session.Join] for a cursor that it could not read.
var ForeignCursor = Cursor{Epoch: 0, Seq: 1}

// NewEpoch returns a random epoch, never 0, for stores that start a room's
// numbering.
func NewEpoch() uint64 {
	var b [8]byte
	for {
		rand.Read(b[:]) // never fails (crypto/rand)
		if e := binary.BigEndian.Uint64(b[:]); e != 0 {
			return e
		}
	}
}
