package wstest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// maxLiteral bounds what a wire literal may expand to, so that a slip of the
// finger in a repeat count does not take the machine's memory.
const maxLiteral = 64 << 20

// ParseHex reads wire bytes in the notation of this package's tests:
//
//	81 85 | 37fa213d | 7f9f4d5158    hex digits, split by field as one likes
//	81 05 | 'Hello'                  quoted text stands for its UTF-8 bytes
//	88 7d | 03e8 | 'a'*123           *N repeats the group of digits or the
//	                                 text that it follows, with no space between
//
// Spaces, line ends and bars separate and mean nothing else. Digits come in
// pairs within a group. Text stands in single or double quotes and has no
// escapes. The whole is at most 64 MiB long. An error names the offset in s
// and what was expected there.
func ParseHex(s string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); {
		start := i
		var token []byte
		switch c := s[i]; {
		case strings.IndexByte(" \t\r\n|", c) >= 0:
			i++
			continue
		case c == '\'' || c == '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, literalError(s, start, "text without its closing quote")
			}
			token = []byte(s[i+1 : i+1+end])
			i += end + 2
		case isHex(c):
			for i < len(s) && isHex(s[i]) {
				i++
			}
			var err error
			if token, err = hex.DecodeString(s[start:i]); err != nil {
				return nil, literalError(s, start, "an odd number of hex digits in "+strconv.Quote(s[start:i]))
			}
		default:
			return nil, literalError(s, start, "want hex digits, quoted text, a space or a bar")
		}

		count := 1
		if i < len(s) && s[i] == '*' {
			digits := i + 1
			for i++; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
			}
			var err error
			if count, err = strconv.Atoi(s[digits:i]); err != nil {
				return nil, literalError(s, digits, "want a decimal count after *")
			}
		}
		if i < len(s) && strings.IndexByte(" \t\r\n|", s[i]) < 0 {
			return nil, literalError(s, i, "want a space or a bar after "+strconv.Quote(s[start:i]))
		}
		if count > 0 && len(token) > (maxLiteral-len(out))/count {
			return nil, literalError(s, start, fmt.Sprintf("longer than %d bytes in all", maxLiteral))
		}
		out = append(out, bytes.Repeat(token, count)...)
	}
	return out, nil
}

// MustHex is [ParseHex] for literals in a test's source. It panics where
// ParseHex gives an error.
func MustHex(s string) []byte {
	b, err := ParseHex(s)
	if err != nil {
		panic(err)
	}
	return b
}

func literalError(s string, offset int, what string) error {
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return fmt.Errorf("wstest: wire literal %q, offset %d: %s", s, offset, what)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// dump writes b as hex with the text beside it, around offset at where b is
// long: failures are read by people.
func dump(b []byte, at int) string {
	const before, most = 16, 64
	if len(b) == 0 {
		return "nothing"
	}
	lo, hi := 0, len(b)
	if len(b) > most {
		lo = max(0, min(at-before, len(b)-most))
		hi = lo + most
	}
	var s strings.Builder
	if lo > 0 {
		fmt.Fprintf(&s, "(%d bytes) ", lo)
	}
	fmt.Fprintf(&s, "% x", b[lo:hi])
	if hi < len(b) {
		fmt.Fprintf(&s, " (%d bytes)", len(b)-hi)
	}
	s.WriteString("  ")
	for _, c := range b[lo:hi] {
		if c < ' ' || c > '~' {
			c = '.'
		}
		s.WriteByte(c)
	}
	return s.String()
}
