package lab

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

var update = flag.Bool("update", false, "write enforced.go and sources.json anew")

// stale says how what is generated becomes as it should be.
const stale = "is stale; go test ./lab -run TestEnforced -update, then gofmt (-want +got)"

// ruleNames are the identifiers of rules, as ws/rules.go has them.
func ruleNames(t *testing.T) map[ws.RuleID]string {
	t.Helper()
	names := map[ws.RuleID]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(Rule\w+)\s+RuleID = "([^"]+)"`).FindAllStringSubmatch(read(t, "ws/rules.go"), -1) {
		names[ws.RuleID(m[2])] = m[1]
	}
	return names
}

// read is a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// enforcement is where the rules of the breaks are enforced, in the order of the breaks: at
// the first line that names the rule outside of the table of rules, and not in a comment.
func enforcement(t *testing.T) (rules []ws.RuleID, at map[ws.RuleID]place) {
	t.Helper()
	files, err := filepath.Glob("../ws/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append([]string{"../ws/receiver.go", "../ws/state.go"}, files...) // what others say of these rules is about the words
	files = append(files, "../ws/wsnet/dial.go", "../ws/wsnet/dial_handshake.go")
	names, at := ruleNames(t), map[ws.RuleID]place{}
	for _, br := range breaks {
		if slices.Contains(rules, br.Rule) {
			continue
		}
		rules = append(rules, br.Rule)
		named := regexp.MustCompile(`(?m)^[^/\n]*\b` + names[br.Rule] + `\b`)
		for _, file := range files {
			if base := filepath.Base(file); strings.HasSuffix(base, "_test.go") || base == "rules.go" || base == "explain.go" || base == "trace.go" || at[br.Rule].Line > 0 {
				continue
			}
			file = strings.TrimPrefix(filepath.ToSlash(file), "../")
			code := read(t, file)
			if i := named.FindStringIndex(code); i != nil {
				at[br.Rule] = place{file, 1 + strings.Count(code[:i[1]], "\n")}
			}
		}
	}
	return rules, at
}

// What the breaks say of where a rule is enforced is so.
func TestEnforced(t *testing.T) {
	var b strings.Builder
	fmt.Fprint(&b, "package lab\n\nimport \"framewright/ws\"\n\n// A place is a line of this repository.\ntype place struct {\n\tFile string\n\tLine int\n}\n\n"+
		"// enforced is where each rule of the breaks is enforced.\n//\n// Written by go test ./lab -run TestEnforced -update, and held by it.\nvar enforced = map[ws.RuleID]place{\n")
	names := ruleNames(t)
	rules, at := enforcement(t)
	for _, rule := range rules {
		fmt.Fprintf(&b, "\tws.%s: {%q, %d},\n", names[rule], at[rule].File, at[rule].Line)
	}
	fmt.Fprint(&b, "}\n")
	if *update {
		if err := os.WriteFile("enforced.go", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if d := cmp.Diff(plain(b.String()), plain(read(t, "lab/enforced.go"))); d != "" {
		t.Errorf("enforced.go %s\n%s", stale, d)
	}
}

// What the lab shows of the code is what stands there.
func TestEnforcedSources(t *testing.T) {
	var all []*source
	add := func(file string, within func(name string, from, to int) bool) {
		s := declared(t, file, within)
		if !slices.ContainsFunc(all, func(o *source) bool { return o.File == s.File && o.Line == s.Line }) {
			all = append(all, s)
		}
	}
	for _, l := range lessons {
		for _, p := range l.Code {
			add(p.File, func(name string, _, _ int) bool { return name == p.Name })
		}
	}
	rules, at := enforcement(t)
	for _, rule := range rules {
		add(at[rule].File, func(_ string, from, to int) bool { return from <= at[rule].Line && at[rule].Line <= to })
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(all); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("sources.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(b.String(), string(sourcesJSON)); d != "" {
		t.Errorf("sources.json %s\n%s", stale, d)
	}
}

// declared is the first declaration of a file that is the one.
func declared(t *testing.T, file string, isIt func(name string, from, to int) bool) *source {
	t.Helper()
	code := read(t, file)
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, code, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found *source
	try := func(name string, doc *ast.CommentGroup, n ast.Node) {
		from, to := set.Position(n.Pos()).Line, set.Position(n.End()).Line
		if found != nil || !isIt(name, from, to) {
			return
		}
		if doc != nil {
			from = set.Position(doc.Pos()).Line
		}
		text := strings.Join(strings.Split(code, "\n")[from-1:to], "\n")
		found = &source{File: file, Name: name, Line: from, Text: text, Rules: rulesIn(t, text)}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			try(d.Name.Name, d.Doc, d)
		case *ast.GenDecl:
			if len(d.Specs) != 1 {
				continue
			}
			switch s := d.Specs[0].(type) {
			case *ast.TypeSpec:
				try(s.Name.Name, d.Doc, d)
			case *ast.ValueSpec:
				try(s.Names[0].Name, d.Doc, d)
			}
		}
	}
	if found == nil {
		t.Fatalf("%s has no such declaration", file)
	}
	return found
}

func rulesIn(t *testing.T, text string) (rules []ws.RuleID) {
	names := ruleNames(t)
	for _, r := range ws.Rules {
		if regexp.MustCompile(`\b` + names[r.ID] + `\b`).MatchString(text) {
			rules = append(rules, r.ID)
		}
	}
	return rules
}

// Every place that a lesson or a violation names is a page: it shows the line, sections
// lead to the RFC, and rules are stated.
func TestSourcePages(t *testing.T) {
	_, base := labServer(t)
	get := func(path string) (int, string) {
		resp, err := http.Get(base + "/lab/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	for _, l := range lessons {
		for _, p := range l.Code {
			if status, page := get(p.Link()); status != 200 || !strings.Contains(page, "<code>"+p.Name+"</code>") {
				t.Errorf("%s: %s is HTTP %d", l.Title, p.Link(), status)
			}
		}
	}
	for _, br := range breaks {
		at := enforced[br.Rule]
		if status, page := get(at.sourcePath()); status != 200 || !strings.Contains(page, fmt.Sprintf(`<tr id="L%d">`, at.Line)) || !strings.Contains(page, html.EscapeString(br.Rule.Rule().Text)) {
			t.Errorf("%s: %s is HTTP %d, or does not state the rule", br.ID, at.sourcePath(), status)
		}
	}
	_, page := get("source?file=ws/frame.go&name=parse")
	for _, want := range []string{">func (h *Header) parse(b []byte) (n int, err error) {</code>", `href="https://www.rfc-editor.org/rfc/rfc6455#section-5.2"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of parse has no %s", want)
		}
	}
	for _, q := range []string{"", "file=ws/frame.go", "file=ws/frame.go&line=1", "file=../go.mod&name=module", "file=ws/frame.go&name=" + url.QueryEscape("<b>")} {
		if status, page := get("source?" + q); status != 404 || strings.Contains(page, "<") {
			t.Errorf("%s is HTTP %d: %s", q, status, page)
		}
	}
}

func TestSectionLink(t *testing.T) {
	for section, want := range map[string]string{
		"§5.3":            "https://www.rfc-editor.org/rfc/rfc6455#section-5.3",
		"RFC 7692 §7.1":   "https://www.rfc-editor.org/rfc/rfc7692#section-7.1",
		"RFC 7692 §7.2.1": "https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1",
	} {
		if got := sectionLink(section); got != want {
			t.Errorf("%s is linked to %s", section, got)
		}
	}
	s := source{Line: 7, Text: "a (RFC 7692 §6), §5.4.\nb"}
	want := []sourceLine{
		{7, []piece{{"a (", ""}, {"RFC 7692 §6", sectionLink("RFC 7692 §6")}, {"), ", ""}, {"§5.4", sectionLink("§5.4")}, {".", ""}}},
		{8, []piece{{"b", ""}}},
	}
	if d := cmp.Diff(want, s.Lines()); d != "" {
		t.Error(d)
	}
}
