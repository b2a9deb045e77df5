package deflate

import "encoding/binary"

// fast does what data does, from one literal or length to the next, for as
// long as nothing special happens: there are eight bytes of input and there is
// room for what comes. All else it leaves to data, as it finds it: the end of
// the block, a bad symbol, a bad distance.
//
// A length and a distance with their extra bits take at most 15+5+15+13 = 48
// bits, and one refill gives at least 56. The bits above the w.nb that are
// counted are then not 0 but those of the next byte, which the next refill
// puts there again.
func (w *inflater) fast(dst, src []byte, op, ip int) (int, int) {
	const (
		litMask  = 1<<litBits - 1
		distMask = 1<<distBits - 1
	)
	lit, dists := w.litT, w.distT
	b, nb := w.b, w.nb
	for ip+8 <= len(src) && op+3 < len(dst) {
		b |= load64(src, ip) << (nb & 63)
		ip += int(63-nb) >> 3
		nb |= 56

		// Up to three literals, then 56-30 = 26 bits would not do for a match.
		e := lit[b&litMask]
		if e&isLiteral != 0 {
			b >>= e.bits()
			nb -= e.bits()
			dst[op] = byte(e >> valueShift)
			op++
			e = lit[b&litMask]
			if e&isLiteral != 0 {
				b >>= e.bits()
				nb -= e.bits()
				dst[op] = byte(e >> valueShift)
				op++
				e = lit[b&litMask]
				if e&isLiteral != 0 {
					b >>= e.bits()
					nb -= e.bits()
					dst[op] = byte(e >> valueShift)
					op++
					continue
				}
			}
			if ip+8 > len(src) {
				break
			}
			b |= load64(src, ip) << (nb & 63)
			ip += int(63-nb) >> 3
			nb |= 56
		}
		if e&isLink != 0 {
			e = lit[uint(e>>valueShift)+uint(b>>litBits)&(1<<e.extra()-1)]
			if e&isLiteral != 0 {
				b >>= e.bits()
				nb -= e.bits()
				dst[op] = byte(e >> valueShift)
				op++
				continue
			}
		}
		if e&isEnd != 0 || e>>valueShift == 0 {
			break
		}
		n := e.bits() // of the length, and then of the distance too
		length := e.value() + int(b>>(n-e.extra())&(1<<e.extra()-1))
		rest := b >> n
		e = dists[rest&distMask]
		if e&isLink != 0 {
			e = dists[uint(e>>valueShift)+uint(rest>>distBits)&(1<<e.extra()-1)]
		}
		dist := e.value() + int(rest>>(e.bits()-e.extra())&(1<<e.extra()-1))
		if e>>valueShift == 0 || dist > w.window || op+length > len(dst) {
			break
		}
		if dist > op { // from before this call
			if dist-op > int(w.hist.n) {
				break
			}
			to := dst[op : op+length]
			m := w.hist.copyBack(to, dist-op)
			for m < length { // and on into it
				m += copy(to[m:], dst[op+m-dist:op+m])
			}
		} else {
			from := op - dist
			switch {
			case dist >= 8 && op+length+8 <= len(dst): // past the end too
				for to := op; to < op+length; to, from = to+8, from+8 {
					binary.LittleEndian.PutUint64(dst[to:], load64(dst, from))
				}
			case dist >= length:
				copy(dst[op:op+length], dst[from:])
			case dist == 1:
				x := dst[from]
				to := dst[op : op+length]
				for i := range to {
					to[i] = x
				}
			default:
				for m := 0; m < length; {
					m += copy(dst[op+m:op+length], dst[from:op+m])
				}
			}
		}
		op += length
		b = rest >> e.bits()
		nb -= n + e.bits()
	}
	w.b, w.nb = b&(1<<nb-1), nb
	return op, ip
}
