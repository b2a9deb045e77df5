package wsspec

import (
	"fmt"
	"slices"
	"strings"
)

// Select returns the cases that a list of patterns names, in their order. Between
// patterns stand commas; "!" before one takes the cases it names out again, and
// an empty list, or one of nothing but those, begins with all cases. A pattern is
//
//	6.4.1      a whole id, in which * stands for any characters but "/": 6.*, 5.5.1/*
//	framing    a chapter or a tag
//	§5.5       a section of RFC 6455 with those below it; "7692 §7.1" of another RFC
//
// A pattern that names nothing is an error.
func Select(cases []*Case, list string) ([]*Case, error) {
	in, out := map[*Case]bool{}, map[*Case]bool{}
	named := false
	for pattern := range strings.SplitSeq(list, ",") {
		if pattern = strings.TrimSpace(pattern); pattern == "" {
			continue
		}
		into := in
		rest, without := strings.CutPrefix(pattern, "!")
		if without {
			into = out
		} else {
			named = true
		}
		found := false
		for _, c := range cases {
			if c.matches(rest) {
				into[c], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q names no case; want an id such as 6.4.1 or 6.*, a section such as §5.5, a chapter or a tag (-list shows them)", rest)
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool { return out[c] || named && !in[c] })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%q leaves no case", list)
	}
	return chosen, nil
}

func (c *Case) matches(pattern string) bool {
	if Glob(pattern, c.ID) || pattern == c.Chapter || slices.Contains(c.Tags, pattern) {
		return true
	}
	if strings.HasPrefix(pattern, "§") {
		pattern = "6455 " + pattern
	}
	rest, ok := strings.CutPrefix(c.Section, pattern)
	return ok && strings.Contains(pattern, "§") && (rest == "" || !isDigit(rest[0])) ||
		pattern != "" && c.Section != "" && strings.HasPrefix(c.Section, pattern+" ")
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// Glob reports whether a pattern is the whole of id. A * stands for any characters
// but "/", so that 5.* is a group of Autobahn's and 5.*/* are sections; alone it is
// any id.
func Glob(pattern, id string) bool {
	if pattern == "*" {
		return true
	}
	// Where the last star stood, and what it has taken so far: when the rest does not
	// match, only that star can take one byte more.
	star, taken := -1, 0
	p := 0
	for i := 0; i < len(id); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, i
			p++
		case p < len(pattern) && pattern[p] == id[i]:
			p++
			i++
		case star >= 0 && id[taken] != '/':
			taken++
			p, i = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
