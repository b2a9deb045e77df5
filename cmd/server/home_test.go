package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSiteHome(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  []string
		status int
		body   string // or a part of what is said
		log    string
	}{
		{"index.html", []string{"index.html", "index", "base.html", "base"}, 200, "index", ""},
		{"base.html", []string{"base.html", "base", "chat.html", "chat"}, 200, "base", `"page":"base.html"`},
		{"a single page", []string{"chat.HTML", "chat", "app.js", "x", ".draft.html", "d", "sub/other.html", "o"}, 200, "chat", `"page":"chat.HTML"`},
		{"a single page that is linked", []string{"x/page.txt", "chat", "chat.html", "-> x/page.txt"}, 200, "chat", `"page":"chat.html"`},
		{"none", []string{"app.js", "x", "sub/other.html", "o"}, 404, "no index.html and no base.html, and there is no .html file at all", "no .html file at all"},
		{"several", []string{"a.html", "x", "b.html", "x", "c.htm", "x"}, 404, "there are 3 other .html files", `"found":"a.html, b.html, c.htm"`},
		{"in a folder below", []string{"app.py", "x", "templates/index.html", "x"}, 404, "no .html file at all", "/templates"},
		{"a link out", []string{"chat.html", "-> /etc/hosts"}, 404, "no .html file at all", "no .html file"},
		{"a template", []string{"base.html", "<title>{% block title %}</title>"}, 200, "<title>{% block title %}</title>", "no templates are filled in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, "-drain", "500ms", "-log", "json", "-web", siteOf(t, tt.files...))
			status, _, body := get(t, p.url+"/")
			if status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("%d %q, want %d and %q", status, body, tt.status, tt.body)
			}
			if log := p.stderr.String(); !strings.Contains(log, tt.log) || tt.log == "" && strings.Contains(log, "-web") {
				t.Errorf("the log has no %q:\n%s", tt.log, log)
			}
		})
	}
}

// A page that is looked for is found when it has been put there, too, and under
// its own name as before.
func TestSiteHomeComesLater(t *testing.T) {
	files := []string{"a.html", "a", "b.html", "b"}
	dir := siteOf(t, files...)
	site := siteHandler(t, dir)
	wantSite(t, site, "/a.html", "200 a", "/", "404")
	root := rootOf(t, dir)
	home := published{root}.atHome(site)
	wantSite(t, home, "/a.html", "200 a", "/sub/", "404")
	if err := root.Remove("b.html"); err != nil {
		t.Fatal(err)
	}
	wantSite(t, home, "/", "200 a", "/index.html", "301")
	w := httptest.NewRecorder()
	home.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST / got %d", w.Code)
	}
}
