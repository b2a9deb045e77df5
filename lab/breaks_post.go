package lab

import (
	"fmt"
	"net/http"

	"framewright/lab/fact"
	"framewright/ws"
)

// A playedBreak is what came of a break, and where it stands.
type playedBreak struct {
	workshopDialogue
	Rule     *fact.Rule `json:"rule"`
	JudgedAt int        `json:"judgedAt,omitempty"` // bytes behind the handshake; 0 if the bytes alone do not tell
	File     string     `json:"file"`               // where the rule is enforced
	Line     int        `json:"line"`
	Source   string     `json:"source"` // the page that shows it
}

func postBreak(r *http.Request, body []byte) (any, error) {
	var p struct {
		ID string `json:"id"`
	}
	if err := unmarshal(body, &p); err != nil {
		return nil, err
	}
	b := findBreak(p.ID)
	if b == nil {
		return nil, fmt.Errorf("there is no violation %.40q", p.ID)
	}
	d, err := b.Experiment().Run(r.Context())
	if err != nil {
		return nil, err
	}
	at := enforced[b.Rule]
	rule := fact.Of(ws.TraceEvent{Rule: b.Rule}).Rule
	out := playedBreak{Rule: rule, workshopDialogue: shownDialogue(d), JudgedAt: b.JudgedAt(), File: at.File, Line: at.Line, Source: at.sourcePath()}
	for _, m := range d.Moments {
		if m.Event.Rule == b.Rule {
			rule.Detail = m.Event.Detail
		}
	}
	return out, nil
}

func shownDialogue(d *Dialogue) workshopDialogue {
	out := workshopDialogue{Facts: facts(d.Moments, false), Outcome: d.Outcome, Closed: d.Closed}
	if d.End != nil {
		out.End = d.End.Error()
	}
	return out
}
