package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConsumer follows the README: a program of its own beside a clone, that imports ws
// and ws/wsnet alone, by a replace and by a workspace. With the replace it also holds
// what such a program gets into go.mod, go.sum and the binary: nothing of the store's or
// the server's.
func TestConsumer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds ws twice more")
	}
	const readme = "../README.md"
	for _, tt := range []struct {
		name  string
		lines string
	}{
		{"replace", between(t, readme, "replace")},
		{"workspace", "mkdir hello && cd hello && go mod init example.com/hello && cd ..\n" + between(t, readme, "workspace") + "cd hello && go build\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("the lines are a Unix shell's")
			}
			dir := beside(t)
			lines := strings.Replace(tt.lines, "cd hello", "cd hello && cp ../main.go .", 1)
			cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", lines)
			cmd.Dir = dir
			cache := t.TempDir()
			cmd.Env = append(os.Environ(), "GOPROXY="+fromCache(t), "GOMODCACHE="+cache, "GOSUMDB=off", "GOFLAGS=-buildvcs=false -modcacherw", "GOWORK=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, lines, out)
			}
			if tt.name == "replace" {
				wantRequired(t, filepath.Join(dir, "hello"))
				wantFetched(t, cache)
			}
		})
	}
}

// beside is a folder with this repository in it, as if it had been cloned, and a
// program: that of the README, with what is around it.
func beside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(dir, "framewright")); err != nil {
		t.Skipf("no symbolic link to the repository: %v", err)
	}
	_, code, _ := strings.Cut(read(t, "../README.md"), "## A server in twelve lines\n\n```go\n")
	code, _, ok := strings.Cut(code, "```")
	if !ok {
		t.Fatal("the README has no server in twelve lines")
	}
	program := "package main\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\n\t\"framewright/ws\"\n\t\"framewright/ws/wsnet\"\n)\n\n" +
		"const _ = ws.OpText\n\nfunc main() {\n" + code + "panic(http.ListenAndServe(\"localhost:8080\", nil))\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantRequired looks at what a program got by importing ws and ws/wsnet.
func wantRequired(t *testing.T, dir string) {
	t.Helper()
	var required, summed, linked []string
	block := false
	for line := range strings.Lines(read(t, filepath.Join(dir, "go.mod"))) {
		f := strings.Fields(strings.TrimPrefix(line, "require "))
		block = (block || strings.HasPrefix(line, "require (")) && line != ")\n"
		if len(f) >= 2 && (block || strings.HasPrefix(line, "require ")) && f[0] != "(" && f[0] != "require" {
			required = append(required, f[0])
		}
	}
	for line := range strings.Lines(read(t, filepath.Join(dir, "go.sum"))) {
		summed = append(summed, strings.Fields(line)[0])
	}
	out, err := exec.Command("go", "version", "-m", filepath.Join(dir, "hello")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "dep" {
			linked = append(linked, f[1])
		}
	}
	ours, _, _ := strings.Cut(read(t, "../go.mod")[len("module "):], "\n")
	few := []string{ours, "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text"}
	slices.Sort(few)
	slices.Sort(required)
	if d := cmp.Diff(few, required); d != "" {
		t.Errorf("go.mod (-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"github.com/google/go-cmp", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text"}, slices.Compact(summed)); d != "" {
		t.Errorf("go.sum (-want +got)\n%s", d)
	}
	slices.Sort(linked)
	if d := cmp.Diff(few, linked); d != "" {
		t.Errorf("the binary (-want +got)\n%s", d)
	}
}

// fromCache is a module proxy that has what is on this machine already.
func fromCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "file://" + filepath.ToSlash(filepath.Join(strings.TrimSpace(string(out)), "cache", "download"))
}

// wantFetched looks at which modules' files were fetched into an empty cache.
func wantFetched(t *testing.T, cache string) {
	t.Helper()
	root := filepath.Join(cache, "cache", "download")
	var fetched []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".zip" {
			module, _, _ := strings.Cut(filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator))), "/@v/")
			fetched = append(fetched, module)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"github.com/google/go-cmp", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text"}, fetched); d != "" {
		t.Errorf("fetched were (-want +got)\n%s", d)
	}
}

// between is what a document has between two marks, without its indentation.
func between(t *testing.T, path, mark string) string {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, path), "<!-- "+mark+":begin -->\n")
	text, _, ok2 := strings.Cut(rest, "<!-- "+mark+":end -->")
	if !ok || !ok2 {
		t.Fatalf("%s lacks <!-- %s:begin -->", path, mark)
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimPrefix(line, "    "))
	}
	return b.String()
}
