package inflate

import (
	"encoding/binary"

	"framewright/autobahn/wsspec/internal/rfc1951"
)

// A reader takes bits from a piece of the stream, the least significant of each byte
// first (RFC 1951 §3.1.1).
type reader struct {
	in   []byte
	at   int    // the next byte that is not in bits
	bits uint64 // the next bits, those above n all 0
	n    uint
	skip uint // of the first byte of the next piece: bits that are used already
}

// more begins a piece; what was left of the last one must be at its start.
func (r *reader) more(in []byte) {
	r.in, r.at, r.bits, r.n = in, 0, 0, 0
	if len(in) > 0 {
		r.fill()
		r.drop(r.skip)
		r.skip = 0
	}
}

// keep ends a piece: from which byte on it is still needed.
func (r *reader) keep() (used int) {
	if len(r.in) == 0 {
		return 0
	}
	place := r.at*8 - int(r.n)
	r.skip = uint(place & 7)
	return place >> 3
}

// fill takes bytes while there are any, so that n is 57 at least or all is in bits.
func (r *reader) fill() {
	if len(r.in)-r.at >= 8 {
		r.bits |= binary.LittleEndian.Uint64(r.in[r.at:]) << r.n
		r.at += int(63-r.n) >> 3
		r.n |= 56
		r.bits &= 1<<r.n - 1
		return
	}
	for r.n <= 56 && r.at < len(r.in) {
		r.bits |= uint64(r.in[r.at]) << r.n
		r.at++
		r.n += 8
	}
}

func (r *reader) drop(n uint) {
	r.bits >>= n
	r.n -= n
}

// take takes n bits if they are there, 32 at the most.
func (r *reader) take(n uint) (v uint32, ok bool) {
	if r.n < n {
		if r.fill(); r.n < n {
			return 0, false
		}
	}
	v = uint32(r.bits & (1<<n - 1))
	r.drop(n)
	return v, true
}

// align drops what is left of a byte.
func (r *reader) align() { r.drop(r.n & 7) }

// header reads a block's header (RFC 1951 §3.2.3), or nothing if it is not all there:
//
//	BFINAL (1), BTYPE (2), and what the type has before its data
func (d *Decoder) header() (state, error) {
	saved := d.r
	v, ok := d.r.take(3)
	if !ok {
		return wantsInput, nil
	}
	isFinal := v&1 == 1
	var err error
	kind := &d.stats.Stored
	switch v >> 1 {
	case 0:
		ok, err = d.storedHeader()
	case 1:
		kind = &d.stats.Fixed
		d.literals, d.distances = fixedLiterals, fixedDistances
		d.mode = inSymbols
	case 2:
		kind = &d.stats.Dynamic
		ok, err = d.dynamicHeader()
	default:
		d.r = saved
		return goesOn, d.fault(ErrCorrupt, "a block of the reserved type 3 (RFC 1951 §3.2.3)")
	}
	if err != nil {
		return goesOn, err
	}
	if !ok {
		d.r = saved
		return wantsInput, nil
	}
	*kind++
	if d.isFinal = isFinal; isFinal {
		d.stats.Final++
	}
	if d.mode == inStored && d.stored == 0 {
		d.endBlock()
	}
	return goesOn, nil
}

// endBlock is behind the last symbol or byte of a block.
func (d *Decoder) endBlock() {
	d.mode = inHeader
	if d.isFinal {
		// A DEFLATE stream ends here; what is behind begins with a byte of its own
		// (RFC 7692 §7.2.3.4).
		d.r.align()
		d.ended = d.r.n == 0 && d.r.at == len(d.r.in)
	}
}

// storedHeader reads LEN and NLEN (RFC 1951 §3.2.4).
func (d *Decoder) storedHeader() (ok bool, err error) {
	d.r.align()
	v, ok := d.r.take(32)
	if !ok {
		return false, nil
	}
	if size, not := v&0xffff, v>>16; size != ^not&0xffff {
		return false, d.fault(ErrCorrupt, "a stored block's LEN is %#04x and its NLEN %#04x, no complement (RFC 1951 §3.2.4)", size, not)
	}
	d.stored, d.mode = int(v&0xffff), inStored
	return true, nil
}

