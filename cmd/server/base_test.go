package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"framewright/ws"
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
		{"/team/chat/", 200, "<title>Framewright chat"}, {"/team/chat", 308, "chat/"}, {"/team/chat?a=b", 308, "chat/?a=b"},
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
	c, err := ws.Dial(t.Context(), root+"/team/chat/ws", nil)
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
	c, err := ws.Dial(t.Context(), proxy.URL+"/chat/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
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
			if module := strings.Contains(string(body), "export default io"); module != strings.Contains(path, "esm") {
				t.Errorf("%s is a module: %v", path, module)
			}
		}
	}
}
