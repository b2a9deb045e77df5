package wsnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A badAnswer is a test of row 23: what a server may answer to our client. It
// runs against Dial and NewClient.
type badAnswer struct {
	name   string
	send   string // with {accept} for what proves that the server read the key
	status int    // in the error; 0 if there was no answer in what came
	rule   ws.RuleID
	body   string // the beginning of the answer's, in the error
	opts   *wsnet.Options
	below  bool // Dial leaves it to net/http, which knows no rule
	on     bool // more comes, and no end of it
}

// badReply returns an answer that is right but for the edits, see badAsk.
func badReply(edits ...string) string {
	lines := []string{"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: {accept}", "X-Seen: yes"}
	for _, edit := range edits {
		name, _, _ := strings.Cut(strings.TrimPrefix(edit, "-"), ":")
		at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+":") })
		switch edit[0] {
		case '=':
			lines[0] = edit[1:]
		case '+':
			lines = append(lines, edit[1:])
		case '-':
			lines = slices.Delete(lines, at, at+1)
		default:
			lines[at] = edit
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func badAnswers() []badAnswer {
	chat := &wsnet.Options{Subprotocols: []string{"chat", "superchat"}}
	long := strings.Repeat("no! ", 1000)
	return []badAnswer{
		{name: "a wrong Sec-WebSocket-Accept", send: badReply("Sec-WebSocket-Accept: " + wstest.RequestAccept), status: 101, rule: ws.RuleAccept},
		{name: "the key itself as Sec-WebSocket-Accept", send: badReply("Sec-WebSocket-Accept: {key}"), status: 101, rule: ws.RuleAccept},
		{name: "Sec-WebSocket-Accept in another case", send: badReply("Sec-WebSocket-Accept: {ACCEPT}"), status: 101, rule: ws.RuleAccept},
		{name: "no Sec-WebSocket-Accept", send: badReply("-Sec-WebSocket-Accept"), status: 101, rule: ws.RuleAccept},
		{name: "two Sec-WebSocket-Accept", send: badReply("+Sec-WebSocket-Accept: {accept}"), status: 101, rule: ws.RuleAccept},
		{name: "no Upgrade", send: badReply("-Upgrade"), status: 101, rule: ws.RuleAnswerUpgrade},
		{name: "Upgrade to something else", send: badReply("Upgrade: h2c"), status: 101, rule: ws.RuleAnswerUpgrade},
		{name: "two Upgrades", send: badReply("+Upgrade: h2c"), status: 101, rule: ws.RuleAnswerUpgrade},
		{name: "no Connection", send: badReply("-Connection"), status: 101, rule: ws.RuleAnswerConnection},
		{name: "Connection without upgrade", send: badReply("Connection: close"), status: 101, rule: ws.RuleAnswerConnection},
		{name: "an extension", send: badReply("+Sec-WebSocket-Extensions: permessage-deflate"), status: 101, rule: ws.RuleAnswerExtensions},
		{name: "a subprotocol where none was offered", send: badReply("+Sec-WebSocket-Protocol: chat"), status: 101, rule: ws.RuleAnswerSubprotocol},
		{name: "a subprotocol that was not offered", send: badReply("+Sec-WebSocket-Protocol: other"), opts: chat, status: 101, rule: ws.RuleAnswerSubprotocol},
		{name: "a subprotocol in another case", send: badReply("+Sec-WebSocket-Protocol: Chat"), opts: chat, status: 101, rule: ws.RuleAnswerSubprotocol},
		{name: "an empty subprotocol", send: badReply("+Sec-WebSocket-Protocol: "), opts: chat, status: 101, rule: ws.RuleAnswerSubprotocol},
		{name: "two subprotocols", send: badReply("+Sec-WebSocket-Protocol: chat", "+Sec-WebSocket-Protocol: superchat"), opts: chat, status: 101, rule: ws.RuleAnswerOneSubproto},
		{name: "two subprotocols in one header", send: badReply("+Sec-WebSocket-Protocol: chat, superchat"), opts: chat, status: 101, rule: ws.RuleAnswerOneSubproto},
		{name: "a 101 with a body", send: badReply("+Content-Length: 5") + "hello", status: 101, rule: ws.RuleAnswerBodyForbidden},
		{name: "a 101 with a chunked body", send: badReply("+Transfer-Encoding: chunked") + "0\r\n\r\n", status: 101, rule: ws.RuleAnswerBodyForbidden},
		{name: "status 200", send: badReply("=HTTP/1.1 200 OK", "+Content-Length: 2") + "no", status: 200, rule: ws.RuleStatus, body: "no"},
		{name: "status 200 with all that a 101 has", send: badReply("=HTTP/1.1 200 OK"), status: 200, rule: ws.RuleStatus},
		{name: "status 426 with a text", send: badReply("=HTTP/1.1 426 Upgrade Required", "+Content-Length: 4000") + long, status: 426, rule: ws.RuleStatus, body: long[:1<<10]},
		{name: "status 403 with a chunked text", send: badReply("=HTTP/1.1 403 Forbidden", "+Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", status: 403, rule: ws.RuleStatus, body: "hello"},
		{name: "status 503 with a text until the end", send: badReply("=HTTP/1.1 503 Busy") + "later", status: 503, rule: ws.RuleStatus, body: "later"},
		{name: "status 500 with an endless text", send: badReply("=HTTP/1.1 500 Oh") + long, status: 500, rule: ws.RuleStatus, body: long[:1<<10], on: true},
		{name: "a redirect", send: badReply("=HTTP/1.1 301 Moved", "+Location: http://127.0.0.1:1/", "+Content-Length: 0"), status: 301, rule: ws.RuleStatus},
		{name: "an endless header", send: badReply()[:40], on: true, rule: ws.RuleAnswerSize, below: true},
		{name: "endless headers", send: strings.TrimSuffix(badReply(), "\r\n") + strings.Repeat("X-A: b\r\n", 9000), on: true, rule: ws.RuleAnswerSize, below: true},
		{name: "no HTTP", send: "SSH-2.0-OpenSSH_9.9\r\n\r\n", rule: ws.RuleAnswerNotHTTP, below: true},
		{name: "frames without an answer", send: "\x81\x05Hello\r\n\r\n", rule: ws.RuleAnswerNotHTTP, below: true},
		{name: "a status that is no number", send: "HTTP/1.1 1o1 Switching\r\n\r\n", rule: ws.RuleAnswerNotHTTP, below: true},
		{name: "a header without a colon", send: badReply("+hello"), rule: ws.RuleAnswerNotHTTP, below: true},
		{name: "nothing", send: "", below: true},
		{name: "half a header", send: badReply()[:50], below: true},
	}
}

func (b badAnswer) test(t *testing.T, n *badNet) {
	for _, transport := range []string{"tcp", "tls"} {
		for _, way := range []string{badWhole, badBytes, badGlued} {
			if way == badGlued && b.rule == "" || way != badWhole && b.on {
				continue // what comes after would be a part of it
			}
			for _, client := range []string{"Dial", "NewClient"} {
				t.Run(client+" "+transport+" "+way, func(t *testing.T) { b.play(t, n, client == "Dial", transport, way) })
			}
		}
	}
}

func (b badAnswer) play(t *testing.T, n *badNet, useDial bool, transport, way string) {
	app := newBadApp(b.opts, way)
	conn := n.accept(t, transport, useDial, app)
	p := wstest.NewPeer(t, conn)
	key := wstest.HeadField(p.ReadHead("the opening handshake"), "Sec-WebSocket-Key")
	accept := wstest.HeadField(string(wstest.Response(key)), "Sec-WebSocket-Accept")
	send := []byte(strings.NewReplacer("{accept}", accept, "{key}", key, "{ACCEPT}", swapCase(accept)).Replace(b.send))

	switch way {
	case badWhole:
		p.SendBytes(send)
	case badBytes:
		badSend(p, send)
	case badGlued:
		p.SendBytes(append(send, "\x81\x04late"...))
	}
	if b.on {
		for _, err := conn.Write(nil); err == nil; {
			conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
			_, err = conn.Write(bytes.Repeat([]byte("X"), 64<<10))
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the client neither reads nor hangs up")
			}
		}
	} else {
		conn.(interface{ CloseWrite() error }).CloseWrite() // fails if the client has seen enough
	}
	app.wait(t)
	e, ok := errors.AsType[*ws.HandshakeError](app.err)
	if !ok {
		t.Fatalf("got %v, want a *HandshakeError", app.err)
	}
	rule := b.rule
	if useDial && b.below {
		rule = ""
	}
	if e.Rule != rule || e.Status != b.status {
		t.Errorf("got rule %q, status %d; want %q, %d (%v)", e.Rule, e.Status, rule, b.status, e)
	}
	if b.status != 0 && http.Header(e.Header).Get("X-Seen") != "yes" {
		t.Errorf("the error has the headers %v, want those of the answer", e.Header)
	}
	body := b.body
	if b.status != 0 && b.status != 101 && way == badGlued && len(body) < 5 && !strings.Contains(b.send, "Content-Length") {
		body += "\x81\x04late" // is a part of a body that has no length
	}
	if !strings.HasPrefix(string(e.Body), body) || len(e.Body) > 1<<10 {
		t.Errorf("the error has the body %.200q, want %.200q", e.Body, body)
	}
	if part := body[:min(4, len(body))]; !strings.Contains(e.Error(), strings.TrimPrefix(part, "\x81\x04")) {
		t.Errorf("the error %q does not show the body %.200q", e, body)
	}
	conn.Close()
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

var badClientRows = []badRow{
	{row: 23, name: "an answer dripped", test: badAnswerDrip},
	{row: 23, name: "silence", test: badSilence},
	{row: 24, name: "line ends and worse in what the caller gives", test: badCallers},
	{row: 24, name: "line ends in what a handler adds to the answer", test: badHandlers},
}

// Row 23, in time: HandshakeTimeout bounds the whole handshake, so it does not
// help a server to send another byte now and then.
func badAnswerDrip(t *testing.T, _ *badNet) {
	head := badReply("+X-Long: " + strings.Repeat("a", 100))
	line, rest, _ := strings.Cut(head, "\r\n")
	t.Run("headers", func(t *testing.T) { badSlowServer(t, line+"\r\n", rest) })
	t.Run("status line", func(t *testing.T) {
		badSlowServer(t, "", head)
	})
}

func badSilence(t *testing.T, _ *badNet) { badSlowServer(t, "", "") }

func badSlowServer(t *testing.T, begin, drip string) {
	for _, useDial := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := wstest.NewListener()
			defer l.Close()
			app := newBadApp(nil, badWhole)
			start := time.Now()
			var took time.Duration
			go func() {
				var c *wsnet.Conn
				var err error
				if useDial {
					c, err = wsnet.Dial(t.Context(), "ws://example.com/", &wsnet.DialOptions{HTTPClient: l.Client()})
				} else {
					conn, _ := l.Dial()
					c, err = wsnet.NewClient(t.Context(), conn, "ws://example.com/", nil)
				}
				took = time.Since(start)
				app.serve(c, err)
			}()
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			p := wstest.NewPeer(t, conn)
			p.ReadHead("the opening handshake")
			p.SendBytes([]byte(begin))
			for _, b := range []byte(drip[:min(len(drip), 60)]) {
				p.SendBytes([]byte{b})
				time.Sleep(time.Second)
			}
			p.WantEOF("the client hangs up")
			app.wait(t)
			if took != 10*time.Second {
				t.Errorf("Dial %v: took %v, want 10s", useDial, took)
			}
			if ne, ok := errors.AsType[net.Error](app.err); !ok || !ne.Timeout() {
				t.Errorf("Dial %v: got %v, want a timeout", useDial, app.err)
			}
		})
	}
}

