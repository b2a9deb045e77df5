package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"framewright/ws/wsnet"
)

func TestBasePath(t *testing.T) {
	p := start(t, "-base-path", "/team/chat/")
	root := p.url
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, tt := range []struct {
		path   string
		status int
		more   string // in the body, or the Location
	}{
		{"/team/chat/", 200, "<title>Framewright chat"}, {"/team/%63hat/app.js", 200, "import"}, {"/team/%63hat/%61pp.js", 200, "import"}, {"/team/chat/%61pp.js", 200, "import"}, {"/team/%63hat", 308, "./chat/"}, {"/team/chat", 308, "chat/"}, {"/team/chat?a=b", 308, "chat/?a=b"},
		{"/team/chat/app.js", 200, "import"}, {"/team/chat/socketio.html", 200, "socket.io/socket.io.js"},
		{"/team/chat/socket.io/socket.io.js", 200, "Socket.IO"}, {"/team/chat/socket.io/?EIO=4&transport=polling", 200, `"sid"`},
		{"/team/chat/socket.io?EIO=4&transport=polling", 200, `"sid"`},
		{"/team/chat/ws", 426, ""}, {"/team/chat/readyz", 200, "ready"}, {"/readyz", 200, "ready"}, {"/metrics", 200, "framewright"},
		{"/", 404, "The chat is at /team/chat/"}, {"/team/chatter/", 404, "-base-path"}, {"/team", 404, ""}, {"/ws", 404, ""}, {"/team/chat/../x", 404, ""}, {"/team/chat//app.js", 404, ""},
		{"/team/chat/nope", 404, "root of this site"}, {"/team/chat/team/chat/", 404, ""},
	} {
		resp, err := client.Get(root + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || !strings.Contains(string(body)+resp.Header.Get("Location"), tt.more) {
			t.Errorf("%s: %s, Location %q, %.200q; want %d with %q", tt.path, resp.Status, resp.Header.Get("Location"), body, tt.status, tt.more)
		}
	}
	c, err := wsnet.Dial(t.Context(), root+"/team/chat/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()

	if got := greeting(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, false, "/team/chat"); !strings.Contains(got, "http://127.0.0.1:8080/team/chat/\n") {
		t.Errorf("the greeting says %q", got)
	}
	for _, bad := range []string{"chat", "//chat", "/chat//x", "/chat/..", "/./chat", "/a b", "/a%20b", "/a?b", "/a#b", "http://x/chat", "/ä", "/chat//"} {
		var out buffer
		if status := run(t.Context(), []string{"-memory", "-base-path", bad}, nil, &out, &out); status != 2 || !strings.Contains(out.String(), "base-path") || !strings.Contains(out.String(), "/team/chat") {
			t.Errorf("-base-path %q: status %d, %s", bad, status, out.String())
		}
	}
}

// Behind a proxy that takes the path away nothing in an answer leads out of it.
func TestBehindAProxyWithAPath(t *testing.T) {
	p := start(t)
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/chat", httputil.NewSingleHostReverseProxy(to)))
	defer proxy.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/", "/socketio.html", "/app.js", "/client.js", "/socketio.js", "/style.css", "/socket.io?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=polling"} {
		resp, err := client.Get(proxy.URL + "/chat" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Location") != "" || len(resp.Cookies()) > 0 {
			t.Errorf("%s: %s, Location %q, cookies %v", path, resp.Status, resp.Header.Get("Location"), resp.Cookies())
		}
		for _, absolute := range []string{`src="/`, `href="/`, `"/ws"`, "location.host}/", `from "/`, "'/ws'"} {
			if strings.Contains(string(body), absolute) {
				t.Errorf("%s has an absolute address: %s", path, absolute)
			}
		}
	}
	c, err := wsnet.Dial(t.Context(), proxy.URL+"/chat/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
}

// Whatever is asked for, no redirect names an absolute path: a proxy may have
// taken something away from the one that was asked for.
func TestRedirectsAreRelative(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"index.html", "docs/index.html", "docs/deep er/index.html"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(root, path string) *http.Response {
		t.Helper()
		r, err := http.NewRequest("GET", root, nil)
		if err != nil {
			t.Fatal(err)
		}
		path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		r.URL.Opaque = "//" + r.URL.Host + path // as it stands
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	paths := []string{
		"/admin", "/admin?a=b", "/admin/api", "/admin/api?a=b", "/%61dmin", "/admin/..", "/admin/../admin", "//admin", "/./admin", "/admin//", "/admin/api/../",
		"/socket.io", "/socket.io/x", "//socket.io", "/socket.io//", "/ws/", "//ws", "/publish/", "//publish", "/healthz/", "//healthz", "/x/../healthz", "/readyz/", "//readyz", "/metrics/", "//metrics",
		"/docs", "/docs?a=b", "//docs", "/docs/index.html", "/docs/deep%20er", "/index.html", "/docs/..", "//", "//evil.example", "//evil.example/..", "/%2f%2fevil.example", "/nope/",
	}
	for _, base := range []string{"", "/team/chat"} {
		for _, more := range [][]string{nil, {"-web", dir}} {
			p := startAdmin(t, append(more, "-base-path", base+"/")...)
			for _, path := range paths {
				if resp := ask(p.url, base+path); strings.HasPrefix(resp.Header.Get("Location"), "/") || strings.Contains(resp.Header.Get("Location"), "//") {
					t.Errorf("%v, %s%s: %s, Location %q", more, base, path, resp.Status, resp.Header.Get("Location"))
				}
			}
			for path, want := range map[string]string{"/admin": "./admin/", "/admin?a=b": "./admin/?a=b", "/admin/api": "./api/", "/%61dmin": "./admin/"} {
				if resp := ask(p.url, base+path); resp.StatusCode != 308 || resp.Header.Get("Location") != want {
					t.Errorf("%v, %s%s: %s, Location %q, want %q", more, base, path, resp.Status, resp.Header.Get("Location"), want)
				}
			}
			// As a browser goes by it.
			if status, _, body := get(t, p.url+base+"/admin"); status != 200 || !strings.Contains(body, "for operators") {
				t.Errorf("%v, %s/admin: %d %.100s", more, base, status, body)
			}
		}
	}

	// And any mux, those of -metrics-addr and of a server that is starting, too.
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/deep/er/", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(unmoved(mux, http.NotFoundHandler()))
	defer server.Close()
	for path, want := range map[string]string{
		"/healthz": "200 ", "//healthz": "404 ", "/x/../healthz": "404 ", "/healthz/": "404 ", "/deep/er/": "200 ", "/deep/er": "308 ./er/", "/deep/er?a=b": "308 ./er/?a=b",
		"/deep": "404 ", "//deep/er": "404 ", "/deep//er": "404 ", "/deep/er/more": "200 ",
	} {
		if resp := ask(server.URL, path); fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Location")) != want {
			t.Errorf("%s: %d %s, want %s", path, resp.StatusCode, resp.Header.Get("Location"), want)
		}
	}
}

// Who may load the client's script: the table of the page that asks, by what a
// browser says of it.
func TestScriptForOtherOrigins(t *testing.T) {
	open, closed := start(t, "-origin", "good.example"), start(t)
	for _, tt := range []struct {
		p                     *program
		origin, referer       string
		policy, allowedOrigin string
	}{
		{open, "", "", "cross-origin", ""},
		{open, "", "https://good.example/", "cross-origin", ""},
		{open, "", "https://evil.example/", "same-origin", ""},
		{open, "", "https://good.example.evil.example/page", "same-origin", ""},
		{open, "", "not an address", "cross-origin", ""},
		{open, "https://good.example", "", "cross-origin", "https://good.example"},
		{open, "https://good.example", "https://evil.example/", "cross-origin", "https://good.example"},
		{open, "https://evil.example", "https://good.example/", "same-origin", ""},
		{open, "null", "", "same-origin", ""},
		{open, open.url, "", "cross-origin", open.url},
		{closed, "", "", "same-origin", ""},
		{closed, "", "https://good.example/", "same-origin", ""},
		{closed, "https://good.example", "", "same-origin", ""},
		{closed, "", closed.url + "/socketio.html", "cross-origin", ""},
	} {
		for path, status := range map[string]int{
			"/socket.io/socket.io.js": 200, "/socket.io/socket.io.min.js": 200, "/socket.io/socket.io.esm.min.js": 200,
			"/socket.io/socket.io.js.map": 404, "/socket.io/socket.io.msgpack.min.js": 404,
		} {
			r, _ := http.NewRequest("GET", tt.p.url+path, nil)
			for name, v := range map[string]string{"Origin": tt.origin, "Referer": tt.referer} {
				if v != "" {
					r.Header.Set(name, v)
				}
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			h := resp.Header
			if resp.StatusCode != status || h.Get("Cross-Origin-Resource-Policy") != tt.policy || h.Get("Access-Control-Allow-Origin") != tt.allowedOrigin || !strings.Contains(strings.Join(h["Vary"], ","), "Origin") {
				t.Errorf("%s, Origin %q, Referer %q: %s, %s, %q, Vary %q; want %d, %s, %q", path, tt.origin, tt.referer, resp.Status,
					h.Get("Cross-Origin-Resource-Policy"), h.Get("Access-Control-Allow-Origin"), h["Vary"], status, tt.policy, tt.allowedOrigin)
			}
			if got := h.Get("Access-Control-Allow-Credentials"); (got == "true") != (tt.allowedOrigin != "") {
				t.Errorf("%s, Origin %q: credentials %q", path, tt.origin, got)
			}
			if module := strings.Contains(string(body), "export { io, io as connect, io as default, Manager, Socket"); module != strings.Contains(path, "esm") {
				t.Errorf("%s is a module: %v", path, module)
			}
		}
	}
}
