package ws

import (
	"errors"
	"io"
	"testing"

	"framewright/ws/internal/http1"
)

// The grammar of an origin, at the bounds of each class of characters.
func TestOriginGrammar(t *testing.T) {
	holds := func(name string, f func(string) bool, yes, no []string) {
		t.Helper()
		for _, s := range yes {
			if !f(s) {
				t.Errorf("%s: %q is none", name, s)
			}
		}
		for _, s := range no {
			if f(s) {
				t.Errorf("%s: %q is one", name, s)
			}
		}
	}
	holds("scheme", http1.IsScheme,
		[]string{"a", "z", "http", "a0", "a9", "a+", "a-", "a.", "az+z-a.0"},
		[]string{"", "0", "0a", "+", "-", ".", "a`", "{", "`", "a{", "a*", "a,", "a/", "a:", "A", "+a"})
	holds("host", http1.IsHost,
		[]string{"a", "z", "0", "9", "-", "_", "a.z", "a.", "x_y-0.z", "[::]", "[a::f]", "[::1.2.3.4]", "[0:9::]"},
		[]string{"", ".", "..", "a..b", ".a", "a..", "`", "{", "a^", "a`b", "[", "[]", "[:]", "[a:f]", "[::", "::]", "[::`]", "[::g]", "[::-]", "[::/]", "[::%1]", "A", "a,b", "a@b"})
	holds("port", http1.IsPort, []string{"1", "9", "10", "80", "65535"}, []string{"", "0", "00", "01", "080", "65536", "99999", "-1", "+1", "a", "1a"})
	for s, want := range map[string]string{"AZaz": "azaz", "A": "a", "Z": "z", "@[`{": "@[`{", "\u212A": "\u212A", "a@B[c": "a@b[c", "": ""} {
		if got := http1.Lower(s); got != want {
			t.Errorf("http1.Lower(%q) is %q", s, got)
		}
	}
	type parts struct {
		host, port string
		ok         bool
	}
	for s, want := range map[string]parts{
		"a": {"a", "", true}, "a:1": {"a", "1", true}, "a:": {}, "a:1:2": {}, "": {"", "", true}, ":1": {"", "1", true},
		"[::1]": {"[::1]", "", true}, "[::1]:8": {"[::1]", "8", true}, "[::1": {}, "[]": {"[]", "", true}, "[": {}, "[::1]x": {}, "[::1]x9": {}, "[::1]8": {},
		"[::1]:": {"[::1]", "", false},
	} {
		host, port, ok := http1.SplitPort(s)
		if got := (parts{host, port, ok}); got.ok != want.ok || ok && got != want {
			t.Errorf("%q: %+v, want %+v", s, got, want)
		}
	}
	for s, want := range map[string]origin{
		"http://a": {"http", "a", "80"}, "HTTPS://A:1": {"https", "a", "1"}, "x+y://[::1]": {"x+y", "[::1]", ""},
		"http://a:80": {"http", "a", "80"}, "": {}, "a": {}, "://a": {}, "0://a": {}, "http:/a": {}, "http://": {}, "http://a:0": {}, "http://a/": {}, "http://u@a": {},
	} {
		if got, ok := parseOrigin(s); ok != (want != origin{}) || ok && got != want {
			t.Errorf("%q: %+v, %v; want %+v", s, got, ok, want)
		}
	}
}

