package ws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

func parseHead(lines ...string) (*ws.Request, error) {
	r, _, err := ws.ParseRequest([]byte("GET / HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"))
	return r, err
}

// Every byte, in a name and in a value: tchar (RFC 9110 §5.6.2), and all but
// control characters without HTAB (§5.5).
func TestParseRequestBytes(t *testing.T) {
	const token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		b := string([]byte{byte(c)})
		if b != ":" && b != "\n" && b != "\r" {
			_, err := parseHead("X" + b + "X: v")
			if want := strings.Contains(token, b); (err == nil) != want {
				t.Errorf("%q in a name: %v", b, err)
			}
		}
		if b != "\n" && b != "\r" {
			_, err := parseHead("X: a" + b + "b")
			if want := (c >= ' ' || c == '\t') && c != 0x7F; (err == nil) != want {
				t.Errorf("%q in a value: %v", b, err)
			}
		}
	}
}

// Names come out as net/http has them, whatever letters they are of.
func TestParseRequestNames(t *testing.T) {
	for name, want := range map[string]string{
		"a": "A", "z": "Z", "A": "A", "Z": "Z", "az-za-AZ": "Az-Za-Az", "x`y{z": "", "x_y": "X_y", "1a": "1a", "a1-a": "A1-A", "x^-`a": "X^-`a",
		"SEC-WEBSOCKET-KEY": "Sec-Websocket-Key", "sec-websocket-keY2": "Sec-Websocket-Key2",
	} {
		r, err := parseHead(name + ": v")
		if want == "" {
			if err == nil {
				t.Errorf("%s: passes", name)
			}
			continue
		}
		if err != nil || len(r.Header[want]) != 1 {
			t.Errorf("%s: %v, %v; want %s", name, r, err, want)
		}
	}
}

func TestParseRequestHostAndBody(t *testing.T) {
	for _, tt := range []struct {
		lines  []string
		ok     bool
		length int64
	}{
		{[]string{"Host: a"}, true, 0},
		{[]string{"Host: a", "Host: a"}, false, 0},
		{[]string{"Host: a", "Host: b"}, false, 0},
		{[]string{"Host: a", "Content-Length: 0"}, true, 0},
		{[]string{"Host: a", "Content-Length: 1"}, true, 1},
		{[]string{"Host: a", "Content-Length: 0", "Content-Length: 0"}, true, 0},
		{[]string{"Host: a", "Content-Length: 7", "Content-Length: 7"}, true, 7},
		{[]string{"Host: a", "Content-Length: 0", "Content-Length: 1"}, false, 0},
		{[]string{"Host: a", "Content-Length: 0", "Content-Length: 0", "Content-Length: 1"}, false, 0},
		{[]string{"Host: a", "Content-Length: 00"}, true, 0},
		{[]string{"Host: a", "Content-Length: +0"}, false, 0},
		{[]string{"Host: a", "Content-Length: 9223372036854775807"}, true, 9223372036854775807},
		{[]string{"Host: a", "Content-Length: 9223372036854775808"}, false, 0},
		{[]string{"Host: a", "Content-Length: "}, false, 0},
		{[]string{"Host: a", "Transfer-Encoding: chunked"}, true, -1},
		{[]string{"Host: a", "Transfer-Encoding: chunked", "Content-Length: 7"}, true, -1},
		{[]string{"Host: a", "Content-Length: 7", "Transfer-Encoding: chunked"}, true, -1},
		{[]string{"Host: a", "Content-Length: x", "Transfer-Encoding: chunked"}, false, 0},
		{[]string{"Host: a", "Transfer-Encoding: chunked", "Trailer: Expires, content-length"}, false, 0},
		{[]string{"Host: a", "Transfer-Encoding: chunked", "Trailer: Expires"}, true, -1},
		{[]string{"Host: a", "Trailer: Trailer"}, true, 0},
	} {
		t.Run(fmt.Sprint(tt.lines), func(t *testing.T) {
			r, err := parseHead(tt.lines...)
			if (err == nil) != tt.ok {
				t.Fatalf("%v", err)
			}
			if err == nil && (r.Length != tt.length || r.Host != "a") {
				t.Errorf("a body of %d, host %q", r.Length, r.Host)
			}
		})
	}
}

// What HTTP itself decides: codings and versions; 0 passes.
func TestParseRequestStatus(t *testing.T) {
	for _, tt := range []struct {
		start, line string
		status      int
		length      int64
	}{
		{"GET / HTTP/1.1", "Transfer-Encoding: CHUNKED", 0, -1},
		{"GET / HTTP/1.1", "Transfer-Encoding: gzip", 501, 0},
		{"GET / HTTP/1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501, 0},
		{"GET / HTTP/1.2", "Transfer-Encoding: gzip", 501, 0},
		{"GET / HTTP/1.0", "Transfer-Encoding: gzip", 0, 0},
		{"GET / HTTP/2.0", "Transfer-Encoding: gzip", 501, 0},
		{"GET / HTTP/0.9", "Transfer-Encoding: gzip", 505, 0},
		{"GET / HTTP/1.1", "Transfer-Encoding: chunked\r\nX: y", 0, -1},
		{"GET / HTTP/2.0", "X: y", 505, 0},
		{"PRI * HTTP/2.0", "X: y", 0, 0},
		{"PRI * HTTP/2.1", "X: y", 505, 0},
		{"PRI * HTTP/3.0", "X: y", 505, 0},
		{"PRI / HTTP/2.0", "X: y", 505, 0},
		{"GET * HTTP/2.0", "X: y", 505, 0},
	} {
		r, n, err := ws.ParseRequest([]byte(tt.start + "\r\nHost: a\r\n" + tt.line + "\r\n\r\n"))
		if e, _ := err.(*ws.HandshakeError); (e == nil) != (tt.status == 0) || e != nil && (e.Status != tt.status || n != 0) {
			t.Errorf("%s, %q: %v after %d bytes, want status %d", tt.start, tt.line, err, n, tt.status)
		} else if e == nil && r.Length != tt.length {
			t.Errorf("%s, %q: a body of %d, want %d", tt.start, tt.line, r.Length, tt.length)
		}
	}
	if r, _, err := ws.ParseRequest([]byte("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")); err == nil {
		t.Errorf("%+v", r)
	}
}

// Empty lines are no request, and the caller's to skip.
func TestParseRequestEmptyLines(t *testing.T) {
	if r, n, err := ws.ParseRequest([]byte("\r\n\r\n")); r != nil || n != 0 || err == nil {
		t.Errorf("%+v, %d, %v", r, n, err)
	}
}

// Fields are those that ParseRequest has found, or a map of those that Parse has.
func TestRequestFields(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nCookie: b\r\nX-y: c\r\ncookie: d\r\n\r\n"
	want := ws.Fields{"Cookie": {"b", "d"}, "X-Y": {"c"}}
	r, _, err := ws.ParseRequest([]byte(head))
	if diff := cmp.Diff(want, r.Fields()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	r = &ws.Request{}
	if err := r.Parse([]byte(head)); err != nil || r.Header != nil {
		t.Errorf("%v, %v", r.Header, err)
	}
	if diff := cmp.Diff(want, r.Fields()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r = (&ws.Request{Header: want}); cmp.Diff(want, r.Fields()) != "" {
		t.Errorf("%v", r.Fields())
	}
}
