package inflate

import "fmt"

// block explains a block, from its header to its end (RFC 1951 §3.2.3).
func (x *explainer) block() error {
	// BFINAL (1), BTYPE (2)
	x.where = "block header"
	final, err := x.in.take(1)
	if err != nil {
		return err
	}
	x.b.Final = final == 1
	kind, err := x.in.take(2)
	if err != nil {
		return err
	}
	x.b.Type = Type(kind)
	x.where = x.b.Type.String() + " block"
	switch x.b.Type {
	case Stored:
		err = x.stored()
	case Fixed:
		x.b.Head = 3
		err = x.data(fixedLiterals, fixedDistances)
	case Dynamic:
		err = x.dynamic()
	default:
		return &Error{x.b.Bit + 1, "block type 3, which is reserved", "RFC 1951 §3.2.3"}
	}
	if err == nil && x.b.Final {
		x.in.align() // what may follow begins a byte
	}
	return err
}

// stored explains bytes that are sent as they are (§3.2.4).
func (x *explainer) stored() error {
	// padding, LEN (16), NLEN (16)
	x.in.align()
	at := x.in.at
	length, err := x.in.take(16)
	if err != nil {
		return err
	}
	complement, err := x.in.take(16)
	if err != nil {
		return err
	}
	x.b.Head = x.in.at - x.b.Bit
	if length != complement^0xFFFF {
		return &Error{at, fmt.Sprintf("a stored block whose length is %04x and the complement of that %04x", length, complement), "RFC 1951 §3.2.4"}
	}
	have := min(length, x.in.left()/8, x.most-len(x.out))
	if have > 0 {
		x.add(Token{Kind: Raw, Bit: x.in.at, At: x.at(), Length: have})
		from := x.in.at / 8
		x.out = append(x.out, x.in.data[from:from+have]...)
		x.in.at += 8 * have
	}
	switch {
	case have == length:
		return nil
	case len(x.out) == x.most:
		return errEnough
	}
	return errShort
}

// dynamic explains a block with codes of its own, which it describes first (§3.2.7).
func (x *explainer) dynamic() error {
	x.where = "dynamic block's header"
	// HLIT (5), HDIST (5), HCLEN (4)
	at := x.in.at
	counts, err := x.in.take(14)
	if err != nil {
		return err
	}
	literals, distances, n := counts&31+257, counts>>5&31+1, counts>>10+4
	if literals > maxLiterals || distances > maxDistances {
		return &Error{at, fmt.Sprintf("%d literal and length codes and %d distance codes, at most %d and %d", literals, distances, maxLiterals, maxDistances), "RFC 1951 §3.2.7"}
	}
	at = x.in.at
	lengths := make([]uint8, numLengths)
	for _, symbol := range lengthOrder[:n] {
		v, err := x.in.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(v)
	}
	h := newHuffman(lengths)
	if fault := h.fault(false); fault != "" {
		return &Error{at, "the codes for code lengths: " + fault, "RFC 1951 §3.2.7"}
	}
	at = x.in.at
	all, err := x.codeLengths(h, literals+distances)
	if err != nil {
		return err
	}
	x.b.Head = x.in.at - x.b.Bit
	c := &Codes{Literals: all[:literals], Distances: all[literals:], Lengths: lengths}
	x.b.Codes = c
	if c.Literals[endOfBlock] == 0 {
		return &Error{at, "no code for the end of the block", "RFC 1951 §3.2.7"}
	}
	lit, dist := newHuffman(c.Literals), newHuffman(c.Distances)
	if fault := lit.fault(true); fault != "" {
		return &Error{at, "the codes for literals and lengths: " + fault, "RFC 1951 §3.2.7"}
	}
	if fault := dist.fault(true); fault != "" {
		return &Error{at, "the codes for distances: " + fault, "RFC 1951 §3.2.7"}
	}
	x.where = "dynamic block"
	return x.data(lit, dist)
}

// codeLengths reads n lengths of codes, which have codes themselves, and three ways of
// repeating one.
func (x *explainer) codeLengths(h *huffman, n int) ([]uint8, error) {
	all := make([]uint8, 0, n)
	for len(all) < n {
		at := x.in.at
		symbol, err := h.next(&x.in)
		if err != nil {
			return nil, err
		}
		times, value, extra := 1, uint8(symbol), 0
		switch symbol {
		case 16: // the one before, 3–6 times
			if len(all) == 0 {
				return nil, &Error{at, "a repeat of the code length before the first", "RFC 1951 §3.2.7"}
			}
			times, value, extra = 3, all[len(all)-1], 2
		case 17: // 0, 3–10 times
			times, value, extra = 3, 0, 3
		case 18: // 0, 11–138 times
			times, value, extra = 11, 0, 7
		}
		more, err := x.in.take(extra)
		if err != nil {
			return nil, err
		}
		if times += more; len(all)+times > n {
			return nil, &Error{at, "a repeat past the last code length", "RFC 1951 §3.2.7"}
		}
		for range times {
			all = append(all, value)
		}
	}
	return all, nil
}

// data explains literals and matches up to the end of the block (§3.2.3).
func (x *explainer) data(literals, distances *huffman) error {
	for {
		t := Token{Bit: x.in.at, At: x.at(), Length: 1}
		symbol, err := literals.next(&x.in)
		if err != nil {
			return err
		}
		t.Widths[0] = uint8(x.in.at - t.Bit)
		switch {
		case symbol < 0 || symbol >= maxLiterals:
			return &Error{t.Bit, "bits that stand for no literal and no length", "RFC 1951 §3.2.5"}
		case symbol == endOfBlock:
			t.Kind, t.Length = End, 0
			x.add(t)
			return nil
		case len(x.out) == x.most:
			x.in.at = t.Bit
			return errEnough
		case symbol < endOfBlock:
			x.add(t)
			x.out = append(x.out, byte(symbol))
			continue
		}
		if err := x.match(t, symbol, distances); err != nil {
			return err
		}
	}
}

// match explains the rest of a match: how many bytes are copied, and from how far back
// (§3.2.5).
func (x *explainer) match(t Token, symbol int, distances *huffman) error {
	base, extra := lengthOf(symbol)
	more, err := x.in.take(extra)
	if err != nil {
		return err
	}
	t.Kind, t.Length, t.Widths[1] = Match, base+more, uint8(extra)

	at := x.in.at
	if symbol, err = distances.next(&x.in); err != nil {
		return err
	}
	if symbol < 0 || symbol >= maxDistances {
		return &Error{at, "bits that stand for no distance", "RFC 1951 §3.2.5"}
	}
	t.Widths[2] = uint8(x.in.at - at)
	base, extra = distanceOf(symbol)
	if more, err = x.in.take(extra); err != nil {
		return err
	}
	t.Distance, t.Widths[3] = base+more, uint8(extra)
	switch {
	case t.Distance > x.window:
		return &Error{at, fmt.Sprintf("a distance of %d bytes, in a window of %d", t.Distance, x.window), "RFC 7692 §7.1.2"}
	case t.Distance > len(x.out):
		return &Error{at, fmt.Sprintf("a distance of %d bytes, after only %d", t.Distance, len(x.out)), "RFC 7692 §7.1.2"}
	}
	t.Earlier = max(0, min(t.Length, t.Distance-t.At))
	if len(x.out)+t.Length > x.most {
		x.in.at = t.Bit
		return errEnough
	}
	x.add(t)
	for range t.Length { // one at a time: it may copy what it has just written
		x.out = append(x.out, x.out[len(x.out)-t.Distance])
	}
	return nil
}
