package ws_test

import (
	"errors"
	"strings"
	"testing"

	"framewright/ws"
)

func TestCheckOrigin(t *testing.T) {
	for _, tt := range []struct {
		name     string
		origin   string
		host     string
		tls      bool
		patterns []string
		ok       bool
	}{
		{name: "the same host", origin: "http://example.com", host: "example.com", ok: true},
		{name: "the same host, https behind a proxy", origin: "https://example.com", host: "example.com", ok: true},
		{name: "the same host, https", origin: "https://example.com", host: "example.com", tls: true, ok: true},
		{name: "http page, TLS request", origin: "http://example.com", host: "example.com", tls: true},
		{name: "the same host and port", origin: "http://example.com:8080", host: "example.com:8080", ok: true},
		{name: "the port that http has anyway", origin: "http://example.com", host: "example.com:80", ok: true},
		{name: "the port that https has anyway", origin: "https://example.com", host: "example.com:443", tls: true, ok: true},
		{name: "said by the page instead", origin: "http://example.com:80", host: "example.com", ok: true},
		{name: "https's port for an http page", origin: "http://example.com", host: "example.com:443"},
		{name: "another case", origin: "HTTP://Example.COM", host: "eXample.com", ok: true},
		{name: "another port", origin: "http://example.com:8080", host: "example.com"},
		{name: "no port, where the host has one", origin: "http://example.com", host: "example.com:8080"},
		{name: "another host", origin: "http://example.org", host: "example.com"},
		{name: "a subdomain", origin: "http://evil.example.com", host: "example.com"},
		{name: "the host as a prefix", origin: "http://example.com.evil.org", host: "example.com"},
		{name: "the host as a suffix", origin: "http://evilexample.com", host: "example.com"},
		{name: "the host as user information", origin: "http://example.com@evil.org", host: "example.com"},
		{name: "user information", origin: "http://me@example.com", host: "example.com"},
		{name: "a path", origin: "http://example.com/", host: "example.com"},
		{name: "the host as a path", origin: "http://evil.org/http://example.com", host: "example.com"},
		{name: "a backslash", origin: `http://example.com\evil.org`, host: "example.com"},
		{name: "a query", origin: "http://example.com?", host: "example.com"},
		{name: "a fragment", origin: "http://example.com#", host: "example.com"},
		{name: "two in one header", origin: "http://example.com, http://evil.org", host: "example.com"},
		{name: "null", origin: "null", host: "example.com"},
		{name: "empty", origin: "", host: "example.com"},
		{name: "no scheme", origin: "example.com", host: "example.com"},
		{name: "an empty scheme", origin: "://example.com", host: "example.com"},
		{name: "an empty host", origin: "http://", host: ""},
		{name: "a port without a number", origin: "http://example.com:", host: "example.com"},
		{name: "two ports", origin: "http://example.com:80:80", host: "example.com"},
		{name: "another scheme", origin: "file://example.com", host: "example.com"},
		{name: "a browser extension", origin: "chrome-extension://abcdef", host: "abcdef"},
		{name: "IPv6", origin: "http://[::1]", host: "[::1]", ok: true},
		{name: "IPv6 with a port", origin: "http://[::1]:8080", host: "[::1]:8080", ok: true},
		{name: "IPv6 with another port", origin: "http://[::1]:8081", host: "[::1]:8080"},
		{name: "IPv6 without its end", origin: "http://[::1", host: "[::1"},
		{name: "IPv6 with something behind", origin: "http://[::1]x", host: "[::1]x"},
		{name: "IPv6 without brackets", origin: "http://::1", host: "::1"},
		{name: "a name that ends in a dot is another", origin: "http://example.com.", host: "example.com"},

		{name: "pattern: host", origin: "https://example.com", patterns: []string{"example.com"}, ok: true},
		{name: "pattern: host, http", origin: "http://example.com", patterns: []string{"example.com"}, ok: true},
		{name: "pattern: the second of two", origin: "https://b.org", patterns: []string{"a.org", "b.org"}, ok: true},
		{name: "pattern: another case", origin: "https://Example.com", patterns: []string{"eXample.com"}, ok: true},
		{name: "pattern: host, other port", origin: "https://example.com:8443", patterns: []string{"example.com"}},
		{name: "pattern: host, the port that http has anyway", origin: "http://example.com:80", patterns: []string{"example.com"}, ok: true},
		{name: "pattern: host is not a suffix", origin: "https://a.example.com", patterns: []string{"example.com"}},
		{name: "pattern: host and port", origin: "https://example.com:8443", patterns: []string{"example.com:8443"}, ok: true},
		{name: "pattern: host and port, no port", origin: "https://example.com", patterns: []string{"example.com:8443"}},
		{name: "pattern: any port", origin: "http://localhost:5173", patterns: []string{"localhost:*"}, ok: true},
		{name: "pattern: any port, none", origin: "http://localhost", patterns: []string{"localhost:*"}, ok: true},
		{name: "pattern: any port, other host", origin: "http://localhost.evil.org:5173", patterns: []string{"localhost:*"}},
		{name: "pattern: subdomain", origin: "https://a.example.com", patterns: []string{"*.example.com"}, ok: true},
		{name: "pattern: subdomain of a subdomain", origin: "https://a.b.example.com", patterns: []string{"*.example.com"}, ok: true},
		{name: "pattern: subdomains are not the domain", origin: "https://example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomains of no name", origin: "https://.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, look-alike", origin: "https://evilexample.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, as a prefix", origin: "https://a.example.com.evil.org", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a path", origin: "https://evil.org/.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a backslash", origin: `https://evil.org\.example.com`, patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a query", origin: "https://evil.org?.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a fragment", origin: "https://evil.org#.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind user information", origin: "https://evil.org@.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a space", origin: "https://evil.org .example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, behind a comma", origin: "https://evil.org,https://.example.com", patterns: []string{"*.example.com"}},
		{name: "pattern: subdomain, any port", origin: "https://a.example.com:8443", patterns: []string{"*.example.com:*"}, ok: true},
		{name: "pattern: scheme", origin: "https://example.com", patterns: []string{"https://example.com"}, ok: true},
		{name: "pattern: other scheme", origin: "http://example.com", patterns: []string{"https://example.com"}},
		{name: "pattern: scheme, subdomain and port", origin: "https://a.example.com:8443", patterns: []string{"https://*.example.com:8443"}, ok: true},
		{name: "pattern: a scheme of its own", origin: "chrome-extension://abcdef", patterns: []string{"chrome-extension://abcdef"}, ok: true},
		{name: "pattern: host alone means http or https", origin: "chrome-extension://abcdef", patterns: []string{"abcdef"}},
		{name: "pattern: null", origin: "null", patterns: []string{"null"}, ok: true},
		{name: "pattern: null is no host", origin: "https://null", patterns: []string{"null"}},
		{name: "pattern: all", origin: "https://anything.example:1", patterns: []string{"*"}, ok: true},
		{name: "pattern: all, null too", origin: "null", patterns: []string{"*"}, ok: true},
		{name: "pattern: all, what is no origin too", origin: "?", patterns: []string{"*"}, ok: true},
		{name: "pattern: IPv6", origin: "http://[2001:db8::1]:8080", patterns: []string{"[2001:db8::1]:*"}, ok: true},
		{name: "pattern: empty", origin: "http://example.com", patterns: []string{""}},
		{name: "pattern with a path matches nothing", origin: "https://example.com", patterns: []string{"https://example.com/"}},
		{name: "patterns do not take the own host away", origin: "https://server.test", patterns: []string{"example.com"}, host: "server.test", ok: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			r.Host, r.TLS = tt.host, tt.tls
			if tt.patterns != nil && tt.host == "" {
				r.Host = "server.test"
			}
			r.Header["Origin"] = []string{tt.origin}
			err := ws.CheckOrigin(r, &ws.Policy{OriginPatterns: tt.patterns})
			if tt.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			he, ok := errors.AsType[*ws.HandshakeError](err)
			if !ok || he.Rule != ws.RuleOrigin || he.Status != 403 {
				t.Fatalf("got %v, want a refusal with 403", err)
			}
			for _, part := range []string{tt.origin, r.Host, "Options.OriginPatterns"} {
				if !strings.Contains(strings.ReplaceAll(err.Error(), `\\`, `\`), part) {
					t.Errorf("%s: does not name %q", err, part)
				}
			}
		})
	}
}

func TestCheckOriginWithout(t *testing.T) {
	r := goodRequest()
	delete(r.Header, "Origin")
	for _, o := range []*ws.Policy{nil, {}, {RequireOrigin: true}} {
		if err := ws.CheckOrigin(r, o); err != nil {
			t.Errorf("no Origin and no cookie: %v", err)
		}
	}
	r.Header["Cookie"] = []string{"a=1"}
	for _, o := range []*ws.Policy{nil, {}} {
		if err := ws.CheckOrigin(r, o); err != nil {
			t.Errorf("no Origin, a cookie: %v", err)
		}
	}
	if err := ws.CheckOrigin(r, &ws.Policy{RequireOrigin: true, OriginPatterns: []string{"*"}}); err == nil {
		t.Error("no Origin, a cookie, RequireOrigin: passed")
	}
}

func TestCheckOriginText(t *testing.T) {
	r := goodRequest()
	r.Header["Origin"] = []string{"https://evil.example"}
	const want = `ws: handshake: origin "https://evil.example" is not the host "server.example.com" that was asked; ` +
		`a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns (§10.2)`
	if err := ws.CheckOrigin(r, nil); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestCheckOriginPattern(t *testing.T) {
	for _, pattern := range []string{"*", "null", "example.com", "*.example.com", "*.localhost", "localhost:*", "localhost:8080", "https://example.com",
		"https://*.example.com:8443", "chrome-extension://abcdef", "[::1]", "[::1]:8080", "[::1]:*", "EXAMPLE.com", "xn--bcher-kva.example"} {
		if err := ws.CheckOriginPattern(pattern); err != nil {
			t.Error(err)
		}
	}
	for pattern, why := range map[string]string{
		"":                          "no host",
		"a%00.example.com":          "the host is not letters",
		"*.b\u00fccher.example":     "xn--",
		"[::1%25lo]":                "the host is not letters",
		"[evil.com]":                "the host is not letters",
		"a..b":                      "the host is not letters",
		"https;://a.b":              "the scheme is none",
		"a.b:0443":                  "not a number from 1",
		"https://":                  "no host",
		"://example.com":            "the scheme is empty",
		"example.com/":              "no path",
		"https://example.com/x":     "no path",
		"https://me@example.com":    "or user",
		"example.com?x":             "query",
		"a.com, b.com":              "no path, query or user",
		"a.com b.com":               "no path, query or user",
		"example.com:":              "no port after the colon",
		"example.com:http":          "the port is not a number",
		"example.com:0":             "the port is not a number",
		"example.com:65536":         "the port is not a number",
		"example.com:80:80":         "no port after the colon",
		"[::1":                      "no host",
		"::1":                       "no port after the colon",
		"*example.com":              "a star",
		"*.":                        "a star",
		"**.example.com":            "a star",
		"a.*.example.com":           "a star",
		"*.*.example.com":           "a star",
		"example.*":                 "a star",
		"https://*":                 "a star",
		"*:8080":                    "a star",
		"exam*ple.com":              "a star",
		"*.example.com:*:":          "no port",
		"https://https://a.com":     "no path",
		"http://example.com:8080\t": "no path",
	} {
		err := ws.CheckOriginPattern(pattern)
		if err == nil {
			t.Errorf("%q: passed", pattern)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "ws: origin pattern ") || !strings.Contains(text, why) || !strings.Contains(text, "expected [scheme://]host[:port]") {
			t.Errorf("%q: the text lacks %q: %s", pattern, why, text)
		}
	}
}
