package ws_test

import (
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// pureFiles decide everything that the RFC decides; each has the imports that
// it may have besides those of all.
var pureFiles = map[string][]string{
	"frame.go":     nil,
	"mask.go":      nil,
	"utf8.go":      nil,
	"close.go":     nil,
	"rules.go":     nil,
	"state.go":     nil,
	"errors.go":    nil,
	"origin.go":    nil,
	"host.go":      nil,
	"request.go":   nil,
	"trace.go":     {"fmt"}, // writes text, and no file
	"handshake.go": {"net/http", "golang.org/x/net/http/httpguts", "crypto/sha1", "encoding/base64"},
}

// pureImports compute, and do nothing else: no sockets, files, clocks, locks
// or contexts.
var pureImports = []string{"bytes", "cmp", "encoding/binary", "encoding/hex", "errors", "iter", "maps", "math", "math/bits", "slices", "strconv", "strings",
	"unicode", "unicode/utf8"}

// TestPurity reads the imports of the pure core. What is not known to be pure
// is not; a name that is added to pureImports is a decision to be reviewed.
func TestPurity(t *testing.T) {
	for file, more := range pureFiles {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		allowed := map[string]bool{}
		for _, path := range pureImports {
			allowed[path] = true
		}
		for _, path := range more {
			allowed[path] = true
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil || !allowed[path] {
				t.Errorf("%s imports %s: the pure core does no I/O and knows no time", file, path)
			}
			for _, forbidden := range []string{"net", "os", "time", "sync", "context", "bufio", "io", "syscall"} {
				if path == forbidden || strings.HasPrefix(path, forbidden+"/") && path != "net/http" {
					t.Errorf("%s imports %s, which no list of ours may allow", file, path)
				}
			}
			if path == "net/http" && file != "handshake.go" {
				t.Errorf("%s imports net/http, whose types only handshake.go may use", file)
			}
		}
	}
}
