package wsnet_test

import (
	"cmp"
	"fmt"
	"strings"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// badOrigins is row 14: pages from elsewhere, and tricks to look like one from
// here. The host that is asked is example.com unless another is named.
func badOrigins() []badRequest {
	var rows []badRequest
	for _, o := range []struct {
		name, origin, host string
		patterns           string // with spaces between
		only               string
		ok                 bool
	}{
		{name: "the same host", origin: "http://example.com", only: "tcp", ok: true},
		{name: "the same host over TLS", origin: "https://example.com", ok: true},
		{name: "the same host in upper case", origin: "HTTPS://EXAMPLE.COM", ok: true},
		{name: "the same host, asked for in upper case", origin: "https://example.com", host: "Example.COM", ok: true},
		{name: "the scheme's own port", origin: "https://example.com:443", ok: true},
		{name: "the same port", origin: "https://example.com:8443", host: "example.com:8443", ok: true},
		{name: "the same IPv6 address", origin: "https://[2001:db8::1]:8443", host: "[2001:db8::1]:8443", ok: true},
		{name: "the same international host", origin: "https://xn--bcher-kva.example", host: "xn--bcher-kva.example", ok: true},

		{name: "another host", origin: "https://evil.example"},
		{name: "our host as its first labels", origin: "https://example.com.evil.example"},
		{name: "our host as its last letters", origin: "https://evilexample.com"},
		{name: "a subdomain of ours", origin: "https://a.example.com"},
		{name: "the domain above ours", origin: "https://com"},
		{name: "another port", origin: "https://example.com:8443"},
		{name: "the other scheme's port", origin: "http://example.com:443", only: "tcp"},
		{name: "another port than the one asked for", origin: "https://example.com", host: "example.com:8443"},
		{name: "an empty port", origin: "https://example.com:"},
		{name: "a page without TLS asks through TLS", origin: "http://example.com", only: "tls"},
		{name: "another scheme", origin: "ftp://example.com"},
		{name: "a browser extension", origin: "chrome-extension://example.com"},
		{name: "a scheme of WebSocket", origin: "wss://example.com"},
		{name: "no scheme", origin: "example.com"},
		{name: "an empty scheme", origin: "://example.com"},
		{name: "null", origin: "null"},
		{name: "an empty Origin", origin: ""},
		{name: "no host", origin: "https://"},
		{name: "our host as user", origin: "https://example.com@evil.example"},
		{name: "our host as user and port", origin: "https://example.com:443@evil.example"},
		{name: "their user before our host", origin: "https://evil@example.com"},
		{name: "our host as path", origin: "https://evil.example/example.com"},
		{name: "a path behind our host", origin: "https://example.com/"},
		{name: "our host as query", origin: "https://evil.example?example.com"},
		{name: "our host as fragment", origin: "https://evil.example#example.com"},
		{name: "our host behind a backslash", origin: `https://evil.example\example.com`},
		{name: "a trailing dot", origin: "https://example.com."},
		{name: "a trailing dot asked for", origin: "https://example.com", host: "example.com."},
		{name: "a letter that looks like ours", origin: "https://ex\u0430mple.com"},
		{name: "a letter that lower case makes ours", origin: "https://e\u212aample.com", host: "ekample.com"},
		{name: "the same in punycode", origin: "https://xn--exmple-4nf.com"},
		{name: "an international host not in punycode", origin: "https://b\u00fccher.example", host: "xn--bcher-kva.example"},
		{name: "a full-width dot", origin: "https://example\uff0ecom"},
		{name: "an encoded dot", origin: "https://example%2ecom"},
		{name: "another IPv6 address", origin: "https://[2001:db8::2]", host: "[2001:db8::1]"},
		{name: "an IPv6 address without brackets", origin: "https://2001:db8::1", host: "[2001:db8::1]"},
		{name: "an IPv6 address with more behind it", origin: "https://[2001:db8::1].evil.example", host: "[2001:db8::1]"},
		{name: "an IPv6 address that does not end", origin: "https://[2001:db8::1", host: "[2001:db8::1]"},
		{name: "an IPv4 address as number", origin: "https://2130706433", host: "127.0.0.1"},

		{name: "a pattern's host", origin: "https://a.example", patterns: "b.example a.example", ok: true},
		{name: "all welcome", origin: "null", patterns: "*", ok: true},
		{name: "null welcome", origin: "null", patterns: "null", ok: true},
		{name: "a subdomain welcome", origin: "https://x.y.a.example", patterns: "*.a.example", ok: true},
		{name: "any port welcome", origin: "https://localhost:3000", patterns: "localhost:*", ok: true},
		{name: "the domain itself where subdomains are welcome", origin: "https://a.example", patterns: "*.a.example"},
		{name: "an empty label where subdomains are welcome", origin: "https://.a.example", patterns: "*.a.example"},
		{name: "a look-alike where subdomains are welcome", origin: "https://evila.example", patterns: "*.a.example"},
		{name: "a welcome domain as first labels", origin: "https://x.a.example.evil.example", patterns: "*.a.example"},
		{name: "a welcome host as user", origin: "https://x.a.example@evil.example", patterns: "*.a.example a.example"},
		{name: "a welcome host on another port", origin: "https://a.example:8443", patterns: "a.example"},
		{name: "a welcome host with another scheme", origin: "http://a.example", patterns: "https://a.example"},
		{name: "an encoded NUL in front of a welcome domain", origin: "https://evil.com%00.a.example", patterns: "*.a.example"},
		{name: "an encoded slash in front of a welcome domain", origin: "https://evil.com%2f.a.example", patterns: "*.a.example"},
		{name: "an encoded letter in front of a welcome domain", origin: "https://%41.a.example", patterns: "*.a.example"},
		{name: "an encoded host of ours", origin: "https://example%2ecom", host: "example.com", patterns: "*.a.example"},
		{name: "a bare percent in front of a welcome domain", origin: "https://evil.com%.a.example", patterns: "*.a.example"},
		{name: "an empty label further left", origin: "https://x..a.example", patterns: "*.a.example"},
		{name: "two dots at the end", origin: "https://a.example..", patterns: "a.example a.example."},
		{name: "other brackets in front of a welcome domain", origin: "https://[::1].a.example", patterns: "*.a.example"},
		{name: "a zone", origin: "https://[fe80::1%25eth0]", host: "[fe80::1]", patterns: "[fe80::1]"},
		{name: "no IPv6 address between brackets", origin: "https://[evil.com]", host: "example.com", patterns: "[evil.com]"},
		{name: "a port of letters", origin: "https://a.example:https", patterns: "a.example:*"},
		{name: "port 0", origin: "https://a.example:0", patterns: "a.example:*"},
		{name: "a port beyond the last", origin: "https://a.example:65536", patterns: "a.example:*"},
		{name: "a port with a zero in front", origin: "https://a.example:0443", patterns: "a.example:*"},
		{name: "a scheme with a space", origin: "https ://a.example", patterns: "a.example *.a.example"},
		{name: "a view of the source", origin: "view-source:https://x.a.example", patterns: "*.a.example"},
		{name: "a semicolon in front of a welcome domain", origin: "https://evil.com;.a.example", patterns: "*.a.example"},
		{name: "an exclamation mark in front of a welcome domain", origin: "https://evil.com!.a.example", patterns: "*.a.example"},
		{name: "an apostrophe in front of a welcome domain", origin: "https://evil.com'.a.example", patterns: "*.a.example"},
		{name: "an angle bracket in front of a welcome domain", origin: "https://evil.com<.a.example", patterns: "*.a.example"},
		{name: "a bar in front of a welcome domain", origin: "https://evil.com|.a.example", patterns: "*.a.example"},
		{name: "a caret in front of a welcome domain", origin: "https://evil.com^.a.example", patterns: "*.a.example"},
		{name: "a brace in front of a welcome domain", origin: "https://evil.com{.a.example", patterns: "*.a.example"},
		{name: "a tilde in front of a welcome domain", origin: "https://evil.com~.a.example", patterns: "*.a.example"},
		{name: "a dollar in front of a welcome domain", origin: "https://evil.com$.a.example", patterns: "*.a.example"},
		{name: "an ampersand in front of a welcome domain", origin: "https://evil.com&.a.example", patterns: "*.a.example"},
		{name: "a bracket in front of a welcome domain", origin: "https://evil.com(.a.example", patterns: "*.a.example"},
		{name: "a star in front of a welcome domain", origin: "https://evil.com*.a.example", patterns: "*.a.example"},
		{name: "a plus in front of a welcome domain", origin: "https://evil.com+.a.example", patterns: "*.a.example"},
		{name: "an equals sign in front of a welcome domain", origin: "https://evil.com=.a.example", patterns: "*.a.example"},
		{name: "a backquote in front of a welcome domain", origin: "https://evil.com`.a.example", patterns: "*.a.example"},
		{name: "an umlaut in front of a welcome domain", origin: "https://b\u00fccher.a.example", patterns: "*.a.example"},
		{name: "an underscore in a welcome subdomain", origin: "https://x_1.a.example", patterns: "*.a.example", ok: true},
		{name: "null where a host is welcome", origin: "null", patterns: "a.example *.b.example"},
	} {
		r := badRequest{row: 14, name: o.name, send: badAsk("Host: "+cmp.Or(o.host, "example.com"), "+Origin: "+o.origin), status: 101, only: o.only}
		if o.patterns != "" {
			r.opts = &wsnet.ServerOptions{OriginPatterns: strings.Fields(o.patterns)}
		}
		if !o.ok {
			// The text quotes, so it shows what one might not see.
			r.status, r.rule, r.text = 403, ws.RuleOrigin, []string{fmt.Sprintf("%q", o.origin), fmt.Sprintf("%q", cmp.Or(o.host, "example.com"))}
		}
		rows = append(rows, r)
	}
	return rows
}
