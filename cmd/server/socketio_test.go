package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"framewright/chat"
	"framewright/socketio"
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

// wantEach reads as many packets, which may come in any order.
func (c *ioClient) wantEach(patterns ...string) {
	c.t.Helper()
	for len(patterns) > 0 {
		got := c.want("(" + strings.Join(patterns, "|") + ")")[1]
		i := slices.IndexFunc(patterns, func(p string) bool { return regexp.MustCompile("^" + p + "$").MatchString(got) })
		patterns = slices.Delete(slices.Clone(patterns), i, i+1)
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
	if m := wantJSON(t, native, "presence"); m["who"].(map[string]any)["name"] != "Grace" || m["here"] != true {
		t.Errorf("the lobby was told %v", m)
	}
	guest := ioDial(t, p.url, "")
	guest.want(`40{"sid":"\w+"}`)
	guest.want(`42\["message","Welcome, guest \w+\."\]`) // and Grace gets none of it

	write(t, grace.c, `42["message","from Grace"]`)
	for _, c := range []*ioClient{grace, guest} {
		c.want(`42\["message","from Grace"\]`)
	}
	if m := wantJSON(t, native, "message"); m["text"] != "from Grace" || m["from"].(map[string]any)["name"] != "Grace" {
		t.Errorf("the native page got %v", m)
	}
	write(t, native, `{"type":"send","room":"lobby","id":"1","text":"<b>from Ada</b>"}`)
	for _, c := range []*ioClient{grace, guest} {
		c.want(`42\["message","<b>from Ada</b>"\]`)
	}

	// The same message again, as after an acknowledgement that was lost.
	for range 2 {
		write(t, guest.c, `421["message","once","id 1"]`)
	}
	guest.wantEach(`42\["message","once"\]`, `431\[\]`, `431\[\]`)
	write(t, guest.c, `422["message",""]`)
	guest.want(`432\[{"error":"a message must not be empty","data":{"code":"bad-message"}}\]`)
	write(t, guest.c, `423["message",{"text":"x"}]`)
	guest.want(`433\[{"error":"argument 1: .*"}\]`)
	write(t, guest.c, `42["message","after all that"]`)
	guest.want(`42\["message","after all that"\]`)

	bad := ioDial(t, p.url, `{"name":"`+strings.Repeat("x", 100)+`"}`)
	bad.want(`44{"message":"a name may have at most 32 characters","data":{"code":"bad-name"}}`)
	taken := ioDial(t, p.url, `{"name":"Grace","secret":"a secret that is long enough"}`)
	taken.want(`44{"message":"the name \\"Grace\\" is taken.*","data":{"code":"name-taken"}}`)
	again := ioDial(t, p.url, `{"name":"Grace"}`)
	again.want(`40{"sid":"\w+"}`)
	again.want(`42\["message","Welcome, Grace \w{4}\."\]`)

	p.stop()
	for _, c := range []*wsnet.Conn{grace.c, guest.c, again.c} {
		wantClose(t, c, ws.CodeNormal)
	}
}

// A client that is cut, and has asked for it, goes on where it was in the room.
func TestSocketIORecovers(t *testing.T) {
	p := start(t)
	other := ioDial(t, p.url, "")
	other.want(`40{"sid":"\w+"}`)
	other.want(`42\["message","Welcome.*"\]`)
	say := func(text string) {
		write(t, other.c, `421["message","`+text+`"]`)
		other.wantEach(`42\["message","`+text+`"\]`, `431\[\]`)
	}
	say("before")
	c := ioDial(t, p.url, `{"name":"Ada","recover":true}`)
	m := c.want(`40{"sid":"(\w+)","pid":"(\w+)"}`)
	sid, pid := m[1], m[2]
	place := c.want(`42\["message","Welcome, Ada\.","([0-9a-z-]+)"\]`)[1]
	back := func(missed ...string) {
		t.Helper()
		c.c.CloseNow()
		for _, text := range missed {
			say(text)
		}
		c = ioDial(t, p.url, `{"name":"Ada","recover":true,"pid":"`+pid+`","offset":"`+place+`"}`)
		for _, text := range missed {
			place = c.want(`42\["message","` + text + `","([0-9a-z-]+)"\]`)[1]
		}
		c.want(`40{"sid":"` + sid + `","pid":"` + pid + `"}`)
	}
	back("missed one", "missed two") // has received nothing but the welcome
	say("live")
	place = c.want(`42\["message","live","([0-9a-z-]+)"\]`)[1]
	back()
	back("missed three")
	write(t, c.c, `42["message","still Ada"]`)
	c.want(`42\["message","still Ada","[0-9a-z-]+"\]`)
	other.want(`42\["message","still Ada"\]`)

	place = "not a place"
	c.c.CloseNow()
	c = ioDial(t, p.url, `{"name":"Ada","recover":true,"pid":"`+pid+`","offset":"`+place+`"}`)
	if m := c.want(`40{"sid":"(\w+)","pid":"(\w+)"}`); m[1] == sid || m[2] == pid {
		t.Error("recovered from nowhere")
	}
	c.want(`42\["message","Welcome, Ada.*"\]`)
}

// Who has missed more than there is to catch up on is not told that it has
// missed nothing.
func TestSocketIOMissedTooMuch(t *testing.T) {
	p := start(t, "-catch-up", "1")
	other := ioDial(t, p.url, "")
	other.want(`40{"sid":"\w+"}`)
	other.want(`42\["message","Welcome.*"\]`)
	c := ioDial(t, p.url, `{"recover":true}`)
	m := c.want(`40{"sid":"(\w+)","pid":"(\w+)"}`)
	place := c.want(`42\["message","Welcome.*","([0-9a-z-]+)"\]`)[1]
	c.c.CloseNow()
	for range 3 {
		write(t, other.c, `421["message","missed"]`)
		other.wantEach(`42\["message","missed"\]`, `431\[\]`)
	}
	c = ioDial(t, p.url, `{"recover":true,"pid":"`+m[2]+`","offset":"`+place+`"}`)
	if again := c.want(`40{"sid":"(\w+)","pid":"(\w+)"}`); again[1] == m[1] || again[2] == m[2] {
		t.Error("recovered, without what was missed")
	}
	c.want(`42\["message","Welcome.*"\]`)
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
		"/socketio.html": `"socket.io/socket.io.js"`, "/socketio.js": "globalThis.io(", "/socketio.css": "#messages", "/socket.io/socket.io.js": "globalThis.io =",
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

// A store that cannot be read for a moment sends nobody away for good: a client
// comes back by itself if its connection is closed, and not if it is
// disconnected.
func TestSocketIOStoreFails(t *testing.T) {
	store := &unreadable{Store: new(chat.Memory)}
	hub := chat.New(chat.Options{Store: store})
	defer hub.Close()
	io, err := socketio.New(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	(&bridge{hub: hub, io: io, flush: time.Second}).serve()
	server := httptest.NewServer(io)
	defer server.Close()
	defer io.Shutdown(t.Context())

	store.failing.Store(true)
	c := ioDial(t, server.URL, "")
	c.want(`40{"sid":"\w+"}`)
	if op, data, err := c.c.Read(t.Context()); err == nil {
		t.Fatalf("got %v %s, want the end", op, data)
	}
	store.failing.Store(false)
	c = ioDial(t, server.URL, "")
	c.want(`40{"sid":"\w+"}`)
	c.want(`42\["message","Welcome, guest \w+\."\]`)
	c.c.CloseNow()
}

// An unreadable is a store that cannot be read now and then.
type unreadable struct {
	chat.Store
	failing atomic.Bool
}

func (u *unreadable) Read(room string, q chat.Query) (chat.Page, error) {
	if u.failing.Load() {
		return chat.Page{}, errors.New("not now")
	}
	return u.Store.Read(room, q)
}

// What the native protocol refuses, this way in refuses, too.
func TestSocketIOReadsStrictly(t *testing.T) {
	p := start(t)
	for auth, want := range map[string]string{
		`{"name":"Ada","name":"Eve"}`: `stands there twice`,
		`{"name":"Ada","NAME":"Eve"}`: `stands there twice`,
		`{"Name":"Ada"}`:              `is written`,
		`{"name":7}`:                  `must be a string`,
		`{"name":"a\ud800"}`:          `surrogate`,
		`{"recover":"yes"}`:           `true or false`,
	} {
		ioDial(t, p.url, auth).want(`44{"message":"auth: .*` + want + `.*}`)
	}
	c := ioDial(t, p.url, `{"name":"Ada","extra":[1]}`)
	c.want(`40{"sid":"\w+"}`)
	c.want(`42\["message","Welcome, Ada\."\]`)
	for text, want := range map[string]string{`"a\ud800b"`: "surrogate", `" \u200b"`: "be seen", `{}`: "string|something else"} {
		write(t, c.c, `421["message",`+text+`]`)
		c.want(`431\[{.*(` + want + `).*}\]`)
	}
}
