package deflate

import "math/bits"

// codes are what sequences are written with: each code's bits above 8 bits
// that say how many. Those of lengths have their extra bits with them. Symbols
// without a code keep whatever was there before.
type codes struct {
	lit  [numLit]uint32
	len  [256]uint32 // by length less 3
	dist [32]uint32
}

// make makes the codes whose lengths are given, and counted.
func (c *codes) make(litLens []uint8, litCount *lenCounts, distLens []uint8, distCount *lenCounts) {
	codesOf(c.lit[:], litLens[:numLit], litCount)
	for i, n := range litLens[firstLen:numLit] {
		if n == 0 {
			continue
		}
		code := c.lit[firstLen+i] + uint32(lenExtra[i])
		lens := c.len[lenBase[i]-minMatch:]
		for extra := range uint32(1) << lenExtra[i] {
			lens[extra] = code + extra<<(n+8)
		}
	}
	codesOf(c.dist[:], distLens, distCount)
}

// lenCodes are the codes of lengths less 3.
var (
	lenCodes   [256]uint8
	fixedLit   [288]uint8
	fixedDist  [32]uint8
	fixedCodes codes
)

func lenSym(length uint) uint { return firstLen + uint(lenCodes[length&0xff]) }

// distCode returns the code of a distance less 1: its highest bit and the one
// below it say which (§3.2.5).
func distCode(dist uint) uint {
	if dist < 2 {
		return dist
	}
	n := uint(bits.Len(dist)) - 2
	return 2*n + dist>>(n&31)
}

func init() {
	for i, base := range lenBase {
		for n := range 1 << lenExtra[i] {
			lenCodes[min(int(base)-minMatch+n, 255)] = uint8(i)
		}
	}
	fixedLens(fixedLit[:])
	for i := range fixedDist {
		fixedDist[i] = 5
	}
	litCount, distCount := countLens(fixedLit[:]), countLens(fixedDist[:])
	fixedCodes.make(fixedLit[:], &litCount, fixedDist[:], &distCount)
}

// An encoder writes blocks; it is the scratch memory for that.
type encoder struct {
	out      bitWriter
	huff     huffman
	litFreq  [numLit]uint32
	distFreq [numDist]uint32
	lensFreq [numLens]uint32
	lens     [numLit + numDist]uint8 // literals and lengths, then distances
	distLens [numDist]uint8
	lensLens [numLens]uint8
	lensSyms []uint16 // code length symbols, their extra bits from bit 8 on
	dynamic  codes

	litCount, distCount, lensCount lenCounts
}

// smallBlock is the size in bits, with fixed codes, from which on it is tried
// whether others would be better: a header that describes them rarely takes
// less than that.
const smallBlock = 64 * 8

// block writes src, which seqs describes, as the kind of block that takes the
// fewest bits (§3.2.3).
func (e *encoder) block(src []byte, seqs []sequence) {
	e.count(src, seqs)
	extra := 0
	for i, f := range e.litFreq[firstLen:] {
		extra += int(f) * int(lenExtra[i])
	}
	for i, f := range e.distFreq[:] {
		extra += int(f) * int(distExtra[i])
	}

	fixed := extra + cost(e.litFreq[:], fixedLit[:]) + cost(e.distFreq[:], fixedDist[:])
	size, header, data := fixed, 0, 0
	if fixed > smallBlock {
		header = e.describe()
		data = extra + cost(e.litFreq[:], e.lens[:]) + cost(e.distFreq[:], e.distLens[:])
		size = min(size, header+data)
	}
	// A stored block's LEN starts a byte, every 65,535 bytes.
	parts := (len(src) + maxStored - 1) / maxStored
	if stored := 8*len(src) + parts*(3+7+32); stored <= size+3 {
		e.out.stored(src)
		return
	}
	if size == fixed {
		e.out.put(1<<1, 3) // BFINAL 0, BTYPE 01
		e.out.sequences(src, seqs, &fixedCodes, fixed)
		return
	}
	e.out.put(2<<1, 3) // BFINAL 0, BTYPE 10
	e.header()
	e.dynamic.make(e.lens[:numLit], &e.litCount, e.distLens[:], &e.distCount)
	e.out.sequences(src, seqs, &e.dynamic, data)
}

// count counts how often each symbol occurs.
func (e *encoder) count(src []byte, seqs []sequence) {
	clear(e.litFreq[:])
	clear(e.distFreq[:])
	for _, s := range seqs {
		for _, x := range src[:s.lits] {
			e.litFreq[x]++
		}
		src = src[s.lits:]
		if s.length != noMatch {
			e.litFreq[lenSym(uint(s.length))%numLit]++
			e.distFreq[distCode(uint(s.dist))%numDist]++
			src = src[int(s.length)+minMatch:]
		}
	}
	e.litFreq[endOfBlock] = 1
}

func cost(freq []uint32, lens []uint8) (bits int) {
	lens = lens[:len(freq)]
	for i, f := range freq {
		bits += int(f) * int(lens[i])
	}
	return bits
}
