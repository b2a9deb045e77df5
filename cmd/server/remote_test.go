package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// Behind a trusted proxy every line of the log names the client, by whatever
// transport it came.
func TestTheLogNamesTheClient(t *testing.T) {
	const client = "203.0.113.7"
	p := start(t, "-trusted-proxy", "127.0.0.1", "-log", "json", "-log-level", "debug", "-publish-key", testKey, "-max-bad-requests", "1", "-idle-rate", "1", "-drain", "1s")
	header := http.Header{"X-Forwarded-For": {client}}
	request := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(answer)
	}
	chat := func(texts ...string) func() {
		return func() {
			c := dial(t, p.url+"/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}, Header: header})
			for _, text := range texts {
				write(t, c, text)
			}
			for {
				if _, _, err := c.Read(t.Context()); err != nil {
					return
				}
			}
		}
	}
	engine := func(texts ...string) func() {
		return func() {
			c := dial(t, p.url+"/socket.io/?EIO=4&transport=websocket", &wsnet.DialOptions{Header: header})
			for _, text := range texts {
				if c.Write(t.Context(), ws.OpText, []byte(text)) != nil {
					return
				}
			}
			for {
				if _, _, err := c.Read(t.Context()); err != nil {
					return
				}
			}
		}
	}
	polling := func(body string) func() {
		return func() {
			_, answer := request("GET", "/socket.io/?EIO=4&transport=polling", "")
			var open struct{ SID string }
			if err := json.Unmarshal([]byte(answer[1:]), &open); err != nil {
				t.Fatal(err, answer)
			}
			request("POST", "/socket.io/?EIO=4&transport=polling&sid="+open.SID, body)
		}
	}
	get := func(path string) func() { return func() { request("GET", path, "") } }
	many := func(text string) []string {
		return append([]string{"40"}, strings.Split(strings.Repeat(text+"\n", 100), "\n")[:100]...)
	}
	hello := `{"type":"hello","name":"Ada"}`
	for _, row := range []struct {
		name  string
		do    func()
		lines []string // by msg
	}{
		{"the native protocol", chat(hello, `{"type":"join","room":"r"}`, `{"type":"send","room":"r","id":"1","text":"x"}`, "nonsense"),
			[]string{"open", "connect", "join", "message", "leave", "disconnect", "closed"}},
		{"no handshake", get("/ws"), []string{"refused"}},
		{"a packet that is none, over WebSocket", engine("40", "4nonsense"), []string{"socketio: a client broke the protocol", "connect", "disconnect"}},
		{"too many, over WebSocket", engine(many(`40/nope,`)...), []string{"socketio: a client sends too much"}},
		{"too many that mean nothing", engine(many(`6`)...), []string{"socketio: a client sends too much"}},
		{"a packet that is none, by polling", polling("40\x1e4nonsense"), []string{"socketio: a client broke the protocol"}},
		{"too many, by polling", polling(strings.Join(many("6"), "\x1e")), []string{"socketio: a client sends too much"}},
		{"another version", get("/socket.io/?EIO=3&transport=polling"), []string{"engineio: refused"}},
		{"no session", get("/socket.io/?EIO=4&transport=polling&sid=x"), []string{"engineio: refused"}},
		{"publishing", func() { request("POST", "/publish", "{}") }, []string{"publish refused"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.do()
			for _, msg := range row.lines {
				p.wantLine(t, `"msg":"`+msg+`"`, `"remote":"`+client+`"`)
			}
		})
	}
	p.end(t)
	for line := range strings.Lines(p.stderr.String()) {
		if strings.Contains(line, `"remote":"127.`) || strings.Contains(line, `"remote":"[`) {
			t.Errorf("the proxy's address: %s", line)
		}
	}
}

// net/http's line about a panic would name the proxy.
func TestAPanicNamesTheClient(t *testing.T) {
	var log bytes.Buffer
	g := &gate{log: slog.New(slog.NewJSONHandler(&log, nil)), proxies: proxies{header: xForwardedFor}}
	g.proxies.trusted.Set("127.0.0.1")
	for _, value := range []any{"oops", http.ErrAbortHandler} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header.Set(xForwardedFor, "203.0.113.7")
		func() {
			defer func() {
				if p := recover(); p != http.ErrAbortHandler {
					t.Errorf("panic %v, want the one that aborts the request", p)
				}
			}()
			g.survives(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) })).ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"remote":"203.0.113.7","err":"oops\n`) {
		t.Error(got)
	}
}

// A session that there is not costs nothing to ask for, so it has a rate; those
// that there are have none, nor do handshakes suffer.
func TestRequestsForNoSessionHaveARate(t *testing.T) {
	p := start(t, "-handshake-rate", "0.001/3")
	status := func(query string) int {
		status, _, _ := get(t, p.url+"/socket.io/?EIO=4&transport=polling"+query)
		return status
	}
	for n := range 3 {
		if got := status("&sid=nobody"); got != 400 {
			t.Fatalf("request %d: %d", n, got)
		}
	}
	if got := status("&sid=nobody"); got != 429 {
		t.Errorf("one more: %d, want 429", got)
	}
	_, _, answer := get(t, p.url+"/socket.io/?EIO=4&transport=polling")
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(answer[1:]), &open); err != nil {
		t.Fatal(err, answer)
	}
	resp, err := http.Post(p.url+"/socket.io/?EIO=4&transport=polling&sid="+open.SID, "text/plain", strings.NewReader("40"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("a session that there is: %s", resp.Status)
	}
}
