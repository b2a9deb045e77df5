package report

import (
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"framewright/autobahn/wsspec"
)

//go:embed report.html.tmpl
var htmlText string

var htmlTemplate = template.Must(template.New("report").Parse(htmlText))

// generator is the mark by which a page is known to be one of ours.
const generator = `<meta name="generator" content="wsspec">`

// A page is what the template is filled with.
type page struct {
	Columns  []column
	Span     int // columns of the table of cases
	Chapters []*chapter
}

// A column is one agent in one role.
type column struct {
	Agent, Role, Target, When, Took, Note string
	Summary                               Summary
}

type chapter struct {
	Name   string
	Counts []string // of each column
	Bad    bool     // a case of it is not as expected
	Rows   []*row
}

// A row is a case.
type row struct {
	ID, Anchor, Level, Section, Title, Clause string
	Cells                                     []cell
	Bad                                       bool
}

// A cell is what a case came to in one column.
type cell struct {
	There     bool
	Word      string // the outcome
	Class     string
	Column    string // whose it is, where its story is told
	Case      Case
	Rerun     string
	Wire      []wireLine
	TellsMore bool // there is a story
}

type wireLine struct {
	Ms, Side, Bytes, Text string
}

// WriteHTML writes reports as one page, a column each, that needs nothing else.
func WriteHTML(w io.Writer, reports []*Report) error {
	return htmlTemplate.Execute(w, newPage(reports))
}

func newPage(reports []*Report) page {
	p := page{Span: 3 + len(reports)}
	rows := map[string]*row{}
	chapters := map[string]*chapter{}
	for i, r := range reports {
		p.Columns = append(p.Columns, newColumn(r))
		for _, c := range r.Cases {
			ch := chapters[c.Chapter]
			if ch == nil {
				ch = &chapter{Name: c.Chapter}
				chapters[c.Chapter] = ch
				p.Chapters = append(p.Chapters, ch)
			}
			ro := rows[c.ID]
			if ro == nil {
				ro = &row{ID: c.ID, Anchor: "c-" + c.ID, Level: string(c.Level), Section: c.Section, Title: c.Title, Clause: c.Clause, Cells: make([]cell, len(reports))}
				rows[c.ID] = ro
				ch.Rows = append(ch.Rows, ro)
			}
			ro.Cells[i] = newCell(r, c)
			ro.Bad = ro.Bad || !c.OK
			ch.Bad = ch.Bad || !c.OK
		}
	}
	for _, ch := range p.Chapters {
		for i := range reports {
			ch.Counts = append(ch.Counts, ch.count(i))
		}
	}
	return p
}

func newColumn(r *Report) column {
	c := column{Agent: r.Agent, Role: string(r.Role), Target: r.Target, When: r.Began.Format("2006-01-02 15:04"), Took: r.Took.Round(100 * time.Millisecond).String(), Summary: r.Summary}
	c.Note = fmt.Sprintf("%d messages in each case of groups 12 and 13", r.Count)
	if r.Strict {
		c.Note += "; strict"
	}
	return c
}

func newCell(r *Report, c Case) cell {
	x := cell{There: true, Word: string(c.Outcome), Class: string(c.Outcome), Case: c, Column: r.Agent + ", " + string(r.Role)}
	if c.Behavior != "" && c.Behavior != "OK" || c.BehaviorClose != "" && c.BehaviorClose != "OK" {
		x.Word += " (" + c.Behavior + " / " + c.BehaviorClose + ")"
	}
	if !c.OK {
		x.Class += " bad"
	} else if c.Known && c.Outcome != wsspec.Passed {
		x.Word += ", as known"
	}
	x.TellsMore = !c.OK || c.Outcome != wsspec.Passed
	if r.Rerun != "" {
		x.Rerun = r.Rerun + " " + Quote(c.ID)
	}
	for _, p := range c.Wire {
		x.Wire = append(x.Wire, p.line())
	}
	return x
}

// line is a piece for a table: its bytes in hexadecimal, and as text where they are
// some.
func (p Piece) line() wireLine {
	l := wireLine{Ms: fmt.Sprintf("%.1f", p.Ms)}
	if p.Note != "" {
		l.Text = p.Note
		return l
	}
	l.Side = "testee"
	if p.Sent {
		l.Side = "suite"
	}
	b, _ := hex.DecodeString(p.Hex)
	l.Bytes = fmt.Sprintf("% x", b)
	if p.Size > len(b) {
		l.Bytes += fmt.Sprintf(" ... %d bytes", p.Size)
	}
	l.Text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, string(b))
	return l
}

// count is how many of a column's cases in a chapter passed.
func (ch *chapter) count(column int) string {
	n, good := 0, 0
	for _, r := range ch.Rows {
		c := r.Cells[column]
		if c.There && c.Case.Outcome != wsspec.Skipped {
			if n++; c.Case.Outcome == wsspec.Passed || c.Case.Outcome == wsspec.Noted {
				good++
			}
		}
	}
	if n == 0 && !slices.ContainsFunc(ch.Rows, func(r *row) bool { return r.Cells[column].There }) {
		return ""
	}
	return fmt.Sprintf("%d of %d", good, n)
}
