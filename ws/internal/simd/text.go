package simd

import "unicode/utf8"

// Text judges the whole code points that p, which begins with one, consists of, and
// returns how many bytes those are: all but three at the most, the beginning of a code
// point that may go on behind p. What is not valid UTF-8 is not ok.
func Text(p []byte) (n int, ok bool) {
	if len(p) >= 64 {
		if n, ok = utf8Blocks(p); !ok {
			return 0, false
		}
		n -= cutOff(p[:n])
	}
	whole := len(p) - cutOff(p)
	if whole > n && !utf8.Valid(p[n:whole]) {
		return 0, false
	}
	return whole, true
}

// cutOff returns the length, 0 to 3, of the beginning of a code point at the end of p
// that may go on behind it.
func cutOff(p []byte) int {
	for i := 1; i <= min(3, len(p)); i++ {
		switch b := p[len(p)-i]; {
		case b < 0x80: // ASCII: nothing is open
			return 0
		case b >= 0xC0: // a first byte: open unless all its followers are there
			if 1+continuations(b) > i {
				return i
			}
			return 0
		}
	}
	return 0
}

// continuations returns how many bytes follow a first byte b.
func continuations(b byte) int {
	switch {
	case b >= 0xF0:
		return 3
	case b >= 0xE0:
		return 2
	}
	return 1
}
