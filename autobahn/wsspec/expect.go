package wsspec

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Expectations are what is known and accepted of a testee: exceptions to "no case
// fails". The zero value has none.
type Expectations struct{ lines []*expectation }

// An expectation is one line.
type expectation struct {
	where    string // file and line
	pattern  string
	role     Role // empty: both
	outcomes []Outcome
	reason   string
	met      bool // some case came to one of the outcomes
	tried    bool // some case was of the pattern
}

func (e *expectation) words() string {
	var w []string
	for _, o := range e.outcomes {
		w = append(w, string(o))
	}
	return strings.Join(w, "|")
}

const expectationForm = "want ID [role] outcome: reason, such as 6.4.1 server weak: it looks at whole frames only"

var outcomes = []Outcome{Passed, Failed, Weak, Noted, Skipped}

// ParseExpectations reads lines of the form
//
//	ID [role] outcome: reason
//
// where ID may have a * (see Glob), the role is server or client (both if
// there is none), and the outcome is passed, failed, weak, info or skipped, or
// several with | between. Empty lines, and those that begin with #, are nothing.
// name is for errors, which give the line and what was expected there.
func ParseExpectations(name string, r io.Reader) (*Expectations, error) {
	x := &Expectations{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, n)
		e, err := parseExpectation(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		e.where = where
		x.lines = append(x.lines, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

func parseExpectation(text string) (*expectation, error) {
	left, reason, ok := strings.Cut(text, ":")
	reason = strings.TrimSpace(reason)
	if !ok || reason == "" {
		return nil, fmt.Errorf("no reason after a colon in %q; %s", text, expectationForm)
	}
	f := strings.Fields(left)
	if len(f) < 2 || len(f) > 3 {
		return nil, fmt.Errorf("%d words before the colon, %q; %s", len(f), left, expectationForm)
	}
	e := &expectation{pattern: f[0], reason: reason}
	if len(f) == 3 {
		if e.role = Role(f[1]); e.role != Server && e.role != Client {
			return nil, fmt.Errorf("the role %q; want server, client, or none for both", f[1])
		}
	}
	for word := range strings.SplitSeq(f[len(f)-1], "|") {
		if !slices.Contains(outcomes, Outcome(word)) {
			return nil, fmt.Errorf("the outcome %q; want passed, failed, weak, info or skipped", word)
		}
		e.outcomes = append(e.outcomes, Outcome(word))
	}
	return e, nil
}

// Check reports lines whose pattern is the id of no case in that role.
func (x *Expectations) Check(cases []*Case) error {
	for _, e := range x.lines {
		if !slices.ContainsFunc(cases, func(c *Case) bool {
			return Glob(e.pattern, c.ID) && (e.role == "" || c.Roles.Has(e.role))
		}) {
			return fmt.Errorf("%s: no case has the id %s%s (-list shows them)", e.where, e.pattern, inRole(e.role))
		}
	}
	return nil
}

func inRole(r Role) string {
	if r == "" {
		return ""
	}
	return " in the role of a " + string(r)
}

// A Judgement is a result held against what is expected.
type Judgement struct {
	OK    bool
	Known bool   // a line names the case
	Why   string // the line's reason, or why its state is wrong
}

// Judge says whether a result is as expected. Without a line that is every outcome
// but failed, and, if strict, weak. The first line that names the case counts; one
// without a * holds exactly, and a case that does better than it is a difference,
// too: then the line has to go. One with a * also takes cases that pass.
func (x *Expectations) Judge(r Result, strict bool) Judgement {
	for _, e := range x.lines {
		if e.role != "" && e.role != r.Role || !Glob(e.pattern, r.Case.ID) {
			continue
		}
		e.tried = true
		if slices.Contains(e.outcomes, r.Outcome) {
			e.met = true
			return Judgement{OK: true, Known: true, Why: e.reason}
		}
		if r.Outcome == Passed && strings.Contains(e.pattern, "*") {
			return Judgement{OK: true}
		}
		return Judgement{Known: true, Why: fmt.Sprintf("%s expects %s (%s); if that is over, take the line out", e.where, e.words(), e.reason)}
	}
	return Judgement{OK: r.Outcome != Failed && !(strict && r.Outcome == Weak)}
}

// Stale returns a sentence for every line with a * whose cases were judged and of
// which none came to what it says: it can go.
func (x *Expectations) Stale() []string {
	var all []string
	for _, e := range x.lines {
		if e.tried && !e.met && strings.Contains(e.pattern, "*") && !slices.Contains(e.outcomes, Passed) {
			all = append(all, fmt.Sprintf("%s: no case of %s is %s any more; take the line out", e.where, e.pattern, e.words()))
		}
	}
	return all
}
