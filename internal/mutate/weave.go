package main

import (
	"fmt"
	"slices"
	"strings"
)

// switchName is the variable that says which mutant is at work.
const switchName = "mutantAtWork"

// switchFile declares it, in a file of its own.
func switchFile(pkg string) string {
	return fmt.Sprintf(`package %s

import (
	"os"
	"strconv"
)

var %s, _ = strconv.Atoi(os.Getenv(%q))
`, pkg, switchName, switchEnv)
}

const switchEnv = "MUTANT_AT_WORK"

// weave writes the file with all mutants in it, each behind its number, so that
// one build does for all. lines says which mutants a line of it is about.
func weave(src []byte, sites []*site) (text string, lines map[int][]*mutant) {
	w := weaver{src: src, lines: map[int][]*mutant{}, line: 1}
	for _, s := range sites {
		if s.kind != alone && len(s.mutants) > 0 {
			w.sites = append(w.sites, s)
		}
	}
	slices.SortStableFunc(w.sites, func(a, b *site) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end // the outer one first
	})
	w.until(0, len(src))
	return w.b.String(), w.lines
}

type weaver struct {
	src   []byte
	sites []*site // that are yet to come
	b     strings.Builder
	line  int
	lines map[int][]*mutant
}

func (w *weaver) put(s string) {
	w.b.WriteString(s)
	w.line += strings.Count(s, "\n")
}

// until writes the file from one offset to another.
func (w *weaver) until(from, to int) {
	for len(w.sites) > 0 && w.sites[0].start < to {
		s := w.sites[0]
		w.sites = w.sites[1:]
		w.put(string(w.src[from:s.start]))
		w.site(s)
		from = s.end
	}
	w.put(string(w.src[from:to]))
}

func (w *weaver) site(s *site) {
	mark := func(first int, ms ...*mutant) {
		for l := first; l <= w.line; l++ {
			w.lines[l] = append(w.lines[l], ms...)
		}
	}
	first := w.line
	switch s.kind {
	case expression:
		w.put("func() " + s.typ + " {")
		mark(first, s.mutants...)
		w.put("\n")
		for _, m := range s.mutants {
			first = w.line
			w.put(fmt.Sprintf("if %s == %d { return %s }", switchName, m.id, m.with))
			mark(first, m)
			w.put("\n")
		}
		first = w.line
		w.put("return ")
		mark(first, s.mutants...)
		w.until(s.start, s.end)
		w.put("\n}()")
	case statement, ending:
		for _, m := range s.mutants {
			first = w.line
			w.put(fmt.Sprintf("if %s == %d { %s }", switchName, m.id, m.with))
			mark(first, m)
			if s.kind == statement {
				w.put(" else ")
			} else {
				w.put("\n")
			}
		}
		if s.kind == statement {
			w.put("{ ")
		}
		w.until(s.start, s.end)
		if s.kind == statement {
			w.put(" }")
		}
	}
}
