package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// raw sends a request as it is, over a connection of its own, and returns the
// answer.
func raw(t *testing.T, url, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, request)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// -max-header is one bound for every path, to the byte.
func TestMaxHeader(t *testing.T) {
	const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-Websocket-Version: 13\r\nSec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, limit := range []int{1024, 12_000, 40_000} {
		p := start(t, "-max-header", fmt.Sprint(limit), "-publish-key", testKey, "-drain", "500ms")
		for _, tt := range []struct {
			path, header string
			status       int
		}{
			{"/", "", 200}, {"/client.js", "", 200}, {"/nope", "", 404}, {"/healthz", "", 200}, {"/readyz", "", 200}, {"/metrics", "", 200}, {"/publish", "", 405},
			{"/ws", handshake, 101}, {"/socket.io/?EIO=4&transport=polling", "", 200}, {"/socket.io/?EIO=4&transport=websocket", handshake, 101},
			{"/socket.io/socket.io.js", "", 200},
		} {
			head := "GET " + tt.path + " HTTP/1.1\r\nHost: localhost\r\n" + tt.header
			pad := func(size int) string {
				return head + "X: " + strings.Repeat("x", size-len(head)-len("X: \r\n\r\n")) + "\r\n\r\n"
			}
			if resp := raw(t, p.url, pad(limit)); resp.StatusCode != tt.status {
				t.Errorf("%s, %d bytes of %d: %s, want %d", tt.path, limit, limit, resp.Status, tt.status)
			}
			resp := raw(t, p.url, pad(limit+1))
			if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 431 || !strings.Contains(string(text), "-max-header") {
				t.Errorf("%s, %d bytes of %d: %s %s", tt.path, limit+1, limit, resp.Status, text)
			}
		}
	}
}

// Each address takes the methods that mean something there, and says which.
func TestMethods(t *testing.T) {
	p := start(t, "-publish-key", testKey, "-drain", "500ms")
	for path, allow := range map[string]string{
		"/": "GET, HEAD", "/client.js": "GET, HEAD", "/nope": "GET, HEAD", "/healthz": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD",
		"/publish": "POST", "/ws": "GET", "/socket.io/socket.io.js": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"} {
			r, err := http.NewRequest("GET", p.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Method = method
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			allowed := false
			for one := range strings.SplitSeq(allow, ", ") {
				allowed = allowed || one == method
			}
			if refused := resp.StatusCode == 405; refused == allowed || refused && resp.Header.Get("Allow") != allow {
				t.Errorf("%s %s: %s, Allow %q, want only %s", method, path, resp.Status, resp.Header.Get("Allow"), allow)
			}
		}
	}
}
