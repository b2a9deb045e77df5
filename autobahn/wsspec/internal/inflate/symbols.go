package inflate

import "encoding/binary"

// symbols reads a block's literals and matches (RFC 1951 §3.2.3) until it ends, or
// there is no more input, or no room.
func (d *Decoder) symbols() (state, error) {
	for {
		end := historySize + chunkSize
		if d.opts.Lenient {
			d.remark()
			end = min(end, d.mark)
		}
		if len(d.r.in)-d.r.at >= quickInput {
			if ended, err := d.quick(end); ended || err != nil {
				return goesOn, err
			}
		}
		state, err := d.careful(end)
		if state != wantsRoom || err != nil || d.pos >= historySize+chunkSize {
			return state, err
		}
	}
}

// careful reads one symbol after the other, each whole or not at all.
func (d *Decoder) careful(end int) (state, error) {
	r := &d.r
	for d.pos < end {
		r.fill()
		saved := *r
		e := r.look(d.literals[:], literalBits)
		if uint(e&dropBits) > r.n {
			return wantsInput, nil
		}
		if e&flagOther != 0 {
			return goesOn, d.other(e, "literal or length")
		}
		if e&flagPlain != 0 {
			r.drop(uint(e & dropBits))
			d.buf[d.pos] = byte(e >> valueShift)
			d.pos++
			continue
		}
		length := r.value(e)
		e = r.look(d.distances[:], distanceBits)
		if uint(e&dropBits) > r.n {
			*r = saved
			return wantsInput, nil
		}
		if e&flagOther != 0 {
			return goesOn, d.other(e, "distance")
		}
		distance := r.value(e)
		if distance > d.checked {
			if err := d.measure(distance, d.pos); err != nil {
				return goesOn, err
			}
		}
		d.pos = repeat(d.buf, d.pos, distance, length)
	}
	return wantsRoom, nil
}

// look finds the entry of what comes next.
func (r *reader) look(table []uint32, primary uint) uint32 {
	e := table[r.bits&(1<<primary-1)]
	if e&flagSecond != 0 {
		e = table[e>>valueShift+uint32(r.bits>>primary)&(1<<(e&dropBits)-1)]
	}
	return e
}

// value takes a length or distance: what its code means at the least, and what its
// extra bits add.
func (r *reader) value(e uint32) int {
	drop := uint(e & dropBits)
	extra := r.bits & (1<<drop - 1) >> (e >> codeShift & codeBits)
	r.drop(drop)
	return int(e>>valueShift) + int(extra)
}

// other is for what is no literal, length or distance.
func (d *Decoder) other(e uint32, wanted string) error {
	if e&flagEnd == 0 {
		return d.fault(ErrCorrupt, "bits that are no code of a %s (RFC 1951 §3.2.5)", wanted)
	}
	d.r.drop(uint(e & dropBits))
	d.endBlock()
	return nil
}

// repeat writes a match at pos and returns the end of it. It may write up to slack
// bytes behind that.
func repeat(buf []byte, pos, distance, length int) int {
	end := pos + length
	from := pos - distance
	switch {
	case length > 64:
		for pos < end { // each time twice as much is there to copy
			pos += copy(buf[pos:end], buf[from:pos])
		}
	case distance >= 16:
		for ; pos < end; pos, from = pos+16, from+16 {
			*(*[16]byte)(buf[pos:]) = *(*[16]byte)(buf[from:])
		}
	case distance >= 8:
		for ; pos < end; pos, from = pos+8, from+8 {
			*(*[8]byte)(buf[pos:]) = *(*[8]byte)(buf[from:])
		}
	case distance == 1:
		eight := 0x0101010101010101 * uint64(buf[from])
		for ; pos < end; pos += 8 {
			binary.LittleEndian.PutUint64(buf[pos:], eight)
		}
	default:
		for ; pos < end; pos, from = pos+1, from+1 {
			buf[pos] = buf[from]
		}
	}
	return end
}

// quickInput is how much input in bytes one round of quick may look at.
const quickInput = 16

// quick is careful without its care: while there is input enough for any symbol, none
// has to be taken back. It is the same, with the reader in registers; a round has up
// to three literals, or two and a match. ended says that the block has ended.
func (d *Decoder) quick(end int) (ended bool, err error) {
	const mask = 1<<literalBits - 1
	in, at, hold, n := d.r.in, d.r.at, d.r.bits, d.r.n
	buf, pos, checked := d.buf, d.pos, d.checked
	literals, distances := d.literals, d.distances
	for pos < end && len(in)-at >= quickInput {
		hold |= binary.LittleEndian.Uint64(in[at:]) << n
		at += int(63-n) >> 3
		n |= 56
		e := literals[hold&mask]
		if e&flagPlain != 0 {
			hold >>= e & dropBits
			n -= uint(e & dropBits)
			buf[pos] = byte(e >> valueShift)
			pos++
			e = literals[hold&mask]
			if e&flagPlain != 0 {
				hold >>= e & dropBits
				n -= uint(e & dropBits)
				buf[pos] = byte(e >> valueShift)
				pos++
				e = literals[hold&mask]
				if e&flagPlain != 0 {
					hold >>= e & dropBits
					n -= uint(e & dropBits)
					buf[pos] = byte(e >> valueShift)
					pos++
					continue
				}
			}
			hold |= binary.LittleEndian.Uint64(in[at:]) << n
			at += int(63-n) >> 3
			n |= 56
		}
		if e&flagOther != 0 {
			if e&flagSecond != 0 {
				e = literals[e>>valueShift+uint32(hold>>literalBits)&(1<<(e&dropBits)-1)]
			}
			if e&flagPlain != 0 {
				hold >>= e & dropBits
				n -= uint(e & dropBits)
				buf[pos] = byte(e >> valueShift)
				pos++
				continue
			}
			if e&flagOther != 0 {
				d.back(at, hold, n, pos)
				err := d.other(e, "literal or length")
				return err == nil, err
			}
		}
		// A length and its distance need 20 and 28 bits at the most.
		drop := e & dropBits
		length := int(e>>valueShift) + int(hold&(1<<drop-1)>>(e>>codeShift&codeBits))
		hold >>= drop
		n -= uint(drop)
		e = distances[hold&(1<<distanceBits-1)]
		if e&flagOther != 0 {
			if e&flagSecond != 0 {
				e = distances[e>>valueShift+uint32(hold>>distanceBits)&(1<<(e&dropBits)-1)]
			}
			if e&flagOther != 0 {
				d.back(at, hold, n, pos)
				return false, d.other(e, "distance")
			}
		}
		drop = e & dropBits
		distance := int(e>>valueShift) + int(hold&(1<<drop-1)>>(e>>codeShift&codeBits))
		hold >>= drop
		n -= uint(drop)
		if distance > checked {
			d.back(at, hold, n, pos)
			if err := d.measure(distance, pos); err != nil {
				return false, err
			}
			checked = distance
		}
		pos = repeat(buf, pos, distance, length)
	}
	d.back(at, hold, n, pos)
	return false, nil
}

// back puts quick's registers back.
func (d *Decoder) back(at int, hold uint64, n uint, pos int) {
	d.r.at, d.r.bits, d.r.n = at, hold&(1<<n-1), n
	d.pos = pos
}
