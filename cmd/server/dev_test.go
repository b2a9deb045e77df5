package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// rootOf opens a folder until the test ends.
func rootOf(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// The pages of a folder, and nothing else, get the script, from where they are.
func TestDevPages(t *testing.T) {
	p := start(t, "-drain", "500ms", "-dev", "-web", siteOf(t, "base.html", "<p>home", "sub/index.html", "<p>sub", "sub/page.html", "<p>page", "app.js", "script", ".x.html", "x",
		"long.html", strings.Repeat("x", maxDevPage+1)))
	for path, want := range map[string]string{
		"/": `<p>home.<script src="framewright-dev/`, "/base.html": `<p>home.<script src="framewright-dev/`,
		"/sub/": `<p>sub.<script src="\.\./framewright-dev/`, "/sub/page.html": `<p>page.<script src="\.\./framewright-dev/`,
		"/app.js": `^script$`, "/.x.html": `^There is nothing|^404`, "/long.html": `^x+$`,
	} {
		status, _, body := get(t, p.url+path)
		if !regexp.MustCompile(`(?s)` + want).MatchString(body) {
			t.Errorf("%s: %d %.100q, want %s", path, status, body, want)
		}
	}
	if status, header, body := get(t, p.url+devPath+"reload.js"); status != 200 || !strings.Contains(body, "location.reload()") || !strings.Contains(header.Get("Content-Type"), "javascript") {
		t.Errorf("the script: %d %v", status, header)
	}
	if status, _, _ := get(t, p.url+devPath+"nothing"); status != 404 {
		t.Errorf("nothing: %d", status)
	}
	without := start(t, "-drain", "500ms", "-web", siteOf(t, "index.html", "<p>home"))
	if _, _, body := get(t, without.url+"/"); body != "<p>home" {
		t.Errorf("without -dev: %q", body)
	}
	if status, _, _ := get(t, without.url+devPath+"state"); status != 404 {
		t.Errorf("without -dev: %d for the state", status)
	}
}

// The state that a page was served with is another one once a file of the folder
// has changed, come or gone, and not before.
func TestDevState(t *testing.T) {
	dir := siteOf(t, "index.html", "<p>home", "sub/app.js", "script", ".hidden/x", "x", "node_modules/a/b.js", "b")
	d := &reloader{files: published{rootOf(t, dir)}}
	write := func(name, text string) func() error {
		return func() error { return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644) }
	}
	at := d.look()
	for _, tt := range []struct {
		name    string
		change  func() error
		changes bool
	}{
		{"nothing", func() error { return nil }, false},
		{"longer", write("index.html", "<p>home, longer"), true},
		{"another time", func() error {
			return os.Chtimes(filepath.Join(dir, "sub", "app.js"), time.Time{}, time.Unix(1_700_000_000, 0))
		}, true},
		{"a new file", write("sub/new.css", ""), true},
		{"gone", func() error { return os.Remove(filepath.Join(dir, "sub", "new.css")) }, true},
		{"another name", func() error {
			return os.Rename(filepath.Join(dir, "sub", "app.js"), filepath.Join(dir, "sub", "main.js"))
		}, true},
		{"a hidden file", write(".hidden/x", "xyz"), false},
		{"a package", write("node_modules/a/b.js", "xyz"), false},
	} {
		if err := tt.change(); err != nil {
			t.Fatal(err)
		}
		now := d.look()
		if (now != at) != tt.changes {
			t.Errorf("%s: changed is %t, want %t", tt.name, now != at, tt.changes)
		}
		at = now
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, devPath+"state", nil))
	if w.Body.String() != at || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("asked, it says %q with %v, want %q", w.Body, w.Header(), at)
	}
}

func TestDevNeedsWeb(t *testing.T) {
	if _, err := parseSettings([]string{"-dev"}, nil, nil); err == nil || !strings.Contains(err.Error(), "without -web") {
		t.Errorf("got %v", err)
	}
}
