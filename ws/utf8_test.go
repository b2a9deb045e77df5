package ws_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"framewright/ws"
	"framewright/ws/wstest"
)

// viable is the oracle, made of the standard library: whether p is valid UTF-8
// so far as it goes, and whether it ends with a whole code point.
func viable(p []byte) (ok, done bool) {
	for len(p) > 0 {
		if !utf8.FullRune(p) { // cut off, but not yet wrong
			return true, false
		}
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return false, false
		}
		p = p[size:]
	}
	return true, true
}

// firstBad returns the index of the first byte with which p cannot be valid
// any more, or len(p).
func firstBad(p []byte) int {
	for i := range p {
		if ok, _ := viable(p[:i+1]); !ok {
			return i
		}
	}
	return len(p)
}

// checkUTF8 wants u, which has seen p, to say of p what the oracle says.
func checkUTF8(t *testing.T, how string, u *ws.UTF8, said bool, p []byte) {
	ok, done := viable(p)
	if said != ok || u.Done() != done {
		t.Fatalf("% x, %s: Write says %v, Done %v; want %v, %v", p, how, said, u.Done(), ok, done)
	}
}

// Every sequence of one to three bytes, whole and byte by byte. What follows a
// bad byte is tried only once: Write must go on to refuse.
func TestUTF8AllShortSequences(t *testing.T) {
	var a ws.UTF8
	p := make([]byte, 3)
	for b0 := range 256 {
		if 1 < b0 && b0 < 0x7F && wstest.RaceEnabled() {
			continue // a second of it is enough: behind ASCII all begins anew
		}
		p[0] = byte(b0)
		u1 := a
		ok1 := u1.Write(p[:1])
		checkUTF8(t, "one byte", &u1, ok1, p[:1])
		for b1 := range 256 {
			p[1] = byte(b1)
			u2 := u1 // a copy goes on from where u1 is
			ok2 := u2.Write(p[1:2])
			checkUTF8(t, "byte by byte", &u2, ok2, p[:2])
			var whole ws.UTF8
			checkUTF8(t, "whole", &whole, whole.Write(p[:2]), p[:2])
			if !ok2 {
				if p[2] = 'x'; u2.Write(p[2:3]) || u2.Done() {
					t.Fatalf("% x: forgiven", p)
				}
				if whole.Reset(); whole.Write(p) {
					t.Fatalf("% x: passed whole", p)
				}
				continue
			}
			for b2 := range 256 {
				p[2] = byte(b2)
				u3 := u2
				ok3 := u3.Write(p[2:3])
				checkUTF8(t, "byte by byte", &u3, ok3, p)
				u3 = u1
				checkUTF8(t, "1 + 2 bytes", &u3, u3.Write(p[1:]), p)
				u3 = ws.UTF8{}
				checkUTF8(t, "whole", &u3, u3.Write(p), p)
			}
		}
	}
}

// utf8Edges are the bytes at which the grammar changes its mind.
var utf8Edges = wstest.MustHex("41 80 8f 90 9f a0 bf c1 c2 df e0 e1 ed ef f0 f3 f4 f5")

// cutNames say where four bytes were cut.
var cutNames = [8]string{"1234", "1|234", "12|34", "1|2|34", "123|4", "1|23|4", "12|3|4", "1|2|3|4"}

// Four bytes, each an edge, cut in every way.
func TestUTF8FourBytes(t *testing.T) {
	p := make([]byte, 4)
	for _, p[0] = range utf8Edges {
		for _, p[1] = range utf8Edges {
			for _, p[2] = range utf8Edges {
				for _, p[3] = range utf8Edges {
					for cuts := range 8 {
						var u ws.UTF8
						said, from := true, 0
						for i := range 3 {
							if cuts&(1<<i) != 0 {
								said = u.Write(p[from : i+1])
								from = i + 1
							}
						}
						said = u.Write(p[from:]) && said
						checkUTF8(t, cutNames[cuts], &u, said, p)
					}
				}
			}
		}
	}
}

