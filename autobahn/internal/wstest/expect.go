package wstest

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed expectations.txt
var builtinExpectations string

// A role is the part the testee plays.
type role string

const (
	roleServer role = "server"
	roleClient role = "client"
)

// behaviors are the words wstest has for a case's two verdicts.
var behaviors = []string{
	"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED",
	"FAILED", "FAILED BY CLIENT", "NO_CLOSE", "UNCLEAN", "WRONG CODE",
}

// An expectation is what one case must show in one role.
type expectation struct {
	behavior, behaviorClose []string // any of these
	why                     string   // empty for the default, OK and OK
	line                    int
	orOK                    bool // OK and OK will do as well
}

var expectOK = expectation{behavior: []string{"OK"}, behaviorClose: []string{"OK"}}

func (e expectation) String() string {
	s := strings.Join(e.behavior, "|") + " / " + strings.Join(e.behaviorClose, "|")
	if e.orOK {
		s += " or OK / OK"
	}
	return s
}

// expectations holds the exceptions of a file.
type expectations map[role]map[string]expectation

// of returns what is expected of a case in a role.
func (x expectations) of(r role, id string) expectation {
	if e, ok := x[r][id]; ok {
		return e
	}
	return expectOK
}

// forOthers returns the expectations of a testee that is not ours: whatever the
// exceptions say of our state, OK and OK is right for it too.
func (x expectations) forOthers() expectations {
	y := expectations{}
	for r, cases := range x {
		y[r] = map[string]expectation{}
		for id, e := range cases {
			e.orOK = true
			y[r][id] = e
		}
	}
	return y
}

// parseExpectations reads the form that expectations.txt explains. name is for
// errors, which give the line and what was expected there.
func parseExpectations(name string, r io.Reader) (expectations, error) {
	x := expectations{roleServer: {}, roleClient: {}}
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := x.add(text, n); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return x, nil
}

func (x expectations) add(text string, line int) error {
	f := strings.Fields(text)
	if len(f) < 5 {
		return fmt.Errorf("%d columns; want pattern, role, behavior, behaviorClose and a sentence that says why", len(f))
	}
	pattern, why := f[0], strings.Join(f[4:], " ")
	if err := checkPattern(pattern); err != nil {
		return err
	}
	var roles []role
	switch f[1] {
	case "both":
		roles = []role{roleServer, roleClient}
	case string(roleServer), string(roleClient):
		roles = []role{role(f[1])}
	default:
		return fmt.Errorf("role %q; want server, client or both", f[1])
	}
	e := expectation{why: why, line: line}
	var err error
	if e.behavior, err = parseBehaviors(f[2]); err != nil {
		return err
	}
	if e.behaviorClose, err = parseBehaviors(f[3]); err != nil {
		return err
	}
	if slices.Equal(e.behavior, expectOK.behavior) && slices.Equal(e.behaviorClose, expectOK.behaviorClose) {
		return fmt.Errorf("OK / OK is what every case must show: take the line out")
	}
	// A sentence, not a tag: a reviewer must be able to disagree with it.
	if len(f)-4 < 3 || !strings.HasSuffix(why, ".") {
		return fmt.Errorf("reason %q; want a sentence that ends with a full stop", why)
	}
	for _, r := range roles {
		for _, id := range allCases() {
			if !matchCase(pattern, id) {
				continue
			}
			if old, ok := x[r][id]; ok {
				return fmt.Errorf("case %s as %s is already named on line %d; one line a case and role", id, r, old.line)
			}
			x[r][id] = e
		}
	}
	return nil
}

// parseBehaviors reads one word or several with | between. The words that have
// a space in wstest are written with _ here.
func parseBehaviors(s string) ([]string, error) {
	words := strings.Split(s, "|")
	for i, w := range words {
		if !slices.Contains(behaviors, w) {
			w = strings.ReplaceAll(w, "_", " ")
		}
		if !slices.Contains(behaviors, w) {
			return nil, fmt.Errorf("behavior %q; want one of %s, with _ for a space", words[i], strings.Join(behaviors, ", "))
		}
		words[i] = w
	}
	return words, nil
}
