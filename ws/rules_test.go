package ws_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

var update = flag.Bool("update", false, "rewrite the generated parts of documents")

// A breach is one way to break a rule. It returns the error that comes of it.
type breach struct {
	name string
	do   func(t *testing.T) error
}

// ruleTests breaks every rule at least once. The name of a test that fails is
// the rule's.
var ruleTests = map[ws.RuleID][]breach{
	// The opening handshake, as a server sees it.
	ws.RuleMethod: {
		request("POST", func(r *ws.Request) { r.Method = "POST" }),
		request("PRI, as HTTP/2 begins", func(r *ws.Request) { r.Method, r.Target = "PRI", "*" }),
		request("get in lower case", func(r *ws.Request) { r.Method = "get" }),
	},
	ws.RuleHTTPVersion: {
		request("HTTP/1.0", func(r *ws.Request) { r.Minor = 0 }),
		request("HTTP/0.9", func(r *ws.Request) { r.Major, r.Minor = 0, 9 }),
		request("HTTP/2", func(r *ws.Request) { r.Major, r.Minor = 2, 0 }),
	},
	ws.RuleHost: {request("no Host", func(r *ws.Request) { r.Host = "" })},
	ws.RuleUpgrade: {
		request("no Upgrade", without("Upgrade")),
		request("another Upgrade", with("Upgrade", "h2c")),
		request("a longer word", with("Upgrade", "websockets")),
	},
	ws.RuleConnection: {
		request("no Connection", without("Connection")),
		request("keep-alive", with("Connection", "keep-alive")),
	},
	ws.RuleKey: {
		request("no key", without("Sec-Websocket-Key")),
		request("two keys", with("Sec-Websocket-Key", wstest.RequestKey, wstest.RequestKey)),
		request("empty", with("Sec-Websocket-Key", "")),
		request("15 bytes", with("Sec-Websocket-Key", "MTIzNDU2Nzg5MDEyMzQ1")),
		request("17 bytes", with("Sec-Websocket-Key", "MTIzNDU2Nzg5MDEyMzQ1Njc=")),
		request("18 bytes in 24 characters", with("Sec-Websocket-Key", "MTIzNDU2Nzg5MDEyMzQ1Njc4")),
		request("not base64", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZ!==")),
		request("without padding", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ")),
	},
	ws.RuleVersion: {
		request("no version", without("Sec-Websocket-Version")),
		request("hybi 8", with("Sec-Websocket-Version", "8")),
		request("two versions", with("Sec-Websocket-Version", "13", "13")),
		request("a list", with("Sec-Websocket-Version", "13, 8")),
		request("a leading zero", with("Sec-Websocket-Version", "013")),
	},
	ws.RuleNoBody: {request("a body", func(r *ws.Request) { r.Length = 1 })},
	ws.RuleOrigin: {
		request("another host", with("Origin", "http://evil.example")),
		request("null", with("Origin", "null")),
	},
	ws.RuleOneOrigin: {request("two", with("Origin", "http://server.example.com", "http://server.example.com"))},
	ws.RuleOriginMissing: {
		{"a cookie alone", func(t *testing.T) error {
			r := goodRequest()
			r.Header["Cookie"] = []string{"session=1"}
			return check(r, &ws.Policy{RequireOrigin: true})
		}},
	},
	ws.RuleHostAllowed: {
		{"a name that points to this machine", func(t *testing.T) error {
			r := goodRequest()
			r.Local = true
			return check(r, nil)
		}},
		{"one that is not in a list", func(t *testing.T) error {
			return check(goodRequest(), &ws.Policy{Hosts: []string{"example.com"}})
		}},
	},
	ws.RuleExtensions: {
		offers("no name", "; x"),
		offers("a parameter without a name", "permessage-deflate;"),
		offers("a value that is empty", "permessage-deflate; client_max_window_bits="),
		offers("a quoted string without end", `x; y="`),
		offers("a quoted string that is no token", `x; y="a b"`),
		offers("two names without a comma", "permessage-deflate permessage-deflate"),
	},
	ws.RuleHeaderSize: {
		request("one long value", with("X-Long", strings.Repeat("x", 8<<10))),
		request("a long target", func(r *ws.Request) { r.Target = "/" + strings.Repeat("x", 8<<10) }),
		asked("a head without end", "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 64<<10)),
		asked("a first line without end", "GET /"+strings.Repeat("x", 64<<10)),
	},
	ws.RuleHeaderCount: {
		request("100 of one name", with("X", strings.Split(strings.Repeat("1", 100), "")...)),
		request("100 names", func(r *ws.Request) {
			for i := range 100 {
				r.Header["X-"+strconv.Itoa(i)] = []string{"1"}
			}
		}),
	},
	ws.RulePerAddress: {{"a second one", func(t *testing.T) error {
		return secondConnection(t, &wsnet.Server{MaxPerAddress: 1})
	}}},
	ws.RuleConnections: {
		{"full", func(t *testing.T) error { return secondConnection(t, &wsnet.Server{MaxConns: 1}) }},
		{"shutting down", func(t *testing.T) error {
			s := &wsnet.Server{}
			s.Shutdown(t.Context())
			return refusal(t, s)
		}},
	},

	// The opening handshake, as a client sees it.
	ws.RuleStatus: {
		answer("200", func(r *ws.Response) { r.Status = 200 }),
		answer("a redirect", func(r *ws.Response) { r.Status = 302 }),
		answer("100", func(r *ws.Response) { r.Status = 100 }),
	},
	ws.RuleAnswerUpgrade: {
		answer("none", withoutAnswer("Upgrade")),
		answer("another", withAnswer("Upgrade", "h2c")),
		answer("a list", withAnswer("Upgrade", "websocket, h2c")),
		answer("two", withAnswer("Upgrade", "websocket", "websocket")),
	},
	ws.RuleAnswerConnection: {
		answer("none", withoutAnswer("Connection")),
		answer("another", withAnswer("Connection", "close")),
	},
	ws.RuleAccept: {
		answer("none", withoutAnswer("Sec-Websocket-Accept")),
		answer("wrong", withAnswer("Sec-Websocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
		answer("the key itself", withAnswer("Sec-Websocket-Accept", wstest.RequestKey)),
		answer("in lower case", withAnswer("Sec-Websocket-Accept", strings.ToLower(wstest.RequestAccept))),
		answer("two", withAnswer("Sec-Websocket-Accept", wstest.RequestAccept, wstest.RequestAccept)),
	},
	ws.RuleAnswerExtensions: {
		agrees("one that was not offered", nil, "permessage-deflate"),
		agrees("another", &ws.Compression{}, "x-webkit-deflate-frame"),
		agrees("two", &ws.Compression{}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover, permessage-deflate"),
		agrees("no list", &ws.Compression{}, "permessage-deflate;"),
		agrees("an unknown parameter", &ws.Compression{}, "permessage-deflate; server_no_context_takeover; x"),
		agrees("a context we will not keep", &ws.Compression{}, "permessage-deflate"),
		agrees("a window we do not have", &ws.Compression{ReceiveContext: true, ReceiveWindow: 9}, "permessage-deflate; server_max_window_bits=10"),
	},
	ws.RuleAnswerSubprotocol: {answer("not offered", withAnswer("Sec-Websocket-Protocol", "mqtt")), answer("in another case", withAnswer("Sec-Websocket-Protocol", "Chat"))},
	ws.RuleAnswerOneSubproto: {
		answer("two headers", withAnswer("Sec-Websocket-Protocol", "chat", "superchat")),
		answer("a list", withAnswer("Sec-Websocket-Protocol", "chat, superchat")),
	},
	ws.RuleAnswerBodyForbidden: {
		dialled("chunks on the wire", string(wstest.Response(wstest.RequestKey, "Transfer-Encoding: chunked"))),
		answer("a length", withAnswer("Content-Length", "5")),
		answer("chunks", withAnswer("Transfer-Encoding", "chunked")),
	},
	ws.RuleAnswerSize: {dialled("a header without end", "HTTP/1.1 101 Switching Protocols\r\nX: "+strings.Repeat("x", 64<<10))},
	ws.RuleAnswerNotHTTP: {
		dialled("SSH", "SSH-2.0-OpenSSH_9.9\r\n\r\n"),
		dialled("a frame at once", "\x81\x05Hello\r\n\r\n"),
		dialled("HTTP/1.0", strings.Replace(string(wstest.Response(wstest.RequestKey)), "HTTP/1.1", "HTTP/1.0", 1)),
		dialled("HTTP/2", strings.Replace(string(wstest.Response(wstest.RequestKey)), "HTTP/1.1", "HTTP/2.0", 1)),
	},

	// The opening handshake over HTTP/2.
	ws.RuleConnectSetting: {
		announces("2", 0, 2), announces("2^32-1", 1, 1<<32-1), announces("0 after 1", 1, 0),
	},
	ws.RuleConnectPseudo: {
		connect("no :scheme", func(r *ws.Request) { r.Scheme = "" }),
		connect("no :path", func(r *ws.Request) { r.Target = "" }),
		connect("a star for a path", func(r *ws.Request) { r.Target = "*" }),
		connect("a URL for a path", func(r *ws.Request) { r.Target = "https://server.example.com/chat" }),
		connect("no :authority", func(r *ws.Request) { r.Host = "" }),
	},
	ws.RuleConnectProtocol: {
		connect("no :protocol", func(r *ws.Request) { r.Protocol = "" }),
		connect("another", func(r *ws.Request) { r.Protocol = "connect-udp" }),
		connect("in upper case", func(r *ws.Request) { r.Protocol = "WebSocket" }),
	},
	ws.RuleConnectScheme:    {connect("wss", func(r *ws.Request) { r.Scheme = "wss" })},
	ws.RuleConnectAuthority: {connect("two hosts", with("Host", "evil.example")), connect("the second of two", with("Host", "server.example.com", "evil.example"))},
	ws.RuleConnectHeaders: {
		connect("Upgrade", with("Upgrade", "websocket")),
		connect("Connection", with("Connection", "Upgrade")),
		connect("Connection, empty", with("Connection", "")),
	},
	ws.RuleConnectVersion: {
		connect("empty", with("Sec-Websocket-Version", "")),
		connect("8", with("Sec-Websocket-Version", "8")),
		connect("two", with("Sec-Websocket-Version", "13", "13")),
	},
	ws.RuleConnectStream: {
		connect("it ends with the request", func(r *ws.Request) { r.Length = 0 }),
		connect("a length", func(r *ws.Request) { r.Length = 1 }),
	},
	ws.RuleConnectStatus: {connectAnswer("101", 101, "", ""), connectAnswer("204", 204, "", ""), connectAnswer("401", 401, "", "")},
	ws.RuleConnectAnswer: {connectAnswer("Upgrade", 200, "Upgrade", "websocket"), connectAnswer("Connection", 200, "Connection", "Upgrade")},

	// Frames, messages, the closing handshake.
	ws.RuleClientMasks:    {toServer("text", "81 05 | 'Hello'"), toServer("close", "88 00"), toServer("a second frame", "81 80 | 00000000 | 81 00")},
	ws.RuleServerUnmasked: {toClient("text", "81 85 | 37fa213d | 7f9f4d5158"), toClient("a key of zeros", "81 80 | 00000000")},
	ws.RuleRSV: {
		toClient("RSV1", "c1 00"), toClient("RSV2", "a1 00"), toServer("RSV3 on a ping", "99 80 | 00000000"),
		deflated(ws.RoleClient, "RSV2 beside RSV1", "e1 00"), deflated(ws.RoleServer, "RSV3 on a ping with compression", "99 80 | 00000000"),
	},
	ws.RuleRSV1: {
		deflated(ws.RoleClient, "on a ping", "c9 00"), deflated(ws.RoleServer, "on a close", "c8 80 | 00000000"),
		deflated(ws.RoleClient, "on a continuation", "41 00 | c0 01 | 00"), deflated(ws.RoleServer, "on the continuation of a message that is not compressed", "01 80 | 00000000 | 40 80"),
	},
	ws.RuleOpcode:        {toClient("3", "83 00"), toClient("7", "87 00"), toServer("b", "8b 80 | 00000000"), toServer("f", "8f 80 | 00000000")},
	ws.RuleMinimalLength: {toClient("16 bits for 125", "82 7e 007d"), toServer("64 bits for 65535", "82 ff 000000000000ffff")},
	ws.RuleLengthTopBit:  {toClient("set", "82 7f 8000000000000000"), toServer("set", "82 ff ffffffffffffffff")},
	ws.RuleContinuation:  {toClient("first of all", "80 00"), toClient("the first of several", "00 00"), toServer("after a message", "81 80 | 00000000 | 00 80 | 00000000")},
	ws.RuleInterleaved: {
		toClient("text in text", "01 00 | 81 00"), toServer("the first of text in text", "01 80 | 00000000 | 01 80 | 00000000"),
		toClient("binary in text", "01 00 | 82 00"), toServer("the first of binary in text", "01 80 | 00000000 | 02 80 | 00000000"),
		toClient("text in binary", "02 00 | 81 00"), toServer("the first of text in binary", "02 80 | 00000000 | 01 80 | 00000000"),
		toClient("binary in binary", "02 00 | 82 00"), toServer("the first of binary in binary", "02 80 | 00000000 | 02 80 | 00000000"),
		toClient("text in text, a ping between", "01 00 | 89 00 | 81 00"),
	},
	ws.RuleControlFin:    {toClient("ping", "09 00"), toServer("close", "08 80 | 00000000")},
	ws.RuleControlLength: {toClient("ping of 126", "89 7e 007e"), toServer("close of 65536", "88 ff")},
	ws.RuleAfterClose: {
		afterClose("a ping", "89 00"), afterClose("a Close frame", "88 00"), afterClose("text", "81 00"), afterClose("the first of text", "01 00"),
		afterClose("binary", "82 00"), afterClose("the first of binary", "02 00"), afterClose("the last continuation", "80 00"), afterClose("a continuation", "00 00"),
	},
	ws.RuleCloseLength: {toClient("one byte", "88 01 | 03"), toServer("one byte", "88 81 | 00000000 | 03")},
	ws.RuleCloseUTF8:   {toClient("a bad byte", "88 03 | 03e8 ff"), toServer("cut off", "88 84 | 00000000 | 03e8 e282")},
	ws.RuleCloseCode: {
		toClient("0", "88 02 | 0000"), toClient("999", "88 02 | 03e7"), toClient("1004", "88 02 | 03ec"), toClient("1005", "88 02 | 03ed"),
		toClient("1006", "88 02 | 03ee"), toClient("1015", "88 02 | 03f7"), toClient("2999", "88 02 | 0bb7"), toClient("5000", "88 02 | 1388"),
		toServer("65535", "88 82 | 00000000 | ffff"),
	},
	ws.RuleTextUTF8: {
		toClient("overlong", "81 02 | c0af"), toClient("surrogate", "81 03 | eda080"), toClient("above U+10FFFF", "81 04 | f4908080"),
		toClient("cut off at FIN", "81 01 | e2"), toServer("before FIN", "01 81 | 00000000 | ff"),
		compressedText("a bad byte in what was compressed", "a\xff"), compressedText("a cut at the end of what was compressed", "a\xe2"),
	},
	ws.RuleMessageSize: {
		toClient("2^63-1", "82 7f 7fffffffffffffff"), toClient("one too many", "82 7f 0000000000100001"),
		toServer("in sum", "02 81 | 00000000 | 'a' | 80 ff 0000000000100000 | 00000000"),
	},
	ws.RuleFragments: {toClient("empty ones", "02 00 | 0000*1024"), toServer("one byte each", "02 80 | 00000000 | 00810000000061*1024")},
	ws.RuleMessageTime: {
		slowly("inside a frame", "82 85 | 00000000 | 'Hel'"),
		slowly("inside a header", "82"),
		slowly("between fragments", "02 81 | 00000000 | 'a'"),
	},
	ws.RulePingRate: {onlyByConn("201 at once", "8980 00000000 | 898000000000*200")},
	ws.RulePongRate: {onlyByConn("201 at once", "8a80 00000000 | 8a8000000000*200")},
	ws.RuleDeflate: {
		inflates("a reserved block type", "c2 01 | 07"),
		inflates("a stored block cut off", "c2 05 | 000500faff"),
		inflates("a length and its complement that differ", "c2 05 | 0005000000"),
		inflates("a distance before the first byte", "c2 04 | 4b044200"),
		inflates("no symbol", "c2 7e 0080 | ff*128"),
	},
	ws.RuleEmptyBlocks: {inflates("1,100 stored blocks", "c2 7e 157c | 000000ffff*1100")},
	ws.RuleInflateRate: {{"a series of bombs", func(t *testing.T) error {
		bomb := deflate.NewCompressor(15, false).Append(nil, []byte(strings.Repeat("a", 500<<10)))
		wire := ws.AppendFrame(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary}, bomb)
		return connFails(t, ws.RoleClient, fmt.Sprintf("%x*100", wire), 0, func(rwc io.ReadWriteCloser) *wsnet.Conn {
			return wsnet.NewDeflateConn(rwc, ws.RoleClient, &wsnet.Options{PingInterval: -1}, ws.DeflateParams{ServerBits: 15, ClientBits: 15})
		})
	}}},
	ws.RuleEmptyRate: {onlyByConn("2,001 at once", "818000000000*2001")},
}

func TestRules(t *testing.T) {
	for _, rule := range ws.Rules {
		t.Run(string(rule.ID), func(t *testing.T) {
			if len(ruleTests[rule.ID]) == 0 {
				t.Fatal("nothing in ruleTests breaks this rule")
			}
			for _, b := range ruleTests[rule.ID] {
				t.Run(b.name, func(t *testing.T) {
					defer endless(t).Stop()
					wantRule(t, rule, b.do(t))
				})
			}
		})
	}
	for id := range ruleTests {
		if id.Rule() == nil {
			t.Errorf("ruleTests breaks %s, which is no rule", id)
		}
	}
}

// endless ends the process in the name of a test that does not end: what goes
// round for ever without a rule cannot be stopped. A test of a rule takes
// milliseconds.
func endless(t *testing.T) *time.Timer {
	name, limit := t.Name(), 20*time.Second
	return time.AfterFunc(limit, func() {
		fmt.Printf("--- FAIL: %s\n    no end after %v\n", name, limit)
		os.Exit(1)
	})
}

func wantRule(t *testing.T, rule ws.Rule, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("passed")
	}
	var id ws.RuleID
	var section string
	var cost int
	if pe, ok := errors.AsType[*ws.ProtocolError](err); ok {
		id, section, cost = pe.Rule, pe.Section, int(pe.Code)
	} else if he, ok := errors.AsType[*ws.HandshakeError](err); ok {
		id, section, cost = he.Rule, he.Section, he.Status
	} else {
		t.Fatalf("got %T (%v), want a *ProtocolError or a *HandshakeError", err, err)
	}
	if id != rule.ID || section != rule.Section {
		t.Fatalf("broke %s (%s): %v", id, section, err)
	}
	if want := int(rule.Code) + rule.Status; want != 0 && cost != want { // 0: the status is what the server answered
		t.Errorf("costs %d, want %d", cost, want)
	}
	if text := err.Error(); !strings.HasPrefix(text, "ws: ") || !strings.HasSuffix(text, "("+rule.Section+")") {
		t.Errorf("the text does not begin with the package and end with the section: %s", text)
	}
}

// The list itself: ids and sections have their form, in the RFC's order, and
// no rule costs both a close code and a status.
func TestRulesAreInOrder(t *testing.T) {
	// RFC 7692 and RFC 8441 have sections without a dot; their rules stand behind
	// RFC 6455's.
	idForm := regexp.MustCompile(`^([0-9]+(\.[0-9]+)+|(7692|8441)(\.[0-9]+)+)-[a-z0-9]+(-[a-z0-9]+)*$`)
	sectionForm := regexp.MustCompile(`^(§[0-9]+(\.[0-9]+)+|RFC (7692|8441) §[0-9]+(\.[0-9]+)*)$`)
	seen := map[ws.RuleID]bool{}
	last := []int{0}
	for _, rule := range ws.Rules {
		if seen[rule.ID] {
			t.Errorf("%s stands there twice", rule.ID)
		}
		seen[rule.ID] = true
		if !idForm.MatchString(string(rule.ID)) || !sectionForm.MatchString(rule.Section) {
			t.Errorf("%q in %q: not of the form 5.4-continuation in §5.4", rule.ID, rule.Section)
			continue
		}
		section, _, _ := strings.Cut(string(rule.ID), "-")
		stands := "§" + section
		for _, rfc := range []string{"7692", "8441"} {
			if rest, ok := strings.CutPrefix(section, rfc+"."); ok {
				stands = "RFC " + rfc + " §" + rest
			}
		}
		if stands != rule.Section {
			t.Errorf("%s stands in %s", rule.ID, rule.Section)
		}
		var at []int
		for part := range strings.SplitSeq(section, ".") {
			n, _ := strconv.Atoi(part)
			at = append(at, n)
		}
		if sectionLess(at, last) {
			t.Errorf("%s stands behind a later section", rule.ID)
		}
		last = at
		if rule.Code != 0 && rule.Status != 0 || rule.Code != 0 && !rule.Code.MaySend() || rule.Status != 0 && (rule.Status < 400 || rule.Status > 599) {
			t.Errorf("%s costs %d and status %d", rule.ID, rule.Code, rule.Status)
		}
		if rule.Text == "" || strings.HasSuffix(rule.Text, ".") || strings.Contains(rule.Text, "|") {
			t.Errorf("%s: %q is no sentence for a table", rule.ID, rule.Text)
		}
		if got := rule.ID.Rule(); got == nil || *got != rule {
			t.Errorf("%s.Rule() is %v", rule.ID, got)
		}
	}
	if ws.RuleID("5.4-no-such-rule").Rule() != nil {
		t.Error("a rule that is none")
	}
}

func sectionLess(a, b []int) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

// The README's index of rules is generated from ws.Rules.
func TestRuleIndex(t *testing.T) {
	const file, begin, end = "../README.md", "<!-- rules:begin -->\n", "<!-- rules:end -->"
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this copy of the package has no README.md above it, so there is no index to compare")
	} else if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the index: %q, then %q", file, begin, end)
	}
	want := ruleIndex()
	if diff := cmp.Diff(want, got); diff != "" {
		if !*update {
			t.Fatalf("%s is not up to date; go test ./ws -run TestRuleIndex -update rewrites it (-want +got):\n%s", file, diff)
		}
		if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func ruleIndex() string {
	var b strings.Builder
	b.WriteString("| rule | section | code or status | what it asks |\n| --- | --- | --- | --- |\n")
	for _, r := range ws.Rules {
		cost := "the dial fails"
		if r.Code != 0 {
			cost = strconv.Itoa(int(r.Code))
		} else if r.Status != 0 {
			cost = "HTTP " + strconv.Itoa(r.Status)
		} else if r.ID == ws.RuleAfterClose {
			cost = "none"
		}
		fmt.Fprintf(&b, "| `%s` | [%s] | %s | %s |\n", r.ID, r.Section, cost, r.Text)
	}
	return b.String()
}

// goodRequest is the client's half of the handshake in §1.3.
func goodRequest() *ws.Request {
	return &ws.Request{
		Method: "GET", Target: "/chat", Major: 1, Minor: 1, Host: "server.example.com",
		Header: http.Header{
			"Upgrade":                {"websocket"},
			"Connection":             {"Upgrade"},
			"Sec-Websocket-Key":      {wstest.RequestKey},
			"Origin":                 {"http://server.example.com"},
			"Sec-Websocket-Protocol": {"chat, superchat"},
			"Sec-Websocket-Version":  {"13"},
		},
	}
}

// goodAnswer is the server's half.
func goodAnswer() *ws.Response {
	return &ws.Response{Status: 101, Header: http.Header{
		"Upgrade":                {"websocket"},
		"Connection":             {"Upgrade"},
		"Sec-Websocket-Accept":   {wstest.RequestAccept},
		"Sec-Websocket-Protocol": {"chat"},
	}}
}

// check is what a server asks of a request.
func check(r *ws.Request, p *ws.Policy) error {
	if len(r.Header["Cookie"]) > 0 {
		delete(r.Header, "Origin")
	}
	if err := ws.CheckRequest(r, p); err != nil {
		return err
	}
	if err := ws.CheckHost(r, p); err != nil {
		return err
	}
	return ws.CheckOrigin(r, p)
}

func request(name string, spoil func(*ws.Request)) breach {
	return breach{name, func(t *testing.T) error {
		r := goodRequest()
		if err := check(r, nil); err != nil {
			t.Fatalf("the request was bad before: %v", err)
		}
		spoil(r)
		err := check(r, nil)
		if he, ok := errors.AsType[*ws.HandshakeError](err); ok {
			want := he.Status
			if r.Major != 1 {
				want = 505 // from net/http, before a handler sees it: TestTwoServers
			}
			if rule, status := served(t, r); rule != he.Rule || status != want {
				t.Errorf("a Server alone on its address answers %d for rule %q, CheckRequest %d for %s", status, rule, he.Status, he.Rule)
			}
		}
		return err
	}}
}

// served sends r to a Server that reads it without net/http, and returns which
// rule it traced and the status that it answered.
func served(t *testing.T, r *ws.Request) (rule ws.RuleID, status int) {
	synctest.Test(t, func(t *testing.T) {
		s := &wsnet.Server{Handler: func(context.Context, *wsnet.Conn) error { return nil }}
		s.Logger = slog.New(slog.DiscardHandler)
		s.Options.Trace = func(e ws.TraceEvent) {
			if e.Rule != "" {
				rule = e.Rule
			}
		}
		l := wstest.NewListener()
		go s.Serve(l)
		defer s.Shutdown(t.Context())
		conn, err := l.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Hour))
		go conn.Write(wireOf(r)) // of a request that is too long a part is read
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		status = resp.StatusCode
	})
	return rule, status
}

// wireOf writes r out as it is, whatever it breaks.
func wireOf(r *ws.Request) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/%d.%d\r\n", r.Method, r.Target, r.Major, r.Minor)
	if r.Host != "" {
		b = fmt.Appendf(b, "Host: %s\r\n", r.Host)
	}
	if r.Length != 0 {
		b = append(b, "Content-Length: 1\r\n"...)
	}
	for name, values := range r.Header {
		for _, v := range values {
			b = fmt.Appendf(b, "%s: %s\r\n", name, v)
		}
	}
	return append(b, "\r\n"...)
}

func with(name string, values ...string) func(*ws.Request) {
	return func(r *ws.Request) { r.Header[name] = values }
}

func without(name string) func(*ws.Request) {
	return func(r *ws.Request) { delete(r.Header, name) }
}

func answer(name string, spoil func(*ws.Response)) breach {
	return breach{name, func(t *testing.T) error {
		offered := []string{"chat", "superchat"}
		r := goodAnswer()
		if got, err := ws.CheckResponse(r, wstest.RequestKey, offered); got != "chat" || err != nil {
			t.Fatalf("the answer was bad before: %q, %v", got, err)
		}
		spoil(r)
		subprotocol, err := ws.CheckResponse(r, wstest.RequestKey, offered)
		if subprotocol != "" {
			t.Errorf("chose %q all the same", subprotocol)
		}
		if he, ok := errors.AsType[*ws.HandshakeError](err); ok && (he.Status != r.Status || cmp.Diff(r.Header, he.Header) != "") {
			t.Errorf("the error says status %d, headers %v; the answer had %d, %v", he.Status, he.Header, r.Status, r.Header)
		}
		return err
	}}
}

func withAnswer(name string, values ...string) func(*ws.Response) {
	return func(r *ws.Response) { r.Header[name] = values }
}

func withoutAnswer(name string) func(*ws.Response) {
	return func(r *ws.Response) { delete(r.Header, name) }
}

// offers has a server read the extensions of a request, which hold whether it
// compresses or not.
func offers(name string, values ...string) breach {
	return breach{name, func(t *testing.T) error {
		_, _, err := ws.AcceptDeflate(values, nil)
		if agreed, answer, err2 := ws.AcceptDeflate(values, &ws.Compression{}); agreed != nil || answer != "" || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("with compression: %v, %q, %v", agreed, answer, err2)
		}
		return err
	}}
}

