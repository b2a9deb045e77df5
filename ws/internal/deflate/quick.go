package deflate

// findQuick is find for long messages, where the search is most of the work:
// one place is tried, the first match is taken, and of the positions inside it
// two are entered.
func (m *matcher) findQuick(buf []byte, from int, base uint32, window int) int {
	seqs := m.seqs[:0]
	if len(buf) > from+maxEnd {
		buf = buf[:from+maxRun]
	}
	start, i := from, from
	end := len(buf) - 3
	for i < end && len(seqs) < maxSeqs-1 {
		x, at := load32(buf, i), base+uint32(i)
		p := &m.table[hash(x)].last
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
			m.table[hash(load32(buf, second))].last = base + uint32(second)
			m.table[hash(load32(buf, i-2))].last = base + uint32(i-2)
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