// What fits a pattern, and what is nearly one.
func TestOriginMatches(t *testing.T) {
	for pattern, want := range map[string]map[string]bool{
		"*.b.example":   {"http://a.b.example": true, "http://.b.example": false, "http://b.example": false, "http://c.a.b.example": true},
		"a:*":           {"http://a": true, "http://a:1": true, "https://a": true, "ftp://a": false},
		"a":             {"http://a": true, "http://a:1": false, "https://a": true},
		"a:":            {"http://a": false},
		"[::1":          {"http://[::1]": false},
		"[::1]:":        {"http://[::1]": false},
		"https://a:443": {"https://a": true, "http://a:443": false},
	} {
		for s, want := range want {
			o, ok := parseOrigin(s)
			if got := ok && o.matches(pattern); got != want {
				t.Errorf("%s and %s: %v", s, pattern, got)
			}
		}
	}
	if (origin{"http", ".b", "80"}).matches("*.b") {
		t.Error("a star stands for nothing")
	}
	for pattern, ok := range map[string]bool{"*.": false, "*.a": true, "*a": false, "*": true, "**": false, "*.*": false, "a.*": false, "*a.b": false, "*.a:*": true} {
		if err := CheckOriginPattern(pattern); (err == nil) != ok {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.255": true, "127.0.0.256": false, "127.256.0.1": false, "127.0.1": false, "127.0.0.1.1": false, "126.0.0.1": false, "127.0.0.01": false,
	} {
		if got := http1.IsLoopback(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	all := &Policy{Hosts: []string{"*"}}
	for _, host := range []string{"a", "*", "[", ""} {
		if err := CheckHost(&Request{Host: host}, all); err != nil {
			t.Errorf("host %q: %v", host, err)
		}
	}
	for _, o := range []*Policy{nil, {Hosts: []string{"a.example"}}} {
		err := CheckHost(&Request{Host: "evil.example", Local: true}, o)
		if e, _ := err.(*HandshakeError); e == nil || (o == nil) != (e.Detail == `Host "evil.example" is not localhost, and the request came to a loopback address; Options.Hosts names the hosts that this server answers for`) {
			t.Errorf("%v: %v", o, err)
		}
	}
}

// What a handler's memory is used again for shows nothing of the request before.
func TestRequestUsedAgain(t *testing.T) {
	var r Request
	if err := r.Parse([]byte("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nX: 1\r\n\r\n")); err != nil || r.Length != 1 {
		t.Fatal(err)
	}
	if err := r.Parse([]byte("GET /b HTTP/1.1\r\nHost: b\r\n\r\n")); err != nil || r.Length != 0 || r.Host != "b" || len(r.head.Fields) != 0 || len(r.Values("X")) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
	for size, ok := range map[int]bool{0: true, 1: false} { // of all fields, to the byte
		r.head.Fields = []http1.Field{{Name: "Name", Value: "value"}}
		total := len("GET /b HTTP/1.1\r\nHost: b\r\nName: value\r\n")
		if err := checkHeaderLimits(&r, &Policy{MaxHeaderBytes: total - size}); (err == nil) != ok {
			t.Errorf("%d bytes fewer: %v", size, err)
		}
	}
	for n, ok := range map[int]bool{2: true, 1: false, -1: true} {
		if err := checkHeaderLimits(&r, &Policy{MaxHeaders: n}); (err == nil) != ok {
			t.Errorf("%d headers: %v", n, err)
		}
	}
	if err := checkHeaderLimits(&r, &Policy{MaxHeaderBytes: 1}); err == nil {
		t.Error("a byte is enough")
	}
	for from := range 12 { // wherever the last look ended
		b := []byte("GET /\r\n\r\nxx")
		if got := http1.HeadEnd(b, min(from, 8)); got != 9 {
			t.Errorf("after a look at %d: %d", from, got)
		}
	}
}

func TestExpectsContinue(t *testing.T) {
	for value, want := range map[string]bool{
		"100-continue": true, "100-CONTINUE": true, "x, 100-continue": true, "x,100-continue": true, "x\t100-continue": true, "x 100-continue": true, "100-continue x": true,
		"": false, "x": false, "x!100-continue": false, "x+100-continue": false, "x-100-continue": false, "100-continued": false,
	} {
		if got := http1.ExpectsContinue(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestAppendContinue(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{nil, ""}, {[]string{""}, ""}, {[]string{"x"}, ""},
		{[]string{"100-continue"}, "HTTP/1.1 100 Continue\r\n\r\n"}, {[]string{"100-continue", "x"}, "HTTP/1.1 100 Continue\r\n\r\n"},
	} {
		if got := AppendContinue(nil, &Request{Header: map[string][]string{"Expect": tt.values}}); string(got) != tt.want {
			t.Errorf("%q: %q", tt.values, got)
		}
	}
	if err := error(&HandshakeError{Detail: "x", Err: io.EOF}); !errors.Is(err, io.EOF) {
		t.Errorf("%v does not wrap what it tells", err)
	}
}

// A header that is whole and wrong has a length all the same: a trace shows it.
func TestParseHeaderErrorHasLength(t *testing.T) {
	for _, b := range [][]byte{{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, {0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}} {
		if _, n, err := ParseHeader(b); n != len(b) || err == nil {
			t.Errorf("% x: %d, %v", b, n, err)
		}
	}
}

// What is told of the head by itself stands in no field; a length stands once, and not where
// a coding overrides it.
func TestRequestFields(t *testing.T) {
	r, n, err := ParseRequest([]byte("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n"))
	if err != nil || n == 0 || len(r.Header) != 0 || r.Length != -1 || r.head.NoHost {
		t.Errorf("%+v, %d, %v", r, n, err)
	}
	r, n, err = ParseRequest([]byte("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"))
	if err != nil || n == 0 || len(r.Header) != 1 || len(r.Header["Content-Length"]) != 1 || r.head.NoHost {
		t.Errorf("%+v, %d, %v", r, n, err)
	}
	if r, _, err := ParseRequest([]byte("GET / HTTP/1.1\r\nX: y\r\n\r\n")); err == nil && !r.head.NoHost {
		t.Error("there is no Host, and nobody knows")
	}
	if r, n, err := ParseRequest([]byte("GET / HTTP/1.1\r\nX: y\r\n\r")); r != nil || n != 0 || err != nil {
		t.Errorf("without its end: %v, %d, %v", r, n, err)
	}
	if got := Opcode(0x1F).String(); got != "reserved opcode 0x1f" {
		t.Error(got)
	}
}
