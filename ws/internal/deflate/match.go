package deflate

import (
	"encoding/binary"
	"math/bits"
)

// A matcher finds what has been there before (RFC 1951 §4): a hash table leads
// from four bytes to the last place where they stood, and a chain from there
// to the places before.
//
// Positions count on from message to message, modulo 2^32, with a gap larger
// than any window between two messages, so that nothing need be cleared: an
// entry from before is too far away. Even one that is not, because positions
// have gone round, is harmless, because what is found is compared.
type matcher struct {
	head [1 << maxHash]uint32
	prev [1 << maxBits]uint16 // distance to the place before, by position modulo its length; 0: none
	next uint32               // the first position not in use yet
	seqs []sequence
}

const (
	maxHash = 14
	maxSeqs = 16 << 10 // of a block
	maxRun  = 64 << 10 // bytes of a block, so that frequencies stay small
)

// A plan says how hard to search.
type plan struct {
	depth int  // places that are compared
	good  int  // a match of this length is good enough
	shift uint // 32 less the bits of the hash
}

func load32(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[i:]) }
func load64(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i:]) }

func hash(x uint32, shift uint) uint32 { return x * 0x9E3779B1 >> (shift & 31) }

// extend returns how many bytes at a and b in buf are equal, a < b < len(buf),
// at most maxMatch.
func extend(buf []byte, a, b int) int {
	p, q := buf[b:min(len(buf), b+maxMatch)], buf[a:]
	n := 0
	for ; n+8 <= len(p); n += 8 {
		if diff := load64(p, n) ^ load64(q, n); diff != 0 {
			return n + bits.TrailingZeros64(diff)>>3
		}
	}
	for n < len(p) && p[n] == q[n] {
		n++
	}
	return n
}

// insert enters position i of buf, at base, and returns how far back the last
// place with its hash is.
func (m *matcher) insert(x uint32, at uint32, shift uint) uint32 {
	h := hash(x, shift) & (1<<maxHash - 1)
	d := at - m.head[h]
	m.head[h] = at
	if d > 1<<maxBits {
		d = 0
	}
	m.prev[at&(1<<maxBits-1)] = uint16(d)
	return d
}

// find describes buf[from:], or the first of it, as sequences, and returns
// where it stopped. base is the position of buf[0]; what stands before from
// has been entered already. No match is further back than window.
func (m *matcher) find(buf []byte, from int, base uint32, window int, how plan) int {
	seqs := m.seqs[:0]
	end := min(len(buf), from+maxRun)
	buf = buf[:end]
	start := from // of the literals
	i := from
	for i+4 <= end && len(seqs) < maxSeqs-1 {
		length, dist := m.search(buf, i, base, window, minMatch, how)
		if length == 0 {
			i += 1 + (i-start)>>6
			continue
		}
		// Perhaps the next position has a longer one.
		entered := i + 1
		for length < how.good && i+5 <= end {
			l, d := m.search(buf, i+1, base, window, length, how)
			entered = i + 2
			if l <= length {
				break
			}
			i++
			length, dist = l, d
		}
		for i > start && i > dist && buf[i-1] == buf[i-1-dist] && length < maxMatch {
			i--
			length++
		}
		seqs = append(seqs, sequence{uint32(i - start), uint16(length - minMatch), uint16(dist - 1)})
		i += length
		start = i
		for stop := min(i, end-3); entered < stop; entered++ {
			m.insert(load32(buf, entered), base+uint32(entered), how.shift)
		}
	}
	if i+4 > end {
		i = end
	}
	if i > start {
		seqs = append(seqs, sequence{lits: uint32(i - start), length: noMatch})
	}
	m.seqs = seqs
	return i
}

// search enters position i and returns the longest match there, and how far
// back it is, if it is longer than least; or 0, 0.
func (m *matcher) search(buf []byte, i int, base uint32, window, least int, how plan) (length, dist int) {
	x := load32(buf, i)
	at := base + uint32(i)
	d := int(m.insert(x, at, how.shift))
	limit := min(window, i)
	step := d
	for depth := how.depth; step > 0 && d <= limit; depth-- {
		j := i - d
		if load32(buf, j) == x && (i+least >= len(buf) || buf[j+least] == buf[i+least]) {
			if n := extend(buf, j, i); n > least {
				least, length, dist = n, n, d
				if n >= how.good {
					break
				}
			}
		}
		if depth == 1 {
			break
		}
		step = int(m.prev[(at-uint32(d))&(1<<maxBits-1)])
		d += step
	}
	return length, dist
}
