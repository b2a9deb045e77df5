package docs

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A documented is a package as pkg.go.dev shows it.
type documented struct {
	*doc.Package
	examples int
	imports  map[string]string // by the name that a file has for it
}

// TestGoDoc reads the documentation of every package that others can import: it begins
// with a sentence about the package, everything exported is documented, there is an
// example, and every link leads somewhere.
func TestGoDoc(t *testing.T) {
	symbols := make(map[string]map[string]bool) // by the package's path
	for _, folder := range packageFolders(t) {
		p := documentation(t, filepath.Join("..", folder), module+folder)
		if p == nil {
			continue
		}
		if p.Name == "main" {
			if p.Synopsis(p.Doc) == "" {
				t.Errorf("%s: no sentence says what the command does", folder)
			}
			continue
		}
		if !strings.HasPrefix(p.Doc, "Package "+p.Name+" ") || !strings.HasSuffix(p.Synopsis(p.Doc), ".") {
			t.Errorf("%s: the documentation begins with %q; want a sentence that begins with Package %s", folder, p.Synopsis(p.Doc), p.Name)
		}
		if strings.Contains("/"+folder+"/", "/internal/") {
			continue // which only we read
		}
		if p.examples == 0 && !hasCode(p.parsed(p.Doc).Content) && !slices.ContainsFunc(forOurselves, func(pattern string) bool { return matches(pattern, folder) }) {
			t.Errorf("%s has no example, neither a function nor in its documentation", folder)
		}
		docs := exportedDocs(p.Package)
		for name, text := range docs {
			if text == "" && !obvious[name[strings.LastIndexByte(name, '.')+1:]] && !together(docs, name) {
				t.Errorf("%s.%s is not documented", folder, name)
			}
			wantLinks(t, p, folder+"."+name, text, symbols)
		}
		wantLinks(t, p, folder, p.Doc, symbols)
	}
}

// forOurselves are packages that can be imported and are not meant to be: the parts of
// the lab's pages, and what tests of stores and of the suite share.
var forOurselves = []string{"lab/...", "chat/chattest", "autobahn/wsspec/testees"}

// obvious are methods that do what their name says wherever they are.
var obvious = map[string]bool{"Error": true, "Unwrap": true, "String": true, "ServeHTTP": true, "EventName": true}

// together reports whether what is documented elsewhere in the package begins with
// several names, this one among them: "Text, Binary, Ping and Pong return …".
func together(docs map[string]string, name string) bool {
	for _, text := range docs {
		first, _, _ := strings.Cut(text, ". ")
		if slices.Contains(strings.FieldsFunc(first, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }), name) {
			return true
		}
	}
	return false
}

func hasCode(blocks []comment.Block) bool {
	return slices.ContainsFunc(blocks, func(b comment.Block) bool { _, ok := b.(*comment.Code); return ok })
}

