package main

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPage(t *testing.T) {
	p := start(t)
	get := func(method, path, etag string) (*http.Response, string) {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), method, p.url+path, nil)
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/client.js": "text/javascript; charset=utf-8",
		"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
	} {
		resp, body := get("GET", path, "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || body == "" {
			t.Errorf("%s: %s, %s, %d bytes", path, resp.Status, resp.Header.Get("Content-Type"), len(body))
		}
		if again, _ := get("GET", path, resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its ETag: %s", path, again.Status)
		}
	}
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/", 200}, {"POST", "/", 405}, {"GET", "/nope", 404}, {"GET", "/web/index.html", 404}, {"GET", "/../page.go", 404},
		{"GET", "/ws", 426},
	} {
		resp, _ := get(tt.method, tt.path, "")
		if resp.StatusCode != tt.status {
			t.Errorf("%s %s: %s, want %d", tt.method, tt.path, resp.Status, tt.status)
		}
		if tt.path == "/ws" {
			continue
		}
		for header, part := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(resp.Header.Get(header), part) {
				t.Errorf("%s %s: %s is %q", tt.method, tt.path, header, resp.Header.Get(header))
			}
		}
	}
	for path, want := range map[string][2]string{"/client.js": {"cross-origin", "*"}, "/app.js": {"same-origin", ""}, "/": {"same-origin", ""}} {
		resp, _ := get("GET", path, "")
		got := [2]string{resp.Header.Get("Cross-Origin-Resource-Policy"), resp.Header.Get("Access-Control-Allow-Origin")}
		if got != want {
			t.Errorf("%s can be had from other origins by %q, want %q", path, got, want)
		}
	}
	csp := pageHeaders["Content-Security-Policy"]
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || !strings.Contains(csp, "require-trusted-types-for 'script'") {
		t.Errorf("the policy lets too much in: %s", csp)
	}
}

// The policy lets the script within the page run by what is in it, and nowhere
// else.
func TestInlineScript(t *testing.T) {
	p := startAdmin(t)
	for path, want := range map[string]int{"/": 1, "/socketio.html": 0, "/admin/": 0, "/app.js": 0, "/nope": 0} {
		_, header, body := get(t, p.url+path)
		csp := header.Get("Content-Security-Policy")
		if got := strings.Count(csp, "'sha256-"); got != want || len(header["Content-Security-Policy"]) != 1 || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %d inline scripts may run, want %d: %s", path, got, want, csp)
		}
		for _, m := range inline.FindAllStringSubmatch(body, -1) {
			sum := sha256.Sum256([]byte(m[1]))
			if hash := base64.StdEncoding.EncodeToString(sum[:]); path != "/app.js" && !strings.Contains(csp, hash) {
				t.Errorf("%s: its inline script may not run: its hash is %s, the policy %s", path, hash, csp)
			}
		}
	}
}

// What the policy would block must not be in the page to begin with, nor any
// way from text to markup.
func TestPageSources(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a way from text to markup": regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|setHTML|createContextualFragment`),
		"code from text":            regexp.MustCompile(`\beval\b|new Function|javascript:`),
		"an inline handler":         regexp.MustCompile(`(?i)<[^>]*\son\w+\s*=`),
		"an inline style":           regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=|<style`),
		"an inline script":          regexp.MustCompile(`(?i)<script(>|[^>]*>[^<])`),
		"an address elsewhere":      regexp.MustCompile(`(src|href|url|import|from)\s*[=(]?\s*["'(]*\s*(https?:)?//`),
	}
	comment := regexp.MustCompile(`(?m)^\s*//.*$`) // an example may name an address
	files := 0
	err := fs.WalkDir(web, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := web.ReadFile(name)
		if err != nil {
			return err
		}
		data = comment.ReplaceAll(data, nil)
		if name == "web/index.html" {
			data = inline.ReplaceAll(data, nil) // the one that TestInlineScript is about
		}
		for what, re := range forbidden {
			if at := re.Find(data); at != nil {
				t.Errorf("%s has %s: %s", name, what, at)
			}
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Errorf("%d files, %v", files, err)
	}
}

// imported are the modules that a module imports, by their addresses.
var imported = regexp.MustCompile(`(?m)^(?:import|export)\b.* from ["'](.*)["'];$`)

// modules follows the imports of a module as a browser does, and hands each
// address, the first one's too, to visit, which returns what is there.
func modules(t *testing.T, root string, visit func(address string) string) {
	t.Helper()
	seen := map[string]bool{root: true}
	for ahead := []string{root}; len(ahead) > 0; ahead = ahead[1:] {
		at, err := url.Parse(ahead[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range imported.FindAllStringSubmatch(visit(ahead[0]), -1) {
			if !strings.HasPrefix(m[1], "./") && !strings.HasPrefix(m[1], "../") {
				t.Errorf("%s imports %q, which is not beside it: under a path of a proxy it is not there", ahead[0], m[1])
			}
			to, err := at.Parse(m[1])
			if err != nil {
				t.Fatal(err)
			}
			if !seen[to.String()] {
				seen[to.String()] = true
				ahead = append(ahead, to.String())
			}
		}
	}
}

// A page has every module that it imports, wherever the server is, and one of
// another origin has all that the client is made of, and no more than that.
func TestModules(t *testing.T) {
	p := startAdmin(t)
	for root, foreign := range map[string]bool{"/client.js": true, "/app.js": false, "/admin/admin.js": false} {
		var got []string
		modules(t, p.url+root, func(address string) string {
			got = append(got, strings.TrimPrefix(address, p.url))
			status, header, body := get(t, address)
			if status != 200 || header.Get("Content-Type") != contentTypes[".js"] || header.Get("ETag") == "" {
				t.Errorf("%s: %d, %q, ETag %q", address, status, header.Get("Content-Type"), header.Get("ETag"))
			}
			shared := header.Get("Cross-Origin-Resource-Policy") == "cross-origin" && header.Get("Access-Control-Allow-Origin") == "*"
			if foreign && !shared {
				t.Errorf("a page of another origin cannot load %s", address)
			}
			return body
		})
		if foreign {
			want := []string{"/client.js"}
			entries, err := web.ReadDir("web/client")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Name() != "types.js" { // which is for type checkers only
					want = append(want, "/client/"+e.Name())
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s loads (-want +got)\n%s", root, d)
			}
		} else if len(got) < 3 {
			t.Errorf("%s loads only %q", root, got)
		}
	}
}
