//go:build linux

package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"framewright/bench/internal/peer"
	"framewright/bench/internal/report"
)

func TestSettings(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-seconds 0", "-seconds 0: expected"},
		{"-repeat 0", "-repeat 0: expected"},
		{"-conns 5", "-conns 5: expected"},
		{"-servers nobody", `no server is called "nobody"; there are raw TCP; framewright`},
		{"-rows nothing", "no row's title contains"},
		{"more", `"more" is neither`},
	} {
		err := sideBySide(t.Context(), "echo", strings.Fields(test.args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", test.args, err, test.want)
		}
	}
}

func TestSteps(t *testing.T) {
	for conns, want := range map[int][]int{
		10:     {10},
		1000:   {10, 30, 100, 300, 1000},
		20_000: {10, 30, 100, 300, 1000, 3000, 10_000, 20_000},
	} {
		if got := (&run{conns: conns}).steps(); !slices.Equal(got, want) {
			t.Errorf("%d: %v, expected %v", conns, got, want)
		}
	}
}

// Rows name servers that there are and that can do the work.
func TestRows(t *testing.T) {
	r := &run{conns: 100}
	for _, row := range r.all() {
		if row.group == "micro" {
			continue
		}
		if !slices.Contains(groups, row.group) {
			t.Errorf("%s: no command is called %q", row.title, row.group)
		}
		for _, name := range row.servers {
			if name == uwsName {
				continue
			}
			s, ok := peer.ByName(name)
			if !ok || strings.HasPrefix(row.title, "broadcast") && s.Broadcast == nil || !strings.HasPrefix(row.title, "broadcast") && s.Echo == nil {
				t.Errorf("%s: %q cannot do that", row.title, name)
			}
		}
	}
}

func TestReportTable(t *testing.T) {
	work := &row{title: "work", group: "echo", servers: []string{"raw TCP", "framewright", "gws", "coder"}, figures: []figure{{"cpu", "µs"}, {"p99", "p99"}}}
	r := &run{
		only: []string{"raw TCP", "framewright", "gws"},
		rows: []*row{work},
		samples: map[*row]map[string]map[string]report.Samples{work: {
			"raw TCP":     {"cpu": {2, 1, 3}, "p99": {1}},
			"framewright": {"cpu": {4}, "p99": {1}},
		}},
		failed: map[*row]map[string]error{work: {"gws": errors.New("gone")}},
	}
	want := `| server | µs | × raw TCP | p99 |
| --- | ---: | ---: | ---: |
| raw TCP | 2.00 (1.00–3.00) | 1.00 | 1.00 |
| framewright | 4.00 | 2.00 | 1.00 |
| gws | failed | – | failed |
`
	if got := r.table(work); got != want {
		t.Errorf("got\n%sexpected\n%s", got, want)
	}
	if got := r.markdown(true); !strings.Contains(got, "- work, gws: gone") || !strings.Contains(got, "plots/echo.svg") {
		t.Errorf("the report lacks what failed, or the plot:\n%s", got)
	}
}

// Each of ours is beside the floor and the best of the others in Go.
func TestReportBest(t *testing.T) {
	work := &row{title: "work", group: "echo", servers: []string{"raw TCP", "framewright", "framewright, Serve", "gws", "coder", uwsName}, figures: []figure{{"cpu", "µs"}}}
	r := &run{rows: []*row{work}, samples: map[*row]map[string]map[string]report.Samples{work: {
		"raw TCP": {"cpu": {2}}, "framewright": {"cpu": {3}}, "framewright, Serve": {"cpu": {4}}, "coder": {"cpu": {9}}, "gws": {"cpu": {5, 5, 90}}, uwsName: {"cpu": {1}},
	}}}
	want := `| work | ours | median | floor | × floor | best other in Go | uWebSockets (C++) |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| work, µs | framewright | 3.00 | 2.00 | 1.50 | 5.00 gws | 1.00 |
| work, µs | framewright, Serve | 4.00 | 2.00 | 2.00 | 5.00 gws | 1.00 |
`
	if got := r.best(); got != want {
		t.Errorf("got\n%sexpected\n%s", got, want)
	}
}
