package socketio

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"
)

// A place is where a namespace's log stands after one of its events. Its text
// is the offset that the event carries; to clients it is opaque.
//
// Epoch is random for each log, so that an offset from before a restart is not
// taken for a place in the new log. Seq grows by one with each event.
type place struct{ epoch, seq uint64 }

// String is both numbers in base 36: "epoch-seq".
func (p place) String() string {
	b := strconv.AppendUint(make([]byte, 0, 27), p.epoch, 36)
	b = append(b, '-')
	return string(strconv.AppendUint(b, p.seq, 36))
}

// parsePlace is the inverse of String; ok is false for text that String does
// not make.
func parsePlace(s string) (p place, ok bool) {
	epoch, seq, _ := strings.Cut(s, "-")
	var err1, err2 error
	p.epoch, err1 = strconv.ParseUint(epoch, 36, 64)
	p.seq, err2 = strconv.ParseUint(seq, 36, 64)
	return p, err1 == nil && err2 == nil && p.String() == s
}

func newEpoch() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:])
}
