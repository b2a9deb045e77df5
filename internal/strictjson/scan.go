package strictjson

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A scanner goes over a text once; what it has passed is right.
type scanner struct {
	b     []byte
	i     int
	depth int // allowed
}

func (s *scanner) errorf(at int, format string, args ...any) error {
	return &Error{Text: fmt.Sprintf(format, args...), Offset: at}
}

// unexpected is the error for what stands at i.
func (s *scanner) unexpected(expected string) error {
	if s.i >= len(s.b) {
		return s.errorf(len(s.b), "the text ends where %s is expected", expected)
	}
	return s.errorf(s.i, "invalid character %q where %s is expected", s.b[s.i], expected)
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// peek returns the byte at i, and 0 behind the end: no byte of JSON that
// anybody asks for.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// value passes one value, with nothing around it. depth is that of the value if
// it is an array or an object.
func (s *scanner) value(depth int) (v Value, err error) {
	start := s.i
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == '{' || c == '[':
		if depth > s.depth {
			return v, s.errorf(start, "nested deeper than %d", s.depth)
		}
		v.Kind = Array
		if c == '{' {
			v.Kind = Map
			err = s.members(func(int, Value) error {
				_, err := s.value(depth + 1)
				return err
			})
		} else {
			err = s.elements(depth + 1)
		}
	case c == '-' || c >= '0' && c <= '9':
		v.Kind = Number
		err = s.number()
	case c == 't':
		v.Kind, err = Bool, s.literal("true")
	case c == 'f':
		v.Kind, err = Bool, s.literal("false")
	case c == 'n':
		v.Kind, err = Null, s.literal("null")
	default:
		return v, s.unexpected("a value")
	}
	v.Raw = s.b[start:s.i]
	return v, err
}

func (s *scanner) literal(word string) error {
	for i := range len(word) {
		if s.peek() != word[i] {
			return s.unexpected(word)
		}
		s.i++
	}
	return nil
}

// members passes an object. value is called behind each colon, with the key and
// its place, and passes the value.
func (s *scanner) members(value func(at int, key Value) error) error {
	s.i++
	if s.space(); s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		if s.peek() != '"' {
			return s.unexpected("a key in quotes")
		}
		at := s.i
		key, err := s.str()
		if err != nil {
			return err
		}
		if s.space(); s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.i++
		s.space()
		if err := value(at, key); err != nil {
			return err
		}
		if more, err := s.next('}'); !more {
			return err
		}
	}
}

func (s *scanner) elements(depth int) error {
	s.i++
	if s.space(); s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		s.space()
		if _, err := s.value(depth); err != nil {
			return err
		}
		if more, err := s.next(']'); !more {
			return err
		}
	}
}

// next passes the comma before another element, or the end.
func (s *scanner) next(end byte) (more bool, err error) {
	s.space()
	switch s.peek() {
	case ',':
		s.i++
		return true, nil
	case end:
		s.i++
		return false, nil
	}
	return false, s.unexpected("a comma or " + string(end))
}

// number passes what RFC 8259 §6 allows: an integer without a leading zero, a
// fraction, an exponent.
func (s *scanner) number() error {
	digits := func() error {
		if c := s.peek(); c < '0' || c > '9' {
			return s.unexpected("a digit")
		}
		for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
			s.i++
		}
		return nil
	}
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if err := digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.i++
		if err := digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		return digits()
	}
	return nil
}

// str passes a string.
func (s *scanner) str() (v Value, err error) {
	v.Kind = String
	start, ascii := s.i, true
	for s.i++; ; {
		switch c := s.peek(); {
		case s.i >= len(s.b):
			return v, s.unexpected(`a closing "`)
		case c == '"':
			s.i++
			if v.Raw = s.b[start:s.i]; !ascii && !utf8.Valid(v.Raw) {
				return v, s.errorf(start, "a string that is not UTF-8")
			}
			return v, nil
		case c == '\\':
			v.escapes = true
			if err := s.escape(); err != nil {
				return v, err
			}
		case c < ' ':
			return v, s.unexpected(`an escape such as \n`)
		default:
			ascii = ascii && c < utf8.RuneSelf
			s.i++
		}
	}
}

// escape passes a backslash and what belongs to it. A character beyond U+FFFF is
// two escapes, the halves of a surrogate pair; one half is no character (RFC
// 8259 §8.2), and most parsers make U+FFFD of it without a word.
func (s *scanner) escape() error {
	s.i++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i++
		return nil
	case 'u':
	default:
		return s.unexpected(`an escape such as \n`)
	}
	at := s.i - 1
	r, err := s.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return err
	}
	if s.peek() == '\\' && s.i+1 < len(s.b) && s.b[s.i+1] == 'u' {
		s.i++
		low, err := s.hex()
		if err != nil {
			return err
		}
		if utf16.DecodeRune(r, low) != utf8.RuneError {
			return nil
		}
	}
	return s.errorf(at, `\u%04x is half of a surrogate pair, and no character`, r)
}

// hex passes a u and its four digits.
func (s *scanner) hex() (r rune, err error) {
	s.i++
	for range 4 {
		c := s.peek()
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.unexpected("a hexadecimal digit")
		}
		r = r<<4 | rune(c)
		s.i++
	}
	return r, nil
}

// Text is what a string says.
func (v Value) Text() string {
	raw := v.Raw[1 : len(v.Raw)-1]
	if !v.escapes {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if raw[i] != 'u' {
			out = append(out, unescaped[raw[i]])
			continue
		}
		s := scanner{b: raw, i: i}
		r, _ := s.hex() // str has seen to it, here and below
		if utf16.IsSurrogate(r) {
			s.i++
			low, _ := s.hex()
			r = utf16.DecodeRune(r, low)
		}
		out = utf8.AppendRune(out, r)
		i = s.i - 1
	}
	return string(out)
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// Float is a number's value. The error says that it is too large for a float64.
func (v Value) Float() (float64, error) { return strconv.ParseFloat(string(v.Raw), 64) }
