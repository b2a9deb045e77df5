// Shape shows how the files of a package hang together: which file refers to
// which, and which of them do so in a loop and so can only be read together.
//
//	go run ./internal/shape ./ws ./chat       a line for each package
//	go run ./internal/shape -files ./ws       each file and those that it refers to
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	files := flag.Bool("files", false, "list each file and those that it refers to")
	flag.Parse()
	for _, pattern := range flag.Args() {
		shapes, err := load(pattern)
		if err != nil {
			fmt.Fprintln(os.Stderr, "shape:", err)
			os.Exit(1)
		}
		for _, s := range shapes {
			s.print(*files)
		}
	}
}

// A shape is a package as seen from its files.
type shape struct {
	path     string
	lines    map[string]int             // of each file
	refers   map[string]map[string]bool // which file to which others
	exported []string                   // names at package level
}

// A listed package is what go list says of one.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	DepOnly                 bool
}

// load reads the packages that pattern names, without their tests.
func load(pattern string) ([]*shape, error) {
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,DepOnly", pattern)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w: %s", pattern, err, bytes.TrimSpace(stderr.Bytes()))
	}
	exports, wanted := map[string]string{}, []listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			wanted = append(wanted, p)
		}
	}
	var shapes []*shape
	for _, p := range wanted {
		s, err := read(p, exports)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, s)
	}
	return shapes, nil
}

func read(p listed, exports map[string]string) (*shape, error) {
	fset := token.NewFileSet()
	s := &shape{path: p.ImportPath, lines: map[string]int{}, refers: map[string]map[string]bool{}}
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, f)
		s.lines[name] = fset.File(f.Pos()).LineCount()
		s.refers[name] = map[string]bool{}
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	pkg, err := conf.Check(p.ImportPath, fset, parsed, info)
	if err != nil {
		return nil, err
	}
	for id, o := range info.Uses {
		if o.Pkg() != pkg || !isShared(pkg, o) {
			continue
		}
		from, to := base(fset, id.Pos()), base(fset, o.Pos())
		if from != to {
			s.refers[from][to] = true
		}
	}
	for _, name := range pkg.Scope().Names() {
		if token.IsExported(name) {
			s.exported = append(s.exported, name)
		}
	}
	return s, nil
}

// isShared reports whether another file can refer to o: a name at package level,
// a method or a field.
func isShared(pkg *types.Package, o types.Object) bool {
	if v, ok := o.(*types.Var); ok && v.IsField() {
		return true
	}
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		return true
	}
	return o.Parent() == pkg.Scope()
}

func base(fset *token.FileSet, pos token.Pos) string {
	return filepath.Base(fset.Position(pos).Filename)
}

func (s *shape) print(files bool) {
	total, longest := 0, ""
	for name, n := range s.lines {
		total += n
		if longest == "" || n > s.lines[longest] {
			longest = name
		}
	}
	loops := s.loops()
	fmt.Printf("%s: %d files, %d lines (%s has %d), %d exported names\n", s.path, len(s.lines), total, longest, s.lines[longest], len(s.exported))
	for _, loop := range loops {
		fmt.Printf("  a loop of %d files: %s\n", len(loop), strings.Join(loop, " "))
	}
	if !files {
		return
	}
	for _, name := range sorted(s.lines) {
		fmt.Printf("  %-24s -> %s\n", name, strings.Join(sorted(s.refers[name]), " "))
	}
}

// loops returns the sets of files that all reach each other, largest first
// (Tarjan).
func (s *shape) loops() [][]string {
	var (
		loops         [][]string
		stack         []string
		index, lowest = map[string]int{}, map[string]int{}
		visit         func(string)
	)
	visit = func(v string) {
		index[v] = len(index) + 1
		lowest[v] = index[v]
		stack = append(stack, v)
		for _, w := range sorted(s.refers[v]) {
			if index[w] == 0 {
				visit(w)
				lowest[v] = min(lowest[v], lowest[w])
			} else if slices.Contains(stack, w) {
				lowest[v] = min(lowest[v], index[w])
			}
		}
		if lowest[v] != index[v] {
			return
		}
		at := slices.Index(stack, v)
		if loop := slices.Clone(stack[at:]); len(loop) > 1 {
			slices.Sort(loop)
			loops = append(loops, loop)
		}
		stack = stack[:at]
	}
	for _, name := range sorted(s.lines) {
		if index[name] == 0 {
			visit(name)
		}
	}
	slices.SortFunc(loops, func(a, b []string) int { return len(b) - len(a) })
	return loops
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
