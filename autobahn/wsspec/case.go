package wsspec

import (
	"fmt"
	"time"
)

// A Role is the part that the testee plays.
type Role string

const (
	Server Role = "server"
	Client Role = "client"
)

// Roles is a set of them.
type Roles byte

const (
	ServerOnly Roles = 1 << iota
	ClientOnly
	Both = ServerOnly | ClientOnly
)

// Has reports whether r is in the set.
func (s Roles) Has(r Role) bool {
	return r == Server && s&ServerOnly != 0 || r == Client && s&ClientOnly != 0
}

// A Level says how much a rule binds (RFC 2119).
type Level string

const (
	Must   Level = "MUST"
	Should Level = "SHOULD"
	Info   Level = "INFO" // the RFC leaves it open; the result is a figure or a habit
)

// An Outcome is what playing a case came to.
type Outcome string

const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"  // a MUST is not kept, or what the case was about did not happen
	Weak    Outcome = "weak"    // a SHOULD is not kept; a failure with -strict
	Noted   Outcome = "info"    // there is no right or wrong
	Skipped Outcome = "skipped" // the testee does not have what the case is about
)

// A Case is one thing to try.
type Case struct {
	ID      string // "6.4.1" of the chapter autobahn, "4.2.1/key-missing" of others
	Chapter string
	Section string // "6455 §4.2.1", "7692 §7.1.2.1"
	Level   Level
	Roles   Roles
	Tags    []string // TagHeavy and TagAlone say how it is played, others only serve to select
	Title   string   // what is done, in one line
	Clause  string   // the RFC's words, behind their section in brackets if that is another than Section
	Why     string   // for SHOULD and INFO, why it is no MUST

	// Play has the dialogue and judges it. What it does not say, such as the time
	// and the bytes, the runner fills in.
	Play func(*Dialogue) Verdict

	script func(Role) fuzzScript // of a generated case
}

// A Verdict is the judgement of one dialogue.
type Verdict struct {
	Outcome  Outcome
	Expected string // the allowed outcomes, in words
	Actual   string // what happened

	// The two verdicts of the Autobahn testsuite: OK, NON-STRICT, INFORMATIONAL,
	// UNIMPLEMENTED or FAILED for the messages; OK, UNCLEAN, WRONG CODE, FAILED BY
	// CLIENT, INFORMATIONAL or FAILED for the end. Of that chapter only.
	Behavior, BehaviorClose string

	Hard bool // a failure whatever the case's level is: the testee's own frames are wrong
}

// Pass is the verdict of a case that went as expected.
func Pass(expected string) Verdict {
	return Verdict{Outcome: Passed, Expected: expected, Actual: "as expected"}
}

// Fail is the verdict of a case that did not.
func Fail(expected, format string, args ...any) Verdict {
	return Verdict{Outcome: Failed, Expected: expected, Actual: fmt.Sprintf(format, args...)}
}

// Skip is the verdict of a case that is about something the testee does not have.
func Skip(format string, args ...any) Verdict {
	return Verdict{Outcome: Skipped, Actual: fmt.Sprintf(format, args...)}
}

// A Result is what there is to say of a case that was played.
type Result struct {
	Case *Case
	Role Role
	Verdict
	RemoteClose int  // the code of the testee's Close frame; 0 if there was none, or none in it
	Unreached   bool // a server did not take a connection: it may have gone, or died of an earlier case
	Began       time.Time
	Took        time.Duration
	Wire        []Record  // what went over the wire; the middle of much is left out
	LeftOut     int       // records left out of Wire
	Output      string    // of a client that was started for the case: the end of what it printed
	Agent       string    // the name that a client gave itself
	Runs        []Outcome // of each time it was played
}
