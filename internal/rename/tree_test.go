package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"framewright/internal/treecopy"
)

// another is a path with all that makes one hard: a host, which sorts elsewhere among
// the imports, and a major version, which go.mod has to agree with.
const another = "renamed.example/you/framewright/v2"

// TestThisRepository renames a copy of this repository, builds and tests it under its
// new name, and renames it back, to the same bytes. With FRAMEWRIGHT_LONG it builds and
// vets the other modules, too.
func TestThisRepository(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything once more, under another name")
	}
	old, err := modulePath("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := treecopy.Copy(dir, "../.."); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)

	var out bytes.Buffer
	if code := run([]string{"-force", another}, dir, &out, &out); code != 0 {
		t.Fatalf("exit status %d\n%s", code, &out)
	}
	t.Log(strings.TrimSpace(out.String()))
	noneLeft(t, dir, old)
	modules := modules(t, dir)
	if len(modules) < 4 {
		t.Errorf("modules are %q; there were four", modules)
	}
	for _, m := range modules {
		if m != "." && os.Getenv("FRAMEWRIGHT_LONG") == "" {
			continue
		}
		if !fetched(t, filepath.Join(dir, m)) {
			t.Logf("module %s is not built: what it requires is not on this machine", m)
			continue
		}
		in(t, filepath.Join(dir, m), "build", "./...")
		if os.Getenv("FRAMEWRIGHT_LONG") != "" {
			in(t, filepath.Join(dir, m), "vet", "./...")
		}
	}
	in(t, dir, "test", "-short", "-count=1", "./ws", "./docs", "./cmd/server/internal/...")
	if os.Getenv("FRAMEWRIGHT_LONG") != "" {
		in(t, dir, "test", "-count=1", "-run", "TestNew", "./cmd/server")
	}

	out.Reset()
	if code := run([]string{"-force", old}, dir, &out, &out); code != 0 {
		t.Fatalf("back: exit status %d\n%s", code, &out)
	}
	after := files(t, dir)
	for name, was := range before {
		if after[name] != was {
			t.Errorf("%s is not what it was", name)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%d files, there were %d", len(after), len(before))
	}
}

// noneLeft looks for an import of the old name by other means than the command's: as
// an import or a literal it stands behind a quote.
func noneLeft(t *testing.T, dir, old string) {
	t.Helper()
	for name, text := range files(t, dir) {
		for line := range strings.Lines(text) {
			for _, pkg := range []string{"ws", "chat", "engineio", "socketio", "internal", "lab", "cmd/server", "peers", "bench"} {
				if strings.Contains(line, `"`+old+"/"+pkg) {
					t.Errorf("%s has the old name yet: %s", name, strings.TrimSpace(line))
				}
			}
		}
	}
}

// modules are the folders with a go.mod.
func modules(t *testing.T, dir string) (all []string) {
	t.Helper()
	for name := range files(t, dir) {
		if isGoMod(name) && !strings.Contains(name, "testdata") {
			all = append(all, filepath.Dir(name))
		}
	}
	return all
}

// fetched reports whether all that the module in dir is built from is on this machine,
// or can be had.
func fetched(t *testing.T, dir string) bool {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "./...")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%s", out)
	}
	return err == nil
}

// in runs the go command in dir. The folder's name, another each time, is left out of
// what is built, so that a second run finds it all in the cache.
func in(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
