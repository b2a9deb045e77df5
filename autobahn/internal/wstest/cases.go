package wstest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// caseGroups is the suite's case list: a prefix, and how many cases count up
// from 1 below it. Read off autobahntestsuite 25.10.1.
var caseGroups = []struct {
	prefix string
	count  int
}{
	{"1.1", 8}, {"1.2", 8},
	{"2", 11},
	{"3", 7},
	{"4.1", 5}, {"4.2", 5},
	{"5", 20},
	{"6.1", 3}, {"6.2", 4}, {"6.3", 2}, {"6.4", 4}, {"6.5", 5}, {"6.6", 11},
	{"6.7", 4}, {"6.8", 2}, {"6.9", 4}, {"6.10", 3}, {"6.11", 5}, {"6.12", 8},
	{"6.13", 5}, {"6.14", 10}, {"6.15", 1}, {"6.16", 3}, {"6.17", 5},
	{"6.18", 5}, {"6.19", 5}, {"6.20", 7}, {"6.21", 8}, {"6.22", 34}, {"6.23", 7},
	{"7.1", 6}, {"7.3", 6}, {"7.5", 1}, {"7.7", 13}, {"7.9", 9}, {"7.13", 2},
	{"9.1", 6}, {"9.2", 6}, {"9.3", 9}, {"9.4", 9},
	{"9.5", 6}, {"9.6", 6}, {"9.7", 6}, {"9.8", 6},
	{"10.1", 1},
	{"12.1", 18}, {"12.2", 18}, {"12.3", 18}, {"12.4", 18}, {"12.5", 18},
	{"13.1", 18}, {"13.2", 18}, {"13.3", 18}, {"13.4", 18}, {"13.5", 18}, {"13.6", 18}, {"13.7", 18},
}

// groupNames says what each top-level group of cases is about.
var groupNames = map[string]string{
	"1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes",
	"5": "fragmentation", "6": "UTF-8", "7": "closing", "9": "limits and speed",
	"10": "auto-fragmentation", "12": "compression, payloads", "13": "compression, parameters",
}

// allCases returns the suite's 517 case ids in the suite's order.
func allCases() []string {
	var ids []string
	for _, g := range caseGroups {
		for i := range g.count {
			ids = append(ids, g.prefix+"."+strconv.Itoa(i+1))
		}
	}
	return ids
}

// group returns the top-level group of a case id: "12" for "12.3.4".
func group(id string) string {
	g, _, _ := strings.Cut(id, ".")
	return g
}

// compareIDs orders case ids by their numbers: 2.9 before 2.10.
func compareIDs(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		an, aerr := strconv.Atoi(as[i])
		bn, berr := strconv.Atoi(bs[i])
		if aerr != nil || berr != nil {
			// A foreign id, from another version of the suite: any order will do.
			if c := strings.Compare(as[i], bs[i]); c != 0 {
				return c
			}
			continue
		}
		if c := cmp.Compare(an, bn); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// matchCase reports whether a whole case id matches a pattern: "7.1.6" is one
// case, "7.*" a group, "*" everything. Unlike wstest's own patterns these are
// anchored at both ends, so "9.1*" is the only way to also mean 9.1x.
func matchCase(pattern, id string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == id
	}
	if !strings.HasPrefix(id, head) {
		return false
	}
	// After the star, every possible rest of the id may match what follows.
	for i := len(head); i <= len(id); i++ {
		if matchCase(tail, id[i:]) {
			return true
		}
	}
	return false
}

// checkPattern refuses what cannot be a pattern of case ids, or hits no case.
func checkPattern(pattern string) error {
	if pattern == "" {
		return fmt.Errorf("an empty case pattern; want an id such as 7.1.6 or a pattern such as 7.*")
	}
	if i := strings.IndexFunc(pattern, func(r rune) bool { return !strings.ContainsRune("0123456789.*", r) }); i >= 0 {
		return fmt.Errorf("case pattern %q has %q in it; want digits, dots and *, such as 7.1.6 or 7.*", pattern, pattern[i:i+1])
	}
	if len(pattern) > 32 {
		return fmt.Errorf("case pattern %.32q... is longer than 32 characters", pattern)
	}
	if !slices.ContainsFunc(allCases(), func(id string) bool { return matchCase(pattern, id) }) {
		return fmt.Errorf("case pattern %q matches none of the suite's %d cases", pattern, len(allCases()))
	}
	return nil
}

// selectCases returns the ids that match one of the comma-separated patterns
// of include and none of exclude. An empty include means all.
func selectCases(include, exclude string) ([]string, error) {
	if include == "" {
		include = "*"
	}
	in, err := splitPatterns(include)
	if err != nil {
		return nil, fmt.Errorf("-cases: %w", err)
	}
	var out []string
	if exclude != "" {
		if out, err = splitPatterns(exclude); err != nil {
			return nil, fmt.Errorf("-exclude: %w", err)
		}
	}
	ids := slices.DeleteFunc(allCases(), func(id string) bool {
		hit := func(p string) bool { return matchCase(p, id) }
		return !slices.ContainsFunc(in, hit) || slices.ContainsFunc(out, hit)
	})
	if len(ids) == 0 {
		return nil, fmt.Errorf("-cases %q without -exclude %q leaves no case", include, exclude)
	}
	return ids, nil
}

func splitPatterns(list string) ([]string, error) {
	patterns := strings.Split(list, ",")
	for i, p := range patterns {
		patterns[i] = strings.TrimSpace(p)
		if err := checkPattern(patterns[i]); err != nil {
			return nil, err
		}
	}
	return patterns, nil
}