// agrees has a client read the extensions of an answer, twice: by themselves,
// and in a handshake.
func agrees(name string, c *ws.Compression, value string) breach {
	return breach{name, func(t *testing.T) error {
		agreed, pure := ws.CheckDeflate([]string{value}, c)
		if agreed != nil {
			t.Errorf("agreed on %+v all the same", agreed)
		}
		a, b := wstest.Pipe()
		defer a.Close()
		a.Write(wstest.Response(wstest.RequestKey, "Sec-WebSocket-Extensions: "+value))
		conn, err := wsnet.NewClient(t.Context(), b, "ws://server.example.com/chat", &wsnet.DialOptions{Options: wsnet.Options{
			Compression: c, Rand: strings.NewReader("the sample nonce"),
		}})
		if conn != nil || fmt.Sprint(err) != fmt.Sprint(pure) {
			t.Errorf("NewClient says %v, CheckDeflate %v", err, pure)
		}
		if he, ok := errors.AsType[*ws.HandshakeError](err); ok && (he.Status != 101 || http.Header(he.Header).Get("Sec-Websocket-Extensions") != value) {
			t.Errorf("the error has status %d and headers %v", he.Status, he.Header)
		}
		return pure
	}}
}

// refusal asks s for a connection over HTTP in memory and returns why not.
func refusal(t *testing.T, s *wsnet.Server) error {
	t.Helper()
	var refused string
	s.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://server.example.com/chat", nil)
	for name, values := range goodRequest().Header {
		r.Header[name] = values
	}
	s.Options.Trace = func(e ws.TraceEvent) { refused = string(e.Rule) }
	s.ServeHTTP(w, r)
	// The error goes to the log, its text to the client and its rule to the
	// trace; this puts it together again.
	rule := ws.RuleID(refused).Rule()
	if rule == nil {
		t.Fatalf("no rule in the trace; status %d: %s", w.Code, w.Body)
	}
	if w.Header().Get("Retry-After") != "5" {
		t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
	}
	detail, ok := strings.CutPrefix(strings.TrimSpace(w.Body.String()), "ws: handshake: ")
	if !ok {
		t.Errorf("the answer says %q", w.Body)
	}
	return &ws.HandshakeError{Status: w.Code, Rule: rule.ID, Section: rule.Section, Detail: strings.TrimSuffix(detail, " ("+rule.Section+")")}
}

