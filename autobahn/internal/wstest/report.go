package wstest

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An outcome is all that came out of one role, merged and judged.
type outcome struct {
	verdict
	dir     string
	testees []string // the names in the reports; one, as a rule
	results results
	cases   map[string]caseReport
}

// reportMarker is the file that says a folder of reports may be made anew.
const reportMarker = "made-by-framewright-autobahn"

// makeReportDir makes an empty folder for the reports of a role. An older one
// is replaced, anything else is left alone.
func makeReportDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, reportMarker)); err != nil {
			return fmt.Errorf("%s has files in it that are not reports of this command; choose another folder with -out", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, reportMarker), nil, 0o644)
}

func readIndex(name string) (map[string]results, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseIndex(name, f)
}

// collect merges what the shards reported into one folder and judges it. A
// shard without an index ended before its reports: its cases have no result.
func (r *runner) collect(ro role, dir string, shards []shard) (*outcome, error) {
	o := &outcome{dir: dir, results: results{}, cases: map[string]caseReport{}}
	merged := map[string]results{}
	for _, sh := range shards {
		from := filepath.Join(dir, shardDir(sh))
		index, err := readIndex(filepath.Join(from, "index.json"))
		if err != nil {
			r.say("%s: no report of suite process %d: %v", ro, sh.number, err)
			continue
		}
		for agent, rs := range index {
			if merged[agent] == nil {
				merged[agent] = results{}
			}
			maps.Copy(merged[agent], rs)
		}
		if err := moveReports(from, dir); err != nil {
			return nil, err
		}
	}
	o.testees = slices.Sorted(maps.Keys(merged))
	switch len(o.testees) {
	case 0:
	case 1:
		o.results = merged[o.testees[0]]
	default:
		// Clients choose their names; each name would have to be judged alone.
		o.testees = []string{longest(merged)}
		o.results = merged[o.testees[0]]
		r.say("%s: the reports name several testees, %s is judged", ro, o.testees[0])
	}
	b, err := json.MarshalIndent(merged, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), append(b, '\n'), 0o644); err != nil {
		return nil, err
	}
	for id, res := range o.results {
		o.cases[id] = readCase(filepath.Join(dir, filepath.Base(res.ReportFile)))
	}
	o.verdict = judge(ro, r.ids, o.results, r.expect)
	return o, nil
}

// longest returns the testee with the most results, the first by name of equals.
func longest(merged map[string]results) string {
	names := slices.Sorted(maps.Keys(merged))
	return slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(len(merged[a]), len(merged[b])) })
}

// moveReports moves the reports of single cases up to dir. The suite's own
// index of a shard stays where it is; it shows the other shards' cases as
// missing.
func moveReports(from, dir string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.Contains(e.Name(), "_case_") {
			continue
		}
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// A caseReport is what the suite's JSON report of one case has to tell people.
type caseReport struct {
	Description string  `json:"description"`
	Result      string  `json:"result"`            // of the behaviour
	ResultClose string  `json:"resultClose"`       // of the closing
	NotClean    string  `json:"wasNotCleanReason"` // why the connection did not end cleanly, if so
	Wirelog     [][]any `json:"wirelog"`           // what happened: a code, then what belongs to it
}

// killed is the wirelog's code for the end of the suite's patience.
const killed = "KLE"

// readCase reads a case's JSON report. One that cannot be read is empty: it
// only serves to explain.
func readCase(name string) caseReport {
	var c caseReport
	b, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return caseReport{}
	}
	// Some descriptions go on in HTML.
	text, _, _ := strings.Cut(c.Description, "<")
	c.Description = strings.Join(strings.Fields(text), " ")
	return c
}

// explain says why the suite gave its verdicts.
func (c caseReport) explain() string {
	var parts []string
	for _, s := range []string{c.Result, c.ResultClose, c.NotClean} {
		if s = strings.TrimRight(strings.Join(strings.Fields(s), " "), "."); s != "" {
			parts = append(parts, s)
		}
	}
	if slices.ContainsFunc(c.Wirelog, func(e []any) bool { return len(e) > 0 && e[0] == killed }) {
		parts = append(parts, "the suite's timer ran out first, which a busy machine can do to any testee")
	}
	return strings.Join(parts, "; ")
}

// htmlReport returns the file with a case's whole story, or "".
func (o *outcome) htmlReport(id string) string {
	res, ok := o.results[id]
	if !ok || res.ReportFile == "" {
		return ""
	}
	return filepath.Join(o.dir, strings.TrimSuffix(filepath.Base(res.ReportFile), ".json")+".html")
}

var tableColumns = []string{"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED", "no result", "bad close", "differs"}

