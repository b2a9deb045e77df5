package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/internal/treecopy"
)

// TestRelease builds a release for this platform from two copies of the repository in
// folders of different names: all files are the same, byte by byte, and the program in
// the archive says which version it is. With FRAMEWRIGHT_LONG it does so for every
// platform, and once more for this one with nothing compiled before.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	host := runtime.GOOS + "/" + runtime.GOARCH
	list := []string{host}
	long := os.Getenv("FRAMEWRIGHT_LONG") != ""
	if long {
		list = platforms
	}
	if !slices.Contains(platforms, host) {
		t.Skipf("a release is not built for %s", host)
	}
	first := release1(t, "first", list)
	second := release1(t, "another folder", list)
	wantSame(t, "built in another folder", first, second)
	if len(first) != len(second) || len(first) != 2*len(list)+1 {
		t.Errorf("%d files, then %d, want %d", len(first), len(second), 2*len(list)+1)
	}
	if long {
		t.Setenv("GOCACHE", t.TempDir())
		anew := release1(t, "anew", []string{host})
		delete(anew, sums)
		wantSame(t, "compiled anew", anew, first)
	}
	wantSums(t, first)
	for _, platform := range list {
		name := "framewright-v0.1.0-" + strings.ReplaceAll(platform, "/", "-")
		wantBill(t, first[name+".cdx.json"])
		program := unpacked(t, name, first)
		if platform == host {
			wantVersion(t, program)
		}
	}
}

func wantSame(t *testing.T, how string, some, all map[string][]byte) {
	t.Helper()
	for name := range some {
		if !bytes.Equal(some[name], all[name]) {
			t.Errorf("%s is not the same when %s", name, how)
		}
	}
}

// release1 copies the repository into a folder of this name and builds a release there.
func release1(t *testing.T, name string, platforms []string) map[string][]byte {
	t.Helper()
	dir, out := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "dist")
	if err := treecopy.Copy(dir, "../.."); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	args := []string{"-force", "-version", "v0.1.0", "-out", out, "-platforms", strings.Join(platforms, ",")}
	if code := run(t.Context(), args, dir, &said, &said); code != 0 {
		t.Fatalf("exit status %d\n%s", code, &said)
	}
	files := make(map[string][]byte)
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(out, e.Name())); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said.String(), e.Name()) {
			t.Errorf("it does not say that it has made %s:\n%s", e.Name(), &said)
		}
	}
	return files
}

// wantSums checks every other file against its checksum.
func wantSums(t *testing.T, files map[string][]byte) {
	t.Helper()
	var want strings.Builder
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range files {
			if name != sums && !yield(name) {
				return
			}
		}
	}) {
		fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	if d := cmp.Diff(want.String(), string(files[sums])); d != "" {
		t.Errorf("%s (-want +got)\n%s", sums, d)
	}
}

// unpacked looks through a platform's archive and returns its program.
func unpacked(t *testing.T, name string, files map[string][]byte) (program []byte) {
	t.Helper()
	var entries []entry
	if data, ok := files[name+".zip"]; ok {
		entries = fromZip(t, data)
	} else {
		entries = fromTar(t, files[name+".tar.gz"])
	}
	var names []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.name, name+"/")
		if !ok {
			t.Errorf("%s is not in the folder %s", e.name, name)
		}
		names = append(names, strings.TrimSuffix(rest, ".exe"))
		if want := e.mode.Perm(); (want == 0o755) != strings.HasPrefix(rest, "framewright") || want != 0o755 && want != 0o644 {
			t.Errorf("%s has mode %v", e.name, e.mode)
		}
	}
	if d := cmp.Diff([]string{"framewright", "sbom.cdx.json", "README.md", "CHANGELOG.md"}, slices.DeleteFunc(names, func(n string) bool { return n == "LICENSE" })); d != "" {
		t.Errorf("%s (-want +got)\n%s", name, d)
	}
	return entries[0].data
}

func fromTar(t *testing.T, data []byte) (all []entry) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(epoch) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s is of %v by %d %q", h.Name, h.ModTime, h.Uid, h.Uname)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{h.Name, h.FileInfo().Mode(), content})
	}
}

