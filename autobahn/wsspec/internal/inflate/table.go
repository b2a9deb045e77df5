package inflate

import (
	"math/bits"

	"framewright/autobahn/wsspec/internal/rfc1951"
)

// A code's symbols stand in a table under the bits that come next in the stream. The
// first 2^primary entries are found with that many bits; codes that are longer have
// a second table each, behind the first, that all codes with the same first bits
// share.
//
// An entry has:
//
//	bits 0-5    how many bits to drop: the code and the extra bits behind it
//	bits 8-11   how many bits the code has by itself
//	bit  12     the end of the block
//	bit  13     a second table; bits 0-5 are the bits that it is found with
//	bit  14     none of the plain cases: end of block, second table, no such code
//	bit  15     a literal
//	bits 16-31  the literal, the least length or distance, or the second table's start
const (
	dropBits   = 63
	codeShift  = 8
	codeBits   = 15
	flagEnd    = 1 << 12
	flagSecond = 1 << 13
	flagOther  = 1 << 14
	flagPlain  = 1 << 15
	valueShift = 16

	noCode = flagOther // no code has these bits
)

const (
	maxCode      = 15  // bits (RFC 1951 §3.2.7)
	maxLiterals  = 286 // codes that may occur for literals and lengths (§3.2.5)
	maxDistances = 30
	endOfBlock   = 256

	literalBits  = 11
	distanceBits = 8
	lengthsBits  = 7 // the code lengths' own code, whose codes are no longer

	// The most entries that any code of 288 symbols needs that is found with 11 bits at
	// first, and of 32 with 8: the figures of zlib's program enough.
	literalSize  = 2342
	distanceSize = 402
)

// The symbols' part of their entries.
var (
	literalSymbols  = makeLiteralSymbols()
	distanceSymbols = makeDistanceSymbols()
	lengthsSymbols  = makeLengthsSymbols()
)

func makeLiteralSymbols() (s [288]uint32) {
	for i := range 256 {
		s[i] = flagPlain | uint32(i)<<valueShift
	}
	s[endOfBlock] = flagOther | flagEnd
	for i, e := range rfc1951.Lengths {
		s[endOfBlock+1+i] = entry(e)
	}
	s[286], s[287] = noCode, noCode // they take part in the fixed code only
	return s
}

// entry is a length's or a distance's part of its entry.
func entry(e rfc1951.Extra) uint32 { return uint32(e.Least)<<valueShift | uint32(e.Bits) }

func makeDistanceSymbols() (s [32]uint32) {
	for i, e := range rfc1951.Distances {
		s[i] = entry(e)
	}
	s[30], s[31] = noCode, noCode
	return s
}

func makeLengthsSymbols() (s [19]uint32) {
	for i := range s {
		s[i] = uint32(i) << valueShift
	}
	return s
}

// The tables of the fixed code (RFC 1951 §3.2.6).
var fixedLiterals, fixedDistances = makeFixed()

func makeFixed() (*[literalSize]uint32, *[distanceSize]uint32) {
	lens := rfc1951.FixedLengths()
	literals, distances := new([literalSize]uint32), new([distanceSize]uint32)
	build(literals[:], literalBits, lens[:], literalSymbols[:])
	for i := range 32 {
		lens[i] = 5
	}
	build(distances[:], distanceBits, lens[:32], distanceSymbols[:])
	return literals, distances
}

// build fills a table with the canonical code that has the given lengths (RFC 1951
// §3.2.2). left is what the codes leave free, in units of 2^-15 of all bit strings:
// 0 for a complete code, less for one that cannot be.
func build(table []uint32, primary int, lens []byte, symbols []uint32) (left int) {
	var count, start [maxCode + 2]int
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	left = 1 << maxCode
	for n := 1; n <= maxCode; n++ {
		left -= count[n] << (maxCode - n)
		start[n+1] = start[n] + count[n]
	}
	if left < 0 {
		return left
	}
	var sorted [288]uint16
	next := start
	for s, n := range lens {
		if n != 0 {
			sorted[next[n]] = uint16(s)
			next[n]++
		}
	}
	b := builder{table: table, primary: primary, symbols: symbols, count: &count}
	b.fill(sorted[:start[maxCode+1]], lens)
	return left
}

// A builder is a table that is being filled, code by code.
type builder struct {
	table   []uint32
	primary int
	symbols []uint32
	count   *[maxCode + 2]int

	code   uint32 // the next one, its first bit the highest
	size   int    // bits of codes that the first table is filled for up to now
	end    int    // of all tables
	second int    // where the present second table begins
	bits   int    // that it is found with
	prefix uint32 // the first bits of its codes; none has all ones in 32 bits
}

func (b *builder) fill(sorted []uint16, lens []byte) {
	b.table[0] = noCode
	b.end = 1 << b.primary
	b.prefix = 1<<32 - 1
	last := 0
	for _, s := range sorted {
		n := int(lens[s])
		b.code <<= n - last
		last = n
		// In the stream a code's first bit comes first, that is, lowest.
		reversed := bits.Reverse32(b.code) >> (32 - n)
		b.code++
		entry := b.symbols[s] + uint32(n)<<codeShift + uint32(n)
		if n <= b.primary {
			b.grow(n)
			b.table[reversed] = entry
			b.count[n]--
			continue
		}
		b.grow(b.primary)
		b.long(reversed, n, entry)
		b.count[n]--
	}
	b.grow(b.primary)
}

// grow doubles the first table until it is found with n bits: the codes so far do not
// care for the bit that is new.
func (b *builder) grow(n int) {
	for ; b.size < n; b.size++ {
		copy(b.table[1<<b.size:2<<b.size], b.table[:1<<b.size])
	}
}

// long enters a code that is longer than the first table's.
func (b *builder) long(reversed uint32, n int, entry uint32) {
	if prefix := reversed & (1<<b.primary - 1); prefix != b.prefix {
		// As large as the codes need that begin like this one: those of its length
		// fill it, or leave room for longer ones.
		b.prefix, b.second, b.bits = prefix, b.end, n-b.primary
		for room := 1<<b.bits - b.count[n]; room > 0 && b.bits+b.primary < maxCode; {
			b.bits++
			room = room<<1 - b.count[b.primary+b.bits]
		}
		b.end += 1 << b.bits
		for i := b.second; i < b.end; i++ {
			b.table[i] = noCode
		}
		b.table[prefix] = flagOther | flagSecond | uint32(b.second)<<valueShift | uint32(b.bits)
	}
	for i := reversed >> b.primary; i < 1<<b.bits; i += 1 << (n - b.primary) {
		b.table[b.second+int(i)] = entry
	}
}
