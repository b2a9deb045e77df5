package ws_test

import (
	"errors"
	"strings"
	"testing"

	"framewright/ws"
)

// Each part of a request line is judged by itself: all the others are right
// here. Whose fault it was is in the error.
func TestParseRequestLine(t *testing.T) {
	const line, version = "RFC 9112 §3", "RFC 9112 §2.3"
	for _, tt := range []struct {
		name    string
		line    string
		section string
	}{
		{"no version", "GET /", line},
		{"a method that is no token", "G(T / HTTP/1.1", line},
		{"no method", " / HTTP/1.1", line},
		{"no target", "GET  HTTP/1.1", line},
		{"a control character in the target", "GET /\x01 HTTP/1.1", line},
		{"DEL in the target", "GET /\x7f HTTP/1.1", line},
		{"a short version", "GET / HTTP/1.", version},
		{"a long version", "GET / HTTP/1.11", version},
		{"another protocol", "GET / HTTQ/1.1", version},
		{"a small letter", "GET / hTTP/1.1", version},
		{"a slash before the digits", "GET / HTTP//.1", version},
		{"a colon after the digits", "GET / HTTP/:.1", version},
		{"a comma for the point", "GET / HTTP/1,1", version},
		{"a slash for the minor", "GET / HTTP/1./", version},
		{"a colon for the minor", "GET / HTTP/1.:", version},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, n, err := ws.ParseRequest([]byte(tt.line + "\r\nHost: a\r\n\r\n"))
			e, ok := errors.AsType[*ws.HandshakeError](err)
			if !ok || n != 0 {
				t.Fatalf("got %v, %d bytes; want a *HandshakeError", err, n)
			}
			if e.Status != 400 || e.Section != tt.section || !strings.Contains(e.Detail, "request line") {
				t.Errorf("got %d, %q, %q; want 400, %q", e.Status, e.Section, e.Detail, tt.section)
			}
		})
	}
}
