package deflate

import (
	"encoding/binary"
	"math/bits"

	"framewright/autobahn/wsspec/internal/rfc1951"
)

// A Writer puts a DEFLATE stream together from its parts. The zero value is an empty
// one. Nothing is checked: a Writer can make streams that break every rule.
type Writer struct {
	b   []byte
	acc uint64 // the next bits, the first one lowest
	n   uint   // how many
}

// Bits appends the lowest n bits of v, at most 32.
func (w *Writer) Bits(v uint32, n uint) {
	w.acc |= uint64(v) & (1<<n - 1) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
}

// Align fills a byte up with zero bits.
func (w *Writer) Align() {
	if w.n > 0 {
		w.Bits(0, 8-w.n)
	}
}

// Raw appends bytes, from the next whole byte on.
func (w *Writer) Raw(b ...byte) {
	w.Align()
	w.b = append(w.b, b...)
}

// The types of a block (RFC 1951 §3.2.3).
const (
	blockStored  = 0
	blockFixed   = 1
	blockDynamic = 2
)

// Header appends BFINAL and BTYPE.
func (w *Writer) Header(final bool, kind uint32) {
	v := kind << 1
	if final {
		v |= 1
	}
	w.Bits(v, 3)
}

// Stored appends stored blocks (RFC 1951 §3.2.4): as many as the data needs, one if it
// is empty. The last of them is final if final says so.
func (w *Writer) Stored(final bool, data []byte) {
	for {
		n := min(len(data), 1<<16-1)
		w.Header(final && n == len(data), blockStored)
		w.Align()
		w.b = binary.LittleEndian.AppendUint16(w.b, uint16(n))
		w.b = binary.LittleEndian.AppendUint16(w.b, ^uint16(n))
		w.b = append(w.b, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return
		}
	}
}

// Fixed begins a block with the fixed codes (RFC 1951 §3.2.6). Literals, Match and
// EndBlock follow.
func (w *Writer) Fixed(final bool) { w.Header(final, blockFixed) }

// Literals appends bytes to a block with the fixed codes.
func (w *Writer) Literals(data string) {
	for _, c := range []byte(data) {
		w.code(fixed.literals[c])
	}
}

// Match appends a match to a block with the fixed codes: a length of 3 to 258, and a
// distance of 1 to 32,768.
func (w *Writer) Match(length, distance int) { w.match(&fixed, length, distance) }

// EndBlock ends a block with the fixed codes.
func (w *Writer) EndBlock() { w.code(fixed.literals[endOfBlock]) }

// Message ends a message (RFC 7692 §7.2.1): an empty stored block, without the four
// bytes at its end, and returns it. The Writer is then as new.
func (w *Writer) Message() []byte {
	w.Header(false, blockStored)
	return w.Bytes()
}

// Bytes returns what was written, filled up to whole bytes. The Writer is then as new.
func (w *Writer) Bytes() []byte {
	w.Align()
	b := w.b
	*w = Writer{}
	return b
}

// A code is a symbol's bits, the first one lowest.
type code struct {
	bits uint16
	n    uint8
}

func (w *Writer) code(c code) { w.Bits(uint32(c.bits), uint(c.n)) }

// codes are what a block is written with.
type codes struct {
	literals  [maxLiterals]code
	distances [maxDistances]code
}

const (
	maxLiterals  = 288 // of which 286 are of use (RFC 1951 §3.2.5)
	maxDistances = 30
	endOfBlock   = 256
	maxCode      = 15
	minMatch     = 3
	maxMatch     = 258
)

var fixed = makeFixed()

func makeFixed() (c codes) {
	lens := rfc1951.FixedLengths()
	canonical(c.literals[:], lens[:])
	for i := range c.distances {
		c.distances[i] = code{bits: uint16(bits.Reverse8(uint8(i)) >> 3), n: 5}
	}
	return c
}

var lengths, distances = rfc1951.Lengths, rfc1951.Distances

// symbol finds the last one that begins at v or before.
func symbol(table []rfc1951.Extra, v int) int {
	low, high := 0, len(table)
	for high-low > 1 {
		if mid := (low + high) / 2; table[mid].Least <= v {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

func (w *Writer) match(c *codes, length, distance int) {
	l := symbol(lengths[:], length)
	w.code(c.literals[endOfBlock+1+l])
	w.Bits(uint32(length-lengths[l].Least), lengths[l].Bits)
	d := symbol(distances[:], distance)
	w.code(c.distances[d])
	w.Bits(uint32(distance-distances[d].Least), distances[d].Bits)
}
