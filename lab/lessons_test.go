package lab

import (
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"framewright/ws"
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

// Answers to exercises, worked out by package ws.
func TestLessonsAnswers(t *testing.T) {
	h := func(b ...byte) string { return hex.EncodeToString(b) }
	under := []byte{0x48, 0, 0, 0, 0x58}
	ws.Mask(under, [4]byte{0x37, 0xfa, 0x21, 0x3d}, 0)
	for _, tc := range []struct {
		lesson, exercise int
		want             string
	}{
		{2, 3, ws.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==")},
		{3, 1, h(ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpBinary})[0])},
		{3, 2, h(ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpText, Length: 300})...)},
		{4, 1, h(under[0])},
		{4, 2, h(under[4])},
		{5, 1, h(ws.AppendHeader(nil, ws.Header{Opcode: ws.OpContinuation})[0])},
		{7, 1, h(ws.AppendClose(nil, ws.CodeGoingAway, "")...)},
		{8, 3, h(ws.AppendHeader(nil, ws.Header{Fin: true, RSV: 4, Opcode: ws.OpBinary})[0])},
	} {
		if got := lessons[tc.lesson-1].Do[tc.exercise-1].Answers[0]; got != tc.want {
			t.Errorf("lesson %d, exercise %d: the answer is %s, ws says %s", tc.lesson, tc.exercise, got, tc.want)
		}
	}
	if ws.ValidText([]byte{0xc3}) || !ws.ValidText([]byte("\xf0\x9f\x98\x80")) {
		t.Error("what lesson 6 says of UTF-8 is not so")
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
