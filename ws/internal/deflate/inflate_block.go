package deflate

import (
	"fmt"
	"sync"
)

// need reports whether there are n bits, taking bytes from src as it must.
// n <= 56.
func (w *inflater) need(n uint, src []byte, ip *int) bool {
	for w.nb < n {
		if *ip == len(src) {
			return false
		}
		w.b |= uint64(src[*ip]) << w.nb
		w.nb += 8
		*ip++
	}
	return true
}

// take returns the next n bits, which are there.
func (w *inflater) take(n uint) int {
	v := w.b & (1<<n - 1)
	w.b >>= n
	w.nb -= n
	return int(v)
}

// run inflates until dst is full, src used up, or the stream found bad.
func (w *inflater) run(dst, src []byte) (op, ip int, err error) {
	for {
		switch w.state {
		case atHeader:
			// BFINAL (1), BTYPE (2) (RFC 1951 §3.2.3)
			if !w.need(3, src, &ip) {
				return op, ip, nil
			}
			w.final = w.take(1) == 1
			w.blocks++
			switch w.take(2) {
			case 0:
				w.take(w.nb & 7) // the rest of the byte
				w.state = atStoredLen
			case 1:
				w.litT, w.distT = fixedTables()
				w.state = atLiteral
			case 2:
				w.state = atCounts
			default:
				return op, ip, fmt.Errorf("%w: block %d", ErrBlockType, w.blocks)
			}

		case atStoredLen:
			// LEN (16), NLEN (16) (§3.2.4)
			if !w.need(32, src, &ip) {
				return op, ip, nil
			}
			n, not := w.take(16), w.take(16)
			if n != not^0xffff {
				return op, ip, fmt.Errorf("%w: %04x and %04x", ErrStored, n, not)
			}
			w.length = n
			w.state = inStored

		case inStored:
			for w.length > 0 && w.nb > 0 && op < len(dst) { // whole bytes, read ahead
				dst[op] = byte(w.take(8))
				op++
				w.length--
			}
			if w.nb == 0 {
				n := copy(dst[op:], src[ip:min(len(src), ip+w.length)])
				op, ip, w.length = op+n, ip+n, w.length-n
			}
			if w.length > 0 {
				return op, ip, nil
			}
			w.endBlock()

		case atCounts, inLensLens, inLens:
			more, err := w.header(src, &ip)
			if more || err != nil {
				return op, ip, err
			}
			w.litT, w.distT = &w.ownLit, &w.ownDist
			w.state = atLiteral

		default:
			var more bool
			op, ip, more, err = w.data(dst, src, op, ip)
			if more || err != nil {
				return op, ip, err
			}
			w.endBlock()
		}
	}
}

// endBlock goes on to the next block. After the last one (BFINAL) the rest of
// the byte is padding; what may follow begins a byte (RFC 7692 §7.2.3.4).
func (w *inflater) endBlock() {
	w.state = atHeader
	if w.final {
		w.take(w.nb & 7)
	}
}

