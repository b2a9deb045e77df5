package lab

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
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

//go:embed head.tmpl lessons.tmpl
var templates embed.FS

// heads has what all pages begin with, as {{template "head" (page …)}}. It is cloned, and
// so not executed itself.
var heads = template.Must(template.New("").Funcs(template.FuncMap{"page": newPageHead}).ParseFS(templates, "head.tmpl"))

// A pageHead is what differs in it.
type pageHead struct {
	Title           string
	To, Skip        string // the link that skips the header, and its words
	Styles, Modules []string
}

// newPageHead has the styles and modules of all pages, and those of this one.
func newPageHead(title, to, skip string, own ...string) pageHead {
	h := pageHead{title, to, skip, []string{"lab.css", "fact.css"}, []string{"shell.js"}}
	for _, name := range own {
		if path.Ext(name) == ".css" {
			h.Styles = append(h.Styles, name)
		} else {
			h.Modules = append(h.Modules, name)
		}
	}
	return h
}

// render makes a page of a file.
func render(file []byte) []byte {
	var b bytes.Buffer
	if err := template.Must(template.Must(heads.Clone()).Parse(string(file))).Execute(&b, nil); err != nil {
		panic(err) // the files are constants
	}
	return b.Bytes()
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
		if path.Ext(name) == ".html" {
			b = render(b)
		}
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
