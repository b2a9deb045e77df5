package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// ioClient is a Socket.IO client by hand, over a WebSocket.
type ioClient struct {
	t *testing.T
	c *wsnet.Conn
}

// ioDial connects to the namespace "/" with auth, which may be empty.
func ioDial(t *testing.T, url, auth string) *ioClient {
	t.Helper()
	c := &ioClient{t, dial(t, url+"/socket.io/?EIO=4&transport=websocket", nil)}
	if got := read(t, c.c); !strings.HasPrefix(got, "0{") {
		t.Fatalf("it opens with %s", got)
	}
	write(t, c.c, "40"+auth)
	return c
}

// want reads the next packet but those about who is here.
func (c *ioClient) want(pattern string) []string {
	c.t.Helper()
	for {
		got := read(c.t, c.c)
		if strings.HasPrefix(got, `42["presence"`) {
			continue
		}
		m := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(got)
		if m == nil {
			c.t.Fatalf("got %s, want %s", got, pattern)
		}
		return m
	}
}

func wantJSON(t *testing.T, c *wsnet.Conn, typ string) map[string]any {
	t.Helper()
	for {
		var m map[string]any
		if err := json.Unmarshal([]byte(read(t, c)), &m); err != nil {
			t.Fatal(err)
		}
		if m["type"] == typ {
			return m
		}
	}
}

// The two transports are wired to one hub: package sio has the tests of what a
// client may do.
func TestSocketIO(t *testing.T) {
	p := start(t)
	native := chatDial(t, p.url)
	write(t, native, `{"type":"hello","name":"Ada"}`)
	wantJSON(t, native, "welcome")
	write(t, native, `{"type":"join","room":"lobby"}`)
	wantJSON(t, native, "joined")

	grace := ioDial(t, p.url, `{"name":"Grace"}`)
	grace.want(`40{"sid":"\w+"}`)
	grace.want(`42\["message","Welcome, Grace\."\]`)
	back := ioDial(t, p.url, `{"recover":true}`)
	back.want(`40{"sid":"\w+","pid":"[\w-]+"}`)
	back.want(`42\["message","Welcome, guest \w+\.","[0-9a-z-]+"\]`)

	write(t, grace.c, `42["message","from Grace"]`)
	grace.want(`42\["message","from Grace"\]`)
	back.want(`42\["message","from Grace","[0-9a-z-]+"\]`)
	if m := wantJSON(t, native, "message"); m["text"] != "from Grace" || m["from"].(map[string]any)["name"] != "Grace" {
		t.Errorf("the native page got %v", m)
	}
	p.stop()
	for _, c := range []*wsnet.Conn{grace.c, back.c} {
		wantClose(t, c, ws.CodeNormal)
	}
}

func TestSocketIORefusals(t *testing.T) {
	p := start(t, "-drain", "500ms", "-origin", "good.example", "-max-per-address", "2", "-max-message", "2000", "-max-text", "1000")
	for _, tt := range []struct {
		query, origin string
		status        int
		body          string
	}{
		{"?EIO=4&transport=polling", "", 200, `"maxPayload":2000`},
		{"?EIO=4&transport=polling", "https://evil.example", 403, "evil.example"},
		{"?EIO=4&transport=polling", "https://good.example", 200, "sid"},
		{"?EIO=4&transport=polling", "", 429, "MaxSessionsPerAddress"},
		{"?EIO=3&transport=polling", "", 400, `"code":5`},
		{"?EIO=4&transport=polling&sid=guess", "", 400, `"code":1`},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", p.url+"/socket.io/"+tt.query, nil)
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("%s from %q: %s, %s; want %d, %s", tt.query, tt.origin, resp.Status, body, tt.status, tt.body)
		}
		if cors := resp.Header.Get("Access-Control-Allow-Origin"); (cors != "") != (tt.origin != "" && tt.status == 200) {
			t.Errorf("%s from %q: Access-Control-Allow-Origin is %q", tt.query, tt.origin, cors)
		}
	}
}

