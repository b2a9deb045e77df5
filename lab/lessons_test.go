package lab

import (
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// What a lesson says of bytes is so: its frames are the bytes of its text, and package ws
// answers them as it says.
func TestLessonsBytes(t *testing.T) {
	for _, l := range lessons {
		if l.Try.Plan == nil {
			continue
		}
		x, err := l.Try.Plan.Experiment()
		if err != nil {
			t.Fatalf("%s: %v", l.Title, err)
		}
		var wire []string
		for _, s := range x.Steps {
			wire = append(wire, hex.EncodeToString(s.Bytes))
		}
		if got := strings.Join(wire, " | "); got != l.Try.Wire {
			t.Errorf("%s: the frames are %s, its text says %s", l.Title, got, l.Try.Wire)
		}
		d, err := x.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", l.Title, err)
		}
		if d.Outcome != l.Try.Outcome {
			t.Errorf("%s: the outcome is %q, the lesson has %q", l.Title, d.Outcome, l.Try.Outcome)
		}
	}
}

// Each lesson is whole, and the code that it names is there.
func TestLessonsWhole(t *testing.T) {
	for _, l := range lessons {
		if l.Question == "" || len(l.Happened) == 0 || len(l.Why) == 0 || len(l.Code) == 0 || len(l.Do) != 3 {
			t.Errorf("%s: something is missing", l.Title)
		}
		for _, p := range l.Code {
			if !declares(t, p.File, p.Name) {
				t.Errorf("%s: %s has no %s", l.Title, p.File, p.Name)
			}
		}
	}
	for section, want := range map[string]string{
		"§5.3":          "https://www.rfc-editor.org/rfc/rfc6455#section-5.3",
		"RFC 7692 §7.1": "https://www.rfc-editor.org/rfc/rfc7692#section-7.1",
	} {
		if got := (Reason{Section: section}).Link(); got != want {
			t.Errorf("%s is linked to %s", section, got)
		}
	}
}

func declares(t *testing.T, file, name string) bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, 0)
	if err != nil {
		t.Error(err)
		return false
	}
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			found = found || n.Name.Name == name
			return false
		case *ast.TypeSpec:
			found = found || n.Name.Name == name
		case *ast.ValueSpec:
			for _, id := range n.Names {
				found = found || id.Name == name
			}
		}
		return true
	})
	return found
}
