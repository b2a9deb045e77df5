package main

import (
	"bytes"
	"encoding/json"
	"errors"
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
	"strconv"
)

// A target is the file that is mutated, and the package around it.
type target struct {
	dir, name string // of the file
	pkg       string // the package's name
	path      string // and its import path
	module    string // the module's folder
	others    []string
	exports   map[string]string // import path → file with what it exports

	fset  *token.FileSet
	src   []byte
	find  *finder
	all   []*mutant
	files []*ast.File // of the others
}

// open reads a package and a file of it.
func open(pkg, name string) (*target, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,Name,ImportPath,GoFiles,Export,DepOnly,Module", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	t := &target{name: name, exports: map[string]string{}, fset: token.NewFileSet()}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir, Name, ImportPath, Export string
			GoFiles                       []string
			DepOnly                       bool
			Module                        *struct{ Dir string }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		t.exports[p.ImportPath] = p.Export
		if p.DepOnly {
			continue
		}
		if t.dir != "" {
			return nil, fmt.Errorf("%s is more than one package", pkg)
		}
		t.dir, t.pkg, t.path, t.others = p.Dir, p.Name, p.ImportPath, p.GoFiles
		if p.Module != nil {
			t.module = p.Module.Dir
		}
	}
	i := slices.Index(t.others, name)
	if i < 0 {
		return nil, fmt.Errorf("%s is no file of %s that is built here; there are %v", name, pkg, t.others)
	}
	t.others = slices.Delete(t.others, i, i+1)
	if t.src, err = os.ReadFile(filepath.Join(t.dir, name)); err != nil {
		return nil, err
	}
	for _, other := range t.others {
		f, err := parser.ParseFile(t.fset, filepath.Join(t.dir, other), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.files = append(t.files, f)
	}
	return t, t.mutate()
}

// check type-checks the package with src as the file, and gives the lines of
// src at which it is wrong.
func (t *target) check(src []byte) (f *ast.File, info *types.Info, pkg *types.Package, wrong []types.Error, err error) {
	path := filepath.Join(t.dir, t.name)
	if f, err = parser.ParseFile(t.fset, path, src, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return nil, nil, nil, nil, err
	}
	helper, err := parser.ParseFile(t.fset, "", switchFile(t.pkg), 0)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); ok {
				wrong = append(wrong, e)
			}
		},
		Importer: importer.ForCompiler(t.fset, "gc", func(path string) (io.ReadCloser, error) {
			if file := t.exports[path]; file != "" {
				return os.Open(file)
			}
			if out, err := exec.Command("go", "list", "-export", "-f", "{{.Export}}", path).Output(); err == nil { // os or strconv, for the switch
				return os.Open(string(bytes.TrimSpace(out)))
			}
			return nil, fmt.Errorf("nothing is known of %s", path)
		}),
		Sizes: types.SizesFor("gc", "amd64"),
	}
	pkg, _ = config.Check(t.path, t.fset, append([]*ast.File{f, helper}, t.files...), info)
	return f, info, pkg, wrong, nil
}

// mutate finds the mutants.
func (t *target) mutate() error {
	f, info, pkg, wrong, err := t.check(t.src)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s does not compile: %w", t.name, wrong[0])
	}
	t.find = &finder{fset: t.fset, src: t.src, file: f, info: info, pkg: pkg, imports: map[string]string{}}
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		for _, p := range pkg.Imports() {
			if p.Path() == path {
				t.find.imports[path] = p.Name()
			}
		}
		if imp.Name != nil {
			t.find.imports[path] = imp.Name.Name
		}
	}
	t.all = t.find.find()
	return nil
}

// woven writes the file with all mutants that can be in one build. The others
// become alone.
func (t *target) woven() (string, error) {
	for range 50 {
		text, lines := weave(t.src, t.find.order)
		_, _, _, wrong, err := t.check([]byte(text))
		if err != nil {
			return "", fmt.Errorf("what was woven is no Go: %w", err)
		}
		if len(wrong) == 0 {
			return text, nil
		}
		progress := false
		for _, e := range wrong {
			for _, m := range lines[t.fset.Position(e.Pos).Line] {
				progress = t.leaveOut(m) || progress
			}
		}
		if !progress {
			return "", fmt.Errorf("what was woven does not compile, and no mutant is to blame: %w", wrong[0])
		}
	}
	return "", errors.New("what was woven does not compile after 50 attempts")
}

// leaveOut makes a mutant one to be built by itself.
func (t *target) leaveOut(m *mutant) bool {
	i := slices.Index(m.site.mutants, m)
	if i < 0 || m.site.kind == alone {
		return false
	}
	m.site.mutants = slices.Delete(m.site.mutants, i, i+1)
	m.site = &site{start: m.start, end: m.end, kind: alone, mutants: []*mutant{m}}
	t.find.order = append(t.find.order, m.site)
	return true
}

// by is the file with one mutant.
func (t *target) by(m *mutant) string {
	return string(t.src[:m.start]) + m.with + string(t.src[m.end:])
}

// compile builds the package's tests with text as the file, and never touches
// the work tree.
func (t *target) compile(tmp, text, binary string) ([]byte, error) {
	base := filepath.Join(tmp, filepath.Base(binary))
	mine, helper, overlay := base+".file", base+".switch", base+".json"
	replace := map[string]string{
		filepath.Join(t.dir, t.name):                 mine,
		filepath.Join(t.dir, "zz_mutant_at_work.go"): helper,
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{mine: []byte(text), helper: []byte(switchFile(t.pkg)), overlay: list} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, ".")
	cmd.Dir = t.dir
	return cmd.CombinedOutput()
}
