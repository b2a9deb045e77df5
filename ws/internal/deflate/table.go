package deflate

import "math/bits"

// A decoding table is indexed by the next bits of the stream, least
// significant first, as many as its first level has. An entry says all that is
// to know about the symbol whose code these bits begin with:
//
//	bits 0-4    how many bits to take: code and extra bits together
//	bits 5-7    zero
//	bits 8-11   how many of them are extra bits
//	bit  13     literal
//	bit  14     end of block
//	bit  15     the code is longer: look in a second level
//	bits 16-31  literal, shortest length, shortest distance, or start of the
//	            second level, which is indexed by as many further bits as bits
//	            8-11 say
//
// An entry of 0 bits is no code at all (incomplete sets of codes).
type entry uint32

const (
	entryBits  = 0x1f
	isLiteral  = 1 << 13
	isEnd      = 1 << 14
	isLink     = 1 << 15
	isSpecial  = isLiteral | isEnd | isLink
	extraShift = 8
	valueShift = 16
)

func (e entry) bits() uint  { return uint(e & entryBits) }
func (e entry) extra() uint { return uint(e>>extraShift) & 15 }
func (e entry) value() int  { return int(e >> valueShift) }

// The bits of each first level, and room for it and for every second level
// that a complete set of codes can need (counted by trying all sets of 286 and 30
// symbols; TestTableRoom does it again). Fixed codes need no second level.
const (
	litBits, litRoom   = 10, 1332
	distBits, distRoom = 8, 400
	lensBits, lensRoom = maxLens, 1 << maxLens
)

// Entries without the length of the code, by symbol.
var (
	litEntries  [288]entry
	distEntries [32]entry
	lensEntries [numLens]entry
)

func init() {
	for i := range 256 {
		litEntries[i] = entry(i)<<valueShift | isLiteral
	}
	litEntries[endOfBlock] = isEnd
	for i, base := range lenBase {
		extra := entry(lenExtra[i])
		litEntries[firstLen+i] = entry(base)<<valueShift | extra<<extraShift | extra
	}
	for i, base := range distBase {
		extra := entry(distExtra[i])
		distEntries[i] = entry(base)<<valueShift | extra<<extraShift | extra
	}
	for i := range lensEntries {
		lensEntries[i] = entry(i) << valueShift
	}
}

// A codeFault says what is wrong with a set of code lengths.
type codeFault uint8

const (
	codesFine codeFault = iota
	codesOver
	codesIncomplete
)

// buildTable makes the table of the canonical code (RFC 1951 §3.2.2) in which
// symbol i has a code of lens[i] bits, or none if that is 0. A set must be
// complete; but where lone is set, as zlib has it, one code of one bit or no
// code at all will do.
func buildTable(table []entry, first int, lens []uint8, of []entry, lone bool) codeFault {
	// The symbols that have a code; most have none.
	var with [288]uint16
	n := 0
	for sym, l := range lens {
		with[n] = uint16(sym)
		if l > 0 {
			n++
		}
	}
	var count, next [maxCode + 1]uint16
	for _, sym := range with[:n] {
		count[lens[sym]&15]++
	}
	left, longest, used := 1, 0, uint16(0)
	for n := 1; n <= maxCode; n++ {
		left = left<<1 - int(count[n])
		if left < 0 {
			return codesOver
		}
		next[n] = used // where the symbols with codes of n bits start, sorted
		used += count[n]
		if count[n] > 0 {
			longest = n
		}
	}
	if left > 0 {
		if !lone || longest > 1 {
			return codesIncomplete
		}
		clear(table[:1<<first])
	}
	var sorted [288]uint16
	for _, sym := range with[:n] {
		p := &next[lens[sym]&15]
		sorted[*p] = sym
		*p++
	}

	// Codes are counted upwards, length by length, most significant bit first;
	// the table is indexed the other way round. So long as codes are no longer
	// than the first level's bits, the table is kept 2^n long for codes of n
	// bits, and doubled by copying.
	code, size, syms := uint(0), 1, sorted[:used]
	if left > 0 {
		size = 1 << first
	}
	for n := 1; n <= min(longest, first); n++ {
		if left == 0 {
			copy(table[size:2*size], table[:size])
			size *= 2
		}
		code <<= 1
		for range count[n] {
			at := bits.Reverse16(uint16(code)) >> (16 - n)
			e := of[syms[0]] + entry(n)
			table[at] = e
			if left > 0 { // the lone code: every index that begins with it
				for i := int(at); i < size; i += 2 {
					table[i] = e
				}
			}
			syms = syms[1:]
			code++
		}
	}
	if left > 0 || longest == 0 {
		return codesFine
	}
	for size < 1<<first {
		copy(table[size:2*size], table[:size])
		size *= 2
	}

	// Longer codes: a second level for each value of the first level's bits,
	// as large as its longest code needs.
	end, prefix, start, deep := size, ^uint(0), 0, 0
	for n := first + 1; n <= longest; n++ {
		code <<= 1
		for i := int(count[n]); i > 0; i-- {
			rev := uint(bits.Reverse16(uint16(code)) >> (16 - n))
			if rev&(1<<first-1) != prefix {
				prefix = rev & (1<<first - 1)
				deep = n - first
				// Codes that come are no shorter: it is full once the codes
				// of this length and the next ones have filled it.
				for room := 1<<deep - i; room > 0 && deep+first < longest; {
					deep++
					room = room<<1 - int(count[deep+first])
				}
				start = end
				end += 1 << deep
				table[prefix] = entry(start)<<valueShift | entry(deep)<<extraShift | isLink | entry(first)
			}
			e := of[syms[0]] + entry(n)
			for at := int(rev >> first); at < 1<<deep; at += 1 << (n - first) {
				table[start+at] = e
			}
			syms = syms[1:]
			code++
		}
	}
	return codesFine
}
