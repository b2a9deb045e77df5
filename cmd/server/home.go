package main

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
)

// homePages are what is served at / of a site, the first that is there.
var homePages = []string{"index.html", "base.html"}

// maxNames bounds how many names at the root of a site are looked at.
const maxNames = 1000

// home is the file that / is: one of homePages, or the only .html file that there
// is. Without one it is "", and pages are the candidates.
func (p published) home() (name string, pages []string) {
	for _, name := range homePages {
		if p.regular(name) {
			return name, nil
		}
	}
	dir, err := p.root.Open(".")
	if err != nil {
		return "", nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxNames)
	slices.Sort(names)
	for _, n := range names {
		if ext := strings.ToLower(path.Ext(n)); (ext == ".html" || ext == ".htm") && p.regular(n) {
			pages = append(pages, n)
		}
	}
	if len(pages) == 1 {
		return pages[0], nil
	}
	return "", pages
}

// regular reports whether there is a file of this name that others may have.
func (p published) regular(name string) bool {
	_, info, err := p.resolve(name)
	return err == nil && info.Mode().IsRegular()
}

// lookedFor says why there is nothing at / of a site.
func lookedFor(pages []string) string {
	why := "there is no .html file at all"
	if len(pages) > 1 {
		why = fmt.Sprintf("there are %d other .html files, so which one is meant is not clear", len(pages))
	}
	return "no " + strings.Join(homePages, " and no ") + ", and " + why
}

// atHome serves a site whose root is the page that home finds, whatever its name;
// if there is none, it says what was looked for.
func (p published) atHome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			next.ServeHTTP(w, r)
			return
		}
		name, pages := p.home()
		switch name {
		case "":
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.Error(w, "The folder of -web has no page to begin with: "+lookedFor(pages)+".", http.StatusNotFound)
		case "index.html": // which the file server finds by itself
			next.ServeHTTP(w, r)
		default:
			own := r.Clone(r.Context())
			own.URL.Path, own.URL.RawPath = "/"+name, ""
			next.ServeHTTP(w, own)
		}
	})
}

// folders in which a project may have its pages.
var pageFolders = []string{"templates", "public", "static", "dist", "build", "www"}

// sayHome logs, once at the start, what / of a site is, if that is not plain.
func (a *app) sayHome(p published) {
	name, pages := p.home()
	if name == "" {
		a.log.Warn("the folder of -web has no page to begin with: "+lookedFor(pages), a.hints(p, pages)...)
		return
	}
	if name != "index.html" {
		a.log.Info("the folder of -web has no index.html, so / is another page", "page", name)
	}
	if p.isTemplate(name) {
		a.log.Warn("the page at / has {{ or {% in it: files are sent as they are, and no templates are filled in", "page", name)
	}
}

// hints are arguments of a log line that say where the page may be.
func (a *app) hints(p published, pages []string) (args []any) {
	for _, f := range pageFolders {
		if slices.ContainsFunc(homePages, func(page string) bool { return p.regular(f + "/" + page) }) {
			return []any{"try", "-web " + path.Join(a.set.web, f)}
		}
	}
	if len(pages) > 0 {
		args = append(args, "found", strings.Join(pages[:min(len(pages), 5)], ", "))
	}
	return args
}

// isTemplate reports whether the beginning of a page looks like a template of
// Jinja's kind.
func (p published) isTemplate(name string) bool {
	f, err := p.open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, 64<<10))
	return strings.Contains(string(text), "{%") || strings.Contains(string(text), "{{")
}
