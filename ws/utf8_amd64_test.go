//go:build !purego

package ws

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"framewright/ws/internal/simd"
)

// utf8Whole says of p what package simd does with what a Write does before and after,
// and holds that both ways say the same.
func utf8Whole(t *testing.T, p []byte) {
	t.Helper()
	var fast, plain UTF8
	simd.AVX2 = true
	ok := fast.Write(p)
	simd.AVX2 = false
	want := plain.Write(p)
	if ok != want || ok && fast != plain || ok && fast.Done() != utf8.Valid(p) {
		t.Fatalf("% x: %v, done %v; want %v, %v; unicode/utf8 says %v", p, ok, fast.Done(), want, plain.Done(), utf8.Valid(p))
	}
}

// UTF8.step and the standard library say what package simd must: every pair of bytes
// and each four that are edges of the grammar, across every border of 32 bytes,
// with something before and behind that hides no mistake; and text at random with
// a byte changed.
func TestUTF8BothWays(t *testing.T) {
	if !simd.AVX2 {
		t.Skip("this processor has no AVX2")
	}
	defer func() { simd.AVX2 = true }()
	around := []byte("é€😀ж")
	long := bytes.Repeat(around, 12)
	at := func(prefix int, seq []byte) {
		p := append(bytes.Repeat([]byte("é"), prefix/2), "€"[:3*(prefix%2)]...)
		p = append(append(p, seq...), long...)
		utf8Whole(t, p)
	}
	edges := []byte{0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF}
	for _, prefix := range []int{0, 24, 25, 26, 27, 28, 29, 30, 31, 32, 60, 61, 62} {
		for a := range 256 {
			for b := range 256 {
				at(prefix, []byte{byte(a), byte(b)})
			}
		}
	}
	for _, prefix := range []int{0, 27, 28, 29, 30} {
		for _, a := range edges {
			for _, b := range edges {
				for _, c := range edges {
					for _, d := range edges {
						at(prefix, []byte{a, b, c, d})
					}
				}
			}
		}
	}
	// Each length, so that each code point is cut in each way at the end.
	for n := range long {
		for from := range 11 {
			utf8Whole(t, long[min(from, n):n])
		}
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		var p []byte
		for len(p) < 40+rnd.IntN(200) {
			p = utf8.AppendRune(p, rune(rnd.IntN(1<<(3+rnd.IntN(18)))))
		}
		if rnd.IntN(4) > 0 {
			p[rnd.IntN(len(p))] = byte(rnd.IntN(256))
		}
		utf8Whole(t, p)
	}
}

func BenchmarkUTF8(b *testing.B) {
	for _, kind := range []struct{ name, text string }{
		{"ASCII", "The quick brown fox jumps over the lazy dog. "},
		{"Latin", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. "},
		{"Cyrillic", "Съешь же ещё этих мягких французских булок, да выпей чаю. "},
		{"CJK", "いろはにほへとちりぬるをわかよたれそつねならむ。"},
		{"emoji", "👩‍👩‍👧‍👦 😀🎉 🇩🇪 "},
		{"mixed", "Hello, wörld, привет, 世界, 👋🏽! "},
	} {
		text := bytes.Repeat([]byte(kind.text), 64<<10/len(kind.text))
		for _, size := range []int{100, 1 << 10, 64 << 10} {
			p := text[:min(size, len(text))]
			n, _ := simd.Text(p)
			p = p[:n]
			name := fmt.Sprintf("%s/%d", kind.name, size)
			b.Run(name+"/ws", func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					if !ValidText(p) {
						b.Fatal("not valid")
					}
				}
			})
			b.Run(name+"/plain", func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				defer func(use bool) { simd.AVX2 = use }(simd.AVX2)
				simd.AVX2 = false
				for b.Loop() {
					ValidText(p)
				}
			})
			b.Run(name+"/utf8.Valid", func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					utf8.Valid(p)
				}
			})
		}
	}
}