func (d *Decoder) copyStored() (state, error) {
	// What is in bits are whole bytes.
	d.r.at -= int(d.r.n / 8)
	d.r.bits, d.r.n = 0, 0
	n := copy(d.buf[d.pos:historySize+chunkSize], d.r.in[d.r.at:min(len(d.r.in), d.r.at+d.stored)])
	d.r.at += n
	d.pos += n
	if d.stored -= n; d.stored == 0 {
		d.endBlock()
		return goesOn, nil
	}
	if d.r.at == len(d.r.in) {
		return wantsInput, nil
	}
	return wantsRoom, nil
}

// dynamicHeader reads what a block with codes of its own has before its data
// (RFC 1951 §3.2.7):
//
//	HLIT (5), HDIST (5), HCLEN (4), (HCLEN + 4) x 3 bits, the lengths of both codes
func (d *Decoder) dynamicHeader() (ok bool, err error) {
	v, ok := d.r.take(14)
	if !ok {
		return false, nil
	}
	literals, distances, lengths := int(v&31)+257, int(v>>5&31)+1, int(v>>10)+4
	if literals > maxLiterals || distances > maxDistances {
		return false, d.fault(ErrCorrupt, "a block with %d literal and %d distance codes, of at most %d and %d (RFC 1951 §3.2.7)",
			literals, distances, maxLiterals, maxDistances)
	}
	var lens [320]byte
	for _, s := range rfc1951.LengthsOrder[:lengths] {
		v, ok := d.r.take(3)
		if !ok {
			return false, nil
		}
		lens[s] = byte(v)
	}
	var table [1 << lengthsBits]uint32
	if left := build(table[:], lengthsBits, lens[:19], lengthsSymbols[:]); left != 0 {
		return false, d.fault(ErrCorrupt, "the code of the code lengths is %s (RFC 1951 §3.2.7)", wrongCode(left))
	}
	clear(lens[:])
	if ok, err := d.codeLengths(&table, lens[:literals+distances]); !ok {
		return false, err
	}
	if lens[endOfBlock] == 0 {
		return false, d.fault(ErrCorrupt, "a block without a code for its end (RFC 1951 §3.2.7)")
	}
	if left := build(d.own.literals[:], literalBits, lens[:literals], literalSymbols[:]); !fits(left, lens[:literals]) {
		return false, d.fault(ErrCorrupt, "the code of the literals is %s (RFC 1951 §3.2.7)", wrongCode(left))
	}
	if left := build(d.own.distances[:], distanceBits, lens[literals:literals+distances], distanceSymbols[:]); !fits(left, lens[literals:literals+distances]) {
		return false, d.fault(ErrCorrupt, "the code of the distances is %s (RFC 1951 §3.2.7)", wrongCode(left))
	}
	d.literals, d.distances = &d.own.literals, &d.own.distances
	d.mode = inSymbols
	return true, nil
}

func wrongCode(left int) string {
	if left < 0 {
		return "over-subscribed"
	}
	return "incomplete"
}

// fits reports whether a code can be: it is complete, or has one symbol of one bit,
// or none (RFC 1951 §3.2.7).
func fits(left int, lens []byte) bool {
	if left <= 0 {
		return left == 0
	}
	for _, n := range lens {
		if n > 1 {
			return false
		}
	}
	return true
}

// codeLengths reads the lengths of the two codes, in one sequence with repetitions.
func (d *Decoder) codeLengths(table *[1 << lengthsBits]uint32, lens []byte) (ok bool, err error) {
	for i := 0; i < len(lens); {
		d.r.fill()
		e := table[d.r.bits&(1<<lengthsBits-1)]
		n := uint(e & dropBits)
		if n > d.r.n {
			return false, nil
		}
		d.r.drop(n)
		symbol := e >> valueShift
		if symbol < 16 {
			lens[i] = byte(symbol)
			i++
			continue
		}
		var value byte
		extra, least := uint(2), 3
		switch symbol {
		case 16:
			if i == 0 {
				return false, d.fault(ErrCorrupt, "the first code length repeats one before it (RFC 1951 §3.2.7)")
			}
			value = lens[i-1]
		case 17:
			extra = 3
		case 18:
			extra, least = 7, 11
		}
		v, ok := d.r.take(extra)
		if !ok {
			return false, nil
		}
		times := least + int(v)
		if times > len(lens)-i {
			return false, d.fault(ErrCorrupt, "%d code lengths more, of %d that are left (RFC 1951 §3.2.7)", times, len(lens)-i)
		}
		for range times {
			lens[i] = value
			i++
		}
	}
	return true, nil
}
