package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"framewright/chat"
	"framewright/ws/wsnet"
)

// welcomed connects over a WebSocket and returns what the client is called, and
// the cookie that the handshake has set.
func welcomed(t *testing.T, p *program, auth string, header http.Header) (name string, set *http.Cookie) {
	t.Helper()
	c := dial(t, p.url+"/socket.io/?EIO=4&transport=websocket", &wsnet.DialOptions{Header: header})
	for _, line := range c.Response().Header["Set-Cookie"] {
		var err error
		if set, err = http.ParseSetCookie(line); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, c); !strings.HasPrefix(got, "0{") {
		t.Fatalf("it opens with %s", got)
	}
	write(t, c, "40"+auth)
	io := &ioClient{t, c}
	io.want(`40{"sid":"\w+"}`)
	return io.want(`42\["message","Welcome, (.+)\."\]`)[1], set
}

// A guest of the site's own page has its name again, by a cookie that no script
// and no other site has; a page of another origin gets none, and cannot use it.
func TestGuestKeepsItsName(t *testing.T) {
	p := start(t, "-drain", "500ms", "-web", t.TempDir(), "-origin", "*")
	host := strings.TrimPrefix(p.url, "http://")
	own := func(value string) http.Header { return http.Header{"Cookie": {guestCookie + "=" + value}} }
	first, set := welcomed(t, p, "", http.Header{"Origin": {p.url}, "Sec-Fetch-Site": {"same-origin"}})
	if set == nil || set.Name != guestCookie || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.MaxAge != 0 || !guestValue.MatchString(set.Value) {
		t.Fatalf("the cookie is %v", set)
	}
	for _, tt := range []struct {
		name   string
		header http.Header
		same   bool
		set    bool
	}{
		{"again", own(set.Value), true, false},
		{"another browser", nil, false, true},
		{"guessed", own("AAAAAAAAAAAAAAAAAAAAAAAAAA"), false, false},
		{"nonsense", own("short"), false, true},
		{"another origin", http.Header{"Cookie": own(set.Value)["Cookie"], "Origin": {"https://evil.example"}}, false, false},
		{"another origin of the same site", http.Header{"Cookie": own(set.Value)["Cookie"], "Origin": {"http://" + host + "0"}, "Sec-Fetch-Site": {"same-site"}}, false, false},
	} {
		got, again := welcomed(t, p, "", tt.header)
		if (got == first) != tt.same || (again != nil) != tt.set {
			t.Errorf("%s: %s, before %s; cookie %v", tt.name, got, first, again)
		}
	}
	if a, _ := welcomed(t, p, `{"name":"Ada"}`, own(set.Value)); a != "Ada" {
		t.Errorf("called %s, want Ada", a)
	}
	if a, _ := welcomed(t, p, `{"name":"Ada"}`, own(set.Value)); a != "Ada" {
		t.Errorf("called %s when it came again, want Ada", a)
	}
	if a, _ := welcomed(t, p, `{"name":"Grace"}`, own(set.Value)); a != "Grace" {
		t.Errorf("another name in the same browser became %s", a)
	}
	if a, _ := welcomed(t, p, `{"name":"Ada"}`, nil); !regexp.MustCompile(`^Ada \w{4}$`).MatchString(a) {
		t.Errorf("somebody else who wants the name is called %s", a)
	}
	if _, set := welcomed(t, start(t, "-drain", "500ms"), "", nil); set != nil {
		t.Errorf("without -web: %v", set)
	}
}

func TestGuestCookieOverTLS(t *testing.T) {
	r, _ := http.NewRequest(http.MethodGet, "https://chat.example/socket.io/", nil)
	r.TLS = new(tls.ConnectionState)
	w := httptest.NewRecorder()
	(&app{set: &settings{web: "site"}}).knownGuests(http.NotFoundHandler()).ServeHTTP(w, r)
	got := w.Result().Cookies()[0]
	if got.Name != guestCookieSecure || !got.Secure || got.Path != "/" || got.Domain != "" {
		t.Errorf("the cookie is %v", got)
	}
}

// Objects go to everybody as they are where the page is somebody's own, and are
// refused as before where it is the built-in one.
func TestWebPassesObjects(t *testing.T) {
	p := start(t, "-drain", "500ms", "-web", t.TempDir(), "-greeting", "Hello {name}, {name}!")
	c := ioDial(t, p.url, `{"name":"Ada"}`)
	c.want(`40{"sid":"\w+"}`)
	c.want(`42\["message","Hello Ada, Ada!"\]`)
	write(t, c.c, `42["message",{"data":"I'm connected!"}]`)
	c.want(`42\["message",{"data":"I'm connected!"}\]`)
	plain := start(t, "-drain", "500ms", "-greeting", "off")
	c = ioDial(t, plain.url, "")
	c.want(`40{"sid":"\w+"}`)
	write(t, c.c, `421["message",{"data":1}]`)
	c.want(`431\[{"error":"argument 1: a object .*}\]`)
	write(t, c.c, `42["message","the first"]`)
	c.want(`42\["message","the first"\]`)
}

func TestGreetingText(t *testing.T) {
	for text, want := range map[string]string{
		"Welcome, {name}.": "Welcome, Ada.", "off": "", "Hi": "Hi", "": "error", " ": "error", "a\nb": "error", "\xff": "error", strings.Repeat("x", maxGreeting+1): "error",
	} {
		var g greetingText
		got := "error"
		if g.Set(text) == nil {
			got = g.welcome(chat.Person{Name: "Ada"})
		}
		if got != want {
			t.Errorf("%.20q greets with %q, want %q", text, got, want)
		}
	}
}

// Pages of every origin may connect with -origin *, and get no credentials; the
// log says what that means.
func TestEveryOrigin(t *testing.T) {
	p := start(t, "-drain", "500ms", "-origin", "*", "-origin", "friend.example")
	if log := p.stderr.String(); !strings.Contains(log, "for development only") {
		t.Errorf("no warning:\n%s", log)
	}
	for origin, want := range map[string][2]string{
		"https://evil.example": {"*", ""}, "http://localhost:5173": {"*", ""}, "null": {"*", ""}, "https://friend.example": {"https://friend.example", "true"}, p.url: {p.url, "true"},
	} {
		for _, path := range []string{"/socket.io/?EIO=4&transport=polling", "/socket.io/socket.io.js"} {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", p.url+path, nil)
			r.Header.Set("Origin", origin)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			got := [2]string{resp.Header.Get("Access-Control-Allow-Origin"), resp.Header.Get("Access-Control-Allow-Credentials")}
			if resp.StatusCode != 200 || got != want {
				t.Errorf("%s from %s: %s, %q; want %q", path, origin, resp.Status, got, want)
			}
		}
	}
}
