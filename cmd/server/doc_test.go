package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/chat"
)

var update = flag.Bool("update", false, "rewrite the tables of README.md")

// wantTable holds the part of README.md between two marks against what it
// should be.
func wantTable(t *testing.T, mark, want string) {
	t.Helper()
	const path = "README.md"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+":begin -->\n", "<!-- "+mark+":end -->"
	before, rest, ok := strings.Cut(string(data), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks %s", path, begin)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s is stale; go test ./cmd/server -run Documented -update rewrites it (-want +got)\n%s", path, d)
	}
}

func TestSettingsAreDocumented(t *testing.T) {
	s := new(settings)
	s.declare()
	var b bytes.Buffer
	fmt.Fprint(&b, "| setting | default | what it is |\n| --- | --- | --- |\n")
	s.flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		if kind != "" && kind != "value" {
			kind = " " + kind
		} else {
			kind = ""
		}
		value := f.DefValue
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `-%s%s` | %s | %s |\n", f.Name, kind, value, strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "|", `\|`))
	})
	wantTable(t, "settings", b.String())
}

func TestMetricsAreDocumented(t *testing.T) {
	m := newMetrics()
	hub := chat.New(chat.Options{})
	defer hub.Close()
	m.hub.Store(hub)
	m.conns.Store(newConnections(0, 0, nil))
	never := func() bool { return false }
	m.full.Store(&map[string]func() bool{"connections": never, "http": never, "rooms": never})
	// Those that have no series before something happens.
	hub.Refusal("", &chat.Error{Code: chat.CodeBadName})
	m.publish.WithLabelValues("200")
	m.closed.WithLabelValues("1000")
	m.unlogged.WithLabelValues("refused")
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	var b bytes.Buffer
	fmt.Fprint(&b, "| metric | type | labels | what it counts |\n| --- | --- | --- | --- |\n")
	for _, f := range families {
		all = append(all, f.GetName())
		if !strings.HasPrefix(f.GetName(), "framewright_") {
			continue
		}
		labels := map[string][]string{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		var names []string
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			names = append(names, "`"+name+"`"+valuesOf(name, labels[name]))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(names, ", "), f.GetHelp())
	}
	wantTable(t, "metrics", b.String())
	for _, of := range []string{"go_goroutines", "process_open_fds"} {
		if !slices.Contains(all, of) {
			t.Errorf("no %s", of)
		}
	}
}

// valuesOf lists a label's values where the set is closed and small.
func valuesOf(label string, values []string) string {
	switch label {
	case "code", "message", "status":
		return ""
	}
	slices.Sort(values)
	return ": " + strings.Join(slices.Compact(values), ", ")
}

// Every bound in the README's table is held by a test that there is.
func TestBoundsHaveTests(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(data), "<!-- bounds:begin -->\n")
	table, _, ok := strings.Cut(table, "<!-- bounds:end -->")
	if !ok {
		t.Fatal("README.md has no table of bounds")
	}
	tests := make(map[string]bool)
	for _, pattern := range []string{"*_test.go", "../../ws/*_test.go", "../../ws/wsnet/*_test.go", "../../chat/*_test.go", "../../chat/*/*_test.go", "../../engineio/*_test.go", "../../socketio/*_test.go", "../../internal/*/*_test.go", "../../lab/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(code, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	rows := strings.Split(strings.TrimSpace(table), "\n")[2:]
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		for name := range strings.SplitSeq(cells[len(cells)-1], ", ") {
			if name = strings.Trim(name, "| "); !tests[name] {
				t.Errorf("there is no test %q: %s", name, row)
			}
		}
	}
	if len(rows) < 15 {
		t.Errorf("%d rows", len(rows))
	}
}
