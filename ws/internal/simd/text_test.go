package simd

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// Text judges all but what the end of p cuts off, wherever that end is, and finds what is
// wrong wherever it is; with and without the processor's help.
func TestText(t *testing.T) {
	defer func(use bool) { AVX2 = use }(AVX2)
	text := bytes.Repeat([]byte("a é€😀ж plain words "), 8)
	for _, use := range []bool{AVX2, false} {
		AVX2 = use
		for end := range len(text) + 1 {
			p := text[:end]
			n, ok := Text(p)
			if !ok || n > end || !utf8.Valid(p[:n]) || end-n > 0 && utf8.FullRune(p[n:]) {
				t.Fatalf("%v: %d of %d bytes, %v", use, n, end, ok)
			}
			if end == 0 {
				continue
			}
			for _, at := range []int{0, end / 2, end - 1} {
				bad := bytes.Clone(p)
				bad[at] = 0xFF
				if n, ok := Text(bad); ok && n > at {
					t.Fatalf("%v: FF at %d of %d: %d bytes are right", use, at, end, n)
				}
			}
		}
	}
}
