package lab

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"framewright/ws"
)

// A source is a declaration of this repository, as it stands there: a function, a type or
// a variable, with the comment before it.
type source struct {
	File  string      `json:"file"`
	Name  string      `json:"name"`
	Line  int         `json:"line"` // of the first line of Text in File
	Text  string      `json:"text"`
	Rules []ws.RuleID `json:"rules,omitempty"` // that it names
}

// sourcesJSON are those that the lessons and the breaks speak of.
//
// Written by go test ./lab -run TestEnforced -update, and held by it.
//
//go:embed sources.json
var sourcesJSON []byte

var sources = func() (all []*source) {
	if err := json.Unmarshal(sourcesJSON, &all); err != nil {
		panic(err) // a test writes it
	}
	return all
}()

// sourceOf is the declaration of a file that has a name, or, if that is empty, a line;
// nil if it is none of those that are here.
func sourceOf(file, name string, line int) *source {
	for _, s := range sources {
		if s.File == file && (name != "" && s.Name == name || name == "" && line >= s.Line && line < s.Line+s.lines()) {
			return s
		}
	}
	return nil
}

func (s *source) lines() int { return 1 + strings.Count(s.Text, "\n") }

// sourcePath is where a page of the lab shows a line.
func (p place) sourcePath() string {
	return fmt.Sprintf("source?file=%s&line=%d#L%d", p.File, p.Line, p.Line)
}

// A sourceLine is a line of code in pieces, of which some are sections of an RFC.
type sourceLine struct {
	N      int
	Pieces []piece
}

// A piece is text, and where it leads; "" if it leads nowhere.
type piece struct{ Text, Link string }

// sections are references to an RFC in a comment or a string.
var sections = regexp.MustCompile(`(?:RFC \d+ )?§\d+(?:\.\d+)*`)

// Lines are the code, line by line.
func (s *source) Lines() (lines []sourceLine) {
	for i, text := range strings.Split(s.Text, "\n") {
		line := sourceLine{N: s.Line + i}
		done := 0
		for _, at := range sections.FindAllStringIndex(text, -1) {
			ref := text[at[0]:at[1]]
			if at[0] > done {
				line.Pieces = append(line.Pieces, piece{Text: text[done:at[0]]})
			}
			line.Pieces = append(line.Pieces, piece{ref, sectionLink(ref)})
			done = at[1]
		}
		lines = append(lines, sourceLine{line.N, append(line.Pieces, piece{Text: text[done:]})})
	}
	return lines
}

// Asks are the rules that it names, for the table below the code.
func (s *source) Asks() (rules []*ws.Rule) {
	for _, id := range s.Rules {
		rules = append(rules, id.Rule())
	}
	return rules
}

// source shows a declaration: /lab/source?file=ws/frame.go&name=parse, or with
// line=101 in place of the name.
func (l *Lab) source(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	line, _ := strconv.Atoi(q.Get("line"))
	s := sourceOf(q.Get("file"), q.Get("name"), line)
	if s == nil {
		http.Error(w, "This code is not shown here: only what the lessons and the violations speak of is.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", contentTypes[".html"])
	if err := lessonPages.ExecuteTemplate(w, "source", s); err != nil {
		l.o.Logger.Debug("a page of code was not sent", "err", err)
	}
}

// sectionLink is where a section stands: "§5.3", "RFC 7692 §6".
func sectionLink(section string) string {
	rfc, at := "6455", section
	if name, rest, ok := strings.Cut(section, " §"); ok {
		rfc, at = strings.TrimPrefix(name, "RFC "), rest
	}
	return "https://www.rfc-editor.org/rfc/rfc" + rfc + "#section-" + strings.TrimPrefix(at, "§")
}
