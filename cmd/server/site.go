package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
)

// site is what is served at /: the built-in page, or the folder of -web.
func (a *app) site() (http.Handler, error) {
	if a.set.web == "" {
		return page(), nil
	}
	root, err := os.OpenRoot(a.set.web)
	if err != nil {
		return nil, fmt.Errorf("-web: %w", err)
	}
	return folder(root.FS()), nil
}

// folder serves the files of a site. Its pages are somebody's own, and may load
// scripts from wherever they like: what keeps the built-in page in is not for
// them. A name that begins with a dot, or that leads out of the folder, is not
// there, and neither is a list of a folder's files.
func folder(files fs.FS) http.Handler {
	server := http.FileServerFS(published{files})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache") // ask each time whether it has changed
		if kind := contentTypes[path.Ext(r.URL.Path)]; kind != "" {
			h.Set("Content-Type", kind)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "Files take GET only.", http.StatusMethodNotAllowed)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// published is a folder without what is not meant for others.
type published struct{ fs.FS }

// Open implements [fs.FS].
func (p published) Open(name string) (fs.File, error) {
	hidden := func() (fs.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") && name != "." {
			return hidden()
		}
	}
	f, err := p.FS.Open(name)
	if err != nil {
		if !errors.Is(err, fs.ErrPermission) {
			return hidden() // among others, a link that leads out
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		index, err := p.FS.Open(path.Join(name, "index.html"))
		if err != nil {
			f.Close()
			return hidden()
		}
		index.Close()
	}
	return f, nil
}
