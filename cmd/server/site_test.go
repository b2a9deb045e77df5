package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// siteOf makes a folder: a name that ends with a slash is a folder, a text that
// begins with "-> " a link's target, and anything else a file's content.
func siteOf(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name, text := filepath.Join(dir, filepath.FromSlash(files[i])), files[i+1]
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			if err = os.Symlink(filepath.FromSlash(target), name); err != nil {
				t.Skip("no links here:", err)
			}
		} else {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// siteHandler serves a folder as -web does.
func siteHandler(t *testing.T, dir string) http.Handler {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return folder(published{root})
}

// wantSite asks for paths, in pairs with "status text".
func wantSite(t *testing.T, h http.Handler, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", pairs[i], nil))
		got := w.Result().Status[:3]
		if w.Code == 200 {
			got += " " + w.Body.String()
		}
		if got != pairs[i+1] {
			t.Errorf("GET %s: %s, want %s", pairs[i], got, pairs[i+1])
		}
	}
}

func TestSiteHidesWhatIsNotMeantForOthers(t *testing.T) {
	h := siteHandler(t, siteOf(t,
		"index.html", "index", "a.txt", "a", "sub/index.html", "sub index", "sub/b.txt", "b", "bare/c.txt", "c",
		".secret", "s", ".git/config", "g", "sub/.env", "e", "\u200b.env", "e", "..data", "d"))
	wantSite(t, h,
		"/", "200 index", "/index.html", "301", "/a.txt", "200 a", "/sub/", "200 sub index", "/sub", "301", "/sub/b.txt", "200 b",
		"/bare/c.txt", "200 c", "/bare/", "404", "/bare", "404", "/nope", "404", "/a.txt/", "301", "/a.txt/x", "404",
		"/.secret", "404", "/.git/config", "404", "/.git/", "404", "/sub/.env", "404", "/%2esecret", "404", "/sub/../.secret", "404",
		"/..%2f.secret", "404", "/%e2%80%8b.env", "404", "/..data", "404", "/a.txt%00", "404", `/sub%5cb.txt`, "404")
}

func TestSiteFollowsLinksInside(t *testing.T) {
	outside := siteOf(t, "o.txt", "o")
	h := siteHandler(t, siteOf(t,
		"index.html", "index", "sub/b.txt", "b", "sub/index.html", "sub index", ".secret", "s", ".git/config", "g",
		"to-b", "-> sub/b.txt", "to-to-b", "-> to-b", "to-sub", "-> sub", "sub/up", "-> ../index.html", "sub/far-up", "-> ../../index.html",
		"to-secret", "-> .secret", "to-to-secret", "-> to-secret", "to-git", "-> .git", "by-git", "-> .git/../sub/b.txt", "sub/to-secret", "-> ../.secret",
		"to-self", "-> to-self", "to-nothing", "-> nope", "to-out", "-> "+filepath.Join(outside, "o.txt"), "to-dot", "-> .", "to-null", "-> /dev/null"))
	wantSite(t, h,
		"/to-b", "200 b", "/to-to-b", "200 b", "/to-sub/b.txt", "200 b", "/to-sub/", "200 sub index", "/sub/up", "200 index", "/to-dot/sub/b.txt", "200 b",
		"/to-secret", "404", "/to-to-secret", "404", "/to-git/config", "404", "/by-git", "404", "/sub/to-secret", "404", "/to-sub/to-secret", "404",
		"/sub/far-up", "404", "/to-self", "404", "/to-nothing", "404", "/to-out", "404", "/to-null", "404")
}

// A file that shrinks while it is served ends the answer too early, which the
// client sees; one that grows is served as long as it was.
func TestSiteFileThatChanges(t *testing.T) {
	long := strings.Repeat("x", 8<<20)
	for _, tt := range []struct {
		name   string
		change func(f *os.File) error
		whole  bool
	}{
		{"grows", func(f *os.File) error { _, err := f.WriteAt([]byte("more"), int64(len(long))); return err }, true},
		{"shrinks", func(f *os.File) error { return f.Truncate(1000) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := siteOf(t, "long.txt", long)
			server := httptest.NewServer(siteHandler(t, dir))
			defer server.Close()
			resp, err := http.Get(server.URL + "/long.txt")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			f, err := os.OpenFile(filepath.Join(dir, "long.txt"), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			err = tt.change(f)
			f.Close()
			if err != nil {
				t.Skip("a file that is read cannot be changed here:", err)
			}
			body, err := io.ReadAll(resp.Body)
			if whole := err == nil && len(body) == len(long); whole != tt.whole {
				t.Errorf("%d of %d bytes, %v", len(body), len(long), err)
			}
		})
	}
}
