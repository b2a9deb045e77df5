package ws_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
)

// goodConnect is the client's half of the handshake in RFC 8441 §5.1.
func goodConnect() *ws.Request {
	return &ws.Request{
		Method: "CONNECT", Target: "/chat", Major: 2, Host: "server.example.com", Scheme: "https", Protocol: "websocket", TLS: true, Length: -1,
		Header: ws.Fields{
			"Origin":                   {"https://server.example.com"},
			"Sec-Websocket-Protocol":   {"chat, superchat"},
			"Sec-Websocket-Extensions": {"permessage-deflate"},
			"Sec-Websocket-Version":    {"13"},
		},
	}
}

// connect spoils a handshake over HTTP/2.
func connect(name string, spoil func(*ws.Request)) breach {
	return breach{name, func(t *testing.T) error {
		r := goodConnect()
		if err := check(r, nil); err != nil {
			t.Fatalf("the request was bad before: %v", err)
		}
		spoil(r)
		return check(r, nil)
	}}
}

func connectAnswer(name string, status int, header, value string) breach {
	return breach{name, func(t *testing.T) error {
		offered, r := []string{"chat"}, &ws.Response{Status: 200, Header: ws.Fields{"Sec-Websocket-Protocol": {"chat"}}}
		if got, err := ws.CheckConnectResponse(r, offered); got != "chat" || err != nil {
			t.Fatalf("the answer was bad before: %q, %v", got, err)
		}
		if r.Status = status; header != "" {
			r.Header[header] = []string{value}
		}
		_, err := ws.CheckConnectResponse(r, offered)
		if e, ok := errors.AsType[*ws.HandshakeError](err); ok && (e.Status != r.Status || !maps.EqualFunc(e.Header, r.Header, func(a, b []string) bool { return cmp.Equal(a, b) })) {
			t.Errorf("the error says status %d, headers %v", e.Status, e.Header)
		}
		return err
	}}
}

// announces sends two values of SETTINGS_ENABLE_CONNECT_PROTOCOL.
func announces(name string, first, second uint32) breach {
	return breach{name, func(t *testing.T) error {
		was, err := ws.CheckConnectSetting(false, first)
		if was != (first == 1) || err != nil {
			t.Fatalf("%d: %t, %v", first, was, err)
		}
		on, err := ws.CheckConnectSetting(was, second)
		if on != was {
			t.Errorf("%d, then %d: %t", first, second, on)
		}
		return err
	}}
}

// What other clients and proxies send beside the handshake, and what is none of it.
func TestConnectPasses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*ws.Request)
	}{
		{"a key that a proxy has left", with("Sec-Websocket-Key", "x", "y")},
		{"the Host twice, in two ways", with("Host", "server.EXAMPLE.com")},
		{"no origin", without("Origin")},
		{"a plain connection", func(r *ws.Request) {
			r.Scheme, r.TLS = "http", false
			r.Header["Origin"] = []string{"http://server.example.com"}
		}},
		{"a proxy took TLS off", func(r *ws.Request) { r.TLS = false }},
		{"a query", func(r *ws.Request) { r.Target = "/?q=*" }},
	} {
		r := goodConnect()
		tt.spoil(r)
		if err := check(r, nil); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, steps := range [][]uint32{{0, 0, 1, 1}, {1}} {
		on, err := false, error(nil)
		for _, v := range steps {
			if on, err = ws.CheckConnectSetting(on, v); on != (v == 1) || err != nil {
				t.Errorf("%v: %t, %v", steps, on, err)
			}
		}
	}
	for _, subprotocol := range []string{"", "chat"} {
		r := &ws.Response{Status: 200, Header: ws.Fields{"Content-Length": {"5"}, "Sec-Websocket-Accept": {"?"}}}
		if subprotocol != "" {
			r.Header["Sec-Websocket-Protocol"] = []string{subprotocol}
		}
		if got, err := ws.CheckConnectResponse(r, []string{"chat"}); got != subprotocol || err != nil {
			t.Errorf("%q: %q, %v", subprotocol, got, err)
		}
	}
}

// Host, origin, limits and subprotocols are held as over HTTP/1.1, by the same rules.
func TestConnectHoldsTheOtherRules(t *testing.T) {
	for _, tt := range []struct {
		rule  ws.RuleID
		p     *ws.Policy
		spoil func(*ws.Request)
	}{
		{ws.RuleOrigin, nil, with("Origin", "https://evil.example")},
		{ws.RuleOrigin, nil, with("Origin", "http://server.example.com")},
		{ws.RuleOneOrigin, nil, with("Origin", "https://server.example.com", "https://server.example.com")},
		{ws.RuleHostAllowed, &ws.Policy{Hosts: []string{"example.com"}}, func(*ws.Request) {}},
		{ws.RuleHostAllowed, nil, func(r *ws.Request) { r.Local = true }},
		{ws.RuleHeaderSize, &ws.Policy{MaxHeaderBytes: 64}, func(*ws.Request) {}},
		{ws.RuleHeaderCount, &ws.Policy{MaxHeaders: 3}, func(*ws.Request) {}},
		{ws.RuleHTTPVersion, nil, func(r *ws.Request) { r.Method = "GET" }},
		{ws.RuleHTTPVersion, nil, func(r *ws.Request) { r.Major = 3 }},
	} {
		r := goodConnect()
		tt.spoil(r)
		err := check(r, tt.p)
		if e, ok := errors.AsType[*ws.HandshakeError](err); !ok || e.Rule != tt.rule {
			t.Errorf("got %v, want %s", err, tt.rule)
		}
	}
	for _, chosen := range [][]string{{"mqtt"}, {"chat", "chat"}} {
		r := &ws.Response{Status: 200, Header: ws.Fields{"Sec-Websocket-Protocol": chosen}}
		if _, err := ws.CheckConnectResponse(r, []string{"chat"}); err == nil {
			t.Errorf("subprotocol %q passed", chosen)
		}
	}
}

func TestAppendConnectResponse(t *testing.T) {
	got := string(ws.AppendConnectResponse([]byte("> "), "chat", "permessage-deflate", ws.Fields{"Set-Cookie": {"a=b"}}))
	want := "> HTTP/2.0 200 OK\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=b\r\n\r\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := string(ws.AppendConnectResponse(nil, "", "", nil)); got != "HTTP/2.0 200 OK\r\n\r\n" {
		t.Errorf("%q", got)
	}
}
