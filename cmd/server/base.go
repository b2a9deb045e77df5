package main

import (
	"fmt"
	"net/http"
	"path"
	"strings"
)

// A basePath is the value of -base-path: without a slash at its end, and empty
// for none.
type basePath string

// String implements [flag.Value].
func (b *basePath) String() string { return string(*b) }

// Set implements [flag.Value].
func (b *basePath) Set(text string) error {
	base := strings.TrimSuffix(text, "/")
	if base == "" && text != "" {
		*b = "" // the root, as without
		return nil
	}
	parts, ok := strings.CutPrefix(base, "/")
	for part := range strings.SplitSeq(parts, "/") {
		ok = ok && part != "" && strings.Trim(part, ".") != "" && !strings.ContainsFunc(part, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~", r))
		})
	}
	if !ok {
		return fmt.Errorf("%q is no such path: it begins with a slash, and its parts are letters, digits and -._~, as in /chat or /team/chat", text)
	}
	*b = basePath(base)
	return nil
}

// tidy leaves paths that a mux would redirect to a tidier one to the site, which
// knows what it has: the mux would send the client to an absolute path, which is
// another one in front of a proxy.
func tidy(site, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; p != "/" && p != "*" && path.Clean("/"+p) != strings.TrimSuffix(p, "/") {
			site.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// based serves next under a path. The page finds everything beside itself, so
// this is all that there is to it. Probes are there without the path, too: they
// come past the proxy.
func based(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == base: // the page's addresses begin behind the slash
			to := base[strings.LastIndexByte(base, '/')+1:] + "/"
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", to) // relative, as a proxy leaves it
			w.WriteHeader(http.StatusPermanentRedirect)
		case strings.HasPrefix(p, base+"/"):
			stripped.ServeHTTP(w, r)
		case p == "/healthz", p == "/readyz", p == "/metrics":
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.Error(w, "There is nothing here. The chat is at "+base+"/ (option -base-path).", http.StatusNotFound)
		}
	})
}
