//go:build !purego

package simd

// utf8AVX2 judges 32 bytes at a time, by a method of John Keiser and Daniel Lemire
// ("Validating UTF-8 in less than one instruction per byte", 2021). All that the
// table at ws.UTF8 forbids shows in two bytes that follow each other, but for the
// number of continuation bytes. What two bytes can have wrong is a set of eight
// bits; one table has it for the high half of the first byte, one for its low half
// and one for the high half of the second, and what all three say is so.
//
// A continuation byte after another is no mistake if it is the third or fourth of
// its code point: so that bit must be set if and only if the byte two before was
// E0-FF, or the one three before F0-FF.
//
//go:noescape
func utf8AVX2(p *byte, n int, t *utf8Tables) bool

const (
	tooShort  = 1 << iota // C0-FF, and no continuation byte
	tooLong               // 00-7F, and a continuation byte
	overlong3             // E0 80-9F
	tooLarge              // F4-FF 90-BF
	surrogate             // ED A0-BF
	overlong2             // C0-C1 80-BF
	edgeOf4               // F5-FF 80-8F, and F0 80-8F, which is overlong
	twoMore               // 80-BF, and a continuation byte
)

// anyLow are those that do not depend on the first byte's low half.
const anyLow = tooShort | tooLong | twoMore

type utf8Tables struct{ first, firstLow, second, low, third, fourth, high [16]byte }

var utf8Wrong = func() *utf8Tables {
	t := new(utf8Tables)
	for i := range 16 {
		switch {
		case i < 0x8:
			t.first[i], t.second[i] = tooLong, tooShort
		case i < 0xC:
			t.first[i] = twoMore
			t.second[i] = tooLong | twoMore | overlong2
		default:
			t.first[i], t.second[i] = tooShort, tooShort
		}
		t.firstLow[i] = anyLow
		if i >= 0x4 {
			t.firstLow[i] |= tooLarge
		}
		if i >= 0x5 {
			t.firstLow[i] |= edgeOf4
		}
		t.low[i], t.third[i], t.fourth[i], t.high[i] = 0x0F, 0xE0-0x80, 0xF0-0x80, 0x80
	}
	t.first[0xC] |= overlong2
	t.first[0xE] |= overlong3 | surrogate
	t.first[0xF] |= tooLarge | edgeOf4
	t.firstLow[0x0] |= overlong2 | overlong3 | edgeOf4
	t.firstLow[0x1] |= overlong2
	t.firstLow[0xD] |= surrogate
	t.second[0x8] |= overlong3 | edgeOf4
	t.second[0x9] |= overlong3 | tooLarge
	t.second[0xA] |= surrogate | tooLarge
	t.second[0xB] |= surrogate | tooLarge
	return t
}()

// utf8Blocks judges as much of a long p, which begins with a code point, as it can, and
// returns how much; the last code point of that may go on behind it. The standard library
// does 0.3 to 1.5 GB/s of text that is not ASCII, this 10 and more, whatever the text is.
func utf8Blocks(p []byte) (n int, ok bool) {
	n = len(p) &^ 31
	if n == 0 || !AVX2 {
		return 0, true
	}
	return n, utf8AVX2(&p[0], n, utf8Wrong)
}
