package wstest

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	// RequestKey is the Sec-WebSocket-Key of [Request], and RequestAccept the
	// Sec-WebSocket-Accept that answers it: the pair of RFC 6455 §1.3.
	RequestKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	RequestAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

	maxHead = 64 << 10 // bytes that a Peer reads in search of a head's end
)

// RFCRequest and RFCResponse are the opening handshake of RFC 6455 §1.3, the request's Host aside byte for
// byte as it is printed there.
const (
	RFCRequest = "GET /chat HTTP/1.1\r\n" +
		"Host: server.example.com\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Origin: http://example.com\r\n" +
		"Sec-WebSocket-Protocol: chat, superchat\r\n" +
		"Sec-WebSocket-Version: 13\r\n" +
		"\r\n"
	RFCResponse = "HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"\r\n"
)

// Request returns a client's opening handshake (RFC 6455 §4.1) with
// RequestKey. lines are further header lines, without line ends, such as
// "Origin: https://example.com"; they come after those that every request has
// and do not replace them.
func Request(path, host string, lines ...string) []byte {
	return head(append([]string{
		"GET " + path + " HTTP/1.1",
		"Host: " + host,
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: " + RequestKey,
		"Sec-WebSocket-Version: 13",
	}, lines...))
}

// Response returns a server's opening handshake (RFC 6455 §4.2.2) that answers
// a request with this Sec-WebSocket-Key. lines are as for Request.
func Response(key string, lines ...string) []byte {
	return head(append([]string{
		"HTTP/1.1 101 Switching Protocols",
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Accept: " + accept(key),
	}, lines...))
}

func head(lines []string) []byte {
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// accept is a second implementation of the one in package ws, which it helps
// to test.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Upgrade is UpgradeAt "/" on "server.test", with further header lines.
func (p *Peer) Upgrade(lines ...string) string {
	p.t.Helper()
	return p.UpgradeAt("/", "server.test", lines...)
}

// UpgradeAt plays the client's part of the opening handshake: it sends a
// [Request] for path on host, which a server elsewhere may look at, with further
// header lines, and wants a 101 with the right Sec-WebSocket-Accept. It returns
// the response's head.
func (p *Peer) UpgradeAt(path, host string, lines ...string) string {
	p.t.Helper()
	p.role = client
	p.send(Request(path, host, lines...))
	const why = "the server's opening handshake"
	head := p.ReadHead(why)
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		p.fail(why, "want a 101", "got:", head)
	}
	if got := HeadField(head, "Sec-WebSocket-Accept"); got != RequestAccept {
		p.fail(why, "wrong Sec-WebSocket-Accept (-want +got)", "-"+RequestAccept, "+"+got)
	}
	return head
}

// Serve101 plays the server's part of the opening handshake: it reads the
// client's request and answers with a 101 that fits its Sec-WebSocket-Key, with
// further header lines. It returns the request's head. It judges nothing but
// that there is a key.
func (p *Peer) Serve101(lines ...string) string {
	p.t.Helper()
	p.role = server
	const why = "the client's opening handshake"
	head := p.ReadHead(why)
	key := HeadField(head, "Sec-WebSocket-Key")
	if key == "" {
		p.fail(why, "no Sec-WebSocket-Key", "got:", head)
	}
	p.send(Response(key, lines...))
	return head
}

// ReadHead waits for the head of an HTTP request or response and returns it
// with the empty line that ends it. What comes after it stays for the next
// Want. A head is at most 64 KiB long.
func (p *Peer) ReadHead(why string) string {
	p.t.Helper()
	for {
		if i := bytes.Index(p.in, []byte("\r\n\r\n")); i >= 0 {
			head := string(p.in[:i+4])
			p.in = p.in[i+4:]
			return head
		}
		if len(p.in) > maxHead {
			p.fail(why, fmt.Sprintf("no end of the head in %d bytes", len(p.in)), "+"+dump(p.in, 0))
		}
		if !p.fill() {
			p.fail(why, "want an HTTP head; "+p.ended(), fmt.Sprintf("got %q", p.in))
		}
	}
}

// HeadField returns the value of the first header line of that name in a head,
// or "".
func HeadField(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
