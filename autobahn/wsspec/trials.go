package wsspec

import "strings"

// autobahnCases is the chapter "autobahn" but for its groups 12 and 13: the cases of
// the Autobahn testsuite 25.10.1, with its ids and in its order, its verdicts, and its
// slips.
func autobahnCases() []*Case {
	var cases []*Case
	for _, group := range []struct {
		section string
		trials  []*trial
	}{
		{"§5.2", lengthTrials()},
		{"§5.5.2", pingTrials()},
		{"§5.2", bitTrials()},
		{"§5.2", opcodeTrials()},
		{"§5.4", fragmentTrials()},
	} {
		for _, t := range group.trials {
			if t.section == "" {
				t.section = group.section
			}
			cases = append(cases, t.asCase())
		}
	}
	return cases
}

func (tr *trial) asCase() *Case {
	level := Must
	if tr.open {
		level = Info
	}
	return &Case{
		ID: tr.id, Chapter: "autobahn", Section: "6455 " + tr.section, Level: level, Roles: Both,
		Tags: tr.tags, Title: tr.title, Clause: tr.clause, Why: tr.why, Play: tr.play,
	}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