// Every code point, and every number that looks like one but is none.
func TestUTF8EveryCodePoint(t *testing.T) {
	encode := func(r uint32) []byte { // without judging
		switch {
		case r < 0x80:
			return []byte{byte(r)}
		case r < 0x800:
			return []byte{0xC0 | byte(r>>6), 0x80 | byte(r&0x3F)}
		case r < 0x10000:
			return []byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6&0x3F), 0x80 | byte(r&0x3F)}
		}
		return []byte{0xF0 | byte(r>>18), 0x80 | byte(r>>12&0x3F), 0x80 | byte(r>>6&0x3F), 0x80 | byte(r&0x3F)}
	}
	for r := range uint32(0x200000) {
		p := encode(r)
		want := r <= 0x10FFFF && (r < 0xD800 || 0xDFFF < r)
		var whole, bytewise ws.UTF8
		ok := true
		for i := range p {
			ok = bytewise.Write(p[i:i+1]) && ok
		}
		if got := whole.Write(p) && whole.Done(); got != want {
			t.Fatalf("U+%04X, % x, whole: %v, want %v", r, p, got, want)
		}
		if got := ok && bytewise.Done(); got != want {
			t.Fatalf("U+%04X, % x, byte by byte: %v, want %v", r, p, got, want)
		}
	}
}

// The bar stands before the first byte that cannot be right. A text without
// one is right; "cut" says that it ends too early.
var utf8Tests = []struct {
	name string
	text string
	cut  bool
}{
	{name: "empty", text: ""},
	{name: "ASCII", text: "'Hello'"},
	{name: "NUL", text: "00"},
	{name: "two bytes, first and last", text: "c280 dfbf"},
	{name: "three bytes, first and last", text: "e0a080 efbfbf"},
	{name: "around the surrogates", text: "ed9fbf ee8080"},
	{name: "four bytes, first and last", text: "f0908080 f48fbfbf"},
	{name: "a family of emoji", text: "'👩‍👩‍👧‍👦'"},
	{name: "noncharacters", text: "efbfbe efbfbf efb790 f09fbfbe"},
	{name: "byte order mark inside", text: "'a' efbbbf 'b'"},

	{name: "continuation byte alone", text: "'a' ! 80"},
	{name: "last continuation byte alone", text: "! bf"},
	{name: "one continuation byte too many", text: "c3a9 ! a9"},
	{name: "first byte, then ASCII", text: "c3 ! 'x'"},
	{name: "first byte, then first byte", text: "e2 ! e282ac"},
	{name: "third byte missing", text: "e282 ! 'x'"},
	{name: "fourth byte missing", text: "f09f98 ! 20"},
	{name: "overlong slash, 2 bytes", text: "! c0af"},
	{name: "overlong 7f, 2 bytes", text: "! c1bf"},
	{name: "overlong slash, 3 bytes", text: "e0 ! 80af"},
	{name: "overlong U+07FF, 3 bytes", text: "e0 ! 9fbf"},
	{name: "overlong slash, 4 bytes", text: "f0 ! 8080af"},
	{name: "overlong U+FFFF, 4 bytes", text: "f0 ! 8fbfbf"},
	{name: "overlong NUL, as Java writes it", text: "! c080"},
	{name: "first surrogate", text: "ed ! a080"},
	{name: "last surrogate", text: "ed ! bfbf"},
	{name: "a pair of surrogates", text: "ed ! a0bdedb880"},
	{name: "U+110000", text: "f4 ! 908080"},
	{name: "U+1FFFFF", text: "! f7bfbfbf"},
	{name: "five bytes", text: "! f888808080"},
	{name: "six bytes", text: "! fc8480808080"},
	{name: "fe", text: "! fe"},
	{name: "ff", text: "! ff"},
	{name: "Latin-1", text: "'caf' e9 ! 20"},
	{name: "bad after long ASCII", text: "'x'*100 ! ff 'x'*100"},
	{name: "bad after much that is not ASCII", text: "'é'*100 ! ff 'é'*100"},

	{name: "cut after one of two", text: "'a' c3", cut: true},
	{name: "cut after one of three", text: "e2", cut: true},
	{name: "cut after two of three", text: "e282", cut: true},
	{name: "cut after one of four", text: "f0", cut: true},
	{name: "cut after two of four", text: "f09f", cut: true},
	{name: "cut after three of four", text: "'x'*64 f09f98", cut: true},
}

