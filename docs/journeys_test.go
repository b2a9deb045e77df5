package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named is a package, or a function, type or variable of the last that was named:
// `ws/wsnet`, `inbox.fill`, `CheckRequest`.
var named = regexp.MustCompile("`([A-Za-z/.]+)`")

// TestJourneys: what the journeys name exists.
func TestJourneys(t *testing.T) {
	declared := map[string]map[string]bool{"ws": declarations(t, "../ws"), "ws/wsnet": declarations(t, "../ws/wsnet")}
	pkg, names := "", 0
	_, text, _ := strings.Cut(read(t, "journeys.md"), "\n## ")
	for _, m := range named.FindAllStringSubmatch(text, -1) {
		switch name := m[1]; {
		case declared[name] != nil:
			pkg = name
		case pkg == "" || name == "outbox.frames" || name == "outbox.messages": // fields
		default:
			names++
			if !declared[pkg][name] {
				t.Errorf("there is no %s in %s", name, pkg)
			}
		}
	}
	if names < 50 {
		t.Errorf("%d functions are named, there were 50", names)
	}
}

// declarations are the names that a package declares, methods with their type's.
func declarations(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	names := map[string]bool{}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					recv := d.Recv.List[0].Type
					if star, ok := recv.(*ast.StarExpr); ok {
						recv = star.X
					}
					name = recv.(*ast.Ident).Name + "." + name
				}
				names[name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// link is a relative one, in Markdown.
var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// fences are blocks of code, which may have calls that look like links.
var fences = regexp.MustCompile("(?ms)^```.*?^```$")

// TestLinks: what the documents point to is there.
func TestLinks(t *testing.T) {
	links := 0
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && skipped(d.Name()) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".md") {
			return nil
		}
		for _, m := range link.FindAllStringSubmatch(fences.ReplaceAllString(read(t, path), ""), -1) {
			links++
			target := filepath.Join(filepath.Dir(path), m[1])
			if found, err := filepath.Glob(target); err != nil || len(found) == 0 {
				t.Errorf("%s points to %s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil || links < 50 {
		t.Errorf("%d links, %v", links, err)
	}
}
