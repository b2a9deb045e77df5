package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// get asks for a path and returns status, header and body.
func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// wantRefused dials and wants to be refused with a status.
func wantRefused(t *testing.T, url string, o *wsnet.DialOptions, status int) http.Header {
	t.Helper()
	c, err := wsnet.Dial(t.Context(), url+"/ws", o)
	if err == nil {
		c.CloseNow()
	}
	he, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok || he.Status != status {
		t.Fatalf("%v, want %d", err, status)
	}
	return he.Header
}

func TestProbes(t *testing.T) {
	p := start(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, h, body := get(t, p.url+path); status != 200 || body != want || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q", path, status, body)
		}
		resp, err := http.Post(p.url+path, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 {
			t.Errorf("POST %s: %d", path, resp.StatusCode)
		}
	}
}

// Before the store is open, the server is alive, not ready, and takes nothing.
func TestStarting(t *testing.T) {
	set, err := parseSettings([]string{"-memory"}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(set, io.Discard)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := a.http(a.root(), a.conns)
	serve([]*http.Server{hs}, []net.Listener{l})
	defer hs.Close()
	url := "http://" + l.Addr().String()
	if status, _, _ := get(t, url+"/healthz"); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if status, _, body := get(t, url+"/readyz"); status != 503 || body != "starting\n" {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if h := wantRefused(t, url, nil, 503); h.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// While one connection holds the drain up, the probes say so and nobody else
// gets in.
func TestDraining(t *testing.T) {
	p := start(t, "-drain", "1m")
	c := stuck(t, p.url)
	p.stop()
	for {
		status, _, body := get(t, p.url+"/readyz")
		if status == 503 {
			if body != "draining\n" {
				t.Errorf("/readyz: %s", body)
			}
			break
		}
	}
	if status, _, _ := get(t, p.url+"/healthz"); status != 200 {
		t.Errorf("/healthz: %d", status)
	}
	if h := wantRefused(t, p.url, nil, 503); h.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if _, _, body := get(t, p.url+"/metrics"); !strings.Contains(body, `framewright_handshake_refusals_total{reason="draining"} 1`) {
		t.Error("the refusal is not counted")
	}
	c.Close()
	p.end(t)
}

// stuck opens a WebSocket that never answers anything.
func stuck(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if _, err := conn.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Each refusal is counted by its reason and logged with the address.
func TestRefusals(t *testing.T) {
	p := start(t, "-trusted-proxy", "127.0.0.1", "-max-per-address", "1", "-log", "json")
	from := func(addr string, header ...string) *wsnet.DialOptions {
		h := http.Header{"X-Forwarded-For": {addr}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &wsnet.DialOptions{Header: h}
	}
	dial(t, p.url+"/ws", from("192.0.2.1"))
	wantRefused(t, p.url, from("192.0.2.1"), 429)
	dial(t, p.url+"/ws", from("192.0.2.2")) // another client of the proxy
	wantRefused(t, p.url, from("192.0.2.3", "Origin", "https://evil.example"), 403)
	if status, _, _ := get(t, p.url+"/ws"); status != 426 {
		t.Errorf("no handshake at all: %d", status)
	}
	r, _ := http.NewRequest("GET", p.url+"/ws", nil)
	r.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	// A client of Socket.IO that speaks no version of Engine.IO.
	if status, _, _ := get(t, p.url+"/socket.io/?transport=polling"); status != 400 {
		t.Errorf("Socket.IO: %d", status)
	}
	_, _, body := get(t, p.url+"/metrics")
	for reason, n := range map[string]string{"limit": "1", "origin": "1", "malformed": "2", "version": "1", "auth": "0", "rate": "0"} {
		if line := `framewright_handshake_refusals_total{reason="` + reason + `"} ` + n + "\n"; !strings.Contains(body, line) {
			t.Errorf("no line %s", line)
		}
	}
	p.wantLine(t, `"msg":"refused"`, `"reason":"limit"`, `"remote":"192.0.2.1"`, "MaxPerAddress")
	p.wantLine(t, `"msg":"refused"`, `"reason":"origin"`, `"remote":"192.0.2.3"`, "evil.example")
	p.wantLine(t, `"msg":"refused"`, `"reason":"version"`)
}

// Row 75: who connects and closes all the time has to wait, with others
// unharmed.
func TestConnectionChurn(t *testing.T) {
	p := start(t, "-trusted-proxy", "127.0.0.1", "-handshake-rate", "0.5/5")
	from := func(addr string) *wsnet.DialOptions {
		return &wsnet.DialOptions{Header: http.Header{"X-Forwarded-For": {addr}}}
	}
	for range 5 {
		dial(t, p.url+"/ws", from("192.0.2.1")).CloseNow()
	}
	if after := wantRefused(t, p.url, from("192.0.2.1"), 429).Get("Retry-After"); after != "2" {
		t.Errorf("Retry-After: %s", after)
	}
	dial(t, p.url+"/ws", from("192.0.2.2"))
}

func TestRateLimit(t *testing.T) {
	if newRateLimit(rate{}) != nil {
		t.Error("0 is no limit")
	}
	l := newRateLimit(rate{2, 20})
	now := time.Unix(1e9, 0)
	for i := range 20 {
		if wait, ok := l.Take("a", 1, now); !ok {
			t.Fatalf("token %d: wait %v", i, wait)
		}
	}
	if wait, ok := l.Take("a", 1, now); ok || wait != 500*time.Millisecond {
		t.Errorf("an empty bucket: wait %v", wait)
	}
}

// Row 72: who does not say who it is has no place.
func TestHelloTimeout(t *testing.T) {
	p := start(t, "-hello-timeout", "20ms")
	c := chatDial(t, p.url)
	wantClose(t, c, ws.CodePolicyViolation)
	p.wantLine(t, "closed", "no hello within 20ms")
}

// Row 71: who gives no sign of life is dropped.
func TestPongTimeout(t *testing.T) {
	p := start(t, "-ping-interval", "20ms", "-pong-timeout", "20ms")
	conn := stuck(t, p.url)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	p.wantLine(t, "closed", "no sign of life")
}

// A header that drips, one that never ends, and one that never begins.
func TestSlowAndLongHeaders(t *testing.T) {
	p := start(t, "-header-timeout", "50ms", "-max-header", "2000")
	long := "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 10_000)
	for name, text := range map[string]string{"drips": "GET / HTTP/1.1\r\nHos", "nothing": "", "long": long} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, text)
			conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			answer, err := io.ReadAll(conn)
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				t.Fatal("still open")
			}
			if name == "long" && !strings.HasPrefix(string(answer), "HTTP/1.1 431") {
				t.Errorf("%.100s", answer)
			}
		})
	}
}

