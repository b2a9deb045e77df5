package deflate

import (
	"encoding/binary"
	"math/bits"
)

// A matcher finds what has been there before (RFC 1951 §4): a hash table leads
// from four bytes to the last two places where they stood.
//
// Positions count on from message to message, modulo 2^32, with a gap larger
// than any window between two messages, so that nothing need be cleared: an
// entry from before is too far away. Even one that is not, because positions
// have gone round, is harmless, because what is found is compared.
type matcher struct {
	table [1 << maxHash]places
	next  uint32 // the first position not in use yet
	seqs  []sequence
}

type places struct{ last, before uint32 }

const (
	maxHash = 13
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
	quick bool // findQuick, else find
	lazy  int  // after a match shorter than this, try the next position too
	step  int  // of the positions inside a match, enter one in step
	dense int  // of the context, enter the last dense positions,
	old   int  // and of those before, one in old
}

// planFor chooses by the length of a message. What is spent on a short one is
// mostly its block's header and the context, on a long one the search.
func planFor(length int) *plan {
	switch {
	case length < 512:
		return &planShort
	case length < 8<<10:
		return &planMiddle
	}
	return &planLong
}

// Found by measuring.
var (
	planShort  = plan{lazy: 16, step: 2, dense: 1 << 10, old: 16}
	planMiddle = plan{lazy: 16, step: 2, dense: 4 << 10, old: 8}
	planLong   = plan{quick: true, dense: 4 << 10, old: 4}
)

func load32(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[i:]) }
func load64(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i:]) }

func hash(x uint32) uint32 { return x * 0x9E3779B1 >> (32 - maxHash) }

// enter enters the position at, where x stands, and returns the places from
// before.
func (m *matcher) enter(x, at uint32) places {
	p := &m.table[hash(x)]
	was := *p
	*p = places{at, was.last}
	return was
}

// search enters position i of buf, which ends 4 bytes later or more, and
// returns the longest match there, if it is longer than least, and how far
// back it is; or 0, 0. base is the position of buf[0].
func (m *matcher) search(buf []byte, i int, base uint32, window, least int) (length, dist int) {
	x, at := load32(buf, i), base+uint32(i)
	was := m.enter(x, at)
	limit := uint32(min(window, i))
	if d := at - was.last; d-1 < limit && load32(buf, i-int(d)) == x {
		if n := extend(buf, i-int(d), i); n > least {
			least, length, dist = n, n, int(d)
		}
	}
	if d := at - was.before; d-1 < limit && load32(buf, i-int(d)) == x {
		if n := extend(buf, i-int(d), i); n > least {
			length, dist = n, int(d)
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

// find describes buf[from:], or the first of it, as sequences, and returns
// where it stopped. base is the position of buf[0]; what stands before from
// has been entered already. No match is further back than window.
func (m *matcher) find(buf []byte, from int, base uint32, window int, how *plan) int {
	seqs := m.seqs[:0]
	if len(buf) > from+maxEnd {
		buf = buf[:from+maxRun]
	}
	start, i := from, from // of the literals that are not in seqs yet; of the search
	end := len(buf) - 3    // from there on there are no four bytes
	for i < end && len(seqs) < maxSeqs-1 {
		length, dist := m.search(buf, i, base, window, minMatch)
		if length == 0 || length == 4 && dist > farAway {
			i += stride(i - start)
			continue
		}
		entered := i + 1
		if length < how.lazy && i+1 < end {
			entered++
			if n, d := m.search(buf, i+1, base, window, length); n > 0 {
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
			m.enter(load32(buf, entered), base+uint32(entered))
		}
	}
	if i >= end {
		i = len(buf)
	}
	if i > start {
		seqs = append(seqs, sequence{lits: uint32(i - start), length: noMatch})
	}
	m.seqs = seqs
	return i
}

// stride is how far to go on after a search in vain: further where nothing has
// been found for long, but not so far that what is entered on the way would be
// too little to find it again.
func stride(lits int) int { return 1 + min(lits>>6, 15) }

// remember enters the context, which stands in buf before end: all of the
// last of it, and less of what is older, since a longer match will be found by
// any of its positions.
func (m *matcher) remember(buf []byte, end int, base uint32, how *plan) {
	i := 0
	for ; i < end-how.dense; i += how.old {
		m.enter(load32(buf, i), base+uint32(i))
	}
	for ; i < min(end, len(buf)-3); i++ {
		m.enter(load32(buf, i), base+uint32(i))
	}
}
