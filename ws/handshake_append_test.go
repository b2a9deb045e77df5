package ws_test

import (
	"net/http"
	"testing"

	"framewright/ws"
)

// All that an answer may have is in it, also when it is one thing alone.
func TestAppendResponseParts(t *testing.T) {
	const begin = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	for _, tt := range []struct {
		name, subprotocol, extensions string
		header                        http.Header
		want                          string
	}{
		{"nothing more", "", "", nil, ""},
		{"a subprotocol", "chat", "", nil, "Sec-WebSocket-Protocol: chat\r\n"},
		{"an extension", "", "permessage-deflate", nil, "Sec-WebSocket-Extensions: permessage-deflate\r\n"},
		{"one header", "", "", http.Header{"X-A": {"b"}}, "X-A: b\r\n"},
		{"two headers", "", "", http.Header{"X-B": {"c"}, "X-A": {"b"}}, "X-A: b\r\nX-B: c\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := string(ws.AppendResponse(nil, "dGhlIHNhbXBsZSBub25jZQ==", tt.subprotocol, tt.extensions, tt.header))
			if want := begin + tt.want + "\r\n"; got != want {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
}
