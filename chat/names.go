package chat

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"framewright/internal/lookalike"
)

const (
	maxNameRunes = 32 // a person's or a room's name: fits a phone's line
	maxMarks     = 3  // combining marks in a row: more is a tower over the neighbours' lines
)

// CheckName reports as an [*Error] of CodeBadName what is wrong with a person's
// name: empty, over 32 characters, not UTF-8, or with characters that cannot be
// seen or that change how the text around them looks.
func CheckName(name string) error { return checkName(CodeBadName, "a name", name, "") }

// CheckRoom is [CheckName] for rooms, with CodeBadRoom. The characters * and >
// are wildcards of message brokers and are refused too.
func CheckRoom(room string) error { return checkName(CodeBadRoom, "a room's name", room, "*>") }

func checkName(code ErrorCode, what, s, reserved string) error {
	refuse := func(format string, args ...any) error {
		return &Error{Code: code, Text: what + " " + fmt.Sprintf(format, args...)}
	}
	if s == "" {
		return refuse("must not be empty")
	}
	// Before anything walks over it: the text may be a megabyte.
	if len(s) > maxNameRunes*utf8.UTFMax || utf8.RuneCountInString(s) > maxNameRunes {
		return refuse("may have at most %d characters", maxNameRunes)
	}
	if !utf8.ValidString(s) {
		return refuse("must be UTF-8")
	}
	// Some characters are drawn as whole sentences, or as towers of letters.
	if n := utf8.RuneCountInString(norm.NFKC.String(s)); n > 2*maxNameRunes {
		return refuse("may have at most %d characters, which this is in a plainer form: %d", 2*maxNameRunes, n)
	}
	marks := 0
	for i, r := range s {
		if hidden(r) && !joins(s, i, r) {
			return refuse("may not contain the character %U, which cannot be seen or changes its surroundings", r)
		}
		if strings.ContainsRune(reserved, r) {
			return refuse("may not contain %q, which is a wildcard elsewhere", r)
		}
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
			continue
		}
		if marks++; marks > maxMarks || i == 0 {
			return refuse("may not begin with a combining mark or have more than %d in a row", maxMarks)
		}
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' || strings.Contains(s, "  ") {
		return refuse("may not begin or end with a space or have two in a row")
	}
	return nil
}

const (
	zeroWidthNonJoiner = 0x200C
	zeroWidthJoiner    = 0x200D
	emojiStyle         = 0xFE0F // asks for an emoji's colours
	virama             = 9      // the canonical combining class of what takes a letter's vowel
)

// joins reports whether r, at s[i], is a joiner that changes how its neighbours
// are drawn: behind a virama of an Indic script, between letters of a script
// that joins them (RFC 5892 appendices A.1 and A.2, which know the letters'
// joining types), or between two pictures that make one. Anywhere else it is
// nothing but hidden.
func joins(s string, i int, r rune) bool {
	if r != zeroWidthNonJoiner && r != zeroWidthJoiner {
		return false
	}
	next := s[i+utf8.RuneLen(r):]
	if i == 0 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(next)
	if norm.NFD.PropertiesString(string(before)).CCC() == virama {
		return unicode.IsLetter(after) || next == ""
	}
	if next == "" {
		return false
	}
	if r == zeroWidthNonJoiner {
		joined := []*unicode.RangeTable{unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Mandaic, unicode.Nko, unicode.Adlam}
		return unicode.In(before, joined...) && unicode.In(after, joined...)
	}
	return (unicode.In(before, unicode.So, unicode.Sk) || before == emojiStyle) && before > unicode.MaxLatin1 && unicode.In(after, unicode.So, unicode.Sm)
}

// hidden reports whether r has no place in a name: control and format
// characters (among them the bidirectional and zero-width ones), private and
// unassigned ones, every space but the ordinary, and those letters, marks and
// symbols that are drawn as nothing.
func hidden(r rune) bool {
	switch r {
	case ' ', emojiStyle:
		return false
	case unicode.ReplacementChar: // stands for what was lost
		return true
	}
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) || lookalike.Invisible(r)
}
