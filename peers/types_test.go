package peers

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/peers/internal/install"
)

// TestTypes has TypeScript check the types of everything that pages load: they
// stand in its comments, and there is no step of building it.
func TestTypes(t *testing.T) {
	dependsOnOtherPrograms(t)
	r := got(t, install.TypeScript(t.Context()))
	check := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		defer cancel()
		args = append([]string{filepath.Join(r.Path, "node_modules", "typescript", "bin", "tsc"), "--project", "typescript", "--pretty", "false"}, args...)
		out, err := exec.CommandContext(ctx, "node", args...).CombinedOutput()
		return string(out), err
	}
	if out, err := check(); err != nil {
		t.Fatalf("tsc: %v\n%s", err, out)
	}

	// It has looked at all of it, and nothing is exempt.
	var webs, want, got []string
	for _, web := range []string{filepath.Join("..", "cmd", "server", "web"), filepath.Join("..", "cmd", "server", "dev"), filepath.Join("..", "lab", "web")} {
		web, err := filepath.Abs(web)
		if err != nil {
			t.Fatal(err)
		}
		webs = append(webs, web)
		err = filepath.WalkDir(web, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".js" {
				return err
			}
			want = append(want, path)
			data, err := os.ReadFile(path)
			if at := regexp.MustCompile(`@ts-\w+`).Find(data); at != nil {
				t.Errorf("%s has %s", path, at)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := check("--listFilesOnly")
	if err != nil {
		t.Fatalf("tsc: %v\n%s", err, out)
	}
	for line := range strings.Lines(out) {
		path := filepath.FromSlash(strings.TrimSpace(line))
		if slices.ContainsFunc(webs, func(web string) bool { return strings.HasPrefix(path, web) }) {
			got = append(got, path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("checked (-want +got)\n%s", d)
	}
}
