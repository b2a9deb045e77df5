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
	"strings"
)

// A target is a package, of which some files are mutated.
type target struct {
	dir     string
	testDir string            // where its tests are: dir, or another package that uses it
	pkg     string            // the package's name
	path    string            // and its import path
	module  string            // the module's folder
	exports map[string]string // import path → file with what it exports

	fset    *token.FileSet
	sources []*source
	others  []*ast.File
	all     []*mutant
}

// A source is a file that is mutated.
type source struct {
	name string
	run  string // the tests that its mutants run first
	src  []byte
	find *finder
	all  []*mutant
}

// open reads a package, and finds the mutants of some of its files. Its tests are
// those of the package tests, if that is not empty.
func open(pkg, tests string, names ...string) (*target, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,Name,ImportPath,GoFiles,Export,DepOnly,Module", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pkg, err)
	}
	t := &target{exports: map[string]string{}, fset: token.NewFileSet()}
	var files []string
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
		t.dir, t.pkg, t.path, files = p.Dir, p.Name, p.ImportPath, p.GoFiles
		if p.Module != nil {
			t.module = p.Module.Dir
		}
	}
	if t.testDir = t.dir; tests != "" {
		out, err := exec.Command("go", "list", "-f", "{{.Dir}}", tests).Output()
		if err != nil {
			return nil, fmt.Errorf("-tests: go list %s: %w", tests, err)
		}
		t.testDir = strings.TrimSpace(string(out))
	}
	for _, name := range names {
		name, run, _ := strings.Cut(name, "=")
		i := slices.Index(files, name)
		if i < 0 {
			return nil, fmt.Errorf("%q is no file of %s that is built here, or named twice; there are %q", name, pkg, files)
		}
		files = slices.Delete(files, i, i+1)
		src, err := os.ReadFile(filepath.Join(t.dir, name))
		if err != nil {
			return nil, err
		}
		t.sources = append(t.sources, &source{name: name, run: run, src: src})
	}
	for _, other := range files {
		f, err := parser.ParseFile(t.fset, filepath.Join(t.dir, other), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.others = append(t.others, f)
	}
	return t, t.mutate()
}

// check type-checks the package with texts as the sources, and gives the places
// at which it is wrong.
func (t *target) check(texts [][]byte) (files []*ast.File, info *types.Info, pkg *types.Package, wrong []types.Error, err error) {
	for i, s := range t.sources {
		f, err := parser.ParseFile(t.fset, filepath.Join(t.dir, s.name), texts[i], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		files = append(files, f)
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
	pkg, _ = config.Check(t.path, t.fset, append(append([]*ast.File{helper}, files...), t.others...), info)
	return files, info, pkg, wrong, nil
}

// mutate finds the mutants.
func (t *target) mutate() error {
	var texts [][]byte
	for _, s := range t.sources {
		texts = append(texts, s.src)
	}
	files, info, pkg, wrong, err := t.check(texts)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s does not compile: %w", t.path, wrong[0])
	}
	for i, s := range t.sources {
		s.find = &finder{fset: t.fset, src: s.src, file: files[i], info: info, pkg: pkg, imports: map[string]string{}}
		for _, imp := range files[i].Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			for _, p := range pkg.Imports() {
				if p.Path() == path {
					s.find.imports[path] = p.Name()
				}
			}
			if imp.Name != nil {
				s.find.imports[path] = imp.Name.Name
			}
		}
		s.all = s.find.find()
		for _, m := range s.all {
			m.source, m.id = s, len(t.all)+1
			t.all = append(t.all, m)
		}
	}
	return nil
}

// woven writes the sources with all mutants that can be in one build. The others
// become alone.
func (t *target) woven() ([][]byte, error) {
	for range 50 {
		var texts [][]byte
		lines := map[string]map[int][]*mutant{}
		for _, s := range t.sources {
			text, of := weave(s.src, s.find.order)
			texts = append(texts, []byte(text))
			lines[s.name] = of
		}
		_, _, _, wrong, err := t.check(texts)
		if err != nil {
			return nil, fmt.Errorf("what was woven is no Go: %w", err)
		}
		if len(wrong) == 0 {
			return texts, nil
		}
		progress := false
		for _, e := range wrong {
			at := t.fset.Position(e.Pos)
			blamed := false
			for _, m := range lines[filepath.Base(at.Filename)][at.Line] {
				blamed = leaveOut(m) || blamed
			}
			// A break that ends a loop without a condition leaves a function
			// without a return, which is seen at its end.
			for line := at.Line; line > 0 && !blamed; line-- {
				for _, m := range lines[filepath.Base(at.Filename)][line] {
					blamed = m.with == "break" && leaveOut(m) || blamed
				}
			}
			progress = blamed || progress
		}
		if !progress {
			return nil, fmt.Errorf("what was woven does not compile, and no mutant is to blame: %w", wrong[0])
		}
	}
	return nil, errors.New("what was woven does not compile after 50 attempts")
}

// leaveOut makes a mutant one to be built by itself.
func leaveOut(m *mutant) bool {
	i := slices.Index(m.site.mutants, m)
	if i < 0 || m.site.kind == alone {
		return false
	}
	m.site.mutants = slices.Delete(m.site.mutants, i, i+1)
	m.site = &site{start: m.start, end: m.end, kind: alone, mutants: []*mutant{m}}
	m.source.find.order = append(m.source.find.order, m.site)
	return true
}

// by is the sources with one mutant.
func (t *target) by(m *mutant) (texts [][]byte) {
	for _, s := range t.sources {
		text := s.src
		if s == m.source {
			text = slices.Concat(s.src[:m.start], []byte(m.with), s.src[m.end:])
		}
		texts = append(texts, text)
	}
	return texts
}

// compile builds the package's tests with texts as the sources, and never touches
// the work tree.
func (t *target) compile(tmp string, texts [][]byte, binary string) ([]byte, error) {
	base := filepath.Join(tmp, filepath.Base(binary))
	replace := map[string]string{}
	add := func(name string, text []byte) error {
		at := base + "." + name
		replace[filepath.Join(t.dir, name)] = at
		return os.WriteFile(at, text, 0o600)
	}
	for i, s := range t.sources {
		if err := add(s.name, texts[i]); err != nil {
			return nil, err
		}
	}
	if err := add("zz_mutant_at_work.go", []byte(switchFile(t.pkg))); err != nil {
		return nil, err
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(base+".json", list, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", base+".json", "-o", binary, ".")
	cmd.Dir = t.testDir
	return cmd.CombinedOutput()
}
