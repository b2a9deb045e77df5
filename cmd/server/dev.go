package main

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// devPath is where pages of a site find what -dev adds to them.
const devPath = "/framewright-dev/"

//go:embed dev/reload.js
var reloadScript []byte

// Bounds of -dev.
const (
	lookEvery  = 200 * time.Millisecond // how often the folder is looked at, at most
	maxEntries = 10_000                 // files and folders that are looked at
	maxDevPage = 4 << 20                // bytes of a page that gets the script; a longer one is served as it is
)

// A reloader lets pages of a site know that a file of it has changed: they ask
// twice a second. (To be told by an event stream, each tab would hold one of the
// six connections that a browser has for a server.) The files are looked at only
// while somebody asks.
type reloader struct {
	files published

	mu    sync.Mutex
	state string
	as    time.Time // when state was found
}

// now is a sum of the names, times and sizes of the site's files. It is as old as
// lookEvery at most.
func (d *reloader) now() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); d.state == "" || now.Sub(d.as) >= lookEvery {
		d.state, d.as = d.look(), now
	}
	return d.state
}

// look walks the folder. What is hidden is not looked at, nor where links lead.
func (d *reloader) look() string {
	sum := fnv.New128a()
	left := maxEntries
	_ = fs.WalkDir(d.files.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read changes nothing
		case name != "." && (hidden(path.Base(name)) || e.Name() == "node_modules"):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case left == 0:
			return fs.SkipAll
		}
		left--
		if info, err := e.Info(); err == nil && !e.IsDir() {
			fmt.Fprintf(sum, "%q %d %d %v\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil))
}

// pages serves HTML files of the site with a script at their end, and leaves all
// else to next.
func (d *reloader) pages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := d.now() // before the file is read: what changes in between is a change
		text, ok := d.page(r.URL.Path)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		// Relative, because of proxies that have taken something away in front.
		up := strings.Repeat("../", strings.Count(r.URL.Path, "/")-1)
		text = fmt.Appendf(text, "\n<script src=\"%s%sreload.js?at=%s\"></script>\n", up, devPath[1:], state)
		h := w.Header()
		h.Set("Content-Type", contentTypes[".html"])
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	})
}

// page reads the HTML file that a path stands for, if it is one.
func (d *reloader) page(url string) ([]byte, bool) {
	name := strings.TrimPrefix(url, "/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	} else if path.Base(name) == "index.html" { // which is redirected to its folder
		return nil, false
	}
	if ext := strings.ToLower(path.Ext(name)); ext != ".html" && ext != ".htm" {
		return nil, false
	}
	f, err := d.files.open(name)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDevPage+1))
	return text, err == nil && len(text) <= maxDevPage
}

// ServeHTTP serves what is under devPath: the script, and the state.
func (d *reloader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch strings.TrimPrefix(r.URL.Path, devPath) {
	case "reload.js":
		h.Set("Content-Type", contentTypes[".js"])
		w.Write(reloadScript)
	case "state":
		h.Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, d.now())
	default:
		http.Error(w, "There is nothing here.", http.StatusNotFound)
	}
}
