package deflate

import "fmt"

// data decodes literals and matches (RFC 1951 §3.2.3) until the end of the
// block, or until more input or room is needed.
func (w *inflater) data(dst, src []byte, op, ip int) (int, int, bool, error) {
	for {
		switch w.state {
		case atLiteral:
			op, ip = w.fast(dst, src, op, ip)
			e, ok := w.symbol(w.litT[:], litBits, src, &ip)
			if !ok {
				return op, ip, true, nil
			}
			switch {
			case e&isLiteral != 0:
				if op == len(dst) {
					return op, ip, true, nil // the code is still there
				}
				w.take(e.bits())
				dst[op] = byte(e.value())
				op++
				continue
			case e&isEnd != 0:
				w.take(e.bits())
				return op, ip, false, nil
			case e.value() == 0:
				return op, ip, false, fmt.Errorf("%w: literal or length", ErrSymbol)
			}
			w.take(e.bits() - e.extra())
			w.length = e.value() + w.take(e.extra())
			w.state = atDistance

		case atDistance:
			e, ok := w.symbol(w.distT[:], distBits, src, &ip)
			if !ok {
				return op, ip, true, nil
			}
			if e.value() == 0 {
				return op, ip, false, fmt.Errorf("%w: distance", ErrSymbol)
			}
			w.take(e.bits() - e.extra())
			w.dist = e.value() + w.take(e.extra())
			if err := w.checkDist(op); err != nil {
				return op, ip, false, err
			}
			w.state = inMatch

		default:
			op = w.copyMatch(dst, op)
			if w.length > 0 {
				return op, ip, true, nil
			}
			w.state = atLiteral
		}
	}
}

// symbol returns the entry of the next symbol, whose bits it leaves; ok
// reports whether all of them are there. A symbol that means nothing has value
// 0 and neither flag.
func (w *inflater) symbol(table []entry, first uint, src []byte, ip *int) (e entry, ok bool) {
	for w.nb < 56 && *ip < len(src) {
		w.b |= uint64(src[*ip]) << w.nb
		w.nb += 8
		*ip++
	}
	e = table[w.b&(1<<first-1)]
	if e&isLink != 0 {
		e = table[uint64(e.value())+w.b>>first&(1<<e.extra()-1)]
	}
	// Bits that are not there are 0: if they took part, e says that it takes
	// more than there are. No code at all is wrong at its first bit.
	return e, e.bits() <= w.nb && w.nb > 0
}

// checkDist wants a distance to reach back no further than the window, nor
// than there is anything.
func (w *inflater) checkDist(op int) error {
	if w.dist > w.window {
		return fmt.Errorf("%w: %d bytes, in a window of %d", ErrDistance, w.dist, w.window)
	}
	if have := op + int(w.hist.n); w.dist > have {
		return fmt.Errorf("%w: %d bytes, after only %d", ErrDistance, w.dist, have)
	}
	return nil
}

// copyMatch writes as much of the match as there is room for.
func (w *inflater) copyMatch(dst []byte, op int) int {
	for w.length > 0 && op < len(dst) {
		var n int
		to := dst[op:min(len(dst), op+w.length)]
		if w.dist > op { // from before this call
			n = w.hist.copyBack(to, w.dist-op)
		} else { // a match may overlap itself: no more at a time than there is
			n = copy(to, dst[op-w.dist:op])
		}
		op, w.length = op+n, w.length-n
	}
	return op
}
