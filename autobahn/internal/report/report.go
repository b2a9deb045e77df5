// Package report writes what a run of the conformance suite came to: for people as
// HTML that stands alone, for machines as JSON and JUnit's XML, and for a hosted CI
// as annotations.
package report

import (
	"encoding/hex"
	"time"

	"framewright/autobahn/wsspec"
)

// A Report is one run with one testee in one role.
type Report struct {
	Agent   string        `json:"agent"`  // the testee's name
	Role    wsspec.Role   `json:"role"`   // of the testee
	Target  string        `json:"target"` // its URL, or how it is started
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"tookNs"`
	Strict  bool          `json:"strict"` // a SHOULD that is not kept is a failure
	Count   int           `json:"count"`  // messages of each case of groups 12 and 13
	Rerun   string        `json:"rerun"`  // the command that runs one case again; its id goes to the end
	Cases   []Case        `json:"cases"`  // in the suite's order
	NotRun  []string      `json:"notRun,omitempty"`
	Summary Summary       `json:"summary"`
}

// A Summary counts cases.
type Summary struct {
	Passed  int `json:"passed"` // as expected
	Failed  int `json:"failed"` // not as expected
	Skipped int `json:"skipped"`
	NotRun  int `json:"notRun"`
}

// A Case is one that was played.
type Case struct {
	ID            string           `json:"id"`
	Chapter       string           `json:"chapter"`
	Section       string           `json:"section,omitempty"`
	Level         wsspec.Level     `json:"level"`
	Title         string           `json:"title"`
	Clause        string           `json:"clause,omitempty"`
	Outcome       wsspec.Outcome   `json:"outcome"`
	OK            bool             `json:"ok"`              // as expected
	Known         bool             `json:"known,omitempty"` // a line of the expectations names it
	Why           string           `json:"why,omitempty"`   // of that line, or of the suite for a rule that is no MUST
	Expected      string           `json:"expected,omitempty"`
	Actual        string           `json:"actual,omitempty"`
	Behavior      string           `json:"behavior,omitempty"`
	BehaviorClose string           `json:"behaviorClose,omitempty"`
	RemoteClose   int              `json:"remoteCloseCode,omitempty"`
	Took          time.Duration    `json:"tookNs"`
	Runs          []wsspec.Outcome `json:"runs,omitempty"` // if it was played several times
	Output        string           `json:"output,omitempty"`
	Wire          []Piece          `json:"wire,omitempty"` // of cases that did not pass
	LeftOut       int              `json:"wireLeftOut,omitempty"`
}

// A Piece is some bytes of the wire, or a remark.
type Piece struct {
	Ms   float64 `json:"ms"`
	Sent bool    `json:"sent,omitempty"` // by the suite
	Hex  string  `json:"hex,omitempty"`
	Size int     `json:"size,omitempty"`
	Note string  `json:"note,omitempty"`
}

// NewCase makes a result, judged, one of a report.
func NewCase(r wsspec.Result, j wsspec.Judgement) Case {
	c := Case{
		ID: r.Case.ID, Chapter: r.Case.Chapter, Section: r.Case.Section, Level: r.Case.Level, Title: r.Case.Title, Clause: r.Case.Clause,
		Outcome: r.Outcome, OK: j.OK, Known: j.Known, Why: j.Why,
		Expected: r.Expected, Actual: r.Actual, Behavior: r.Behavior, BehaviorClose: r.BehaviorClose, RemoteClose: r.RemoteClose,
		Took: r.Took, Output: r.Output,
	}
	if c.Why == "" {
		c.Why = r.Case.Why
	}
	if len(r.Runs) > 1 {
		c.Runs = r.Runs
	}
	if r.Outcome == wsspec.Failed || r.Outcome == wsspec.Weak || r.Outcome == wsspec.Noted || !j.OK {
		c.Wire, c.LeftOut = pieces(r.Wire, r.LeftOut)
	}
	return c
}

const (
	pieceBytes = 96 // shown of one piece
	piecesKept = 40 // of a dialogue
)

// pieces is the beginning and the end of what went over the wire.
func pieces(wire []wsspec.Record, leftOut int) ([]Piece, int) {
	if more := len(wire) - piecesKept; more > 0 {
		const half = piecesKept / 2
		wire = append(wire[:half:half], wire[len(wire)-half:]...)
		leftOut += more
	}
	var all []Piece
	for _, w := range wire {
		all = append(all, Piece{
			Ms: float64(w.At.Microseconds()) / 1000, Sent: w.Sent, Size: w.Size, Note: w.Note,
			Hex: hex.EncodeToString(w.Bytes[:min(len(w.Bytes), pieceBytes)]),
		})
	}
	return all, leftOut
}

// Summarize fills in Summary from Cases and NotRun.
func (r *Report) Summarize() {
	r.Summary = Summary{NotRun: len(r.NotRun)}
	for _, c := range r.Cases {
		switch {
		case !c.OK:
			r.Summary.Failed++
		case c.Outcome == wsspec.Skipped:
			r.Summary.Skipped++
		default:
			r.Summary.Passed++
		}
	}
}
