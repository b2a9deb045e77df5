package wsspec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// openAsTestsuite does the opening handshake and refuses what the Autobahn testsuite
// refuses. That is less than §4 asks for: there is a chapter for it.
func openAsTestsuite(d *Dialogue) error {
	if d.Testee == Client {
		if err := requestFault(d.Request); err != nil {
			d.Write(Lines([]string{"HTTP/1.1 400 Bad Request", "Content-Length: 0", "Connection: close"}))
			return fmt.Errorf("the opening handshake: %w", err)
		}
		return d.Open()
	}
	if err := d.Open(); err != nil {
		return err
	}
	return answerFault(d.Answer)
}

// requestFault says what the testsuite's server finds wrong in a client's request.
func requestFault(h Head) error {
	words := strings.Fields(h.First)
	if len(words) != 3 || words[0] != "GET" || words[2] != "HTTP/1.1" {
		return fmt.Errorf("%.60q is no GET of HTTP/1.1", h.First)
	}
	if strings.Contains(words[1], "#") {
		return errors.New("the target has a fragment")
	}
	for _, name := range []string{"Host", "Sec-WebSocket-Version", "Sec-WebSocket-Key"} {
		if n := len(h.Values(name)); n != 1 {
			return fmt.Errorf("%d lines %s; want one", n, name)
		}
	}
	for _, name := range []string{"Origin", "Sec-WebSocket-Extensions"} {
		if n := len(h.Values(name)); n > 1 {
			return fmt.Errorf("%d lines %s; want one at most", n, name)
		}
	}
	if !h.Has("Upgrade", "websocket") || !h.Has("Connection", "upgrade") {
		return errors.New("no Upgrade to websocket")
	}
	if v, err := strconv.Atoi(h.Get("Sec-WebSocket-Version")); err != nil || v != 8 && v != 13 {
		return fmt.Errorf("Sec-WebSocket-Version %q", h.Get("Sec-WebSocket-Version"))
	}
	key := h.Get("Sec-WebSocket-Key")
	strange := strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
	if len(key) != 24 || strange != "==" || !strings.HasSuffix(key, "==") {
		return fmt.Errorf("Sec-WebSocket-Key %q; want 16 bytes in base64", key)
	}
	return nil
}

// answerFault says what the testsuite's client finds wrong in a server's answer,
// besides what Open does.
func answerFault(h Head) error {
	if words := strings.Fields(h.First); words[0] != "HTTP/1.1" {
		return fmt.Errorf("%s instead of HTTP/1.1", words[0])
	}
	for _, name := range []string{"Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} {
		if n := len(h.Values(name)); n > 1 {
			return fmt.Errorf("%d lines %s; want one", n, name)
		}
	}
	if v := h.Get("Sec-WebSocket-Extensions"); strings.Trim(v, ", \t") != "" {
		return fmt.Errorf("the extension %q, which was not offered", v)
	}
	if v := h.Get("Sec-WebSocket-Protocol"); v != "" {
		return fmt.Errorf("the subprotocol %q, which was not offered", v)
	}
	return nil
}
