package deflate

// blockTokens is how many literals and matches share a block's codes.
const blockTokens = 16 << 10

// Append appends content as a whole compressed message (RFC 7692 §7.2.1). No distance
// is longer than 2^window bytes, window being 8 to 15. history is what was sent before
// and the receiver still has; without it the message stands by itself.
func Append(dst, history, content []byte, window int) []byte {
	f := newFinder(history, content, 1<<window)
	start := len(f.src) - len(content)
	w := &Writer{b: dst}
	done := start
	for all := f.tokens(start); len(all) > 0; {
		block := all[:min(len(all), blockTokens)]
		all = all[len(block):]
		n := 0
		for _, t := range block {
			n += max(1, t.length())
		}
		w.block(block, f.src[done:done+n])
		done += n
	}
	return w.Message()
}

// block writes a block the shortest way; content is what the tokens stand for.
func (w *Writer) block(tokens []token, content []byte) {
	literals, dist := make([]int, maxLiterals), make([]int, maxDistances)
	literals[endOfBlock] = 1
	for _, t := range tokens {
		if t.length() == 0 {
			literals[byte(t)]++
			continue
		}
		literals[endOfBlock+1+symbol(lengths[:], t.length())]++
		dist[symbol(distances[:], t.distance())]++
	}
	p := newPlan(literals, dist)
	withFixed := 3 + fixed.size(literals, dist)
	c := &p.codes
	switch stored := (len(content) + 5*(1+len(content)>>16)) * 8; {
	case stored <= min(p.size, withFixed):
		w.Stored(false, content)
		return
	case withFixed <= p.size:
		w.Fixed(false)
		c = &fixed
	default:
		p.header(w)
	}
	for _, t := range tokens {
		if t.length() == 0 {
			w.code(c.literals[byte(t)])
		} else {
			w.match(c, t.length(), t.distance())
		}
	}
	w.code(c.literals[endOfBlock])
}