func fromZip(t *testing.T, data []byte) (all []entry) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if !f.Modified.Equal(epoch) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{f.Name, f.Mode(), content})
	}
	return all
}

func wantVersion(t *testing.T, program []byte) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "framewright.exe")
	if err := os.WriteFile(bin, program, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), bin, "-version").CombinedOutput()
	want := fmt.Sprintf("framewright v0.1.0, %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if err != nil || string(out) != want {
		t.Errorf("-version: %q, %v; want %q", out, err, want)
	}
}

// wantBill holds what the schema of CycloneDX 1.6 demands of the fields that there are:
// what has to be there, what it may be, that no name is given twice and that every
// reference leads somewhere.
func wantBill(t *testing.T, data []byte) {
	t.Helper()
	var b bill
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.6" || b.Version < 1 {
		t.Errorf("it is %s %s, version %d", b.Format, b.Spec, b.Version)
	}
	for text, pattern := range map[string]string{
		b.Serial: `^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		b.Schema: `^http://cyclonedx\.org/schema/bom-1\.6\.schema\.json$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%q is not like %s", text, pattern)
		}
	}
	refs, names := map[string]bool{}, map[string]bool{}
	for _, c := range append([]component{b.Metadata.Component}, b.Components...) {
		if c.Name == "" || c.Version == "" || refs[c.Ref] || !slices.Contains([]string{"application", "library"}, c.Type) ||
			!regexp.MustCompile(`^pkg:golang/[^\s@]+@[^\s@+]+$`).MatchString(c.Package) {
			t.Errorf("a component is not complete, or there twice: %+v", c)
		}
		for _, h := range c.Hashes {
			if h.Algorithm != "SHA-256" || !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(h.Content) {
				t.Errorf("%s has the hash %+v", c.Name, h)
			}
		}
		refs[c.Ref], names[c.Name] = true, true
	}
	for _, want := range []string{"std", "golang.org/x/net", "go.etcd.io/bbolt", "github.com/prometheus/client_golang"} {
		if !names[want] {
			t.Errorf("the program is made of %s, too", want)
		}
	}
	for _, d := range b.Dependencies {
		for _, ref := range append(d.On, d.Ref) {
			if !refs[ref] {
				t.Errorf("there is no component %s", ref)
			}
		}
	}
}

// TestZip: what is packed for Windows, on any platform.
func TestZip(t *testing.T) {
	in := []entry{{"a.exe", 0o755, []byte("program")}, {"b", 0o644, []byte("text")}}
	data, err := zipped("x", in)
	if err != nil {
		t.Fatal(err)
	}
	got := fromZip(t, data)
	if d := cmp.Diff([]entry{{"x/a.exe", 0o755, in[0].data}, {"x/b", 0o644, in[1].data}}, got, cmp.AllowUnexported(entry{})); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestRefused(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "old"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no version", nil, 2, `-version "": expected a semantic version`},
		{"a version without v", []string{"-version", "0.1.0"}, 2, "expected a semantic version"},
		{"half a version", []string{"-version", "v0.1"}, 2, "expected a semantic version"},
		{"a version with a zero before it", []string{"-version", "v0.01.0"}, 2, "expected a semantic version"},
		{"a version with build metadata", []string{"-version", "v0.1.0+x"}, 2, "expected a semantic version"},
		{"a version with a flag in it", []string{"-version", "v0.1.0 -X main.x=y"}, 2, "expected a semantic version"},
		{"an unknown platform", []string{"-version", "v0.1.0", "-platforms", "plan9/arm"}, 2, `"plan9/arm": expected some of linux/amd64`},
		{"a platform twice", []string{"-version", "v0.1.0", "-platforms", "linux/amd64,linux/amd64"}, 2, "there twice"},
		{"an argument", []string{"v0.1.0"}, 2, "unexpected argument"},
		{"a folder with something in it", []string{"-version", "v0.1.0-rc.1", "-out", full}, 1, "is not empty (old is there)"},
		{"no git", []string{"-version", "v0.1.0", "-out", filepath.Join(full, "new")}, 1, "git does not say"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), tt.args, full, &out, &out); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: exit status %d, want %d; want %q in\n%s", tt.name, code, tt.code, tt.want, &out)
		}
	}
}
