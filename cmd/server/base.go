package main

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// A basePath is the value of -base-path: without a slash at its end, but for the
// root.
type basePath string

// String implements [flag.Value].
func (b *basePath) String() string { return string(*b) }

// prefix is what every path begins with; nothing at the root.
func (b basePath) prefix() string { return strings.TrimSuffix(string(b), "/") }

// Set implements [flag.Value].
func (b *basePath) Set(text string) error {
	base := strings.TrimSuffix(text, "/")
	if base == "" {
		*b = basePath(text)
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

// unmoved is a mux without its redirects. They name an absolute path, which is
// another one in front of a proxy that has taken something away from it. Paths
// that the mux would tidy up are left to missing; one that lacks the slash at
// the end of a pattern is answered with a relative redirect.
func unmoved(mux *http.ServeMux, missing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.Path
		clean := path.Clean("/" + p)
		if clean != "/" && strings.HasSuffix(p, "/") {
			clean += "/"
		}
		if p != clean && p != "*" {
			missing.ServeHTTP(w, r)
			return
		}
		if _, pattern := mux.Handler(r); pattern == p+"/" { // which the mux finds only by a redirect
			slashed(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// slashed redirects to the same path with a slash at its end, from which a
// page's addresses begin.
func slashed(w http.ResponseWriter, r *http.Request) {
	to := "./" + url.PathEscape(path.Base(r.URL.Path)) + "/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusPermanentRedirect)
}

// based serves next under a path. The page finds everything beside itself, so
// this is all that there is to it. Probes are there without the path, too: they
// come past the proxy.
func based(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == base:
			slashed(w, r)
		case strings.HasPrefix(p, base+"/"):
			inside := *r.URL
			inside.Path = p[len(base):]
			// The path may have been escaped where it need not be: /%63hat/.
			rest, ok := strings.CutPrefix(inside.RawPath, base)
			if inside.RawPath = ""; ok {
				inside.RawPath = rest
			}
			r2 := *r
			r2.URL = &inside
			next.ServeHTTP(w, &r2)
		case p == "/healthz", p == "/readyz", p == "/metrics":
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("X-Content-Type-Options", "nosniff")
			http.Error(w, "There is nothing here. The chat is at "+base+"/ (option -base-path).", http.StatusNotFound)
		}
	})
}