// header reads the codes of a dynamic block (§3.2.7) and makes their tables;
// more reports whether it needs more input.
func (w *inflater) header(src []byte, ip *int) (more bool, err error) {
	if w.state == atCounts {
		// HLIT (5), HDIST (5), HCLEN (4)
		if !w.need(14, src, ip) {
			return true, nil
		}
		w.numLit, w.numDist, w.numLens = w.take(5)+257, w.take(5)+1, w.take(4)+4
		if w.numLit > numLit || w.numDist > numDist {
			return false, fmt.Errorf("%w: %d literal and %d distance codes; at most %d and %d", ErrLengths, w.numLit, w.numDist, numLit, numDist)
		}
		w.have = 0
		w.state = inLensLens
	}

	// The distance table is free until the end of the header: until then it
	// is that of the code length code.
	if w.state == inLensLens {
		for ; w.have < w.numLens; w.have++ {
			if !w.need(3, src, ip) {
				return true, nil
			}
			w.lens[lenOrder[w.have]] = uint8(w.take(3))
		}
		for _, sym := range lenOrder[w.have:] {
			w.lens[sym] = 0
		}
		fault := buildTable(w.ownDist[:lensRoom], lensBits, w.lens[:numLens], lensEntries[:], false)
		if fault != codesFine {
			return false, faultError(fault, "code length")
		}
		w.have = 0
		w.state = inLens
	}

	all := w.numLit + w.numDist
	for w.have < all {
		*ip = w.fastLens(src, *ip, all)
		if w.have == all {
			break
		}
		w.need(lensBits, src, ip)
		e := w.ownDist[w.b&(1<<lensBits-1)]
		n, sym, extra, base, value := e.bits(), e.value(), uint(0), 1, uint8(0)
		switch sym {
		case 16:
			extra, base = 2, 3
			if w.have == 0 {
				break
			}
			value = w.lens[w.have-1]
		case 17:
			extra, base = 3, 3
		case 18:
			extra, base = 7, 11
		default:
			value = uint8(sym)
		}
		if !w.need(n+extra, src, ip) {
			return true, nil
		}
		if sym == 16 && w.have == 0 {
			return false, fmt.Errorf("%w: a repeat of the length before the first", ErrLengths)
		}
		w.take(n)
		times := base + w.take(extra)
		if w.have+times > all {
			return false, fmt.Errorf("%w: a repeat past the last", ErrLengths)
		}
		for range times {
			w.lens[w.have] = value
			w.have++
		}
	}

	if w.lens[endOfBlock] == 0 {
		return false, fmt.Errorf("%w: no code for the end of the block", ErrLengths)
	}
	if fault := buildTable(w.ownLit[:], litBits, w.lens[:w.numLit], litEntries[:], true); fault != codesFine {
		return false, faultError(fault, "literal and length")
	}
	if fault := buildTable(w.ownDist[:], distBits, w.lens[w.numLit:all], distEntries[:], true); fault != codesFine {
		return false, faultError(fault, "distance")
	}
	return false, nil
}

// fastLens reads code lengths for as long as there are eight bytes of input
// and nothing is wrong with them; all else it leaves as it finds it.
func (w *inflater) fastLens(src []byte, ip, all int) int {
	b, nb, have := w.b, w.nb, w.have
	table := w.ownDist[:lensRoom]
	for have < all && ip+8 <= len(src) {
		b |= load64(src, ip) << (nb & 63)
		ip += int(63-nb) >> 3
		nb |= 56
		for nb >= 2*maxLens && have < all { // a code and its extra bits
			e := table[b&(1<<lensBits-1)]
			n := e.bits()
			if sym := e.value(); sym < 16 {
				b >>= n & 63
				nb -= n
				w.lens[have] = uint8(sym)
				have++
				continue
			}
			extra, times, value := uint(2), 3, uint8(0)
			switch e.value() {
			case 16:
				if have > 0 {
					value = w.lens[have-1]
				} else {
					times = all + 1
				}
			case 17:
				extra = 3
			default:
				extra, times = 7, 11
			}
			times += int(b >> (n & 63) & (1<<extra - 1))
			if have+times > all {
				w.b, w.nb, w.have = b&(1<<nb-1), nb, have
				return ip
			}
			n += extra
			b >>= n & 63
			nb -= n
			for i := range w.lens[have : have+times] {
				w.lens[have+i] = value
			}
			have += times
		}
	}
	w.b, w.nb, w.have = b&(1<<nb-1), nb, have
	return ip
}

func faultError(fault codeFault, of string) error {
	if fault == codesOver {
		return fmt.Errorf("%w: more %s codes than there is room for", ErrLengths, of)
	}
	return fmt.Errorf("%w: %s codes that leave bits without meaning", ErrLengths, of)
}

// fixedTables returns the tables of the fixed codes (§3.2.6).
var fixedTables = sync.OnceValues(func() (*[litRoom]entry, *[distRoom]entry) {
	lit, dist := new([litRoom]entry), new([distRoom]entry)
	var lens [288]uint8
	fixedLens(lens[:])
	buildTable(lit[:], litBits, lens[:], litEntries[:], false)
	for i := range 32 {
		lens[i] = 5
	}
	buildTable(dist[:], distBits, lens[:32], distEntries[:], false)
	return lit, dist
})

// fixedLens writes the lengths of the fixed literal and length codes.
func fixedLens(lens []uint8) {
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
}
