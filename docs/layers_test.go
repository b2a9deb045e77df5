package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is how the imports of this module begin.
const module = "framewright/"

// mayImport says of each package which others of the module it may import; all
// may import those in shared. "x/..." is x and what is below it. Dependencies
// point down: what stands above is imported by what stands below.
var mayImport = map[string][]string{
	"ws/...":     {"ws/...", "internal/bucket"},
	"ws/wsnet":   {"ws/..."},
	"ws/wsh2":    {"ws", "ws/internal/h2"},
	"ws/wstrace": {"ws"},

	"engineio": {"ws/..."},
	"socketio": {"engineio"},

	"engineio/client": {"engineio", "ws", "ws/wsnet"},
	"socketio/admin":  {"engineio", "socketio"},
	"socketio/client": {"engineio", "engineio/client", "socketio"},

	"socketio/socketiotest": {"engineio", "engineio/client", "socketio", "socketio/client", "ws/wstest"},

	"chat":           {},
	"chat/token":     {"chat"},
	"chat/boltstore": {"chat"},
	"chat/chattest":  {"chat"},
	"chat/plain":     {"chat", "ws/..."},
	"chat/sio":       {"chat", "socketio"},

	"cmd/server":                   {"chat/...", "cmd/server/internal/...", "engineio", "lab/...", "socketio", "socketio/admin", "ws/..."},
	"cmd/server/internal/connect":  {"ws/..."},
	"cmd/server/internal/echo":     {"ws/..."},
	"cmd/server/internal/scaffold": {"socketio"},

	"autobahn":                   {"autobahn/...", "ws/..."},
	"autobahn/internal/explain":  {"autobahn/wsspec", "ws", "ws/wstrace"},
	"autobahn/internal/cli":      {},
	"autobahn/internal/progress": {},
	"autobahn/internal/report":   {"autobahn/wsspec"},
	"autobahn/internal/testee":   {"ws/..."},
	"autobahn/internal/wstest":   {"autobahn/internal/..."},
	"autobahn/wsspec/...":        {"autobahn/wsspec/..."}, // no judgement is shared with ws
	"fuzz":                       {},
	"lab/...":                    {"engineio", "lab/...", "ws/..."},
	"lab/room":                   {"chat", "chat/plain", "lab/fact", "ws", "ws/wsnet"},
	"internal/journey/walk":      {"ws/..."},
	"internal/tokens":            {"internal/bucket"},
	"internal/...":               {},
}

// shared are small parts that know nothing of what they are used for. Package ws
// has none of them but the arithmetic of a token bucket: it stands by itself.
var shared = []string{"internal/address", "internal/admission", "internal/boundedlog", "internal/ending", "internal/lookalike", "internal/modpath", "internal/procgroup", "internal/queue", "internal/strictjson", "internal/tokens", "internal/treecopy"}

// TestLayers reads the imports of every package of the module, tests apart, and
// holds them against mayImport.
func TestLayers(t *testing.T) {
	found := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != ".." && (skipped(d.Name()) || exists(filepath.Join(path, "go.mod"))) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel("..", filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		layer := layerOf(pkg)
		if layer == "" {
			t.Errorf("%s stands in no layer: mayImport has to say what it may import", pkg)
			return nil
		}
		found[layer] = true
		allowed := mayImport[layer]
		if layer != "ws/..." {
			allowed = slices.Concat(allowed, shared)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			name, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
			if ours && name != pkg && !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, name) }) {
				t.Errorf("%s imports %s; %s may import %v", filepath.ToSlash(path), name, pkg, mayImport[layer])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for layer := range mayImport {
		if !found[layer] {
			t.Errorf("there is no package %s any more", layer)
		}
	}
}

// skipped are the folders without code of ours.
func skipped(name string) bool {
	return name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// layerOf is the key of mayImport that says most exactly what pkg is; "" if
// there is none.
func layerOf(pkg string) string {
	best := ""
	for pattern := range mayImport {
		if matches(pattern, pkg) && (pattern == pkg || len(pattern) > len(best)) && best != pkg {
			best = pattern
		}
	}
	return best
}

func matches(pattern, pkg string) bool {
	if above, below := strings.CutSuffix(pattern, "/..."); below {
		return pkg == above || strings.HasPrefix(pkg, above+"/")
	}
	return pkg == pattern
}
