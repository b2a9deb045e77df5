package main

import (
	"fmt"
	"net/http"
	"runtime/debug"
)

// headers refuses requests whose headers are longer than limit bytes, for every
// path alike. net/http has a bound of its own, which is some KiB higher than it
// is told, and stops reading there.
func (g *gate) headers(limit int, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if size := headerSize(r); size > limit {
			w.Header().Set("Connection", "close")
			text := fmt.Sprintf("The request's header has %d bytes, the limit is %d (option -max-header).", size, limit)
			http.Error(w, text, http.StatusRequestHeaderFieldsTooLarge)
			g.refused(r, "limit", http.StatusRequestHeaderFieldsTooLarge, text)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// survives logs a panic with the address of the client, which net/http's own line
// has not behind a proxy, and ends the connection as net/http does.
func (g *gate) survives(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p != http.ErrAbortHandler {
				g.log.Error("http: panic serving", "remote", remote(g.proxies.client(r)), "err", fmt.Sprintf("%v\n%s", p, debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

// headerSize is how long a request's head was, as far as that can be told: spaces
// that mean nothing are not counted.
func headerSize(r *http.Request) int {
	size := len(r.Method) + len(" ") + len(r.RequestURI) + len(" HTTP/1.1\r\n") + len("\r\n")
	if r.Host != "" {
		size += len("Host: \r\n") + len(r.Host)
	}
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(": \r\n") + len(v)
		}
	}
	return size
}

// readOnly lets GET and HEAD through to next, and answers anything else with
// text.
func readOnly(text string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, text, http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}
