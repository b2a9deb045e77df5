package ws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

func TestAcceptKey(t *testing.T) {
	if got := ws.AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s, want what §1.3 says", got)
	}
}

func TestAppendRequest(t *testing.T) {
	r := goodRequest()
	r.Header["Origin"] = []string{"http://example.com"}
	if diff := cmp.Diff("before"+wstest.RFCRequest, string(ws.AppendRequest([]byte("before"), r))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Header["Cookie"] = []string{"a=1", "b=2"}
	r.Header["Authorization"] = []string{"Bearer x"}
	got := string(ws.AppendRequest(nil, r))
	want := strings.TrimSuffix(wstest.RFCRequest, "\r\n") + "Authorization: Bearer x\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with more headers (-want +got):\n%s", diff)
	}
}

func TestAppendResponse(t *testing.T) {
	if diff := cmp.Diff("before"+wstest.RFCResponse, string(ws.AppendResponse([]byte("before"), wstest.RequestKey, "chat", "", nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got := string(ws.AppendResponse(nil, wstest.RequestKey, "", "", ws.Fields{"Set-Cookie": {"a=1", "b=2"}, "Date": {"now"}}))
	want := strings.Replace(wstest.RFCResponse, "Sec-WebSocket-Protocol: chat\r\n", "Date: now\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n", 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with more headers (-want +got):\n%s", diff)
	}
}

// What CheckRequest refuses stands in rules_test.go; this is what it must let
// through.
func TestCheckRequestPasses(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *ws.Policy
		set  func(*ws.Request)
	}{
		{"§1.3", nil, func(*ws.Request) {}},
		{"§1.3, options of zero", &ws.Policy{}, func(*ws.Request) {}},
		{"Upgrade in another case", nil, with("Upgrade", "WebSocket")},
		{"Upgrade in a list", nil, with("Upgrade", "h2c, websocket")},
		{"Upgrade in a second header", nil, with("Upgrade", "h2c", "websocket")},
		{"Connection as Firefox sends it", nil, with("Connection", "keep-alive, Upgrade")},
		{"Connection in another case", nil, with("Connection", "upgrade")},
		{"Connection with tabs and empty members", nil, with("Connection", ",\t,\tUpgrade\t,")},
		{"HTTP/1.2", nil, func(r *ws.Request) { r.Minor = 2 }},
		{"no subprotocol", nil, without("Sec-Websocket-Protocol")},
		{"extensions, which are ignored", nil, with("Sec-Websocket-Extensions", "permessage-deflate; client_max_window_bits")},
		{"10,000 extensions", &ws.Policy{MaxHeaderBytes: -1}, with("Sec-Websocket-Extensions", strings.Repeat("x, ", 10000)+"y")},
		{"more headers than the default, no limit", &ws.Policy{MaxHeaders: -1}, with("X", make([]string, 1000)...)},
		{"8,192 bytes to the last", nil, func(r *ws.Request) {
			r.Header["X"] = []string{strings.Repeat("x", 8192-headerBytes(r)-len("X: \r\n"))}
		}},
		{"100 headers, Host and all", nil, func(r *ws.Request) { r.Header["X"] = make([]string, 100-1-len(r.Header)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			tt.set(r)
			if err := ws.CheckRequest(r, tt.o); err != nil {
				t.Error(err)
			}
		})
	}
}

// headerBytes is the length of r's request line and headers on the wire,
// without the empty line.
func headerBytes(r *ws.Request) int { return len(ws.AppendRequest(nil, r)) - len("\r\n") }

func TestCheckRequestLimits(t *testing.T) {
	r := goodRequest()
	size, count := headerBytes(r), 1+len(r.Header)
	for _, tt := range []struct {
		o    ws.Policy
		want string
	}{
		{ws.Policy{MaxHeaderBytes: size}, ""},
		{ws.Policy{MaxHeaderBytes: size - 1}, fmt.Sprintf("ws: handshake: request headers of %d bytes, the limit that MaxHeaderBytes sets is %d (§10.4)", size, size-1)},
		{ws.Policy{MaxHeaders: count}, ""},
		{ws.Policy{MaxHeaders: count - 1}, fmt.Sprintf("ws: handshake: %d request headers, the limit that MaxHeaders sets is %d (§10.4)", count, count-1)},
	} {
		got := ""
		if err := ws.CheckRequest(r, &tt.o); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// A refusal says with its headers what would have been right.
func TestCheckRequestRefusalHeaders(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(*ws.Request)
		header ws.Fields
		text   string
	}{
		{"method", func(r *ws.Request) { r.Method = "POST" }, ws.Fields{"Allow": {"GET"}}, `ws: handshake: "POST" request, GET is needed (§4.1)`},
		{"version", with("Sec-Websocket-Version", "8"), ws.Fields{"Sec-Websocket-Version": {"13"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
			`ws: handshake: Sec-WebSocket-Version "8", 13 is needed (§4.4)`},
		{"no upgrade", without("Upgrade"), ws.Fields{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
			"ws: handshake: no websocket in the Upgrade header: this address speaks WebSocket (§4.1)"},
		{"connection", without("Connection"), ws.Fields{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}},
			"ws: handshake: no upgrade in the Connection header: a proxy in between may have taken it off (§4.1)"},
		{"body", func(r *ws.Request) { r.Length = 1 }, ws.Fields{"Connection": {"close"}}, "ws: handshake: the request has a body (§4.1)"},
		{"HTTP/1.0", func(r *ws.Request) { r.Minor = 0 }, nil, "ws: handshake: HTTP/1.0 request, HTTP/1.1 is needed (§4.1)"},
		{"two keys", with("Sec-Websocket-Key", "a", "b"), nil, "ws: handshake: 2 Sec-WebSocket-Key headers, one is needed (§4.1)"},
		{"a long bad key, cut", with("Sec-Websocket-Key", strings.Repeat("k", 1000)), nil,
			`ws: handshake: Sec-WebSocket-Key "` + strings.Repeat("k", 119) + "… is not the base64 of 16 bytes (§4.1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			tt.spoil(r)
			err := ws.CheckRequest(r, nil)
			he, ok := errors.AsType[*ws.HandshakeError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.header, he.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if err.Error() != tt.text {
				t.Errorf("got  %s\nwant %s", err, tt.text)
			}
		})
	}
}

func TestCheckResponsePasses(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*ws.Response)
		want string
	}{
		{"§1.3", func(*ws.Response) {}, "chat"},
		{"the second offer", withAnswer("Sec-Websocket-Protocol", "superchat"), "superchat"},
		{"no subprotocol", withoutAnswer("Sec-Websocket-Protocol"), ""},
		{"Upgrade in another case", withAnswer("Upgrade", "WebSocket"), "chat"},
		{"Connection in a list", withAnswer("Connection", "keep-alive, upgrade"), "chat"},
		{"white space around Accept", withAnswer("Sec-Websocket-Accept", " "+wstest.RequestAccept+"\t"), "chat"},
		{"a length of 0", withAnswer("Content-Length", "0"), "chat"},
		{"a cookie", withAnswer("Set-Cookie", "a=1"), "chat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := goodAnswer()
			tt.set(r)
			got, err := ws.CheckResponse(r, wstest.RequestKey, []string{"chat", "superchat"})
			if got != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestChooseSubprotocol(t *testing.T) {
	for _, tt := range []struct {
		name      string
		offered   []string
		supported []string
		want      string
	}{
		{"nothing on either side", nil, nil, ""},
		{"nothing offered", nil, []string{"chat"}, ""},
		{"nothing supported", []string{"chat"}, nil, ""},
		{"one in common", []string{"mqtt, chat"}, []string{"chat"}, "chat"},
		{"none in common", []string{"mqtt"}, []string{"chat"}, ""},
		{"the server's order counts", []string{"a, b, c"}, []string{"c", "b"}, "c"},
		{"the server's order counts, the other way round", []string{"c, b, a"}, []string{"c", "b"}, "c"},
		{"several headers", []string{"a", "b", "c"}, []string{"c", "b"}, "c"},
		{"names are compared as they are", []string{"Chat"}, []string{"chat"}, ""},
		{"white space and empty members", []string{" ,, \tchat\t ,"}, []string{"chat"}, "chat"},
		{"an empty name is never chosen", []string{","}, []string{"chat"}, ""},
		{"a part of a name", []string{"superchat"}, []string{"chat"}, ""},
		{"50,000 commas", []string{strings.Repeat(",", 50000) + "chat"}, []string{"chat"}, "chat"},
		{"50,000 spaces", []string{strings.Repeat(" ", 50000) + "chat"}, []string{"chat"}, "chat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ws.ChooseSubprotocol(tt.offered, tt.supported); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckHeader(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header ws.Fields
		want   string
	}{
		{"none", nil, ""},
		{"usual ones", ws.Fields{"Origin": {"https://example.com"}, "Cookie": {"a=1; b=2"}, "Authorization": {"Bearer x"}}, ""},
		{"UTF-8 in a value", ws.Fields{"X-Name": {"é"}}, ""},
		{"a tab in a value", ws.Fields{"X-Name": {"a\tb"}}, ""},
		{"line end in a value", ws.Fields{"X": {"a\r\nEvil: 1"}}, `ws: handshake: header X has a value with a control character: "a\r\nEvil: 1"`},
		{"bare LF in a value", ws.Fields{"X": {"a", "b\n"}}, `ws: handshake: header X has a value with a control character: "b\n"`},
		{"bare CR in a value", ws.Fields{"X": {"a\rb"}}, `ws: handshake: header X has a value with a control character: "a\rb"`},
		{"NUL in a value", ws.Fields{"X": {"a\x00"}}, `ws: handshake: header X has a value with a control character: "a\x00"`},
		{"line end in a name", ws.Fields{"X: 1\r\nEvil": {"1"}}, `ws: handshake: header name "X: 1\r\nEvil" is not a token`},
		{"space in a name", ws.Fields{"X Y": {"1"}}, `ws: handshake: header name "X Y" is not a token`},
		{"no name", ws.Fields{"": {"1"}}, `ws: handshake: header name "" is not a token`},
		{"one of the handshake's own", ws.Fields{"Upgrade": {"h2c"}}, "ws: handshake: header Upgrade belongs to the handshake and cannot be set"},
		{"the same in another case", ws.Fields{"sec-websocket-KEY": {"x"}}, "ws: handshake: header sec-websocket-KEY belongs to the handshake and cannot be set"},
		{"a length", ws.Fields{"Content-Length": {"5"}}, "ws: handshake: header Content-Length belongs to the handshake and cannot be set"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := ws.CheckHeader(tt.header); err != nil {
				got = err.Error()
				if _, ok := errors.AsType[*ws.HandshakeError](err); !ok {
					t.Errorf("got a %T", err)
				}
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