// secondConnection asks for one while another is open.
func secondConnection(t *testing.T, s *wsnet.Server) (err error) {
	synctest.Test(t, func(t *testing.T) {
		s.Handler = func(ctx context.Context, c *wsnet.Conn) error {
			_, _, err := c.Read(ctx)
			return err
		}
		// httptest's requests come from 192.0.2.1.
		s.Address = func(*http.Request) string { return "192.0.2.1" }
		l := wstest.NewListener()
		hs := &http.Server{Handler: s}
		go hs.Serve(l)
		defer hs.Close()
		c, dialErr := wsnet.Dial(t.Context(), "ws://server.example.com/chat", &wsnet.DialOptions{HTTPClient: l.Client()})
		if dialErr != nil {
			t.Fatal(dialErr)
		}
		defer s.Shutdown(t.Context())
		defer c.CloseNow()
		synctest.Wait() // the server looks at its Options until it has the connection
		err = refusal(t, s)
	})
	return err
}

// asked lets a server read a request by itself.
func asked(name, text string) breach {
	return breach{name, func(t *testing.T) (err error) {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.PipeSize(1 << 20)
			defer a.Close()
			a.Write([]byte(text))
			_, err = wsnet.AcceptStream(t.Context(), b, nil)
		})
		return err
	}}
}

