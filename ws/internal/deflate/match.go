package deflate

import (
	"encoding/binary"
	"math/bits"
)

// A matcher finds what has been there before (RFC 1951 §4): a hash table leads
// from four bytes to the last two places where they stood. It is for messages
// so short that a place takes 16 bits, context and all, so a table of them
// stays in the processor's nearest cache and is cleared for each message; long
// ones have a quickMatcher.
type matcher struct {
	table [1 << shortHash]places
}

// places are two places, the last one lowest; a place is its index in what is
// searched, and 1, and 0 is none.
type places uint32

const (
	shortHash = 13
	maxShort  = 8 << 10 // a message of so many bytes is a long one

	maxSeqs = 16 << 10 // of a block

	// Bytes of a block, so that frequencies stay small, and that one stored
	// block takes all of it if nothing else is shorter; but what is left after
	// it is not to be a block of a few bytes.
	maxRun = maxStored
	maxEnd = maxRun + 4<<10

	// A match of four bytes takes no fewer bits than four literals if it is
	// far away.
	farAway = 8 << 10
)

// A plan says how hard to search.
type plan struct {
	lazy  int // after a match shorter than this, try the next position too
	step  int // of the positions inside a match, enter one in step
	dense int // of the context, enter the last dense positions
	old   int // and of those before, one in old
}

// planFor chooses by the length of a message. What is spent on a short one is
// mostly its block's header and the context, on a long one the search.
func planFor(length int) *plan {
	if length < 512 {
		return &planShort
	}
	return &planMiddle
}

// Found by measuring.
var (
	planShort  = plan{lazy: 16, step: 2, dense: 2 << 10, old: 32}
	planMiddle = plan{lazy: 16, step: 2, dense: 4 << 10, old: 32}
)

func load32(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[i:]) }
func load64(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i:]) }

// hash returns the highest n bits of a product that all of x has a part in.
func hash(x uint32, n uint) uint32 { return x * 0x9E3779B1 >> (32 - n) }

// enter enters index i, where x stands, and returns the places from before.
func (m *matcher) enter(x uint32, i int) places {
	p := &m.table[hash(x, shortHash)]
	was := *p
	*p = was<<16 | places(i+1)
	return was
}

// search enters index i of buf, which ends 4 bytes later or more, and returns
// the longest match there, if it is longer than least, and how far back it is;
// or 0, 0.
func (m *matcher) search(buf []byte, i, window, least int) (length, dist int) {
	x := load32(buf, i)
	for was := m.enter(x, i); was != 0; was >>= 16 {
		at := int(was&0xffff) - 1
		if i-at > window {
			break // and those that are older too
		}
		if load32(buf, at) != x || i+least < len(buf) && buf[at+least] != buf[i+least] {
			continue
		}
		if n := extend(buf, at, i); n > least {
			least, length, dist = n, n, i-at
		}
	}
	return length, dist
}

// extend returns how many bytes at a and b in buf are equal, at most maxMatch,
// if the first four are. a < b.
func extend(buf []byte, a, b int) int {
	n := 4
	if b+8 <= len(buf) {
		if diff := load64(buf, b) ^ load64(buf, a); diff != 0 {
			return bits.TrailingZeros64(diff) >> 3
		}
		n = 8
	}
	p := buf[b:min(len(buf), b+maxMatch)]
	q := buf[a:]
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

// find appends to seqs what describes buf[from:]. What stands before from has been entered already. No match
// is further back than window.
func (m *matcher) find(seqs []sequence, buf []byte, from, window int, how *plan) []sequence {
	start, i := from, from // of the literals that are not in seqs yet; of the search
	end := len(buf) - 3    // from there on there are no four bytes
	for i < end {
		length, dist := m.search(buf, i, window, minMatch)
		if length == 0 || length == 4 && dist > farAway {
			i += stride(i - start)
			continue
		}
		entered := i + 1
		if length < how.lazy && i+1 < end {
			entered++
			if n, d := m.search(buf, i+1, window, length); n > 0 {
				i, length, dist = i+1, n, d
			}
		}
		// Not every position has been tried, nor entered.
		for i > start && i > dist && buf[i-1] == buf[i-1-dist] && length < maxMatch {
			i--
			length++
		}
		seqs = append(seqs, sequence{uint32(i - start), uint16(length - minMatch), uint16(dist - 1)})
		i += length
		start = i
		for last := min(i, end); entered < last; entered += how.step {
			m.enter(load32(buf, entered), entered)
		}
	}
	if len(buf) > start {
		seqs = append(seqs, sequence{lits: uint32(len(buf) - start), length: noMatch})
	}
	return seqs
}

// stride is how far to go on after a search in vain: further where nothing has
// been found for long, but not so far that what is entered on the way would be
// too little to find it again.
func stride(lits int) int { return 1 + min(lits>>6, 15) }

// remember enters the context, which stands in buf before end: all of the
// last of it, and less of what is older, since a longer match will be found by
// any of its positions.
func (m *matcher) remember(buf []byte, end int, how *plan) {
	clear(m.table[:])
	old := max(end-how.dense, 0)
	for i := 0; i < old; i += how.old {
		m.enter(load32(buf, i), i)
	}
	p := buf[old:min(end+3, len(buf))]
	at := places(old + 1)
	for ; len(p) >= 8; p = p[5:] { // one load, five positions
		x := load64(p, 0)
		m.put(uint32(x), at)
		m.put(uint32(x>>8), at+1)
		m.put(uint32(x>>16), at+2)
		m.put(uint32(x>>24), at+3)
		m.put(uint32(x>>32), at+4)
		at += 5
	}
	for ; len(p) >= 4; p = p[1:] {
		m.put(load32(p, 0), at)
		at++
	}
}

// put enters a place, where x stands.
func (m *matcher) put(x uint32, at places) {
	p := &m.table[hash(x, shortHash)]
	*p = *p<<16 | at
}
