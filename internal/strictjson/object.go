// Package strictjson reads one JSON object the way two programs cannot
// understand differently. It is JSON as RFC 8259 has it, in one pass, and
// refuses what I-JSON (RFC 7493) forbids and encoding/json lets through: a key
// that comes twice, text that is not UTF-8, half of a surrogate pair. Keys are
// told apart by case, as everywhere but in encoding/json; one that differs from
// another, or from one that is known, by its case only is refused, because it
// is a mistake or an attempt. Nesting and the number of keys are bounded.
package strictjson

import (
	"fmt"
	"slices"
	"strings"
)

// Limits say what [Object] takes. A zero bound is a small one of its own.
type Limits struct {
	Depth   int // of nesting, the object itself included; default 16, at most 1000
	Members int // of the object; default 32

	Known  []string // the keys that mean something
	Closed bool     // others are refused, and not passed by
}

const (
	defaultDepth   = 16
	maxDepth       = 1000 // of a stack that is a goroutine's
	defaultMembers = 32
)

// An Error says what is wrong with a text, and where.
type Error struct {
	Text   string
	Offset int // in bytes, from 0
}

func (e *Error) Error() string { return fmt.Sprintf("%s, at byte %d", e.Text, e.Offset) }

// Kind is what a value is.
type Kind uint8

// The kinds of JSON.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Map
)

func (k Kind) String() string {
	return [...]string{"null", "true or false", "a number", "a string", "an array", "an object"}[k]
}

// A Value is what belongs to a key: a part of the text, checked.
type Value struct {
	Kind    Kind
	Raw     []byte // as it stands there; a string with its quotes
	escapes bool
}

// Object reads data, which must be one object and nothing else, and gives each
// member to member, in their order. It ends at the first error: its own, an
// [*Error], or member's. What was given before stays given.
func Object(data []byte, l Limits, member func(key string, v Value) error) error {
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	if l.Members == 0 {
		l.Members = defaultMembers
	}
	s := scanner{b: data, depth: min(l.Depth, maxDepth)}
	s.space()
	if s.peek() != '{' {
		if _, err := s.value(1); err != nil {
			return err
		}
		return s.errorf(0, "expected an object")
	}
	seen := make([]string, 0, 8)
	err := s.members(func(at int, k Value) error {
		key := l.known(k)
		if len(seen) == l.Members {
			return s.errorf(at, "more than %d keys", l.Members)
		}
		if err := l.check(&s, at, key, seen); err != nil {
			return err
		}
		seen = append(seen, key)
		v, err := s.value(2)
		if err != nil {
			return err
		}
		return member(key, v)
	})
	if err != nil {
		return err
	}
	if s.space(); s.i < len(s.b) {
		return s.errorf(s.i, "there is more behind the object")
	}
	return nil
}

// known is the text of a key; one that is known costs no memory.
func (l *Limits) known(k Value) string {
	if !k.escapes {
		for _, known := range l.Known {
			if string(k.Raw[1:len(k.Raw)-1]) == known {
				return known
			}
		}
	}
	return k.Text()
}

func (l *Limits) check(s *scanner, at int, key string, seen []string) error {
	for _, other := range seen {
		switch {
		case other == key:
			return s.errorf(at, "the key %.32q stands there twice", key)
		case strings.EqualFold(other, key):
			return s.errorf(at, "the key %.32q stands there twice, the first time as %.32q", key, other)
		}
	}
	if slices.Contains(l.Known, key) {
		return nil
	}
	for _, known := range l.Known {
		if strings.EqualFold(known, key) {
			return s.errorf(at, "the key %.32q is written %q", key, known)
		}
	}
	if l.Closed {
		return s.errorf(at, "unknown field %.32q; known are %q", key, l.Known)
	}
	return nil
}

// Valid says what is wrong with a JSON value of any kind, if something is. Keys
// that come twice are not looked for.
func Valid(data []byte, depth int) error {
	s := scanner{b: data, depth: min(depth, maxDepth)}
	s.space()
	if _, err := s.value(1); err != nil {
		return err
	}
	if s.space(); s.i < len(s.b) {
		return s.errorf(s.i, "there is more behind the value")
	}
	return nil
}

// Elements gives each element of an array to element, and ends with its error.
func (v Value) Elements(element func(Value) error) error {
	s := scanner{b: v.Raw, i: 1, depth: maxDepth}
	for s.space(); s.peek() != ']'; s.space() {
		e, err := s.value(1)
		if err == nil {
			err = element(e)
		}
		if err != nil {
			return err
		}
		if s.space(); s.peek() == ',' {
			s.i++
		}
	}
	return nil
}
