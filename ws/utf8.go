package ws

import (
	"encoding/binary"

	"framewright/ws/internal/simd"
)

// UTF8 checks text that comes in pieces, cut anywhere, and fails at the first
// byte that no valid UTF-8 could continue with: so a text message fails
// before it is complete (RFC 6455 §8.1). The zero value is ready to use.
//
// What counts as valid is the grammar of RFC 3629 §4: no overlong forms, no
// surrogates, nothing above U+10FFFF.
//
//	code points         bytes
//	U+0000 - U+007F     00-7F
//	U+0080 - U+07FF     C2-DF 80-BF
//	U+0800 - U+0FFF     E0    A0-BF 80-BF          A0: shorter forms are overlong
//	U+1000 - U+FFFF     E1-EF 80-BF 80-BF          after ED only 80-9F: no surrogates
//	U+10000 - U+3FFFF   F0    90-BF 80-BF 80-BF    90: shorter forms are overlong
//	U+40000 - U+FFFFF   F1-F3 80-BF 80-BF 80-BF
//	U+100000 - U+10FFFF F4    80-8F 80-BF 80-BF    8F: the end of Unicode
type UTF8 struct {
	need   uint8 // continuation bytes that the current code point still needs
	lo, hi uint8 // what the next one may be, if need > 0
	bad    bool
}

// Write takes the next piece of the text and reports whether the text can
// still be valid. After the first false every further Write returns false.
func (u *UTF8) Write(p []byte) bool {
	if u.bad {
		return false
	}
	for len(p) > 0 {
		// Between two code points others are faster than the loop below.
		if u.need == 0 {
			if p = p[asciiPrefix(p):]; len(p) == 0 {
				return true
			}
			n, ok := simd.Text(p)
			if !ok {
				u.bad = true
				return false
			}
			if p = p[n:]; len(p) == 0 {
				return true
			}
		}
		if !u.step(p[0]) {
			u.bad = true
			return false
		}
		p = p[1:]
	}
	return true
}

// firstBad returns the index of the first byte of p with which a text that is so
// far u cannot be valid; len(p) if there is none.
func (u UTF8) firstBad(p []byte) int {
	for i, b := range p {
		if !u.step(b) {
			return i
		}
	}
	return len(p)
}

// ValidText reports whether p is UTF-8, as a whole text message must be (§5.6).
func ValidText(p []byte) bool {
	if p = p[asciiPrefix(p):]; len(p) == 0 {
		return true
	}
	var u UTF8
	return u.Write(p) && u.Done()
}

// Done reports whether the text so far is valid and ends with a whole code
// point, as a message must.
func (u *UTF8) Done() bool { return !u.bad && u.need == 0 }

// Reset makes u ready for another text.
func (u *UTF8) Reset() { *u = UTF8{} }

// step takes one byte: the table above, row by row.
func (u *UTF8) step(b byte) bool {
	if u.need > 0 {
		if b < u.lo || b > u.hi {
			return false
		}
		u.need--
		u.lo, u.hi = 0x80, 0xBF
		return true
	}
	u.lo, u.hi = 0x80, 0xBF
	switch {
	case b <= 0x7F:
	case 0xC2 <= b && b <= 0xDF:
		u.need = 1
	case b == 0xE0:
		u.need, u.lo = 2, 0xA0
	case b == 0xED:
		u.need, u.hi = 2, 0x9F
	case 0xE1 <= b && b <= 0xEF:
		u.need = 2
	case b == 0xF0:
		u.need, u.lo = 3, 0x90
	case 0xF1 <= b && b <= 0xF3:
		u.need = 3
	case b == 0xF4:
		u.need, u.hi = 3, 0x8F
	default: // 80-BF without a beginning, C0, C1, F5-FF
		return false
	}
	return true
}

// asciiPrefix returns how many bytes at the beginning of p are known to be ASCII, in whole
// words.
func asciiPrefix(p []byte) int {
	const high = 0x8080808080808080
	n := 0
	for len(p)-n >= 32 {
		c := p[n : n+32 : n+32]
		w := binary.LittleEndian.Uint64(c) | binary.LittleEndian.Uint64(c[8:]) |
			binary.LittleEndian.Uint64(c[16:]) | binary.LittleEndian.Uint64(c[24:])
		if w&high != 0 {
			break
		}
		n += 32
	}
	for len(p)-n >= 8 && binary.LittleEndian.Uint64(p[n:])&high == 0 {
		n += 8
	}
	return n
}

// CheckMessage says whether p may be sent as a message of type op: OpText or OpBinary,
// and UTF-8 if it is text (§5.6). The errors are ErrOpcode and ErrNotUTF8.
func CheckMessage(op Opcode, p []byte) error {
	switch {
	case op != OpText && op != OpBinary:
		return ErrOpcode
	case op == OpText && !ValidText(p):
		return ErrNotUTF8
	}
	return nil
}
