package ws_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pureImports compute, and do nothing else: no sockets, files, clocks, locks or
// contexts. fmt writes text here, and no file.
var pureImports = []string{"bytes", "cmp", "crypto/sha1", "encoding/base64", "encoding/binary", "encoding/hex", "errors", "fmt", "iter",
	"maps", "math", "math/bits", "slices", "strconv", "strings", "unicode", "unicode/utf8",
	"framewright/internal/bucket", "framewright/ws/internal/deflate", "framewright/ws/internal/http1", "framewright/ws/internal/simd"}

const (
	maxFileLines    = 400
	maxPackageLines = 3800
)

// TestPurity reads the imports of the protocol: what is not known to be pure is not,
// and a name that is added to pureImports is a decision to be reviewed. It also holds
// that the protocol can be read: no file is long, nor all of them together.
func TestPurity(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	total := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n"))
		total += lines
		if lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d are read in a sitting", file, lines, maxFileLines)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil || !slices.Contains(pureImports, path) {
				t.Errorf("%s imports %s: the protocol does no I/O and knows no time", file, path)
			}
		}
	}
	if total > maxPackageLines {
		t.Errorf("the protocol has %d lines, want at most %d", total, maxPackageLines)
	}
}

// No list of ours may allow these.
func TestPureImportsArePure(t *testing.T) {
	for _, path := range pureImports {
		for _, forbidden := range []string{"net", "os", "time", "sync", "context", "bufio", "io", "syscall", "unsafe", "framewright/ws/wsnet"} {
			if path == forbidden || strings.HasPrefix(path, forbidden+"/") {
				t.Errorf("%s is not pure", path)
			}
		}
	}
}
