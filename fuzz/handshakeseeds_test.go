package main

import "strings"

// Opening handshakes as seeds. A request or an answer is the good one with
// lines replaced: "Upgrade: x" takes the place of the line with that name,
// "-Upgrade" takes it away, "+Upgrade: x" comes in addition, "!..." takes the
// place of the first line.

const goodRequest = `GET /chat HTTP/1.1
Host: server.example.com
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Origin: http://server.example.com
Sec-WebSocket-Protocol: superchat, chat
Sec-WebSocket-Version: 13
`

const goodAnswer = `HTTP/1.1 101 Switching Protocols
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: ` + fixedAccept + `
`

func with(base string, changes ...string) []byte {
	lines := strings.Split(strings.TrimSuffix(base, "\n"), "\n")
	for _, c := range changes {
		name, _, _ := strings.Cut(strings.TrimLeft(c, "-+"), ":")
		for i, line := range lines {
			switch {
			case c[0] == '!' && i == 0:
				lines[0] = c[1:]
			case c[0] == '-' && strings.HasPrefix(line, name+":"):
				lines = append(lines[:i:i], lines[i+1:]...)
			case c[0] != '+' && c[0] != '-' && strings.HasPrefix(line, name+":"):
				lines[i] = c
			default:
				continue
			}
			break
		}
		if c[0] == '+' {
			lines = append(lines, c[1:])
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

type handshake struct {
	name string
	wire []byte
}

func badRequests() []handshake {
	r := func(name string, changes ...string) handshake { return handshake{name, with(goodRequest, changes...)} }
	return []handshake{
		r("good"),
		r("no-origin", "-Origin"),
		r("lists-in-any-case", "Upgrade: h2c, WebSocket", "Connection: keep-alive,\tUPGRADE"),
		r("row-1-post", "!POST /chat HTTP/1.1"),
		r("row-1-head", "!HEAD /chat HTTP/1.1"),
		r("row-2-http-1.0", "!GET /chat HTTP/1.0"),
		r("row-3-no-host", "-Host"),
		r("row-3-two-hosts", "+Host: b.example"),
		r("row-4-no-upgrade", "-Upgrade"),
		r("row-4-upgrade-long-s", "Upgrade: web\u017focket"),
		r("row-4-no-connection", "-Connection"),
		r("row-4-connection-close", "Connection: close"),
		r("row-5-version-8", "Sec-WebSocket-Version: 8"),
		r("row-5-two-versions", "+Sec-WebSocket-Version: 13"),
		r("row-6-no-key", "-Sec-WebSocket-Key"),
		r("row-6-two-keys", "+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
		r("row-6-short-key", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="),
		r("row-6-key-not-base64", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!"),
		r("row-6-key-with-loose-bits", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="),
		r("row-7-content-length", "+Content-Length: 3"),
		r("row-7-content-length-0", "+Content-Length: 0"),
		r("row-7-chunked", "+Transfer-Encoding: chunked"),
		r("row-7-both", "+Content-Length: 3", "+Transfer-Encoding: chunked"),
		{"row-8-pri", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
		r("row-9-space-before-colon", "+X : y"),
		r("row-9-nul", "+X: \x00"),
		r("row-10-obs-fold", "+X: a\r\n b"),
		{"row-10-bare-lf", []byte(goodRequest + "\n")},
		r("row-11-header-of-8-kib", "+X: "+repeat("x", 8<<10)),
		r("row-12-101-headers", "+X: y"+repeat("\r\nX: y", 95)),
		r("row-14-foreign-origin", "Origin: http://evil.example"),
		r("row-14-null-origin", "Origin: null"),
		r("row-14-suffix", "Origin: http://server.example.com.evil.example"),
		r("row-14-port", "Origin: http://server.example.com:8080"),
		r("row-14-userinfo", "Origin: http://server.example.com@evil.example"),
		r("row-14-kelvin-sign", "Host: kelvin.example", "Origin: http://\u212aelvin.example"),
		r("row-15-two-origins", "+Origin: http://server.example.com"),
		r("row-17-commas", "Sec-WebSocket-Protocol: "+repeat(" ,", 500)),
		r("row-18-extension-that-is-no-token", "+Sec-WebSocket-Extensions: x,x\x80,x"),
		r("row-18-extension-offers", "+Sec-WebSocket-Extensions: "+repeat("x,", 500)),
		r("row-19-window-bits", "+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=08"),
		r("long-method", "!"+repeat("A", 2000)+" /chat HTTP/1.1"),
	}
}

func requestSeeds() (seeds []seed) {
	for _, h := range badRequests() {
		seeds = append(seeds, seed{h.name, []any{false, h.wire}})
	}
	return append(seeds, seed{"row-14-scheme", []any{true, with(goodRequest)}})
}

func acceptSeeds() (seeds []seed) {
	for i, h := range badRequests() {
		seeds = append(seeds, seed{h.name, []any{uint64(i + 1), h.wire}})
	}
	good := string(with(goodRequest))
	frames := string(masked([]byte("\x81\x05Hello\x89\x01p\x88\x02\x03\xe8")))
	return append(seeds,
		seed{"row-20-frames-behind-the-request", []any{uint64(50), []byte(good + frames)}},
		seed{"row-20-a-refused-one-first", []any{uint64(51), []byte(string(with(goodRequest, "-Upgrade")) + good + frames)}},
		seed{"row-29-unmasked-behind-the-request", []any{uint64(52), []byte(good + "\x81\x00")}},
	)
}

func serveSeeds() (seeds []seed) {
	for _, h := range badRequests() {
		seeds = append(seeds, seed{h.name, []any{h.wire}})
	}
	chunked := "+Transfer-Encoding: chunked"
	for name, wire := range map[string][]byte{
		"absolute":        with(goodRequest, "!GET http://me:a@other.example:80/b%20c?d#e HTTP/1.1"),
		"authority":       with(goodRequest, "!CONNECT [fe80::1%25a]:443 HTTP/1.1"),
		"star":            with(goodRequest, "!OPTIONS * HTTP/1.1"),
		"opaque":          with(goodRequest, "!GET mailto:a@b HTTP/1.1"),
		"slashes":         with(goodRequest, "!GET //a//b;c?d??#e HTTP/1.0", "+Connection: keep-alive"),
		"length":          with(goodRequest, "!POST / HTTP/1.1", "+Content-Length: 07", "+Content-Length: 07"),
		"chunked":         with(goodRequest, "!POST / HTTP/1.1", "+Content-Length: 7", chunked, "+Trailer: a,, b\t", "+trailer: C-d"),
		"chunked-1.0":     with(goodRequest, "!POST / HTTP/1.0", "+Content-Length: 7", chunked, "+Trailer: a"),
		"pragma-no-cache": with(goodRequest, "+Pragma: no-cache", "+Expect: 100-continue"),
		"names-in-cases":  with(goodRequest, "+x-aB_c.D!: \t 1 \t", "+X-AB_c.d!:", "+Host_: \xff\u2028"),
	} {
		seeds = append(seeds, seed{name, []any{wire}})
	}
	return seeds
}

func responseSeeds() (seeds []seed) {
	for i, h := range []handshake{
		{"good", with(goodAnswer)},
		{"in-any-case", with(goodAnswer, "Upgrade: WebSocket", "Connection: keep-alive, upgrade")},
		{"with-frames", append(with(goodAnswer), "\x81\x05Hello\x89\x01p\x88\x02\x03\xe8"...)},
		{"subprotocol", with(goodAnswer, "+Sec-WebSocket-Protocol: chat")},
		{"row-23-wrong-accept", with(goodAnswer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
		{"row-23-no-accept", with(goodAnswer, "-Sec-WebSocket-Accept")},
		{"row-23-two-accepts", with(goodAnswer, "+Sec-WebSocket-Accept: "+fixedAccept)},
		{"row-23-status-200", append(with(goodAnswer, "!HTTP/1.1 200 OK", "+Content-Length: 5"), "hello"...)},
		{"row-23-status-403", append(with(goodAnswer, "!HTTP/1.1 403 Forbidden"), repeat("why ", 500)...)},
		{"row-23-chunked-refusal", append(with(goodAnswer, "!HTTP/1.1 400 Bad Request", "+Transfer-Encoding: chunked"), "3\r\nabc\r\n0\r\n\r\n"...)},
		{"row-23-http-1.0", with(goodAnswer, "!HTTP/1.0 101 Switching Protocols")},
		{"row-23-http-2.0", with(goodAnswer, "!HTTP/2.0 101 Switching Protocols")},
		{"row-23-no-upgrade", with(goodAnswer, "-Upgrade")},
		{"row-23-upgrade-long-s", with(goodAnswer, "Upgrade: web\u017foc\u212aet")},
		{"row-23-no-connection", with(goodAnswer, "-Connection")},
		{"row-23-extension", with(goodAnswer, "+Sec-WebSocket-Extensions: permessage-deflate")},
		{"row-23-subprotocol-not-asked-for", with(goodAnswer, "+Sec-WebSocket-Protocol: other")},
		{"row-23-two-subprotocols", with(goodAnswer, "+Sec-WebSocket-Protocol: chat", "+Sec-WebSocket-Protocol: chat.v2")},
		{"row-23-two-subprotocols-in-one-line", with(goodAnswer, "+Sec-WebSocket-Protocol: chat, chat.v2")},
		{"row-23-body", append(with(goodAnswer, "+Content-Length: 3"), "abc"...)},
		{"row-23-chunked-body", append(with(goodAnswer, "+Transfer-Encoding: chunked"), "0\r\n\r\n"...)},
		{"row-23-continue-first", append([]byte("HTTP/1.1 100 Continue\r\n\r\n"), with(goodAnswer)...)},
		{"not-http", []byte("SSH-2.0-OpenSSH_9.6\r\n")},
		{"cut-off", with(goodAnswer)[:60]},
		{"nothing", []byte{}},
	} {
		seeds = append(seeds, seed{h.name, []any{uint64(i + 1), h.wire}})
	}
	return seeds
}

func originSeeds() (seeds []seed) {
	for _, s := range []struct {
		name                  string
		tls                   bool
		origin, host, pattern string
	}{
		{"own", false, "http://example.com", "example.com", "*"},
		{"own-in-another-case", false, "HTTP://Example.COM", "example.com:80", "example.com"},
		{"own-with-port", false, "http://localhost:8080", "localhost:8080", "localhost:*"},
		{"own-behind-a-tls-proxy", false, "https://example.com", "example.com", "https://example.com"},
		{"own-over-tls", true, "https://example.com:443", "example.com", "https://example.com:8443"},
		{"own-ipv6", false, "http://[::1]:8080", "[::1]:8080", "[::1]:*"},
		{"subdomain", false, "https://a.b.example.com", "other", "*.example.com"},
		{"subdomain-is-not-the-domain", false, "https://example.com", "other", "*.example.com"},
		{"row-14-encoded-nul", false, "https://evil.com%00.good.example", "example.com", "*.good.example"},
		{"row-14-zone", false, "https://[fe80::1%25eth0]", "[fe80::1]", "[fe80::1]"},
		{"row-14-empty-label", false, "https://x..good.example", "example.com", "*.good.example"},
		{"row-14-null", false, "null", "example.com", "null"},
		{"row-14-suffix", false, "http://example.com.evil.test", "example.com", "*.example.com"},
		{"row-14-prefix", false, "http://evilexample.com", "example.com", "*.example.com"},
		{"row-14-port", false, "http://example.com:8080", "example.com", "example.com"},
		{"row-14-scheme", true, "http://example.com", "example.com", "http://example.com"},
		{"row-14-other-scheme", false, "ftp://example.com", "example.com", "example.com"},
		{"row-14-userinfo", false, "http://example.com@evil.test", "example.com", "*"},
		{"row-14-userinfo-port", false, "http://example.com:80@evil.test", "example.com", "example.com:*"},
		{"row-14-backslash", false, "http://evil.test\\@example.com", "example.com", "example.com"},
		{"row-14-path", false, "http://example.com/", "example.com", "example.com"},
		{"row-14-percent", false, "http://ex%61mple.com", "example.com", "example.com"},
		{"row-14-trailing-dot", false, "http://example.com.", "example.com", "example.com"},
		{"row-14-kelvin-sign", false, "http://\u212aelvin.example", "kelvin.example", "kelvin.example"},
		{"row-14-dotted-i", false, "http://\u0130.example", "i.example", "i.example"},
		{"row-14-long-s-in-the-pattern", false, "http://\u017f.example", "other", "http://s.example"},
		{"pattern-not-utf8", false, "", "", "\xec"},
		{"long-host", false, "http://a", repeat("h", 2000), ""},
		{"empty", false, "", "", ""},
	} {
		seeds = append(seeds, seed{s.name, []any{s.tls, s.origin, s.host, s.pattern}})
	}
	return seeds
}
