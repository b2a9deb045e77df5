package deflate

// The sizes of the two alphabets and of the code that describes them (RFC 1951
// §3.2.5–7).
const (
	numLit  = 286 // literals 0–255, end of block, lengths 257–285
	numDist = 30
	numLens = 19 // the code length alphabet: lengths 0–15, three repeats

	endOfBlock = 256
	firstLen   = 257

	minMatch = 3
	maxMatch = 258
	maxCode  = 15 // bits of the longest literal, length or distance code
	maxLens  = 7  // bits of the longest code length code

	maxStored = 1<<16 - 1 // bytes of a stored block (§3.2.4)

	minBits = 8 // RFC 7692 §7.1.2.1
	maxBits = 15
)

// lenOrder is the order in which a dynamic block's header gives the lengths of
// the code length codes (§3.2.7).
var lenOrder = [numLens]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// Of length code 257+i, lenBase[i] is the shortest length and lenExtra[i] the
// number of bits that are added to it; so with distance codes (§3.2.5).
var (
	lenBase   [29]uint16
	lenExtra  [29]uint8
	distBase  [numDist]uint16
	distExtra [numDist]uint8
)

// The ranges in §3.2.5's tables double: four length codes, two distance codes
// for each number of extra bits, but eight and four with none. 258 has a
// length code of its own, although 284 and its five bits reach it too.
func init() {
	base := minMatch
	for i := range lenBase {
		if i >= 8 {
			lenExtra[i] = uint8(i/4 - 1)
		}
		lenBase[i] = uint16(base)
		base += 1 << lenExtra[i]
	}
	lenBase[28], lenExtra[28] = maxMatch, 0
	base = 1
	for i := range distBase {
		if i >= 4 {
			distExtra[i] = uint8(i/2 - 1)
		}
		distBase[i] = uint16(base)
		base += 1 << distExtra[i]
	}
}
