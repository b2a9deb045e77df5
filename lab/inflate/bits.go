package inflate

import "errors"

// errShort says that there are no more bits.
var errShort = errors.New("no more bits")

// bits is a stream of them: of each byte the least significant first (RFC 1951 §3.1.1).
type bits struct {
	data []byte
	at   int // the next one, counted from the first
}

// left is how many there are still.
func (b *bits) left() int { return 8*len(b.data) - b.at }

// take returns the next n bits as a number, the first being its least significant (§3.1.1).
func (b *bits) take(n int) (v int, err error) {
	if n > b.left() {
		return 0, errShort
	}
	for i := range n {
		v |= int(b.data[b.at/8]>>(b.at%8)&1) << i
		b.at++
	}
	return v, nil
}

// align skips the rest of a byte that has begun, and returns how many bits that were.
func (b *bits) align() (skipped int) {
	skipped = -b.at & 7
	b.at += skipped
	return skipped
}

// Code is the n bits from bit at on, in the order in which they come: "0110". Those beyond
// the end of data are of the tail that stands for every message's end (RFC 7692 §7.2.2).
func Code(data []byte, at, n int) string {
	digits := make([]byte, 0, n)
	for i := at; i < at+n; i++ {
		b := byte(0)
		switch by := i / 8; {
		case by < len(data):
			b = data[by]
		case by < len(data)+len(tail):
			b = tail[by-len(data)]
		}
		digits = append(digits, '0'+b>>(i%8)&1)
	}
	return string(digits)
}
