package wstest

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// A result is what the suite's index.json says of one case.
type result struct {
	Behavior        string  `json:"behavior"`
	BehaviorClose   string  `json:"behaviorClose"`
	RemoteCloseCode *int    `json:"remoteCloseCode"` // nil: no Close came, or one without a code
	Duration        float64 `json:"duration"`        // ms; absurd when the case never began
	ReportFile      string  `json:"reportfile"`      // the case's JSON report, beside index.json
}

// results are the cases of one testee, by id.
type results map[string]result

// neverBegan is a duration (ms) no case can have. The suite takes it from the
// end of the opening handshake, so without one it counts from 1970.
const neverBegan = 7 * 24 * 3600 * 1000

// parseIndex reads the suite's index.json: testee, then case id, then result.
func parseIndex(name string, r io.Reader) (map[string]results, error) {
	var index map[string]results
	if err := json.NewDecoder(r).Decode(&index); err != nil {
		return nil, fmt.Errorf("%s: not the index of the suite's reports (want testee, case id, result): %w", name, err)
	}
	for agent, rs := range index {
		for id, res := range rs {
			if res.Behavior == "" || res.BehaviorClose == "" {
				return nil, fmt.Errorf("%s: case %s of %q lacks behavior or behaviorClose", name, id, agent)
			}
		}
	}
	return index, nil
}

// A difference is a case that did not show what was expected.
type difference struct {
	id   string
	want string
	got  string
	why  string // the sentence of the exception, or what else helps
}

// A verdict is the outcome of one role.
type verdict struct {
	role        role
	passed      int
	differences []difference // in the order of the ids
}

// judge compares what the suite reported with what is expected of every case
// in selected. Each case counts once; a case that was not asked for is a
// difference too, because then the suite is not the one this command knows.
func judge(r role, selected []string, got results, x expectations) verdict {
	v := verdict{role: r}
	for _, id := range selected {
		if d, ok := judgeCase(x.of(r, id), id, got); ok {
			v.passed++
		} else {
			v.differences = append(v.differences, d)
		}
	}
	for id, res := range got {
		if !slices.Contains(selected, id) {
			v.differences = append(v.differences, difference{
				id: id, want: "no such case", got: res.Behavior + " / " + res.BehaviorClose,
				why: "The suite ran a case that was not asked for; is it another version?",
			})
		}
	}
	slices.SortFunc(v.differences, func(a, b difference) int { return compareIDs(a.id, b.id) })
	return v
}

func judgeCase(e expectation, id string, got results) (d difference, ok bool) {
	d = difference{id: id, want: e.String(), why: e.why}
	res, there := got[id]
	if !there {
		d.got, d.why = "no result", "The suite did not report this case."
		return d, false
	}
	d.got = res.Behavior + " / " + res.BehaviorClose
	if res.RemoteCloseCode != nil {
		d.got += fmt.Sprintf(" (close code %d)", *res.RemoteCloseCode)
	}
	// 7.1.6 and 7.13.* say INFORMATIONAL whatever happened, even when there
	// was no connection to be informed about.
	if res.Duration < 0 || res.Duration > neverBegan {
		d.got += ", opening handshake never done"
		d.why = "The case never began, whatever its verdict says."
		return d, false
	}
	if slices.Contains(e.behavior, res.Behavior) && slices.Contains(e.behaviorClose, res.BehaviorClose) {
		return d, true
	}
	if e.why != "" && res.Behavior == "OK" && res.BehaviorClose == "OK" {
		if e.orOK {
			return d, true
		}
		d.why = fmt.Sprintf("It does better than the exception on line %d of the expectations: take that line out, or narrow it.", e.line)
	}
	return d, false
}
