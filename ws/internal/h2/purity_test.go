package h2_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPurity: no sockets, clocks, locks or contexts. Of x/net it is frames and HPACK
// alone, which stay when its servers go.
func TestPurity(t *testing.T) {
	pure := []string{"bytes", "cmp", "errors", "io", "slices", "strconv", "golang.org/x/net/http2", "golang.org/x/net/http2/hpack", "framewright/internal/bucket", "framewright/ws"}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			if path, err := strconv.Unquote(imp.Path.Value); err != nil || !slices.Contains(pure, path) {
				t.Errorf("%s imports %s: the state of a connection does no I/O and knows no time", file, path)
			}
		}
	}
}
