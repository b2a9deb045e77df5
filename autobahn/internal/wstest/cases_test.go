package wstest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The counts are the suite's own, group by group.
func TestCaseListHasTheSuitesCounts(t *testing.T) {
	want := map[string]int{"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1, "12": 90, "13": 126}
	got := map[string]int{}
	ids := allCases()
	for _, id := range ids {
		got[group(id)]++
		if groupNames[group(id)] == "" {
			t.Errorf("group %s of case %s has no name", group(id), id)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("cases per group (-want +got):\n%s", d)
	}
	if len(ids) != 517 {
		t.Errorf("%d cases, want 517", len(ids))
	}
	if !slices.IsSortedFunc(ids, compareIDs) {
		t.Error("the cases are not in the suite's order")
	}
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Error("a case is listed twice")
	}
}

func TestMatchCase(t *testing.T) {
	for _, tt := range []struct {
		pattern, id string
		want        bool
	}{
		{"7.1.6", "7.1.6", true},
		{"7.1.6", "7.1.60", false},
		{"7.*", "7.1.6", true},
		{"7.*", "77.1", false},
		{"1.*", "10.1.1", false},
		{"9.1*", "9.1.1", true}, // and would 9.10.1, if there were one
		{"*", "12.3.4", true},
		{"6.*.1", "6.22.1", true},
		{"6.*.1", "6.22.11", false},
		{"6.*.1*", "6.22.11", true},
		{"**", "2.1", true},
	} {
		if got := matchCase(tt.pattern, tt.id); got != tt.want {
			t.Errorf("matchCase(%q, %q) = %v, want %v", tt.pattern, tt.id, got, tt.want)
		}
	}
}

func TestSelectCases(t *testing.T) {
	for _, tt := range []struct {
		include, exclude string
		want             int
	}{
		{"", "", 517},
		{"*", "", 517},
		{"*", "12.*,13.*", 301},
		{"1.*, 2.*", "", 27},
		{"7.1.6", "", 1},
		{"6.4.*,6.4.1", "6.4.4", 3},
	} {
		got, err := selectCases(tt.include, tt.exclude)
		if err != nil || len(got) != tt.want {
			t.Errorf("selectCases(%q, %q) = %d cases, %v; want %d", tt.include, tt.exclude, len(got), err, tt.want)
		}
	}
	for _, tt := range []struct{ include, exclude, names string }{
		{"8.*", "", "matches none"},
		{"1.*,", "", "empty case pattern"},
		{"1.x", "", `"x"`},
		{"1.é", "", "é"},
		{"*", "fish", "-exclude"},
		{"1.*", "1.*", "leaves no case"},
		{strings.Repeat("*", 100), "", "longer than"},
	} {
		if _, err := selectCases(tt.include, tt.exclude); err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("selectCases(%q, %q): error %v; want one that says %q", tt.include, tt.exclude, err, tt.names)
		}
	}
}
