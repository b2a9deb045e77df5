package wsspec

// A textCheck reads UTF-8 as it comes, in pieces of any size, and says at the first
// byte that no valid text goes on with that it is broken (RFC 3629 §4).
type textCheck struct {
	need   int  // bytes that the character still lacks
	lo, hi byte // what the next of them may be
	broken bool // for good
}

// add reads on and reports whether all is well so far. Of nothing it always is.
func (c *textCheck) add(b []byte) bool {
	for _, x := range b {
		if c.broken || !c.byte(x) {
			c.broken = true
			return false
		}
	}
	return true
}

// ended reports whether the text may end here.
func (c *textCheck) ended() bool { return c.need == 0 && !c.broken }

func (c *textCheck) byte(x byte) bool {
	if c.need > 0 {
		if x < c.lo || x > c.hi {
			return false
		}
		c.need, c.lo, c.hi = c.need-1, 0x80, 0xBF
		return true
	}
	c.lo, c.hi = 0x80, 0xBF
	switch {
	case x < 0x80:
	case x >= 0xC2 && x <= 0xDF:
		c.need = 1
	case x >= 0xE0 && x <= 0xEF:
		c.need = 2
		switch x {
		case 0xE0: // below, it would be overlong
			c.lo = 0xA0
		case 0xED: // above, it would be a surrogate
			c.hi = 0x9F
		}
	case x >= 0xF0 && x <= 0xF4:
		c.need = 3
		switch x {
		case 0xF0:
			c.lo = 0x90
		case 0xF4: // above, it would be beyond U+10FFFF
			c.hi = 0x8F
		}
	default:
		return false
	}
	return true
}
