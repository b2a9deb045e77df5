package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A mutant is one small change of a file.
type mutant struct {
	id         int // from 1, among those of all files
	start, end int // of what is replaced, as offsets in the file
	with       string
	line       int
	fn         string // the function, or what else is declared there
	from, to   string // for people
	nth        int    // among those of the function that read the same, from 0
	site       *site
	source     *source
}

// key is what names a mutant in the reviewed list: it survives changes elsewhere.
func (m *mutant) key() string {
	s := fmt.Sprintf("%s: %s → %s", m.fn, m.from, m.to)
	if m.nth > 0 {
		s += fmt.Sprintf(" (%d)", m.nth+1)
	}
	return s
}

// A site is a node with all the mutants that replace it.
type site struct {
	start, end int
	kind       siteKind
	typ        string // of an expression
	mutants    []*mutant
}

type siteKind int

const (
	expression siteKind = iota
	statement
	ending // a return, break or continue: control does not go on after it
	alone  // a place that must stay constant: such a mutant is built by itself
)

// A finder collects a file's mutants.
type finder struct {
	fset    *token.FileSet
	src     []byte
	file    *ast.File
	info    *types.Info
	pkg     *types.Package
	imports map[string]string // path → name in this file

	sites map[ast.Node]*site
	order []*site
	fn    string
	stack []ast.Node
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) text(n ast.Node) string {
	return string(f.src[f.offset(n.Pos()):f.offset(n.End())])
}

// add notes that n could be replaced by with.
func (f *finder) add(n ast.Node, kind siteKind, with, from, to string) {
	s := f.sites[n]
	if s == nil {
		s = &site{start: f.offset(n.Pos()), end: f.offset(n.End()), kind: kind}
		if e, ok := n.(ast.Expr); ok && kind == expression {
			if s.typ, ok = f.typeName(f.info.TypeOf(e)); !ok {
				s.kind = alone
			}
		}
		f.sites[n] = s
		f.order = append(f.order, s)
	}
	for _, m := range s.mutants {
		if m.with == with {
			return
		}
	}
	s.mutants = append(s.mutants, &mutant{start: s.start, end: s.end, with: with, site: s, fn: f.fn,
		line: f.fset.Position(n.Pos()).Line, from: oneLine(from), to: oneLine(to)})
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}

// typeName says how t is written in this file.
func (f *finder) typeName(t types.Type) (string, bool) {
	if t == nil {
		return "", false
	}
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		if b.Kind() == types.UntypedNil {
			return "", false
		}
		t = types.Default(t)
	}
	ok := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		name, here := f.imports[p.Path()]
		ok = ok && here
		return name
	})
	return name, ok
}

// find returns the file's mutants, in its order.
func (f *finder) find() []*mutant {
	f.sites = map[ast.Node]*site{}
	for _, d := range f.file.Decls {
		f.fn = declared(d)
		if d, ok := d.(*ast.GenDecl); ok && (d.Tok == token.IMPORT || d.Tok == token.TYPE) {
			continue
		}
		ast.PreorderStack(d, nil, func(n ast.Node, stack []ast.Node) bool {
			f.stack = stack
			if s, ok := n.(*ast.ValueSpec); ok {
				f.fn = s.Names[0].Name
			}
			if e, ok := n.(ast.Expr); ok {
				return f.expr(e)
			}
			if s, ok := n.(ast.Stmt); ok {
				f.stmt(s)
			}
			return true
		})
	}
	slices.SortStableFunc(f.order, func(a, b *site) int { return a.start - b.start })
	var all []*mutant
	seen := map[string]int{}
	for _, s := range f.order {
		for _, m := range s.mutants {
			k := m.key()
			m.nth = seen[k]
			seen[k]++
			all = append(all, m)
		}
	}
	return all
}

