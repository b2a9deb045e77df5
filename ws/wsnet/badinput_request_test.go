package wsnet_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A badRequest is a row about the opening handshake as a server sees it.
type badRequest struct {
	row    int
	name   string
	send   string
	status int       // 101 if the request is all right after all
	rule   ws.RuleID // "" if net/http refuses it before we see it
	opts   *wsnet.ServerOptions
	header []string // lines that the answer has, or, with a minus, a name that it has not
	text   []string // what the answer's body says
	closes bool     // the connection ends after the answer
	only   string   // "tcp" or "tls"
}

// badAsk returns a request that is right but for the edits: "=line" replaces
// the first line, "-Name" takes a header off, "Name: value" replaces one,
// "+line" adds a line, as it is.
func badAsk(edits ...string) string {
	lines := strings.Split(strings.TrimSuffix(string(wstest.Request("/chat", "example.com")), "\r\n\r\n"), "\r\n")
	for _, edit := range edits {
		name, _, _ := strings.Cut(strings.TrimPrefix(edit, "-"), ":")
		at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+":") })
		switch {
		case edit[0] == '=':
			lines[0] = edit[1:]
		case edit[0] == '+':
			lines = append(lines, edit[1:])
		case edit[0] == '-':
			lines = slices.Delete(lines, at, at+1)
		default:
			lines[at] = edit
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func (b badRequest) test(t *testing.T, n *badNet) {
	for _, transport := range []string{"tcp", "tls"} {
		if b.only != "" && b.only != transport {
			continue
		}
		for _, way := range []string{badWhole, badBytes, badGlued} {
			t.Run(transport+" "+way, func(t *testing.T) { b.play(t, n, transport, way) })
		}
	}
}

func (b badRequest) play(t *testing.T, n *badNet, transport, way string) {
	app := newBadServer(b.opts, way)
	conn := n.dial(t, transport, app)
	p := wstest.NewPeer(t, conn)
	r := bufio.NewReader(conn)
	method, _, _ := strings.Cut(b.send, " ")

	switch way {
	case badWhole:
		p.SendBytes([]byte(b.send))
	case badBytes:
		badSend(p, []byte(b.send))
	case badGlued: // a request that has its answer, and frames
		p.SendBytes(slices.Concat([]byte("GET /plain HTTP/1.1\r\nHost: example.com\r\n\r\n"), []byte(b.send), badWire(ws.RoleServer, "81 04 | 'late'")))
		if _, body := badResponse(t, conn, r, http.MethodGet); body != "plain" {
			t.Errorf("the request before: got %q, want its answer", body)
		}
	}

	if b.rule == "" && b.closes && way == badBytes {
		// net/http hangs up as soon as it has seen enough, so a reset can
		// overtake its answer while we are still sending.
		if _, err := r.Peek(1); errors.Is(err, syscall.ECONNRESET) {
			conn.Close()
			return
		}
	}
	resp, body := badResponse(t, conn, r, method)
	if resp.StatusCode != b.status {
		t.Fatalf("got status %d (%q), want %d", resp.StatusCode, body, b.status)
	}
	for _, line := range b.header {
		name, value, _ := strings.Cut(line, ": ")
		if absent, ok := strings.CutPrefix(name, "-"); ok {
			if v := resp.Header.Values(absent); len(v) > 0 {
				t.Errorf("the answer has %s %q", absent, v)
			}
		} else if got := resp.Header.Get(name); !strings.EqualFold(got, value) {
			t.Errorf("the answer has %s %q, want %q", name, got, value)
		}
	}
	for _, part := range append(b.text, badOption[b.rule]) {
		if !strings.Contains(body, part) {
			t.Errorf("the answer's text %q does not have %q", body, part)
		}
	}

	if b.status == http.StatusSwitchingProtocols {
		if way == badGlued {
			b.finish(t, p, r, app, "late")
		} else {
			b.finish(t, p, r, app)
		}
		return
	}
	if b.closes {
		if !resp.Close {
			t.Error("the answer has no Connection: close")
		}
		if _, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection stays open: %v", err)
		}
	}
	conn.Close()
	if b.rule == "" {
		if app.calls.Load() > 0 {
			t.Error("the handler was called")
		}
		return
	}
	app.wait(t)
	if e, ok := errors.AsType[*ws.HandshakeError](app.err); !ok || e.Rule != b.rule || e.Status != b.status {
		t.Errorf("the handler got %+v, want rule %s, status %d", app.err, b.rule, b.status)
	}
}

