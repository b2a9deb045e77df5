package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

//go:embed web
var web embed.FS

// pageHeaders keep the page to its own script, style and server, and markup out
// of what people write, should a mistake ever let it in.
var pageHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Cache-Control":                "no-cache", // ask each time; the ETag makes it cheap
}

// inline is a page's own script that is not in a file of its own, if there is one.
var inline = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// policies are the pages' policies that differ from the one of pageHeaders: the
// root's inline script, and no other, may run.
func policies(files map[string][]byte) map[string]string {
	special := make(map[string]string)
	const name = "Content-Security-Policy"
	for file, data := range files {
		if m := inline.FindSubmatch(data); m != nil && path.Ext(file) != ".js" {
			sum := sha256.Sum256(m[1])
			allowed := "script-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			special[file] = strings.Replace(pageHeaders[name], "script-src 'self'", allowed, 1)
		}
	}
	return special
}

// clientModule can be imported by pages of other origins, too, and with it what
// it imports from clientParts: it is public anyway, and whether such a page may
// connect is decided at the handshake.
const (
	clientModule = "/client.js"
	clientParts  = "/client/"
)

// contentTypes does not leave this to the machine's MIME tables.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// page serves the embedded files; pageWithLab does beside a lab that is open, and tells the
// chat's page so.
var (
	page        = sync.OnceValue(func() http.Handler { return newPage(false) })
	pageWithLab = sync.OnceValue(func() http.Handler { return newPage(true) })
)

func newPage(lab bool) http.Handler {
	files := make(map[string][]byte)
	tags := make(map[string]string)
	fs.WalkDir(web, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := web.ReadFile(name)
		name = name[len("web"):]
		if name == "/index.html" {
			name = "/"
		}
		files[name] = data
		return err
	})
	if lab {
		files["/"] = bytes.Replace(files["/"], []byte(`<html lang="en">`), []byte(`<html lang="en" data-lab="lab/">`), 1)
	}
	special := policies(files)
	joined := joinModules(files, socketParts)
	files[socketScriptFile] = asScript(joined)
	files[socketModule] = asModule(joined)
	for name, data := range files {
		sum := sha256.Sum256(data)
		tags[name] = `"` + hex.EncodeToString(sum[:12]) + `"`
	}
	serve := readOnly("The page takes GET only.", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == clientModule || strings.HasPrefix(r.URL.Path, clientParts) {
			w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
			w.Header().Set("Access-Control-Allow-Origin", "*") // a module's import is a CORS request
		}
		name := r.URL.Path
		if rest, ok := strings.CutPrefix(name, adminPath); ok { // which answers only if there is a key
			name = "/" + cmp.Or(rest, "admin.html")
		} else if strings.HasPrefix(name, "/admin.") {
			name = ""
		}
		data, ok := files[name]
		if !ok {
			http.Error(w, "There is nothing here. The chat is at the root of this site.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", contentTypes[cmp.Or(path.Ext(name), ".html")])
		w.Header().Set("ETag", tags[name])
		if p := special[name]; p != "" {
			w.Header().Set("Content-Security-Policy", p)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range pageHeaders {
			w.Header().Set(k, v)
		}
		serve.ServeHTTP(w, r)
	})
}