func declared(d ast.Decl) string {
	fn, ok := d.(*ast.FuncDecl)
	if !ok {
		return "var"
	}
	if fn.Recv == nil {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func (f *finder) parent() ast.Node {
	if len(f.stack) == 0 {
		return nil
	}
	return f.stack[len(f.stack)-1]
}

// swaps are the operators that take another's place. The boundary comes first.
var swaps = map[token.Token][]token.Token{
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.XOR: {token.AND}, token.SHL: {token.SHR}, token.SHR: {token.SHL}, token.AND_NOT: {token.AND},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN}, token.MUL_ASSIGN: {token.QUO_ASSIGN},
	token.QUO_ASSIGN: {token.MUL_ASSIGN}, token.REM_ASSIGN: {token.MUL_ASSIGN}, token.AND_ASSIGN: {token.OR_ASSIGN},
	token.OR_ASSIGN: {token.AND_ASSIGN}, token.XOR_ASSIGN: {token.AND_ASSIGN}, token.SHL_ASSIGN: {token.SHR_ASSIGN},
	token.SHR_ASSIGN: {token.SHL_ASSIGN}, token.AND_NOT_ASSIGN: {token.AND_ASSIGN},
}

// spliced is n's text with what stands at an offset of the file replaced.
func (f *finder) spliced(n ast.Node, at, length int, with string) string {
	start := f.offset(n.Pos())
	b := bytes.Clone(f.src[start:f.offset(n.End())])
	return string(b[:at-start]) + with + string(b[at-start+length:])
}

// expr finds the mutants of an expression, and says whether to look inside.
func (f *finder) expr(e ast.Expr) bool {
	if tv, ok := f.info.Types[e]; ok && (tv.IsType() || tv.IsNil()) {
		_, isFunc := e.(*ast.FuncType)
		return isFunc
	}
	if f.constant(e) {
		return false
	}
	f.condition(e)
	switch e := e.(type) {
	case *ast.BinaryExpr:
		for _, op := range swaps[e.Op] {
			if isString(f.info.TypeOf(e.X)) && op == token.SUB {
				continue
			}
			with := f.spliced(e, f.offset(e.OpPos), len(e.Op.String()), op.String())
			f.add(e, expression, with, f.text(e), with)
		}
	case *ast.UnaryExpr:
		if e.Op == token.NOT || e.Op == token.SUB || e.Op == token.XOR {
			f.add(e, expression, f.text(e.X), f.text(e), f.text(e.X))
		}
	}
	return true
}

func isString(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// condition makes a condition true, and false.
func (f *finder) condition(e ast.Expr) {
	is := false
	switch p := f.parent().(type) {
	case *ast.IfStmt:
		is = p.Cond == e
	case *ast.ForStmt:
		is = p.Cond == e
	case *ast.CaseClause:
		t, ok := f.info.TypeOf(e).Underlying().(*types.Basic)
		is = ok && t.Info()&types.IsBoolean != 0
	}
	if is {
		f.add(e, expression, "true", f.text(e), "true")
		f.add(e, expression, "false", f.text(e), "false")
	}
}

// constant finds the mutants of an expression that is constant, as a whole.
func (f *finder) constant(e ast.Expr) bool {
	tv := f.info.Types[e]
	if tv.Value == nil {
		return false
	}
	kind := expression
	for i, n := range f.stack {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				kind = alone
			}
		case *ast.ArrayType:
			kind = alone
		case *ast.KeyValueExpr:
			inside := e
			if i+1 < len(f.stack) {
				inside, _ = f.stack[i+1].(ast.Expr)
			}
			if n.Key == inside {
				return true
			}
		}
	}
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if swap := map[string]string{"true": "false", "false": "true"}[n.Name]; swap != "" && n == e {
				f.add(e, kind, swap, n.Name, swap)
			}
		case *ast.BasicLit:
			if n.Kind == token.INT || n.Kind == token.CHAR {
				for _, by := range []string{" + 1", " - 1"} {
					with := f.spliced(e, f.offset(n.Pos()), len(n.Value), "("+n.Value+by+")")
					f.add(e, kind, with, f.text(e), strings.ReplaceAll(with, "("+n.Value+by+")", n.Value+by))
				}
			}
		case *ast.BinaryExpr:
			for _, op := range swaps[n.Op] {
				if !isString(tv.Type) {
					with := f.spliced(e, f.offset(n.OpPos), len(n.Op.String()), op.String())
					f.add(e, kind, with, f.text(e), with)
				}
			}
		}
		return true
	})
	return true
}

// stmt finds the mutants of a statement that stands in a list of them.
func (f *finder) stmt(s ast.Stmt) {
	switch f.parent().(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return
	}
	if c, ok := f.parent().(*ast.CommClause); ok && c.Comm == s {
		return
	}
	const gone = "nothing"
	switch s := s.(type) {
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" {
				return // what is impossible is not for tests
			}
		}
		f.add(s, statement, "", f.text(s), gone)
	case *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		f.add(s, statement, "", f.text(s), gone)
	case *ast.IncDecStmt:
		f.add(s, statement, "", f.text(s), gone)
		other := map[token.Token]string{token.INC: "--", token.DEC: "++"}[s.Tok]
		f.add(s, statement, f.text(s.X)+other, f.text(s), f.text(s.X)+other)
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return
		}
		f.add(s, statement, "", f.text(s), gone)
		for _, op := range swaps[s.Tok] {
			if !isString(f.info.TypeOf(s.Lhs[0])) {
				with := f.spliced(s, f.offset(s.TokPos), len(s.Tok.String()), op.String())
				f.add(s, statement, with, f.text(s), with)
			}
		}
	case *ast.BranchStmt:
		if s.Tok == token.BREAK || s.Tok == token.CONTINUE {
			other := map[token.Token]string{token.BREAK: "continue", token.CONTINUE: "break"}[s.Tok]
			with := f.spliced(s, f.offset(s.Pos()), len(s.Tok.String()), other)
			f.add(s, ending, with, f.text(s), with)
		}
	case *ast.ReturnStmt:
		for _, r := range s.Results {
			zero := f.zero(r)
			if zero == "" || zero == f.text(r) {
				continue
			}
			with := f.spliced(s, f.offset(r.Pos()), f.offset(r.End())-f.offset(r.Pos()), zero)
			f.add(s, ending, with, f.text(s), with)
		}
	}
}

// zero is what is returned instead of e: "" if nothing is worth it.
func (f *finder) zero(e ast.Expr) string {
	tv := f.info.Types[e]
	if tv.Type == nil || tv.IsNil() || tv.Value != nil { // constants have mutants of their own
		return ""
	}
	switch t := tv.Type.Underlying().(type) {
	case *types.Basic:
		switch {
		case t.Info()&types.IsBoolean != 0:
			return "false"
		case t.Info()&types.IsNumeric != 0:
			return "0"
		case t.Info()&types.IsString != 0:
			return `""`
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface, *types.Chan, *types.Signature:
		return "nil"
	}
	return ""
}