func TestMetricsAddr(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that was free a moment ago
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := start(t, "-metrics-addr", addr)
	for path, status := range map[string]int{"/metrics": 200, "/healthz": 200, "/readyz": 200, "/": 404, "/ws": 404} {
		if got, _, _ := get(t, "http://"+addr+path); got != status {
			t.Errorf("-metrics-addr %s: %d, want %d", path, got, status)
		}
	}
	for path, status := range map[string]int{"/metrics": 404, "/healthz": 200, "/readyz": 200} {
		if got, _, _ := get(t, p.url+path); got != status {
			t.Errorf("-addr %s: %d, want %d", path, got, status)
		}
	}
	var stderr strings.Builder
	if status := run(context.Background(), []string{"-memory", "-addr", "127.0.0.1:0", "-metrics-addr", addr}, nil, io.Discard, &stderr); status != 1 ||
		!strings.Contains(stderr.String(), "-metrics-addr takes another port") {
		t.Errorf("%d %s", status, stderr.String())
	}
}

// /readyz says when a newcomer would be refused, and so does a metric. That there
// are all rooms keeps nobody out of those that there are.
func TestReadyzSaysFull(t *testing.T) {
	full := func(p *program, bound string) string {
		_, _, body := get(t, p.url+"/metrics")
		for line := range strings.Lines(body) {
			if value, ok := strings.CutPrefix(line, `framewright_full{bound="`+bound+`"} `); ok {
				return strings.TrimSpace(value)
			}
		}
		return "missing"
	}
	t.Run("connections", func(t *testing.T) {
		p := start(t, "-max-conns", "1")
		if got := full(p, "connections"); got != "0" {
			t.Errorf("the metric of an empty server: %s", got)
		}
		chatDial(t, p.url)
		if status, _, body := get(t, p.url+"/readyz"); status != 503 || !strings.Contains(body, "-max-conns") {
			t.Errorf("%d %s", status, body)
		}
		if got := full(p, "connections"); got != "1" {
			t.Errorf("the metric: %s", got)
		}
	})
	t.Run("rooms", func(t *testing.T) {
		p := start(t, "-max-rooms", "1", "-room", "lobby,other")
		c := chatDial(t, p.url)
		say := func(text, want string) {
			t.Helper()
			write(t, c, text)
			for got := ""; !strings.Contains(got, want); {
				if got = read(t, c); strings.Contains(got, `"error"`) != strings.Contains(want, "error") && strings.Contains(got, `"error"`) {
					t.Fatal(got)
				}
			}
		}
		say(`{"type":"hello","name":"Ada"}`, "welcome")
		say(`{"type":"join","room":"mine"}`, `"joined"`)
		if status, _, body := get(t, p.url+"/readyz"); status != 200 || !strings.Contains(body, "-max-rooms") {
			t.Errorf("%d %s", status, body)
		}
		if got := full(p, "rooms"); got != "1" {
			t.Errorf("the metric: %s", got)
		}
		say(`{"type":"join","room":"yours"}`, `"error"`)
		say(`{"type":"join","room":"lobby"}`, `"joined"`)
		say(`{"type":"join","room":"other"}`, `"joined"`)
	})
}