// packageFolders are the folders of this module with Go files.
func packageFolders(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != ".." && (skipped(d.Name()) || exists(filepath.Join(path, "go.mod"))) {
			return fs.SkipDir
		}
		if files, _ := filepath.Glob(filepath.Join(path, "*.go")); len(files) > 0 {
			rel, _ := filepath.Rel("..", path)
			all = append(all, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// documentation reads the package in dir; nil if it has only tests.
func documentation(t *testing.T, dir, path string) *documented {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	p := &documented{imports: make(map[string]string)}
	var files []*ast.File
	for _, e := range entries {
		if ok, err := build.Default.MatchFile(dir, e.Name()); err != nil || !ok || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), "_test.go") {
			p.examples += len(doc.Examples(f))
			continue
		}
		for _, imp := range f.Imports {
			target := strings.Trim(imp.Path.Value, `"`)
			name := target[strings.LastIndexByte(target, '/')+1:]
			if imp.Name != nil {
				name = imp.Name.Name
			}
			p.imports[name] = target
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil
	}
	if p.Package, err = doc.NewFromFiles(fset, files, path); err != nil {
		t.Fatal(err)
	}
	return p
}

// exportedDocs are the documentation of what a package exports, by name.
func exportedDocs(p *doc.Package) map[string]string {
	all := make(map[string]string)
	values := func(list []*doc.Value, of string) {
		for _, v := range list {
			for _, name := range v.Names {
				if token.IsExported(name) {
					all[name] = v.Doc
					for _, spec := range v.Decl.Specs { // a comment of its own, above or behind
						if s := spec.(*ast.ValueSpec); s.Names[0].Name == name || len(s.Names) > 1 {
							all[name] += s.Doc.Text() + s.Comment.Text()
						}
					}
					if all[name] == "" && of != "" { // one of a type's values, under its heading
						all[name] = "of " + of
					}
				}
			}
		}
	}
	funcs := func(list []*doc.Func, prefix string) {
		for _, f := range list {
			all[prefix+f.Name] = f.Doc
		}
	}
	values(p.Consts, "")
	values(p.Vars, "")
	funcs(p.Funcs, "")
	for _, t := range p.Types {
		all[t.Name] = t.Doc
		values(t.Consts, t.Name)
		values(t.Vars, t.Name)
		funcs(t.Funcs, "")
		funcs(t.Methods, t.Name+".")
	}
	return all
}

// likeLink is what somebody has written as a link, and what stays of it if it is none.
var likeLink = regexp.MustCompile(`\[(\*?(?:[a-z][a-z0-9/]*\.)?[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)?)\](?:[^(:]|$)`)

// wantLinks follows the links of a text.
func wantLinks(t *testing.T, p *documented, where, text string, symbols map[string]map[string]bool) {
	t.Helper()
	for link := range p.links(text) {
		if link.ImportPath == "" {
			continue // which is one only because the symbol is there
		}
		names, ok := symbols[link.ImportPath]
		if !ok {
			names = symbolsOf(t, link.ImportPath)
			symbols[link.ImportPath] = names
		}
		name := link.Name
		if link.Recv != "" {
			name = link.Recv + "." + name
		}
		if name != "" && names != nil && !names[name] {
			t.Errorf("%s: there is no %s.%s", where, link.ImportPath, name)
		}
	}
	for _, m := range likeLink.FindAllStringSubmatch(p.plain(text), -1) {
		t.Errorf("%s: [%s] leads nowhere", where, m[1])
	}
}

// parsed is a text as it is shown.
func (p *documented) parsed(text string) *comment.Doc {
	c := p.Parser()
	own := c.LookupPackage
	c.LookupPackage = func(name string) (string, bool) {
		if path, ok := p.imports[name]; ok {
			return path, true
		}
		return own(name)
	}
	return c.Parse(text)
}

// links yields every link of a text to what is documented elsewhere.
func (p *documented) links(text string) func(func(*comment.DocLink) bool) {
	return func(yield func(*comment.DocLink) bool) {
		eachText(p.parsed(text).Content, func(x comment.Text) {
			if link, ok := x.(*comment.DocLink); ok {
				yield(link)
			}
		})
	}
}

// plain is what of a text is neither a link nor code.
func (p *documented) plain(text string) string {
	var b strings.Builder
	eachText(p.parsed(text).Content, func(x comment.Text) {
		if s, ok := x.(comment.Plain); ok {
			b.WriteString(string(s))
		} else {
			b.WriteString(" … ")
		}
	})
	return b.String()
}

// eachText calls f with every piece of text in blocks, but for code.
func eachText(blocks []comment.Block, f func(comment.Text)) {
	for _, b := range blocks {
		var texts []comment.Text
		switch b := b.(type) {
		case *comment.Paragraph:
			texts = b.Text
		case *comment.Heading:
			texts = b.Text
		case *comment.List:
			for _, item := range b.Items {
				eachText(item.Content, f)
			}
		}
		for _, x := range texts {
			f(x)
		}
		f(comment.Plain("\n"))
	}
}

// symbolsOf are the exported names of a package of this module or the standard library,
// with fields and the methods of interfaces, which a link may name, too; nil for others'
// packages.
func symbolsOf(t *testing.T, path string) map[string]bool {
	t.Helper()
	dir := filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(path))
	if folder, ours := strings.CutPrefix(path, module); ours {
		dir = filepath.Join("..", folder)
	} else if !exists(dir) {
		return nil
	}
	if !exists(dir) {
		t.Errorf("a link names the package %s, which is not there", path)
		return nil
	}
	p := documentation(t, dir, path)
	if p == nil {
		return nil
	}
	all := make(map[string]bool)
	for name := range exportedDocs(p.Package) {
		all[name] = true
	}
	for _, typ := range p.Types {
		for _, spec := range typ.Decl.Specs {
			ast.Inspect(spec, func(n ast.Node) bool {
				if f, ok := n.(*ast.Field); ok {
					for _, name := range f.Names {
						all[typ.Name+"."+name.Name] = true
					}
				}
				return true
			})
		}
	}
	return all
}