// dialled lets a client read an answer.
func dialled(name, text string) breach {
	return breach{name, func(t *testing.T) (err error) {
		synctest.Test(t, func(t *testing.T) {
			a, b := wstest.PipeSize(1 << 20)
			defer a.Close()
			a.Write([]byte(text))
			_, err = wsnet.NewClient(t.Context(), b, "ws://server.example.com/chat", &wsnet.DialOptions{Options: wsnet.Options{Rand: strings.NewReader("the sample nonce")}})
		})
		return err
	}}
}

// receives breaks a rule twice: at a Receiver, and at a Conn, whose peer must
// be told the code and the section.
func receives(role ws.Role, name, wire string) breach {
	return breach{role.String() + " gets " + name, func(t *testing.T) error {
		return bothReceive(t, role, wire, false)
	}}
}

// deflated is receives where permessage-deflate was negotiated.
func deflated(role ws.Role, name, wire string) breach {
	return breach{role.String() + " gets " + name, func(t *testing.T) error { return bothReceive(t, role, wire, true) }}
}

func bothReceive(t *testing.T, role ws.Role, wire string, deflate bool) error {
	l := &coreListener{rx: ws.NewReceiver(role, ws.Limits{})}
	if deflate {
		l.rx.AllowDeflate(ws.DeflateParams{})
	}
	pure := l.take(wstest.MustHex(wire))
	if pure == nil {
		return nil
	}
	setup := ws.Setup{Role: role}
	if deflate {
		setup.Deflate = &ws.DeflateParams{}
	}
	for _, n := range []int{0, 1} {
		e := ws.NewEndpoint(setup)
		_, owed, end := heard(e, wstest.MustHex(wire), n)
		if pe, ok := errors.AsType[*ws.ProtocolError](end); !ok || pe.Error() != pure.Error() {
			t.Errorf("an Endpoint says %v, a Receiver %v", end, pure)
		} else if want := fmt.Sprintf("close %q", ws.AppendClose(nil, pe.Code, pe.Reason())); !strings.Contains(lastHeard(1-role, owed), want) {
			t.Errorf("the peer of an Endpoint gets %s, want %s", lastHeard(1-role, owed), want)
		}
	}
	receive := connReceives
	if deflate {
		receive = deflateConnReceives
	}
	if err := receive(t, role, wire, 0); fmt.Sprint(err) != fmt.Sprint(pure) {
		t.Errorf("a Conn says %v, a Receiver %v", err, pure)
	}
	return pure
}

