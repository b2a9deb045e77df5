package echo

import (
	_ "embed"
	"net/http"
	"strings"
)

//go:embed page.html
var page []byte

// withPage shows a browser that comes for a page how to open a connection by hand. It
// has no Content-Security-Policy, which would keep the browser's console from that.
func withPage(server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" || r.Header.Get("Sec-WebSocket-Key") != "" ||
			r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			server.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(page)
	})
}
