package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

const (
	alice = "00112233445566778899aabbccddeeff"
	bob   = "ffeeddccbbaa99887766554433221100"
)

func labServer(t *testing.T) (l *Lab, url string) {
	t.Helper()
	wstest.CheckLeaks(t)
	l = New(&Options{Headers: map[string]string{"X-Test": "yes"}})
	s := httptest.NewServer(l)
	t.Cleanup(func() {
		l.Close(context.Background())
		s.Close()
	})
	return l, s.URL
}

// watching is a page's stream of facts, behind a last one that the header or a parameter
// names.
func watching(t *testing.T, url, secret, last string) *bufio.Scanner {
	t.Helper()
	id, header := strings.CutPrefix(last, "Last-Event-ID: ")
	url += "/lab/facts?secret=" + secret
	if !header && last != "" {
		url += "&" + last
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if header {
		req.Header.Set("Last-Event-ID", id)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Test") != "yes" {
		t.Fatalf("HTTP %d, %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && lines.Text() != ": watching" {
	}
	return lines
}

// next are the next n facts, each in a few words.
func next(t *testing.T, lines *bufio.Scanner, n int) (got []string) {
	t.Helper()
	for len(got) < n && lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var f fact.Fact
		if err := json.Unmarshal([]byte(data), &f); err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(f.Head, "\r\n")
		got = append(got, fmt.Sprintf("%d %s %v %s%s%.10s", f.Seq, f.Kind, f.Sent, f.Wire, first, f.Content))
	}
	return got
}

// A page sees what its own connection does, in order, from the request on, and nothing of
// anybody else's; one that comes back goes on where it was.
func TestFacts(t *testing.T) {
	l, url := labServer(t)
	hers, his := watching(t, url, alice, ""), watching(t, url, bob, "")
	talk := func(secret, text string) {
		c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/lab/echo"+secret, &wsnet.DialOptions{Options: wsnet.Options{Rand: strings.NewReader(strings.Repeat("\x00", 100))}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background(), ws.CodeNormal, "")
		c.Write(t.Context(), ws.OpText, []byte(text))
		c.Read(t.Context())
	}
	talk("", "nobody's")
	talk("?lab="+strings.Repeat("0", 32), "of a page that does not watch")
	talk("?lab="+alice, "hers")
	talk("?lab="+bob, "his")
	want := func(secret, head string) []string {
		return []string{"1 handshake false GET /lab/echo?lab=" + secret + " HTTP/1.1", "2 handshake true HTTP/1.1 101 Switching Protocols",
			"3 frame false 81" + head + "00000000", "4 frame true 81" + head[:0] + map[string]string{"84": "04", "83": "03"}[head],
			"5 frame false 888200000000", "6 frame true 8802"}
	}
	if d := cmp.Diff(want(alice, "84"), next(t, hers, 6)); d != "" {
		t.Errorf("hers: %s", d)
	}
	if d := cmp.Diff(want(bob, "83"), next(t, his, 6)); d != "" {
		t.Errorf("his: %s", d)
	}
	fourth := func(secret string) string {
		w, _ := l.recorder.find(secret)
		return strconv.FormatInt(w.began.UnixNano(), 36) + "-4"
	}
	if d := cmp.Diff(want(alice, "84")[4:], next(t, watching(t, url, alice, "Last-Event-ID: "+fourth(alice)), 2)); d != "" {
		t.Errorf("after the fourth, which the browser says: %s", d)
	}
	if d := cmp.Diff(want(bob, "83")[4:], next(t, watching(t, url, bob, "after="+fourth(bob)), 2)); d != "" {
		t.Errorf("after the fourth, which the page says: %s", d)
	}
	carol := strings.Repeat("c", 32)
	new := watching(t, url, carol, "after="+fourth(bob))
	talk("?lab="+carol, "her")
	if d := cmp.Diff(want(carol, "83")[:1], next(t, new, 1)); d != "" {
		t.Errorf("after what was before a restart of the server: %s", d)
	}
}

// What is no secret, or one too many, is refused with a reason.
func TestFactsRefused(t *testing.T) {
	l, url := labServer(t)
	get := func(path string) string {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return fmt.Sprint(resp.StatusCode, " ", string(b))
	}
	for path, want := range map[string]string{
		"/lab/facts":                       "400 secret: want 32 to 64 hexadecimal digits",
		"/lab/facts?secret=" + alice[1:]:   "400 secret",
		"/lab/facts?secret=" + alice + "g": "400 secret",
		"/lab/pcap?secret=" + alice:        "404 no page watches",
		"/lab/nothing":                     "404 There is nothing here",
		"/lab/lab.go":                      "404 There is nothing here",
	} {
		if got := get(path); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for range readersPerWatch {
		l.recorder.open(bob, "elsewhere")
	}
	if got, want := get("/lab/facts?secret="+bob), "503 this page has 2 streams already"; !strings.HasPrefix(got, want) {
		t.Errorf("a third stream: %q, want %q", got, want)
	}
	for i := range watchesPerAddress {
		l.recorder.open(fmt.Sprintf("%032x", i), "127.0.0.1")
	}
	if got, want := get("/lab/facts?secret="+alice), "503 48 pages of this address watch already"; !strings.HasPrefix(got, want) {
		t.Errorf("one too many of an address: %q, want %q", got, want)
	}
	for i := range maxWatches {
		l.recorder.open(fmt.Sprintf("%032x", 1000+i), fmt.Sprint(i))
	}
	if got, want := get("/lab/facts?secret="+alice), "503 96 pages watch already"; !strings.HasPrefix(got, want) {
		t.Errorf("one too many: %q, want %q", got, want)
	}
}

// The echo takes so many connections and no more, and messages up to a size.
func TestEchoBounds(t *testing.T) {
	l, url := labServer(t)
	l.echo.MaxConns = 1
	url = "ws" + strings.TrimPrefix(url, "http") + "/lab/echo"
	c, err := wsnet.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, err := wsnet.Dial(t.Context(), url, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a second connection: %v", err)
	}
	c.Write(t.Context(), ws.OpBinary, make([]byte, maxEchoBytes+1))
	if _, _, err := c.Read(t.Context()); ws.CloseStatus(err) != ws.CodeTooBig {
		t.Errorf("a message that is too long: %v", err)
	}
}

// The pages have their types and tags, and nothing but what stands in web.
func TestPages(t *testing.T) {
	_, url := labServer(t)
	for path, kind := range map[string]string{
		"/lab/": "text/html; charset=utf-8", "/lab/lab.css": "text/css; charset=utf-8", "/lab/live.js": "text/javascript; charset=utf-8", "/lab/icon.svg": "image/svg+xml",
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || resp.Header.Get("ETag") == "" {
			t.Errorf("%s: HTTP %d, %v", path, resp.StatusCode, resp.Header)
		}
	}
	resp, err := http.Post(url+"/lab/", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 405 {
		t.Errorf("POST: HTTP %d", resp.StatusCode)
	}
}
