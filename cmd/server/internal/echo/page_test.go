package echo

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A browser that comes for a page gets one, without a policy in the console's way; who
// comes for a WebSocket, or for neither, gets the server.
func TestPage(t *testing.T) {
	h := withPage(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	browser := "text/html,application/xhtml+xml,*/*;q=0.8"
	for name, tt := range map[string]struct {
		method string
		header map[string]string
		want   int
	}{
		"a browser":                 {"GET", map[string]string{"Accept": browser}, 200},
		"a browser that connects":   {"GET", map[string]string{"Upgrade": "websocket", "Sec-WebSocket-Key": "x"}, 418},
		"a handshake, half":         {"GET", map[string]string{"Accept": browser, "Sec-WebSocket-Key": "x"}, 418},
		"another method":            {"POST", map[string]string{"Accept": browser}, 418},
		"who says nothing":          {"GET", nil, 418},
		"who wants something else":  {"GET", map[string]string{"Accept": "application/json"}, 418},
		"a handshake with a method": {"POST", map[string]string{"Upgrade": "websocket"}, 418},
	} {
		r := httptest.NewRequest(tt.method, "/", nil)
		for k, v := range tt.header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: HTTP %d, want %d", name, w.Code, tt.want)
		}
		if w.Code == 200 && (w.Header().Get("Content-Security-Policy") != "" || !strings.Contains(w.Body.String(), "new WebSocket(")) {
			t.Errorf("%s: %v %.80s", name, w.Header(), w.Body)
		}
	}
}
