package lab

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// contentTypes does not leave this to the machine's MIME tables.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// pages serves files below /lab/: NAME.html is /lab/NAME, index.html is /lab/.
type pages struct {
	files map[string][]byte
	tags  map[string]string
}

func newPages(files fs.FS) *pages {
	p := &pages{map[string][]byte{}, map[string]string{}}
	fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(b)
		p.files[name], p.tags[name] = b, `"`+hex.EncodeToString(sum[:12])+`"`
		return err
	})
	return p
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The pages of the lab take GET only.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/lab/")
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	} else if path.Ext(name) == "" {
		name += ".html"
	}
	b, ok := p.files[name]
	if !ok {
		http.Error(w, "There is nothing here. The lab begins at /lab/.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
	w.Header().Set("ETag", p.tags[name])
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
