package wsspec

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

// Every sequence of up to four bytes that matters is judged as Go's own decoder does,
// and refused at the byte that it cannot go on with.
func TestTextCheck(t *testing.T) {
	bytes := []byte{0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF}
	var try func(prefix []byte)
	try = func(prefix []byte) {
		for _, x := range bytes {
			s := append(prefix[:len(prefix):len(prefix)], x)
			var c textCheck
			ok := c.add(s)
			if got, want := ok && c.ended(), utf8.Valid(s); got != want {
				t.Errorf("% x: valid %v, want %v", s, got, want)
			}
			if want := canGoOn(s); ok != want {
				t.Errorf("% x: can go on %v, want %v", s, ok, want)
			}
			if len(s) < 4 && ok {
				try(s)
			}
		}
	}
	try(nil)
}

// canGoOn reports whether some valid text begins with s.
func canGoOn(s []byte) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(s)
		}
		s = s[n:]
	}
	return true
}

// Once broken, a text stays broken, but nothing added to it is no fault.
func TestTextCheckBroken(t *testing.T) {
	var c textCheck
	got := fmt.Sprint(c.add([]byte("\xff")), c.add(nil), c.add([]byte("a")), c.ended())
	if want := "false true false false"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
