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
// number of bits that are added to it; so with distance codes (§3.2.5). The
// ranges double: there are four length codes and two distance codes for each
// number of extra bits, but eight and four with none.
var (
	lenBase, lenExtra   = lengthCodes()
	distBase, distExtra = distanceCodes()
)

func lengthCodes() (base [29]uint16, extra [29]uint8) {
	next := minMatch
	for i := range base {
		if i >= 8 {
			extra[i] = uint8(i/4 - 1)
		}
		base[i] = uint16(next)
		next += 1 << extra[i]
	}
	// 258 has a code of its own, although 284 and its five bits reach it too.
	base[28], extra[28] = maxMatch, 0
	return base, extra
}

func distanceCodes() (base [numDist]uint16, extra [numDist]uint8) {
	next := 1
	for i := range base {
		if i >= 4 {
			extra[i] = uint8(i/2 - 1)
		}
		base[i] = uint16(next)
		next += 1 << extra[i]
	}
	return base, extra
}