// Row 24.
func badCallers(t *testing.T, _ *badNet) {
	header := func(name, value string) *wsnet.DialOptions {
		return &wsnet.DialOptions{Header: http.Header{name: {value}}}
	}
	for _, tt := range []struct {
		name string
		url  string
		opts *wsnet.DialOptions
		text string // in the error
	}{
		{name: "CR LF and a header in a value", opts: header("X-A", "b\r\nX-Evil: c"), text: "X-A"},
		{name: "LF in a value", opts: header("X-A", "b\nc"), text: "X-A"},
		{name: "CR in a value", opts: header("X-A", "b\rc"), text: "X-A"},
		{name: "NUL in a value", opts: header("X-A", "b\x00c"), text: "X-A"},
		{name: "CR LF at the end of a value", opts: header("Origin", "https://example.com\r\n"), text: "Origin"},
		{name: "the second value of a header", opts: &wsnet.DialOptions{Header: http.Header{"Cookie": {"a=b", "c=d\r\n\r\n"}}}, text: "Cookie"},
		{name: "CR LF in a name", opts: header("X-A: b\r\nX-Evil", "c"), text: "X-Evil"},
		{name: "a colon in a name", opts: header("X-A:", "c"), text: "X-A:"},
		{name: "a space in a name", opts: header("X A", "c"), text: "X A"},
		{name: "an empty name", opts: header("", "c"), text: `""`},
		{name: "a header that is the handshake's own", opts: header("Sec-WebSocket-Key", "c"), text: "Sec-WebSocket-Key"},
		{name: "a header that is the handshake's own, in lower case", opts: header("upgrade", "h2c"), text: "upgrade"},
		{name: "a length", opts: header("Content-Length", "5"), text: "Content-Length"},
		{name: "CR LF in Host", opts: &wsnet.DialOptions{Host: "example.com\r\nX-Evil: c"}, text: "Host"},
		{name: "CR LF in a subprotocol", opts: &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"chat\r\nX-Evil: c"}}}, text: "subprotocol"},
		{name: "a comma in a subprotocol", opts: &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"chat,superchat"}}}, text: "subprotocol"},
		{name: "a subprotocol twice", opts: &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{"chat", "chat"}}}, text: "twice"},
		{name: "CR LF in the URL's path", url: "ws://example.com/\r\nX-Evil: c", text: "URL"},
		{name: "CR LF in the URL's host", url: "ws://example.com\r\nX-Evil: c/", text: "URL"},
		{name: "a scheme of something else", url: "gopher://example.com/", text: "ws or wss"},
		{name: "a fragment", url: "ws://example.com/#a", text: "fragment"},
		{name: "no host", url: "ws:///chat", text: "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.url
			if url == "" {
				url = "ws://example.com/"
			}
			opts := wsnet.DialOptions{}
			if tt.opts != nil {
				opts = *tt.opts
			}
			opts.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				t.Error("Dial has gone as far as to connect")
				return nil, net.ErrClosed
			}}}
			_, err := wsnet.Dial(t.Context(), url, &opts)
			if _, ok := errors.AsType[*ws.HandshakeError](err); !ok || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Dial: got %v, want a *HandshakeError that names %q", err, tt.text)
			}

			ours, theirs := wstest.Pipe()
			_, err = wsnet.NewClient(t.Context(), ours, url, &opts)
			if _, ok := errors.AsType[*ws.HandshakeError](err); !ok || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("NewClient: got %v, want a *HandshakeError that names %q", err, tt.text)
			}
			if sent, err := io.ReadAll(theirs); len(sent) > 0 || err != nil {
				t.Errorf("NewClient has sent %q, %v; want nothing and the end", sent, err)
			}
		})
	}
}

func badHandlers(t *testing.T, _ *badNet) {
	for _, add := range []http.Header{
		{"X-A": {"b\r\nX-Evil: c"}},
		{"X-A\r\nX-Evil": {"c"}},
		{"Set-Cookie": {"a=b", "c=d\n"}},
		{"Sec-WebSocket-Accept": {"c"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			app := newBadApp(nil, badWhole)
			l := badServe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range add {
					w.Header()[name] = values
				}
				app.ServeHTTP(w, r)
			}))
			p := badKnock(t, l)
			p.SendBytes(wstest.Request("/", "server.test"))
			head := p.ReadHead("the answer")
			if !strings.HasPrefix(head, "HTTP/1.1 500 ") || strings.Contains(head, "\nX-Evil: c") {
				t.Errorf("%q: got %q, want a 500 without what was smuggled in", add, head)
			}
			app.wait(t)
			if _, ok := errors.AsType[*ws.HandshakeError](app.err); !ok {
				t.Errorf("%q: got %v, want a *HandshakeError", add, app.err)
			}
		})
	}
}
