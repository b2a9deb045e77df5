package ws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// What a RequestHead finds, piece by piece: "skip n" or what is wrong.
func TestRequestHead(t *testing.T) {
	const (
		bareLF  = "ws: handshake: a line that ends with LF alone, CRLF is needed (RFC 9112 §2.2)"
		tooLong = "ws: handshake: request headers of more than %d bytes, the limit that MaxHeaderBytes sets (§10.4)"
		mib     = 1 << 20
	)
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name   string
		limit  int
		pieces []string
		want   []string
	}{
		{"all at once", 0, []string{"GET / HTTP/1.1\r\n\r\n"}, []string{"0 18"}},
		{"and more", 0, []string{"GET / HTTP/1.1\r\n\r\nmore\n\r\n\r\n"}, []string{"0 18"}},
		{"cut at its end", 0, []string{"GET\r", "\n", "\r", "\nx"}, []string{"0 0", "0 0", "0 0", "0 7"}},
		{"an empty line before", 0, []string{"\r\nGET\r\n\r\n"}, []string{"2 7"}},
		{"two", 0, []string{"\r\n\r\nGET\r\n\r\n"}, []string{"4 7"}},
		{"two, byte by byte", 0, []string{"\r", "\n", "\r", "\n", "G", "ET\r\n", "\r\n"}, []string{"0 0", "2 0", "0 0", "2 0", "0 0", "0 0", "0 7"}},
		{"one, and half of another", 0, []string{"\r\n\r", "\nGET\r\n\r\n"}, []string{"2 0", "2 7"}},
		{"nothing yet", 0, []string{""}, []string{"0 0"}},

		{"LF first", 0, []string{"\n"}, []string{"0 0 " + bareLF}},
		{"LF alone", 0, []string{"G\n"}, []string{"0 0 " + bareLF}},
		{"behind an empty line", 0, []string{"\r\nGET / HTTP/1.1\n"}, []string{"2 0 " + bareLF}},
		{"in the next piece", 0, []string{"GET", "\n"}, []string{"0 0", "0 0 " + bareLF}},
		{"in the second line", 0, []string{"GET\r\nHost: a\nx"}, []string{"0 0 " + bareLF}},
		{"what looks like it", 0, []string{"GET\x0b\x09"}, []string{"0 0"}},

		{"as long as may be", 20, []string{long(20), "\r\n", "x"}, []string{"0 0", "0 0", "0 0 " + fmt.Sprintf(tooLong, 20)}},
		{"the limit is a byte", 1, []string{"abc", "d"}, []string{"0 0", "0 0 " + fmt.Sprintf(tooLong, 1)}},
		{"empty lines count", 20, []string{"\r\n\r\n" + long(18), "x"}, []string{"4 0", "0 0 " + fmt.Sprintf(tooLong, 20)}},
		{"also when they come one by one", 20, []string{"\r\n", "\r\n", long(18), "x"}, []string{"2 0", "2 0", "0 0", "0 0 " + fmt.Sprintf(tooLong, 20)}},
		{"too long at once, behind one", 4, []string{"\r\nabcde"}, []string{"2 0 " + fmt.Sprintf(tooLong, 4)}},
		{"the default", 0, []string{long(8194), "x"}, []string{"0 0", "0 0 " + fmt.Sprintf(tooLong, 8192)}},
		{"no limit", -1, []string{long(mib + 2), "x"}, []string{"0 0", "0 0 " + fmt.Sprintf(tooLong, mib)}},
		{"one beyond what may be", 9 << 20, []string{long(mib + 2), "x"}, []string{"0 0", "0 0 " + fmt.Sprintf(tooLong, mib)}},
		{"a head as long as may be", -1, []string{long(mib-4) + "\r\n\r\n"}, []string{fmt.Sprint("0 ", mib)}},
		{"and a byte more", -1, []string{long(mib-3) + "\r\n\r\nxxx"}, []string{"0 0 " + fmt.Sprintf(tooLong, mib)}},
	} {
		h := ws.RequestHead{Policy: &ws.Policy{MaxHeaderBytes: tt.limit}}
		if tt.limit == 0 {
			h.Policy = nil
		}
		var b []byte
		var got []string
		for _, piece := range tt.pieces {
			b = append(b, piece...)
			skip, n, err := h.Find(b)
			b = b[skip:]
			line := fmt.Sprint(skip, " ", n)
			if err != nil {
				line += " " + err.Error()
			}
			got = append(got, line)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// What was looked at is not looked at again, or a head that comes byte by byte would
// cost its length squared.
func TestRequestHeadLooksOnce(t *testing.T) {
	for _, first := range []string{"G", "GE", "\r\nGET / HTTP/1.1\r\nHost: a"} {
		var h ws.RequestHead
		b := []byte(first)
		skip, _, err := h.Find(b)
		if err != nil {
			t.Fatal(err)
		}
		for b = b[skip:]; len(b) < 40; b = append(b, 'x') {
			for i := range b[:len(b)-1] {
				b[i] = '\n' // which would be refused
			}
			if _, _, err := h.Find(b); err != nil {
				t.Errorf("%q, then %d bytes: %v", first, len(b), err)
			}
		}
	}
}

// What HTTP demands of a request before anybody looks whether it asks for WebSocket.
func TestCheckHTTP(t *testing.T) {
	const (
		noHost  = "ws: handshake: no Host header (§4.1)"
		noChars = "ws: handshake: Host %q has characters that no host has (RFC 9112 §3.2)"
	)
	type row struct {
		head   string
		status int
		want   string
	}
	rows := []row{
		{"GET / HTTP/1.1\r\nHost: a", 0, ""},
		{"GET / HTTP/1.1\r\nHost: ", 0, ""}, // is one
		{"GET / HTTP/1.1", 400, noHost},
		{"GET / HTTP/1.2", 400, noHost},
		{"GET / HTTP/1.0", 0, ""},
		{"CONNECT a:1 HTTP/1.1", 0, ""},
		{"PRI * HTTP/2.0", 0, ""},
		{"GET / HTTP/1.1\r\nHost: a\u0161", 400, fmt.Sprintf(noChars, "a\u0161")},
		{"GET / HTTP/1.1\r\nHost: \"a", 400, fmt.Sprintf(noChars, "\"a")},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue", 0, ""},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: x, 100-Continue", 0, ""},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: ", 0, ""},
		{"GET / HTTP/1.1\r\nHost: a\r\nExpect: x", 417, `ws: handshake: Expect "x", only 100-continue is known (RFC 9110 §10.1.1)`},
	}
	for c := byte('!'); c < 0x7F; c++ {
		r := row{head: "GET / HTTP/1.1\r\nHost: a" + string(rune(c))}
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!$%&'()*+,-.:;=[]_~", rune(c)) {
			r.status, r.want = 400, fmt.Sprintf(noChars, "a"+string(rune(c)))
		}
		rows = append(rows, r)
	}
	for _, tt := range rows {
		r, _, err := ws.ParseRequest([]byte(tt.head + "\r\n\r\n"))
		if err != nil {
			t.Fatalf("%q: %v", tt.head, err)
		}
		err = ws.CheckHTTP(r)
		he, _ := err.(*ws.HandshakeError)
		if (err == nil) != (tt.want == "") || err != nil && (err.Error() != tt.want || he == nil || he.Status != tt.status) {
			t.Errorf("%q: %v\nwant %s", tt.head, err, tt.want)
		}
	}
}
