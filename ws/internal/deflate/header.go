package deflate

// describe makes the codes of a dynamic block (RFC 1951 §3.2.7) and returns
// how many bits its header will take, from HLIT on.
func (e *encoder) describe() (bits int) {
	e.litCount = e.huff.lengths(e.lens[:numLit], e.litFreq[:], maxCode)
	e.distCount = e.huff.lengths(e.distLens[:], e.distFreq[:], maxCode)

	// Lengths of literals and distances form one sequence, in which symbol 16
	// repeats the last length 3 to 6 times, 17 and 18 repeat 0.
	lit, dist := e.numLit(), e.numDist()
	var all [numLit + numDist]uint8
	n := copy(all[:], e.lens[:lit])
	n += copy(all[n:], e.distLens[:dist])
	clear(e.lensFreq[:])
	syms := e.lensSyms[:0]
	for i := 0; i < n; {
		x, run := all[i], 1
		for i+run < n && all[i+run] == x {
			run++
		}
		i += run
		if x != 0 {
			syms = append(syms, uint16(x))
			e.lensFreq[x&15]++
			run--
		}
		for run >= 3 {
			sym, times := uint16(16), min(run, 6)
			switch {
			case x == 0 && run > 10:
				times = min(run, 138)
				sym = uint16(times-11)<<8 | 18
			case x == 0:
				times = run
				sym = uint16(times-3)<<8 | 17
			default:
				sym |= uint16(times-3) << 8
			}
			syms = append(syms, sym)
			e.lensFreq[sym&31]++
			run -= times
		}
		for range run {
			syms = append(syms, uint16(x))
			e.lensFreq[x&15]++
		}
	}
	e.lensSyms = syms

	e.lensCount = e.huff.lengths(e.lensLens[:], e.lensFreq[:], maxLens)
	return 5 + 5 + 4 + 3*e.numLens() + cost(e.lensFreq[:], e.lensLens[:]) +
		2*int(e.lensFreq[16]) + 3*int(e.lensFreq[17]) + 7*int(e.lensFreq[18])
}

// header writes what describe has made.
func (e *encoder) header() {
	w := &e.out
	w.put(uint64(e.numLit()-257), 5)
	w.put(uint64(e.numDist()-1), 5)
	w.put(uint64(e.numLens()-4), 4)
	for _, sym := range lenOrder[:e.numLens()] {
		w.put(uint64(e.lensLens[sym]), 3)
	}
	var codes [numLens]uint32
	codesOf(codes[:], e.lensLens[:], &e.lensCount)
	for _, s := range e.lensSyms {
		sym := s & 0xff
		code := codes[sym]
		w.put(uint64(code>>8), uint(code&0xff))
		switch sym {
		case 16:
			w.put(uint64(s>>8), 2)
		case 17:
			w.put(uint64(s>>8), 3)
		case 18:
			w.put(uint64(s>>8), 7)
		}
	}
}

// How many lengths a header gives: not the zeros at the end, but at least 257,
// 1 and 4 of them.
func (e *encoder) numLit() int  { return 257 + used(e.lens[257:numLit]) }
func (e *encoder) numDist() int { return 1 + used(e.distLens[1:]) }
func (e *encoder) numLens() int {
	n := numLens
	for n > 4 && e.lensLens[lenOrder[n-1]] == 0 {
		n--
	}
	return n
}

func used(lens []uint8) int {
	n := len(lens)
	for n > 0 && lens[n-1] == 0 {
		n--
	}
	return n
}