// lastHeard is what an endpoint last gets out of wire.
func lastHeard(role ws.Role, wire []byte) string {
	lines, _, _ := heard(ws.NewEndpoint(ws.Setup{Role: role}), wire, 0)
	return strings.Join(lines[max(0, len(lines)-1):], "")
}

// inflates is for a rule that only a Conn can hold, which inflates.
func inflates(name, wire string) breach {
	return breach{"client gets " + name, func(t *testing.T) error { return deflateConnReceives(t, ws.RoleClient, wire, 0) }}
}

// compressedText is inflates for a text message with this content.
func compressedText(name, content string) breach {
	return breach{"client gets " + name, func(t *testing.T) error {
		wire := ws.AppendFrame(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpText}, deflate.NewCompressor(15, false).Append(nil, []byte(content)))
		return deflateConnReceives(t, ws.RoleClient, fmt.Sprintf("%x", wire), 0)
	}}
}

// afterClose gives a Receiver a frame behind a Close frame. A Conn reads no
// further, and neither does Next.
func afterClose(name, wire string) breach {
	return breach{name, func(t *testing.T) error {
		rx := ws.NewReceiver(ws.RoleClient, ws.Limits{})
		if _, n, err := rx.Next(wstest.MustHex("88 00 | " + wire)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		_, err := rx.Header(wstest.MustHex(wire))
		return err
	}}
}

func toServer(name, wire string) breach { return receives(ws.RoleServer, name, wire) }
func toClient(name, wire string) breach { return receives(ws.RoleClient, name, wire) }

// slowly sends a part of a message and then nothing.
func slowly(name, wire string) breach {
	return breach{name, func(t *testing.T) error { return connReceives(t, ws.RoleServer, wire, 30*time.Second) }}
}

// onlyByConn is receives for a rule that only a Conn can hold, with its clock.
func onlyByConn(name, wire string) breach {
	return breach{name, func(t *testing.T) error { return connReceives(t, ws.RoleServer, wire, 0) }}
}

// connReceives sends wire to a Conn that reads, and returns the
// *ProtocolError with which it fails after the given time.
func connReceives(t *testing.T, role ws.Role, wire string, after time.Duration) (err error) {
	t.Helper()
	return connFails(t, role, wire, after, func(rwc io.ReadWriteCloser) *wsnet.Conn {
		return wsnet.NewConn(rwc, role, &wsnet.Options{PingInterval: -1})
	})
}

// deflateConnReceives is connReceives where permessage-deflate was negotiated.
func deflateConnReceives(t *testing.T, role ws.Role, wire string, after time.Duration) (err error) {
	t.Helper()
	return connFails(t, role, wire, after, func(rwc io.ReadWriteCloser) *wsnet.Conn {
		return wsnet.NewDeflateConn(rwc, role, &wsnet.Options{PingInterval: -1}, ws.DeflateParams{ServerBits: 15, ClientBits: 15})
	})
}

func connFails(t *testing.T, role ws.Role, wire string, after time.Duration, open func(io.ReadWriteCloser) *wsnet.Conn) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.Pipe()
		c := open(b)
		defer c.CloseNow()
		p := wstest.NewPeer(t, a)
		done := make(chan error, 1)
		start := time.Now()
		go func() {
			for _, err := range c.Messages(t.Context()) {
				if err != nil {
					done <- err
				}
			}
		}()
		p.Send(wire)
		var readErr error
		select {
		case readErr = <-done:
		case <-time.After(time.Hour):
			t.Error("the Conn let it pass")
			return
		}
		if got := time.Since(start); got != after {
			t.Errorf("failed after %v, want %v", got, after)
		}
		pe, ok := errors.AsType[*ws.ProtocolError](readErr)
		if !ok {
			t.Fatalf("Read: %v", readErr)
		}
		err = pe
		var f wstest.Frame
		for f = p.ReadFrame("a Close frame"); f.Opcode == ws.OpPong; f = p.ReadFrame("a Close frame behind pongs") {
		}
		code, reason, closeErr := ws.ParseClose(f.Payload)
		if f.Opcode != ws.OpClose || closeErr != nil || code != pe.Code {
			t.Errorf("the peer got %v, want a Close frame with %v", f, pe.Code)
		}
		if "ws: "+reason != pe.Error() {
			t.Errorf("the peer was told %q, want %q", reason, pe.Error())
		}
		p.Close()
	})
	return err
}