// table counts the cases of each group by behaviour. "bad close" counts those
// whose closing handshake was neither OK nor INFORMATIONAL.
func (o *outcome) table(w io.Writer, ids []string) {
	counts := map[string]map[string]int{}
	count := func(id, column string) {
		for _, g := range []string{group(id), "all"} {
			if counts[g] == nil {
				counts[g] = map[string]int{}
			}
			counts[g][column]++
		}
	}
	for _, id := range ids {
		res, ok := o.results[id]
		switch {
		case !ok:
			count(id, "no result")
			continue
		case slices.Contains(tableColumns[:4], res.Behavior):
			count(id, res.Behavior)
		default:
			count(id, "FAILED")
		}
		if res.BehaviorClose != "OK" && res.BehaviorClose != "INFORMATIONAL" {
			count(id, "bad close")
		}
	}
	for _, d := range o.differences {
		count(d.id, "differs")
	}
	head := fmt.Sprintf("\n%-30s", string(o.role)+" "+strings.Join(o.testees, ", "))
	for _, c := range tableColumns {
		head += fmt.Sprintf("  %*s", len(c), c)
	}
	fmt.Fprintln(w, head)
	sum := counts["all"]
	delete(counts, "all")
	groups := slices.SortedFunc(maps.Keys(counts), compareIDs)
	counts["all"] = sum
	for _, g := range append(groups, "all") {
		name := g
		if n := groupNames[g]; n != "" {
			name = fmt.Sprintf("%2s %s", g, n)
		}
		line := fmt.Sprintf("%-30s", name)
		for _, c := range tableColumns {
			n := fmt.Sprint(counts[g][c])
			if n == "0" {
				n = "."
			}
			line += fmt.Sprintf("  %*s", len(c), n)
		}
		fmt.Fprintln(w, line)
	}
}

// mostDifferences is how many differences of a role are told one by one, and
// how many ids without a result are listed.
const mostDifferences = 60

// tell writes every difference with where to read more. Cases without a result
// come in one line, since there is nothing to read about them.
func (o *outcome) tell(w io.Writer) {
	var missing []string
	told := 0
	for _, d := range o.differences {
		if _, ok := o.results[d.id]; !ok {
			missing = append(missing, d.id)
			continue
		}
		if told++; told > mostDifferences {
			continue
		}
		fmt.Fprintf(w, "\n%s %s: want %s, got %s\n", o.role, d.id, d.want, d.got)
		for _, line := range []string{o.cases[d.id].Description, o.cases[d.id].explain(), d.why, o.htmlReport(d.id)} {
			if line != "" {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
	}
	if more := told - mostDifferences; more > 0 {
		fmt.Fprintf(w, "\n%s: %d more differences; they are in the HTML index\n", o.role, more)
	}
	if n := len(missing); n > 0 {
		list := strings.Join(missing[:min(n, mostDifferences)], " ")
		if n > mostDifferences {
			list += " ..."
		}
		fmt.Fprintf(w, "\n%s: the suite reported no result of %d cases: %s\n", o.role, n, list)
	}
}

//go:embed index.html.tmpl
var indexFS embed.FS

var indexTemplate = template.Must(template.New("index.html.tmpl").ParseFS(indexFS, "index.html.tmpl"))

// An indexRow is a case in the HTML index, with a cell for each role.
type indexRow struct {
	ID, Group, Description string
	Cells                  []indexCell
}

type indexCell struct {
	Behavior, Close, Link, Want string
	Differs, There              bool
}

// writeIndex writes the one HTML index of all roles into dir.
func writeIndex(dir string, ids []string, outcomes []*outcome, suiteText string) (string, error) {
	type headline struct {
		Role, Testees  string
		Passed, Failed int
	}
	data := struct {
		Suite string
		Heads []headline
		Rows  []indexRow
	}{Suite: suiteText}
	all := slices.Clone(ids)
	for _, o := range outcomes {
		data.Heads = append(data.Heads, headline{string(o.role), strings.Join(o.testees, ", "), o.passed, len(o.differences)})
		for id := range o.results {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	slices.SortFunc(all, compareIDs)
	last := ""
	for _, id := range all {
		row := indexRow{ID: id}
		if g := group(id); g != last {
			row.Group, last = strings.TrimSpace(g+" "+groupNames[g]), g
		}
		for _, o := range outcomes {
			row.Description = cmp.Or(row.Description, o.cases[id].Description)
			res, there := o.results[id]
			c := indexCell{Behavior: res.Behavior, Close: res.BehaviorClose, There: there}
			if html := o.htmlReport(id); html != "" {
				c.Link = string(o.role) + "/" + filepath.Base(html)
			}
			if i := slices.IndexFunc(o.differences, func(d difference) bool { return d.id == id }); i >= 0 {
				c.Differs, c.Want = true, o.differences[i].want
			}
			row.Cells = append(row.Cells, c)
		}
		data.Rows = append(data.Rows, row)
	}
	name := filepath.Join(dir, "index.html")
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	return name, errors.Join(indexTemplate.Execute(f, data), f.Close())
}
