package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/internal/modpath"
	"framewright/internal/treecopy"
)

// TestPlaces: what is the module's path and what only looks like it. ¶ stands for the
// path where it is to be renamed.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ name, file, text string }{
		{"an import", "a.go", "import \"¶/ws\"\n"},
		{"a package below", "a.go", "import \"¶/ws/wsnet\"\n"},
		{"a link of a doc comment", "a.go", "// See [¶/chat/sio].\n"},
		{"the function of a package", "a.go", "\"created by ¶/ws.\"\n"},
		{"all below", "a.go", "\"-coverpkg=¶/ws/...,¶/chat\"\n"},
		{"a prefix", "a.go", "const module = \"¶/\"\n"},
		{"a prefix with no quote before", "a.go", "// x wright/\"\n"},
		{"a version", "README.md", "go get ¶@v0.1.0 ¶/ws@latest\n"},
		{"the placeholder", "README.md", "go mod edit -require ¶@v0.0.0\n"},
		{"all of it", "README.md", "go test ¶/...\n"},
		{"replace", "README.md", "replace ¶ => ../wright\n"},
		{"go mod edit", "README.md", "go mod edit -replace ¶=../wright -replace=¶=../wright\n"},
		{"the page of its documentation", "README.md", "https://pkg.go.dev/¶/ws\n"},
		{"go.mod", "bench/go.mod", "module ¶/bench\n\nrequire ¶ v0.0.0\n\nrequire (\n\t¶ v0.0.0\n)\n\nreplace ¶ => ..\n"},
		{"go.mod of the module", "go.mod", "module ¶\n"},

		{"a folder of the cache", "a.go", "\"wright/autobahn-1\"\n"},
		{"a socket", "a.go", "\"unix:/run/wright/ws\"\n"},
		{"another host's", "a.go", "\"example.com/wright/ws\"\n"},
		{"another folder's", "a.go", "\"../wright/ws\"\n"},
		{"a longer name", "a.go", "\"oldwright/ws wright/wsx wright/ws.x/y\"\n"},
		{"the subprotocol", "a.go", "\"chat.v1.wright\"\n"},
		{"the program", "README.md", "./wright -addr :443\n"},
		{"the word", "README.md", "wright v0.1.0 is what it says\n"},
		{"settings", "README.md", "WRIGHT_DATA=/x wright_sessions\n"},
	} {
		for _, path := range []string{"example.org/you/wright", "wright/v2", "short"} {
			r := &renaming{"wright", path, []string{"ws", "chat", "bench"}}
			text := strings.ReplaceAll(tt.text, "¶", "wright")
			want := strings.ReplaceAll(tt.text, "¶", path)
			for _, sep := range []string{" ", "@"} {
				want = strings.ReplaceAll(want, path+sep+"v0.0.0", path+sep+modpath.Placeholder(path))
			}
			if tt.name == "a folder of the cache" || tt.name == "a longer name" {
				want = text
			}
			if tt.name == "a longer name" { // a dot ends the name of a folder: it may be a function's
				want = strings.ReplaceAll(text, "wright/ws.x/y", path+"/ws.x/y")
			}
			got, _ := r.apply(tt.file, []byte(text))
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("%s, to %s (-want +got)\n%s", tt.name, path, d)
			}
		}
	}
}

// TestImportsAreSorted: a file that was formatted still is, and one that was not is
// left as it is.
func TestImportsAreSorted(t *testing.T) {
	r := &renaming{"early", "zoo.example/x", []string{"ws"}}
	const formatted = "package a\n\nimport (\n\t_ \"early/ws\"\n\t_ \"github.com/google/go-cmp/cmp\"\n)\n"
	got, _ := r.apply("a.go", []byte(formatted))
	want := "package a\n\nimport (\n\t_ \"github.com/google/go-cmp/cmp\"\n\t_ \"zoo.example/x/ws\"\n)\n"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	const not = "package a\nimport (\n_ \"early/ws\"\n_ \"github.com/google/go-cmp/cmp\"\n)\n"
	got, _ = r.apply("a.go", []byte(not))
	if d := cmp.Diff(strings.Replace(not, "early", "zoo.example/x", 1), string(got)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// tree is a small module in a folder of its own, all of it committed.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "go.mod", "module wright\n\ngo 1.26\n")
	put(t, dir, "ws/a.go", "package ws\n")
	put(t, dir, "main.go", "package main\n\nimport _ \"wright/ws\"\n\nfunc main() {}\n")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "all"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("git %s: %v: %s", args[0], err, out)
		}
	}
	return dir
}

func put(t *testing.T, dir, file, text string) {
	t.Helper()
	name := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRun is the command, step by step, in one tree.
func TestRun(t *testing.T) {
	dir := tree(t)
	const path = "example.org/you/wright"
	before := files(t, dir)
	for _, step := range []struct {
		name string
		args string
		code int
		want string
	}{
		{"no path", "", 2, "0 arguments where one is expected"},
		{"two paths", "a b", 2, "2 arguments where one is expected"},
		{"a bad path", "https://example.org/x", 2, "cannot be the path of a module"},
		{"an unknown flag", "-x " + path, 2, "flag provided but not defined"},
		{"what would change", "-n " + path, 0, "   1 in main.go\nwright would be " + path + " in 2 places of 2 files"},
		{"renamed", path, 0, "wright is " + path + " now, in 2 places of 2 files"},
		{"once more", path, 0, "nothing to do"},
		{"changes that are not committed", "wright", 1, "changes that are not committed"},
		{"back", "-force wright", 0, "names no host"},
	} {
		var out bytes.Buffer
		if code := run(strings.Fields(step.args), dir, &out, &out); code != step.code || !strings.Contains(out.String(), step.want) {
			t.Fatalf("%s: exit status %d, want %d; want %q in\n%s", step.name, code, step.code, step.want, &out)
		}
		if got := files(t, dir); step.name == "what would change" || step.name == "back" {
			if d := cmp.Diff(before, got); d != "" {
				t.Errorf("%s: the tree differs (-want +got)\n%s", step.name, d)
			}
		}
	}
}

// TestRefused: what could not be taken back is not done.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, file, text, want string
	}{
		{"the name is there already", "x.md", "see other.example/x/ws", "x.md speaks of other.example/x already"},
		{"no module", "go.mod", "go 1.26\n", "no line \"module …\""},
	} {
		dir := tree(t)
		put(t, dir, tt.file, tt.text)
		before := files(t, dir)
		var out bytes.Buffer
		if code := run([]string{"-force", "other.example/x"}, dir, &out, &out); code != 1 || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: exit status %d, want 1; want %q in\n%s", tt.name, code, tt.want, &out)
		}
		if d := cmp.Diff(before, files(t, dir)); d != "" {
			t.Errorf("%s: something was written (-want +got)\n%s", tt.name, d)
		}
	}
	var out bytes.Buffer
	if code := run([]string{"example.org/x"}, t.TempDir(), &out, &out); code != 1 || !strings.Contains(out.String(), "no module here") {
		t.Errorf("an empty folder: exit status %d\n%s", code, &out)
	}
	dir := t.TempDir()
	put(t, dir, "go.mod", "module wright\n")
	out.Reset()
	if code := run([]string{"example.org/x"}, dir, &out, &out); code != 1 || !strings.Contains(out.String(), "git does not say") {
		t.Errorf("a folder without git: exit status %d\n%s", code, &out)
	}
}

// files are the contents below dir, git's apart.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != dir && treecopy.Skipped(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		all[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
