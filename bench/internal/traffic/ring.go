//go:build linux

package traffic

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// A ring is what a connection sends, over and over: count messages of one size
// with different content and keys, as the bytes that go out and the bytes that
// have to come back. There is only one right answer: one frame for each
// message, or fragments of a known size, with lengths in the fewest bytes.
type ring struct {
	count    int
	out, in  []byte
	sent     int // bytes of one message in out
	received int // bytes of one message in in
	opened   int // connections
	scatter  bool
}

// ringBytes is about how much content a ring has, so that it stays in the cache
// for small messages.
const ringBytes = 32 << 10

// newRing makes a ring. In out, the first window messages stand behind the last
// one again, so that any window messages in a row are one slice.
func newRing(w Work) *ring {
	size, window := w.Size, w.InFlight
	r := &ring{scatter: !w.Broadcast, count: min(max(ringBytes/max(size, 1), 4), 64)}
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

// open lets each connection begin elsewhere in the ring, so that a reply on the
// wrong connection is noticed; receivers of a broadcast get the same.
func (r *ring) open(x *conn) error {
	if r.scatter {
		x.first = r.opened % r.count
		r.opened++
	}
	x.at = (x.first + x.arrived) % r.count * r.received
	return nil
}

func (r *ring) next(x *conn, n int) []byte {
	at := (x.first + x.sent) % r.count * r.sent
	return r.out[at : at+n*r.sent]
}

func (r *ring) check(x *conn, b []byte) (int, error) {
	x.part += len(b)
	for len(b) > 0 {
		want := r.in[x.at:min(len(r.in), x.at+len(b))]
		if !bytes.Equal(b[:len(want)], want) {
			return 0, fmt.Errorf("traffic: a reply is not what was sent: got %.32x, expected %.32x", b, want)
		}
		b = b[len(want):]
		if x.at += len(want); x.at == len(r.in) {
			x.at = 0
		}
	}
	replies := x.part / r.received
	x.part %= r.received
	return replies, nil
}
