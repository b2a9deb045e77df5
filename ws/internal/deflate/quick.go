package deflate

// A quickMatcher is a matcher for long messages, where the search is most of
// the work: a hash table leads from four bytes to the last place where they
// stood; the first match is taken, and of the positions inside it two are
// entered.
//
// Positions count on from message to message, modulo 2^32, with a gap larger
// than any window between two messages, so that nothing need be cleared: an
// entry from before is too far away. Even one that is not, because positions
// have gone round, is harmless, because what is found is compared.
type quickMatcher struct {
	table [1 << longHash]uint32
	next  uint32 // the first position not in use yet
}

const (
	longHash = 13

	// Of the context, the last longDense positions are entered, and of those
	// before one in longOld.
	longDense = 4 << 10
	longOld   = 4
)

// find appends to seqs what describes buf[from:], or the first of it, and
// returns where it stopped. base is the position of buf[0]; what stands before
// from has been entered already. No match is further back than window.
func (m *quickMatcher) find(seqs []sequence, buf []byte, from int, base uint32, window int) ([]sequence, int) {
	if len(buf) > from+maxEnd {
		buf = buf[:from+maxRun]
	}
	start, i := from, from
	end := len(buf) - 3
	for i < end && len(seqs) < maxSeqs-1 {
		x, at := load32(buf, i), base+uint32(i)
		p := &m.table[hash(x, longHash)]
		d := at - *p
		*p = at
		if d-1 >= uint32(min(window, i)) || load32(buf, i-int(d)) != x {
			i += stride(i - start)
			continue
		}
		length := extend(buf, i-int(d), i)
		for dist := int(d); i > start && i > dist && buf[i-1] == buf[i-1-dist] && length < maxMatch; i-- {
			length++
		}
		seqs = append(seqs, sequence{uint32(i - start), uint16(length - minMatch), uint16(d - 1)})
		second := i + 1
		i += length
		start = i
		if i < end {
			m.table[hash(load32(buf, second), longHash)] = base + uint32(second)
			m.table[hash(load32(buf, i-2), longHash)] = base + uint32(i-2)
		}
	}
	if i >= end {
		i = len(buf)
	}
	if i > start {
		seqs = append(seqs, sequence{lits: uint32(i - start), length: noMatch})
	}
	return seqs, i
}

// remember enters the context, which stands in buf before end.
func (m *quickMatcher) remember(buf []byte, end int, base uint32) {
	i := 0
	for ; i < end-longDense; i += longOld {
		m.table[hash(load32(buf, i), longHash)] = base + uint32(i)
	}
	for ; i < min(end, len(buf)-3); i++ {
		m.table[hash(load32(buf, i), longHash)] = base + uint32(i)
	}
}