// finish closes a connection that was made.
func (b badRequest) finish(t *testing.T, p *wstest.Peer, r *bufio.Reader, app *badApp, want ...string) {
	t.Helper()
	p.SendBytes(badWire(ws.RoleServer, "88 02 | 03e8"))
	got, err := io.ReadAll(r)
	if err != nil || !slices.Equal(got, wstest.MustHex("88 02 | 03e8")) {
		t.Errorf("after a Close frame: got % x, %v", got, err)
	}
	p.Close()
	app.wait(t, want...)
	app.wantClosed(t, ws.CodeNormal, true)
}

func badResponse(t *testing.T, conn net.Conn, r *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(wstest.Patience(10 * time.Second)))
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			wstest.RanOut()
		}
		t.Fatalf("no answer: %v", err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the answer's body: %v", err)
	}
	return resp, string(body)
}

func badRequests() []badRequest {
	key := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	// sized is a request of n bytes, the empty line included.
	sized := func(n int) string {
		return badAsk("+X-Long: " + strings.Repeat("a", n-len(badAsk("+X-Long: "))))
	}
	// counted is a request with n headers, Host included.
	counted := func(n int) string {
		edits := []string{}
		for i := range n - 5 {
			edits = append(edits, fmt.Sprintf("+X-%d: a", i))
		}
		return badAsk(edits...)
	}
	wide := func(o wsnet.ServerOptions) *wsnet.ServerOptions { o.MaxHeaderBytes = 1 << 20; return &o }
	chat := wide(wsnet.ServerOptions{Options: wsnet.Options{Subprotocols: []string{"chat"}}})
	upgrade := []string{"Upgrade: websocket", "Connection: Upgrade"}
	version := append([]string{"Sec-WebSocket-Version: 13"}, upgrade...)

	rows := []badRequest{
		{row: 1, name: "POST", send: badAsk("=POST /chat HTTP/1.1"), status: 405, rule: ws.RuleMethod, header: []string{"Allow: GET"}},
		{row: 1, name: "HEAD", send: badAsk("=HEAD /chat HTTP/1.1"), status: 405, rule: ws.RuleMethod, header: []string{"Allow: GET"}},
		{row: 1, name: "OPTIONS", send: badAsk("=OPTIONS /chat HTTP/1.1"), status: 405, rule: ws.RuleMethod, header: []string{"Allow: GET"}},
		{row: 1, name: "get in lower case", send: badAsk("=get /chat HTTP/1.1"), status: 405, rule: ws.RuleMethod, header: []string{"Allow: GET"}},
		{row: 2, name: "HTTP/1.0", send: badAsk("=GET /chat HTTP/1.0"), status: 400, rule: ws.RuleHTTPVersion, text: []string{"HTTP/1.0", "HTTP/1.1"}, closes: true},
		{row: 2, name: "HTTP/1.0 without Host", send: badAsk("=GET /chat HTTP/1.0", "-Host"), status: 400, rule: ws.RuleHTTPVersion, closes: true},
		{row: 3, name: "no Host", send: badAsk("-Host"), status: 400, closes: true},
		{row: 3, name: "an empty Host", send: badAsk("Host: "), status: 400, rule: ws.RuleHost},
		{row: 3, name: "two Hosts", send: badAsk("+Host: example.com"), status: 400, closes: true},
		{row: 3, name: "two Hosts that differ", send: badAsk("+Host: evil.example"), status: 400, closes: true},
		{row: 4, name: "no Upgrade", send: badAsk("-Upgrade"), status: 426, rule: ws.RuleUpgrade, header: upgrade},
		{row: 4, name: "Upgrade to something else", send: badAsk("Upgrade: h2c"), status: 426, rule: ws.RuleUpgrade, header: upgrade},
		{row: 4, name: "Upgrade to something that begins alike", send: badAsk("Upgrade: websocket2, web socket"), status: 426, rule: ws.RuleUpgrade, header: upgrade},
		{row: 4, name: "no Connection", send: badAsk("-Connection"), status: 426, rule: ws.RuleConnection, header: upgrade},
		{row: 4, name: "Connection without upgrade", send: badAsk("Connection: keep-alive, upgraded"), status: 426, rule: ws.RuleConnection, header: upgrade},
		{row: 4, name: "lists in any case are right", send: badAsk("Upgrade: h2c, WEBSOCKET", "Connection: keep-alive", "+Connection: x,uPGRADE"), status: 101},
		{row: 5, name: "version 12", send: badAsk("Sec-WebSocket-Version: 12"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 5, name: "version 8", send: badAsk("Sec-WebSocket-Version: 8"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 5, name: "version 013", send: badAsk("Sec-WebSocket-Version: 013"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 5, name: "two versions on one line", send: badAsk("Sec-WebSocket-Version: 13, 8"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 5, name: "two versions", send: badAsk("+Sec-WebSocket-Version: 13"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 5, name: "no version", send: badAsk("-Sec-WebSocket-Version"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 6, name: "no key", send: badAsk("-Sec-WebSocket-Key"), status: 400, rule: ws.RuleKey},
		{row: 6, name: "an empty key", send: badAsk("Sec-WebSocket-Key: "), status: 400, rule: ws.RuleKey},
		{row: 6, name: "two keys", send: badAsk("+Sec-WebSocket-Key: " + key(16)), status: 400, rule: ws.RuleKey},
		{row: 6, name: "two keys on one line", send: badAsk("Sec-WebSocket-Key: " + key(16) + ", " + key(16)), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key of 15 bytes", send: badAsk("Sec-WebSocket-Key: " + key(15)), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key of 17 bytes", send: badAsk("Sec-WebSocket-Key: " + key(17)), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key of 18 bytes, 24 characters", send: badAsk("Sec-WebSocket-Key: " + key(18)), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key without padding", send: badAsk("Sec-WebSocket-Key: " + strings.TrimRight(key(16), "=")), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key in the other base64", send: badAsk("Sec-WebSocket-Key: " + strings.Repeat("_", 22) + "=="), status: 400, rule: ws.RuleKey},
		{row: 6, name: "a key that is not base64", send: badAsk("Sec-WebSocket-Key: " + strings.Repeat("!", 24)), status: 400, rule: ws.RuleKey},
		{row: 7, name: "a body", send: badAsk("+Content-Length: 5") + "hello", status: 400, rule: ws.RuleNoBody, closes: true},
		{row: 7, name: "a body that does not come", send: badAsk("+Content-Length: 5000000"), status: 400, rule: ws.RuleNoBody, closes: true},
		{row: 7, name: "a chunked body", send: badAsk("+Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", status: 400, rule: ws.RuleNoBody, closes: true},
		{row: 7, name: "an empty chunked body", send: badAsk("+Transfer-Encoding: chunked") + "0\r\n\r\n", status: 400, rule: ws.RuleNoBody, closes: true},
		{row: 7, name: "both lengths", send: badAsk("+Content-Length: 5", "+Transfer-Encoding: chunked") + "0\r\n\r\n", status: 400, rule: ws.RuleNoBody, closes: true},
		{row: 7, name: "a transfer encoding that nobody knows", send: badAsk("+Transfer-Encoding: websocket"), status: 501, closes: true},
		{row: 7, name: "two lengths", send: badAsk("+Content-Length: 5", "+Content-Length: 0"), status: 400, closes: true},
		{row: 7, name: "a length of 0 is right", send: badAsk("+Content-Length: 0"), status: 101},
		{row: 8, name: "the preface of HTTP/2", send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 400, rule: ws.RuleHTTPVersion, closes: true},
		{row: 9, name: "a space before a colon", send: badAsk("+X-A : b"), status: 400, closes: true},
		{row: 9, name: "a space before the colon of a header that we need", send: badAsk("-Upgrade", "+Upgrade : websocket"), status: 400, closes: true},
		{row: 9, name: "NUL in a value", send: badAsk("+X-A: b\x00c"), status: 400, closes: true},
		{row: 9, name: "NUL in a name", send: badAsk("+X\x00A: b"), status: 400, closes: true},
		// net/http unfolds a folded value, and takes LF for CRLF. Neither
		// makes two readers of one request here: nobody else reads it. So it
		// may stay; these rows would notice a change.
		{row: 10, name: "a folded header", send: badAsk("+X-A: b\r\n c"), status: 101},
		{row: 10, name: "a folded Upgrade", send: badAsk("Upgrade: h2c,\r\n\twebsocket"), status: 101},
		{row: 10, name: "a fold in a value of ours", send: badAsk("Sec-WebSocket-Version: 1\r\n 3"), status: 426, rule: ws.RuleVersion, header: version},
		{row: 10, name: "bare line feeds", send: strings.ReplaceAll(badAsk(), "\r\n", "\n"), status: 101},
		{row: 10, name: "a bare carriage return", send: badAsk("+X-A: b\rc"), status: 400, closes: true},
		{row: 11, name: "headers of 8 KiB are right", send: sized(8<<10 + len("\r\n")), status: 101},
		{row: 11, name: "headers of 8 KiB and a byte", send: sized(8<<10 + len("\r\n") + 1), status: 431, rule: ws.RuleHeaderSize},
		{row: 11, name: "a long target", send: badAsk("=GET /" + strings.Repeat("a", 8<<10) + " HTTP/1.1"), status: 431, rule: ws.RuleHeaderSize},
		{row: 11, name: "headers over another limit", send: badAsk("+X-A: " + strings.Repeat("a", 300)), opts: &wsnet.ServerOptions{MaxHeaderBytes: 300}, status: 431, rule: ws.RuleHeaderSize},
		{row: 11, name: "headers over net/http's limit", send: sized(http.DefaultMaxHeaderBytes + 10000), opts: &wsnet.ServerOptions{MaxHeaderBytes: -1}, status: 431, closes: true},
		{row: 12, name: "100 headers are right", send: counted(100), status: 101},
		{row: 12, name: "101 headers", send: counted(101), status: 431, rule: ws.RuleHeaderCount},
		{row: 12, name: "headers over another limit", send: badAsk(), opts: &wsnet.ServerOptions{MaxHeaders: 4}, status: 431, rule: ws.RuleHeaderCount},
		{row: 15, name: "two Origins", send: badAsk("+Origin: http://example.com", "+Origin: http://evil.example"), status: 403, rule: ws.RuleOneOrigin},
		{row: 15, name: "two Origins that agree", send: badAsk("+Origin: http://example.com", "+Origin: http://example.com"), status: 403, rule: ws.RuleOneOrigin},
		{row: 15, name: "two Origins in one header", send: badAsk("+Origin: http://example.com http://evil.example"), status: 403, rule: ws.RuleOrigin},
		{row: 15, name: "two Origins in one header, with a comma", send: badAsk("+Origin: http://example.com, http://evil.example"), status: 403, rule: ws.RuleOrigin},
		{row: 15, name: "two Origins where all are welcome", send: badAsk("+Origin: http://example.com", "+Origin: http://evil.example"), opts: &wsnet.ServerOptions{OriginPatterns: []string{"*"}}, status: 403, rule: ws.RuleOneOrigin},
		{row: 16, name: "a cookie but no Origin", send: badAsk("+Cookie: a=b"), status: 101},
		{row: 16, name: "a cookie but no Origin, which is asked for", send: badAsk("+Cookie: a=b"), opts: &wsnet.ServerOptions{RequireOrigin: true}, status: 403, rule: ws.RuleOriginMissing},
		{row: 16, name: "no cookie and no Origin, which is asked for", send: badAsk(), opts: &wsnet.ServerOptions{RequireOrigin: true}, status: 101},
		{row: 17, name: "50,000 spaces in Sec-WebSocket-Protocol", send: badAsk("+Sec-WebSocket-Protocol: a," + strings.Repeat(" ", 50000) + "chat"), opts: chat, status: 101, header: []string{"Sec-WebSocket-Protocol: chat"}},
		{row: 17, name: "50,000 commas in Sec-WebSocket-Protocol", send: badAsk("+Sec-WebSocket-Protocol: " + strings.Repeat(",", 50000)), opts: chat, status: 101, header: []string{"-Sec-WebSocket-Protocol"}},
		{row: 17, name: "50,000 spaces and commas", send: badAsk("+Sec-WebSocket-Protocol: " + strings.Repeat(" , ", 50000) + "chat"), opts: chat, status: 101, header: []string{"Sec-WebSocket-Protocol: chat"}},
		{row: 17, name: "50,000 commas, with the default limit", send: badAsk("+Sec-WebSocket-Protocol: " + strings.Repeat(",", 50000)), status: 431, rule: ws.RuleHeaderSize},
		{row: 18, name: "10,000 extension offers", send: badAsk("+Sec-WebSocket-Extensions: " + strings.Repeat("permessage-deflate; a=1, ", 10000)), opts: wide(wsnet.ServerOptions{}), status: 101, header: []string{"-Sec-WebSocket-Extensions"}},
		{row: 18, name: "10,000 parameters of one offer", send: badAsk("+Sec-WebSocket-Extensions: x" + strings.Repeat("; a=\"b\\c\"", 10000)), opts: wide(wsnet.ServerOptions{}), status: 101, header: []string{"-Sec-WebSocket-Extensions"}},
	}
	// Without compression every offer is declined, with it the broken ones.
	for _, offer := range []string{
		"permessage-deflate; client_max_window_bits=7",
		"permessage-deflate; server_max_window_bits=16",
		"permessage-deflate; server_max_window_bits=08",
		"permessage-deflate; client_max_window_bits; client_max_window_bits",
		"permessage-deflate; frobnicate",
		"permessage-deflate; server_max_window_bits=7, permessage-deflate; frobnicate=1, x-unknown",
		"permessage-deflate",
	} {
		rows = append(rows, badRequest{row: 19, name: "the offer " + offer, send: badAsk("+Sec-WebSocket-Extensions: " + offer), status: 101, header: []string{"-Sec-WebSocket-Extensions"}})
		if offer != "permessage-deflate" {
			rows = append(rows,
				badRequest{row: 19, name: "the offer " + offer + " with compression", send: badAsk("+Sec-WebSocket-Extensions: " + offer), opts: &wsnet.ServerOptions{Options: wsnet.Options{Compression: &ws.Compression{}}}, status: 101, header: []string{"-Sec-WebSocket-Extensions"}},
				badRequest{row: 19, name: "the offer " + offer + " and a good one", send: badAsk("+Sec-WebSocket-Extensions: " + offer + ", permessage-deflate; server_max_window_bits=9"), opts: &wsnet.ServerOptions{Options: wsnet.Options{Compression: &ws.Compression{}}}, status: 101,
					header: []string{"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9"}})
		}
	}
	rows = append(rows, badRequest{row: 19, name: "a header that is no list of offers", send: badAsk("+Sec-WebSocket-Extensions: ;;,=\""), status: 400, rule: ws.RuleExtensions})
	return rows
}
