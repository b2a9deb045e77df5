package testees

import "unicode/utf8"

// A tail is the end of a text that may be the beginning of a character.
type tail struct{ rest []byte }

// add reads on, and reports whether it can still be UTF-8.
func (t *tail) add(b []byte) bool {
	b = append(t.rest, b...)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			if utf8.FullRune(b) {
				return false
			}
			break
		}
		b = b[n:]
	}
	t.rest = append([]byte(nil), b...)
	return true
}

func (t *tail) ended() bool { return len(t.rest) == 0 }
