package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// A review is an entry of the list of mutants that may survive:
//
//	ws/frame.go: Header.append: n < 126 → n <= 125
//		The same for whole numbers.
//
// File, function and text name the mutant, so that lines may move; the sentence
// says why no test can see it, or need not.
type review struct {
	mutant string
	why    string
	line   int
	used   bool
}

// parseReviewed reads the list. Empty lines, and those that begin with #, mean
// nothing.
func parseReviewed(b []byte) (map[string]*review, error) {
	list := map[string]*review{}
	var last *review
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			if last == nil {
				return nil, fmt.Errorf("line %d: a reason without a mutant before it", n)
			}
			last.why = strings.TrimSpace(last.why + " " + strings.TrimSpace(line))
		default:
			if last != nil && last.why == "" {
				return nil, fmt.Errorf("line %d: no reason for %s; it stands below it, behind a tab", last.line, last.mutant)
			}
			if list[line] != nil {
				return nil, fmt.Errorf("line %d: %s is there already, in line %d", n, line, list[line].line)
			}
			last = &review{mutant: line, line: n}
			list[line] = last
		}
	}
	if last != nil && last.why == "" {
		return nil, fmt.Errorf("line %d: no reason for %s; it stands below it, behind a tab", last.line, last.mutant)
	}
	return list, lines.Err()
}
