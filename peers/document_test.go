package peers

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A section is a part of a document with blocks of code below one heading.
type section struct {
	title  string
	blocks []block
}

// A block is code of a document: what stands between two lines of backquotes.
type block struct {
	lang, text string
	line       int // of its first line of code
}

// sectionsOf reads a document of the folder docs.
func sectionsOf(t *testing.T, name string) (list []section) {
	t.Helper()
	list = append(list, section{})
	var open *block
	n := 0
	for line := range strings.Lines(readFile(t, filepath.Join("..", "docs", name))) {
		n++
		now := &list[len(list)-1]
		switch lang, fence := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "```"); {
		case fence && open == nil:
			open = &block{lang: lang, line: n + 1}
		case fence:
			now.blocks = append(now.blocks, *open)
			open = nil
		case open != nil:
			open.text += line
		case strings.HasPrefix(line, "## "):
			list = append(list, section{title: strings.TrimSpace(line[3:])})
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: a block that does not end", name, open.line)
	}
	return list
}

// of returns the section's blocks of a language.
func (s section) of(lang string) (list []block) {
	return slices.DeleteFunc(slices.Clone(s.blocks), func(b block) bool { return b.lang != lang })
}

// joined is the text of blocks, one behind the other.
func joined(list []block) string {
	var b strings.Builder
	for _, one := range list {
		b.WriteString(one.text)
	}
	return b.String()
}

// isFile reports whether a block is a file of its own.
func (b block) isFile() bool { return strings.HasPrefix(b.text, "package ") }

// declares reports whether a block has declarations, and not statements.
func (b block) declares() bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.text, parser.SkipObjectResolution)
	return err == nil
}

// paths are the packages that blocks may use without saying so, as an editor adds
// their imports.
var paths = []string{"context", "errors", "fmt", "log", "net/http", "slices", "strings", "testing", "time", "framewright/engineio", "framewright/socketio", "framewright/socketio/socketiotest"}

var selected = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)

// imports is the import declaration of Go source.
func imports(source string) string {
	var used []string
	for _, m := range selected.FindAllStringSubmatch(source, -1) {
		i := slices.IndexFunc(paths, func(path string) bool { return path[strings.LastIndexByte(path, '/')+1:] == m[1] })
		if i >= 0 && !slices.Contains(used, paths[i]) {
			used = append(used, paths[i])
		}
	}
	var b strings.Builder
	for _, path := range used {
		fmt.Fprintf(&b, "import %q\n", path)
	}
	return b.String()
}

// pathOf is where the i-th section is served.
func pathOf(i int) string { return fmt.Sprintf("/%d/socket.io/", i) }

// assemble makes one program of the Go blocks of sections: each serves its part at
// a path of its own. Statements are the body of a function that returns an error,
// where io is the section's server unless they make one. What a compiler says
// names the document and its line.
func assemble(document string, list []section) []byte {
	var body, calls bytes.Buffer
	for i, s := range list {
		var statements bytes.Buffer
		for _, b := range s.of("go") {
			switch at := fmt.Sprintf("//line %s:%d\n%s", document, b.line, b.text); {
			case b.isFile() || strings.Contains(b.text, "*testing.T"):
			case b.declares():
				body.WriteString("\n" + at)
			default:
				statements.WriteString(at)
			}
		}
		if statements.Len() == 0 {
			continue
		}
		begin := ""
		if !strings.Contains(statements.String(), "socketio.New(") {
			begin = "io, err := socketio.New(nil)\nif err != nil {\nreturn err\n}\n"
		}
		fmt.Fprintf(&body, "\nfunc section%d(serve func(*socketio.Server)) error {\n%s%s//line assembled.go:1\nserve(io)\nreturn nil\n}\n", i, begin, statements.Bytes())
		fmt.Fprintf(&calls, "must(section%d(func(io *socketio.Server) { mux.Handle(%q, io) }))\n", i, pathOf(i))
	}
	main := `
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	mux := http.NewServeMux()
	` + calls.String() + `
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"port\":%d}\n", l.Addr().(*net.TCPAddr).Port)
	must(http.Serve(l, mux))
}
`
	source := body.String() + main
	return []byte("package main\n\nimport \"net\"\n" + imports(source) + source)
}

// TestAssemble: which blocks become what.
func TestAssemble(t *testing.T) {
	got := string(assemble("x.md", []section{
		{title: "a program", blocks: []block{{"go", "package main\n\nfunc main() {}\n", 3}}},
		{title: "statements", blocks: []block{{"go", "io.OnError(nil)\n", 9}, {"js", "let x;\n", 12}}},
		{title: "declarations", blocks: []block{{"go", "type T struct{ t time.Time }\n", 20}, {"go", "io, err := socketio.New(nil)\nif err != nil {\n\treturn err\n}\n", 24}}},
	}))
	for _, want := range []string{
		"func section1(serve func(*socketio.Server)) error {\nio, err := socketio.New(nil)", "//line x.md:9\nio.OnError(nil)\n", "//line x.md:20\ntype T struct",
		"func section2(serve func(*socketio.Server)) error {\n//line x.md:24\nio, err", `mux.Handle("/2/socket.io/", io)`, `import "time"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "section0") || strings.Contains(got, "let x") {
		t.Errorf("there is too much in\n%s", got)
	}
}