func TestUTF8(t *testing.T) {
	for _, tt := range utf8Tests {
		t.Run(tt.name, func(t *testing.T) {
			good, bad, isBad := strings.Cut(tt.text, "!")
			at := len(wstest.MustHex(good))
			p := append(wstest.MustHex(good), wstest.MustHex(bad)...)
			if oracle := firstBad(p); oracle != at {
				t.Fatalf("the table says %d, unicode/utf8 %d", at, oracle)
			}

			var u ws.UTF8
			for i := range p {
				if said := u.Write(p[i : i+1]); said != (i < at) {
					t.Fatalf("byte by byte: %v at byte %d, the first bad one is %d", said, i, at)
				}
			}
			if got := u.Done(); got != (!isBad && !tt.cut) {
				t.Errorf("byte by byte: Done is %v", got)
			}
			u.Reset() // also after a failure
			if got := u.Write(p); got == isBad {
				t.Errorf("whole: %v", got)
			}
			if got := u.Done(); got != (!isBad && !tt.cut) {
				t.Errorf("whole: Done is %v", got)
			}
			for cut := range p {
				var u ws.UTF8
				if got := u.Write(p[:cut]); got != (cut <= at) {
					t.Errorf("the first %d bytes: %v, the first bad one is %d", cut, got, at)
				}
				if got := u.Write(p[cut:]); got == isBad {
					t.Errorf("cut at %d: %v", cut, got)
				}
			}
		})
	}
}

// Long pieces take another way through the code than short ones: every short
// sequence behind, before and between ASCII of all lengths around a word.
func TestUTF8LongPieces(t *testing.T) {
	for _, tt := range utf8Tests {
		seq := wstest.MustHex(strings.ReplaceAll(tt.text, "!", ""))
		if len(seq) > 20 {
			continue
		}
		for before := range 70 {
			for _, after := range []int{0, 1, 7, 8, 40} {
				p := slices.Concat(bytes.Repeat([]byte("a"), before), seq, bytes.Repeat([]byte("z"), after))
				var u ws.UTF8
				checkUTF8(t, "whole", &u, u.Write(p), p)
				for cut := before; cut <= before+len(seq); cut++ {
					u.Reset()
					u.Write(p[:cut])
					checkUTF8(t, fmt.Sprintf("cut at %d", cut), &u, u.Write(p[cut:]), p)
				}
			}
		}
	}
}

func TestUTF8EmptyWrites(t *testing.T) {
	var u ws.UTF8
	for _, piece := range []string{"", "\xe2", "", "\x82", "", "\xac", ""} {
		if !u.Write([]byte(piece)) {
			t.Fatal("an empty piece is no mistake")
		}
	}
	if !u.Done() {
		t.Error("not done")
	}
	if u.Write([]byte("\xff")); u.Write(nil) {
		t.Error("an empty piece after a bad byte: forgiven")
	}
}

// The bounds of each row of the table, a byte at a time, so that the loop and not
// the standard library judges.
func TestUTF8Bounds(t *testing.T) {
	for _, row := range []string{
		"c2-df 80-bf", "e0 a0-bf 80-bf", "e1-ec 80-bf 80-bf", "ed 80-9f 80-bf", "ee-ef 80-bf 80-bf",
		"f0 90-bf 80-bf 80-bf", "f1-f3 80-bf 80-bf 80-bf", "f4 80-8f 80-bf 80-bf",
	} {
		var lo, hi []byte
		for _, span := range strings.Fields(row) {
			from, to, found := strings.Cut(span, "-")
			if !found {
				to = from
			}
			lo, hi = append(lo, wstest.MustHex(from)...), append(hi, wstest.MustHex(to)...)
		}
		for _, start := range [][]byte{lo, hi} {
			for i := range start {
				for _, b := range []byte{lo[i] - 1, lo[i], hi[i], hi[i] + 1, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xFF} {
					text := bytes.Clone(start)
					text[i] = b
					var u ws.UTF8
					ok := true
					for j := range text {
						ok = u.Write(text[j:j+1]) && ok
					}
					if got, want := ok && u.Done(), utf8.Valid(text); got != want {
						t.Errorf("% x: %v, want %v", text, got, want)
					}
				}
			}
		}
	}
}
