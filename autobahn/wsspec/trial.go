package wsspec

import (
	"fmt"
	"slices"
	"strings"
)

// A trial is a case of the Autobahn testsuite as data: what is sent and when, what
// may come back, and how the connection may end.
type trial struct {
	id, title string
	section   string // of RFC 6455
	clause    string // the RFC's words
	why       string // why it is no MUST, if it is none
	tags      []string

	do       acts
	outcomes []outcome
	end      ending

	patient bool    // the suite does not close once all is there
	coded   bool    // a wrong close code is a fault of the behavior, too
	open    bool    // there is no right and wrong: it is informational
	volley  *volley // instead of outcomes: messages that are counted and not compared
}

// An outcome is a list of events that gives a verdict.
type outcome struct {
	verdict string // vOK or vWeak
	events  []event
}

func (o outcome) is(heard []event) bool { return slices.Equal(o.events, heard) }

// ok is the one outcome of most cases: these events, in this order, and no others.
func ok(events ...event) []outcome { return []outcome{{vOK, events}} }

// strictly is what a testee does that answers what is right before it fails the
// connection for what is wrong; one that answers nothing is NON-STRICT.
func strictly(events ...event) []outcome { return []outcome{{vOK, events}, {vWeak, nil}} }

// The words of the testsuite's verdicts.
const (
	vOK     = "OK"
	vWeak   = "NON-STRICT"
	vInfo   = "INFORMATIONAL"
	vFailed = "FAILED"

	vUnclean  = "UNCLEAN"
	vCode     = "WRONG CODE"
	vByClient = "FAILED BY CLIENT"
)

// An ending is how the connection may end.
type ending struct {
	byUs  bool  // whose Close is first
	codes []int // which codes the testee's Close may have; it may also have none
	clean bool  // there is a Close each way, and a server ends TCP
	fatal bool  // if the wrong side is first, the behavior is a failure too
}

var (
	// normal is the end after an echo, N in the table: the suite closes.
	normal = ending{byUs: true, codes: []int{1000}, clean: true}
	// violation is the end after what is against the protocol, V1002: the testee fails
	// the connection, with a Close or without (§7.1.7).
	violation = ending{codes: []int{1002}}
	// notText is that for what is not UTF-8 (§8.1).
	notText = ending{codes: []int{1007}, fatal: true}
)

// verdict judges, now that TCP has ended.
func (t *tester) verdict() Verdict {
	v := Verdict{Behavior: t.behavior(), BehaviorClose: t.behaviorClose(), Expected: t.expected(), Actual: t.actual()}
	switch {
	case t.trial.open:
		v.Behavior, v.BehaviorClose = vInfo, vInfo
	case t.coded && v.BehaviorClose == vCode, t.opened && t.end.fatal && t.closedByUs != t.end.byUs:
		v.Behavior = vFailed
	}
	switch {
	case v.BehaviorClose != vOK && v.BehaviorClose != vInfo:
		v.Outcome = Failed
	case v.Behavior == vOK:
		v.Outcome = Passed
	case v.Behavior == vWeak:
		v.Outcome = Weak
	case v.Behavior == vInfo:
		v.Outcome = Noted
	default:
		v.Outcome = Failed
	}
	return v
}

func (t *tester) behavior() string {
	if !t.opened {
		return vFailed
	}
	if t.volley != nil {
		return t.echoed
	}
	for _, o := range t.outcomes {
		if o.is(t.heard) {
			return o.verdict
		}
	}
	return vFailed
}

func (t *tester) behaviorClose() string {
	switch {
	case !t.opened, t.closedByUs != t.end.byUs:
		return vFailed
	case t.end.clean && !t.clean:
		return vUnclean
	case t.remote != noCode && !slices.Contains(t.end.codes, t.remote):
		return vCode
	case t.client && t.dropped:
		return vByClient
	}
	return vOK
}

// expected has the allowed outcomes in words.
func (t *tester) expected() string {
	var ways []string
	for _, o := range t.outcomes {
		ways = append(ways, eventWords(o.events))
	}
	what := strings.Join(ways, " or ")
	if t.volley != nil {
		what = t.volley.String()
	}
	codes := strings.Trim(fmt.Sprint(t.end.codes), "[]")
	codes = strings.ReplaceAll(codes, " ", ", ")
	if t.end.byUs {
		how := ""
		if t.end.clean {
			how = ", and that the server ends TCP"
		}
		return fmt.Sprintf("%s; then that the suite's Close is answered, with %s or no code%s", what, codes, how)
	}
	return fmt.Sprintf("%s; then that the testee fails the connection, with %s or no code", what, codes)
}

// actual has what happened in words.
func (t *tester) actual() string {
	if !t.opened {
		return "the opening handshake was not done"
	}
	what := eventWords(t.heard)
	if t.volley != nil {
		what = fmt.Sprintf("%d messages sent, %d right ones back", t.sent, t.back)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s; then ", what)
	switch {
	case t.closedByUs && t.why != "":
		fmt.Fprintf(&b, "the suite failed the connection: %s", t.why)
	case t.closedByUs:
		b.WriteString("the suite closed")
	case t.phase == phaseOver && t.remote == noCode && !t.clean:
		b.WriteString("the testee ended TCP without a Close")
	default:
		b.WriteString("the testee closed")
	}
	if t.remote != noCode {
		fmt.Fprintf(&b, ", its code %d", t.remote)
	}
	if t.dropped && t.client {
		b.WriteString(", and the suite had to end TCP")
	}
	return b.String()
}

var eventNames = [...]string{aText: "text", aBinary: "binary", aPong: "pong", aPause: "pause"}

// eventWords has events in words, and not too many.
func eventWords(events []event) string {
	if len(events) == 0 {
		return "nothing"
	}
	const shown = 12
	var words []string
	for i, e := range events {
		if i == shown {
			words = append(words, fmt.Sprintf("%d more", len(events)-shown))
			break
		}
		if len(e.data) > 40 {
			words = append(words, fmt.Sprintf("%s of %d bytes %.20q…", eventNames[e.kind], len(e.data), e.data))
		} else {
			words = append(words, fmt.Sprintf("%s %q", eventNames[e.kind], e.data))
		}
	}
	return strings.Join(words, ", ")
}
