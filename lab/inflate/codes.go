package inflate

import "strconv"

// The alphabets (RFC 1951 §3.2.5–7).
const (
	maxLiterals  = 286 // literals 0–255, end of block, lengths 257–285
	maxDistances = 30
	numLengths   = 19 // the code length alphabet: lengths 0–15 and three repeats
	maxBits      = 15 // of a code

	endOfBlock  = 256
	firstLength = 257
)

// lengthOrder is the order in which a dynamic block gives the lengths of the codes for
// code lengths (§3.2.7).
var lengthOrder = [numLengths]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// lengthOf is the shortest length of a match that a symbol stands for, and how many bits
// follow that are added to it (§3.2.5).
func lengthOf(symbol int) (base, extra int) {
	switch i := symbol - firstLength; {
	case symbol == 285:
		return 258, 0 // though 284 and its five bits reach it, too
	case i < 8:
		return 3 + i, 0
	default:
		extra = i/4 - 1
		return 3 + (4+i%4)<<extra, extra
	}
}

// distanceOf is the same of a distance.
func distanceOf(symbol int) (base, extra int) {
	if symbol < 4 {
		return 1 + symbol, 0
	}
	extra = symbol/2 - 1
	return 1 + (2+symbol%2)<<extra, extra
}

// Lengths are the shortest and the longest match that a symbol of 257 to 285 stands for.
func Lengths(symbol int) (shortest, longest int) {
	base, extra := lengthOf(symbol)
	longest = base + 1<<extra - 1
	if symbol == 284 {
		longest-- // 258 has a symbol of its own
	}
	return base, longest
}

// Distances are the shortest and the longest distance that a symbol of 0 to 29 stands for.
func Distances(symbol int) (shortest, longest int) {
	base, extra := distanceOf(symbol)
	return base, base + 1<<extra - 1
}

// A huffman is a set of codes. Those of one length are consecutive numbers, in the order
// of their symbols, and begin where the shorter ones, with a 0 behind, end (§3.2.2): so
// their lengths say all of them.
type huffman struct {
	count   [maxBits + 1]int // how many codes have so many bits
	symbols []int            // in the order of their codes
	longest int
}

func newHuffman(lengths []uint8) *huffman {
	h := &huffman{}
	for n := 1; n <= maxBits; n++ {
		for symbol, l := range lengths {
			if int(l) == n {
				h.count[n]++
				h.symbols = append(h.symbols, symbol)
				h.longest = n
			}
		}
	}
	return h
}

// fault says what is wrong with a set: it has to give a meaning to all bits, and one only.
// With lone, one code of one bit will do, and none at all: a block may have one distance,
// or no matches (§3.2.7).
func (h *huffman) fault(lone bool) string {
	free := 1 // codes of n bits that no shorter code begins
	for n := 1; n <= maxBits; n++ {
		if free = 2*free - h.count[n]; free < 0 {
			return "more codes of up to " + strconv.Itoa(n) + " bits than there can be"
		}
	}
	if free > 0 && !(lone && h.longest <= 1) {
		return "some bits have no meaning"
	}
	return ""
}

// next takes a code from b, and returns its symbol; -1 if there is no such code.
func (h *huffman) next(b *bits) (symbol int, err error) {
	code, first, before := 0, 0, 0 // the bits so far; the first code of their number; symbols with shorter ones
	for n := 1; n <= h.longest; n++ {
		bit, err := b.take(1)
		if err != nil {
			return 0, err
		}
		code, first = code<<1|bit, first<<1
		if i := code - first; i < h.count[n] {
			return h.symbols[before+i], nil
		}
		before += h.count[n]
		first += h.count[n]
	}
	if h.longest == 0 && b.left() == 0 {
		return 0, errShort
	}
	return -1, nil
}

// The codes of a fixed block (§3.2.6). Their sets are complete, though the last symbols of
// both mean nothing.
var fixedLiterals, fixedDistances = newHuffman(fixedLengths()), newHuffman([]uint8{
	5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5})

func fixedLengths() []uint8 {
	lengths := make([]uint8, 288)
	for symbol := range lengths {
		switch {
		case symbol < 144, symbol >= 280:
			lengths[symbol] = 8
		case symbol < 256:
			lengths[symbol] = 9
		default:
			lengths[symbol] = 7
		}
	}
	return lengths
}
