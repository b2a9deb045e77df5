// Package traffic is the client of the benchmarks: one thread around epoll, the
// same for every server. It sends frames that were made beforehand and compares
// every byte that comes back with what has to come back.
package traffic

import (
	"encoding/binary"
	"math/rand/v2"
)

const (
	fin    = 0x80
	binMsg = 0x2 // a binary message's first frame; its others are continuations, 0
)

// appendFrame appends one frame, masked if key is not nil (RFC 6455 §5.2).
func appendFrame(dst []byte, first byte, payload []byte, key *[4]byte) []byte {
	mask := byte(0)
	if key != nil {
		mask = 0x80
	}
	dst = append(dst, first)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, mask|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n))
	}
	if key == nil {
		return append(dst, payload...)
	}
	dst = append(dst, key[:]...)
	begin := len(dst)
	dst = append(dst, payload...)
	for i := range payload {
		dst[begin+i] ^= key[i&3]
	}
	return dst
}

// A ring is what a connection sends, over and over: count messages of one size
// with different content and keys, as the bytes that go out and the bytes that
// have to come back. There is only one right answer: one frame for each
// message, or fragments of a known size, with lengths in the fewest bytes.
type ring struct {
	count    int
	out, in  []byte
	sent     int // bytes of one message in out
	received int // bytes of one message in in
}

// ringBytes is about how much content a ring has, so that it stays in the cache
// for small messages.
const ringBytes = 32 << 10

// newRing makes a ring. In out, the first window messages stand behind the last
// one again, so that any window messages in a row are one slice.
func newRing(w Work) *ring {
	size, window := w.Size, w.InFlight
	r := &ring{count: min(max(ringBytes/max(size, 1), 4), 64)}
	rnd := rand.New(rand.NewPCG(6455, uint64(size)))
	payload := make([]byte, size)
	for range r.count {
		for i := range payload {
			payload[i] = byte(rnd.Uint32())
		}
		var key [4]byte
		binary.LittleEndian.PutUint32(key[:], rnd.Uint32())
		r.out = appendFrame(r.out, fin|binMsg, payload, &key)
		r.in = appendReply(r.in, payload, w.Fragment)
	}
	r.sent, r.received = len(r.out)/r.count, len(r.in)/r.count
	if w.Raw {
		r.in, r.received = r.out, r.sent
	}
	once := r.out
	for n := 0; n < window; n += r.count {
		r.out = append(r.out, once[:min(window-n, r.count)*r.sent]...)
	}
	return r
}

// appendReply appends a message as the server sends it.
func appendReply(dst, payload []byte, fragment int) []byte {
	first := byte(binMsg)
	for fragment > 0 && len(payload) > fragment {
		dst = appendFrame(dst, first, payload[:fragment], nil)
		first, payload = 0, payload[fragment:]
	}
	return appendFrame(dst, fin|first, payload, nil)
}
