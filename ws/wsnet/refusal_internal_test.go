package wsnet

import (
	"errors"
	"strings"
	"testing"

	"framewright/ws"
)

// A refusal is answered with the status of an error (4xx, 5xx) whatever a program says.
// Of a mistake of this program's the client does not hear the details.
func TestRefusalStatus(t *testing.T) {
	for status, want := range map[int]int{0: 500, 101: 500, 200: 500, 399: 500, 400: 400, 401: 401, 500: 500, 503: 503, 599: 599, 600: 500} {
		e, text := refusal(&ws.HandshakeError{Status: status, Detail: "details"})
		if e.Status != want {
			t.Errorf("%d: answered with %d, want %d", status, e.Status, want)
		}
		if shown := strings.Contains(text, "details"); shown != (want != 500) {
			t.Errorf("%d: the answer says %q", status, text)
		}
	}
	if e, text := refusal(errors.New("not you")); e.Status != 403 || !strings.Contains(text, "not you") {
		t.Errorf("%d, %q", e.Status, text)
	}
}

// What options say wrongly is this program's mistake: a request that is right is refused
// with 500, and the log has the option's name.
func TestRefusedByMistake(t *testing.T) {
	req, _, err := ws.ParseRequest([]byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for want, u := range map[string]*upgrade{
		"Compression.SendWindow is 7": {o: &ServerOptions{Options: Options{Compression: &ws.Compression{SendWindow: 7}}}},
		"header name \"a b\"":         {o: &ServerOptions{}, extra: map[string][]string{"a b": {"c"}}},
	} {
		u.req = req
		e, text := refusal(u.check())
		if e.Status != 500 || !strings.Contains(e.Detail, want) || strings.Contains(text, want) {
			t.Errorf("%s: %d, %v; the answer says %q", want, e.Status, e, text)
		}
	}
}