// A client that polls, and then does not fetch what it is sent, holds nobody up
// when the server ends.
func TestSocketIODrainsStalledClients(t *testing.T) {
	p := start(t, "-drain", "4s", "-drain-window", "0", "-publish-key", testKey)
	request := func(method, query, body string) string {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), method, p.url+"/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %s", resp.Status, got)
		}
		return string(got)
	}
	sid := "&sid=" + regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(request("GET", "", ""))[1]
	request("POST", sid, "40")
	if got := request("GET", sid, ""); !strings.Contains(got, "40{") {
		t.Fatalf("not connected: %s", got)
	}
	// More than half of the lower queue, and less than half of the upper.
	for range 55 {
		if status, answer := post(t, p, `{"room":"lobby","text":"`+strings.Repeat("x", 15<<10)+`"}`); status != 200 {
			t.Fatal(status, answer)
		}
	}
	p.end(t)
	if log := p.stderr.String(); strings.Contains(log, "too long") {
		t.Error(log)
	}
}

func TestSocketIOPage(t *testing.T) {
	p := start(t, "-drain", "500ms")
	for path, part := range map[string]string{
		"/socketio.html": `"socket.io/socket.io.js"`, "/socketio.js": "io({ path", "/socketio.css": "#messages", "/socket.io/socket.io.js": "globalThis.io =",
	} {
		status, header, body := get(t, p.url+path)
		if status != 200 || !strings.Contains(body, part) || !strings.Contains(header.Get("Content-Security-Policy"), "script-src 'self'") {
			t.Errorf("%s: %d, %v, %.100q", path, status, header, body)
		}
	}
	dir := t.TempDir()
	bare := start(t, "-drain", "500ms", "-web", dir)
	if status, header, body := get(t, bare.url+"/socket.io/socket.io.js"); status != 200 || !strings.Contains(body, "globalThis.io =") || !strings.Contains(header.Get("Content-Type"), "javascript") {
		t.Errorf("with a folder of one's own: %d %v", status, header)
	}
	os.Mkdir(filepath.Join(dir, "socket.io"), 0o755)
	os.WriteFile(filepath.Join(dir, "socket.io", "socket.io.js"), []byte("another client"), 0o644)
	own := start(t, "-drain", "500ms", "-web", dir)
	if status, _, body := get(t, own.url+"/socket.io/socket.io.js"); status != 200 || body != "another client" {
		t.Errorf("with a script of one's own: %d %q", status, body)
	}
}

func TestWebFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"site/index.html": "my page", "site/js/app.js": "my script", "site/data.bin": "\x00", "site/.env": "secret", "site/.git/config": "secret",
		"site/empty/x.txt": "x", "outside.txt": "secret",
	} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink(filepath.Join(dir, "outside.txt"), filepath.Join(dir, "site", "link.txt"))
	p := start(t, "-drain", "500ms", "-web", filepath.Join(dir, "site"))
	for _, tt := range []struct {
		path   string
		status int
		part   string
	}{
		{"/", 200, "my page"}, {"/index.html", 200, "my page"}, {"/js/app.js", 200, "my script"}, {"/data.bin", 200, "\x00"},
		{"/.env", 404, ""}, {"/.git/config", 404, ""}, {"/empty/", 404, ""}, {"/js/", 404, ""}, {"/link.txt", 404, ""}, {"/../outside.txt", 404, ""},
		{"/nope", 404, ""}, {"/app.js", 404, ""}, {"/socket.io/?EIO=4&transport=polling", 200, "sid"}, {"/readyz", 200, "ready"},
	} {
		status, header, body := get(t, p.url+tt.path)
		if status != tt.status || !strings.Contains(body, tt.part) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d, %q; want %d, %q", tt.path, status, body, tt.status, tt.part)
		}
		if header.Get("Content-Security-Policy") != "" {
			t.Errorf("%s: a policy that the page's scripts do not know", tt.path)
		}
	}
}
