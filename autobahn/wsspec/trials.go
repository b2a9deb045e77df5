package wsspec

import "strings"

// autobahnCases is the chapter "autobahn" but for its groups 12 and 13: the cases of
// the Autobahn testsuite 25.10.1, with its ids and in its order, its verdicts, and its
// slips.
func autobahnCases() []*Case {
	var cases []*Case
	for _, t := range allTrials() {
		cases = append(cases, t.asCase())
	}
	return cases
}

func allTrials() []*trial {
	var all []*trial
	for _, group := range []struct {
		section string // of those trials that do not name one
		trials  []*trial
	}{
		{"§5.2", lengthTrials()},
		{"§5.5.2", pingTrials()},
		{"§5.2", bitTrials()},
		{"§5.2", opcodeTrials()},
		{"§5.4", fragmentTrials()},
		{"§5.6", textTrials()},
		{"§8.1", sequenceTrials()},
		{"§5.5.1", closeTrials()},
		{"§10.4", longTrials()},
		{"§5.4", fragmentedTrials()},
	} {
		for _, t := range group.trials {
			if t.section == "" {
				t.section = group.section
			}
		}
		all = append(all, group.trials...)
	}
	return all
}

func (tr *trial) asCase() *Case {
	level := Must
	switch {
	case tr.open:
		level = Info
	case tr.why != "":
		level = Should
	}
	return &Case{
		ID: tr.id, Chapter: "autobahn", Section: "6455 " + tr.section, Level: level, Roles: Both,
		Tags: tr.tags, Title: tr.title, Clause: tr.clause, Why: tr.why, Play: tr.play,
	}
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }
