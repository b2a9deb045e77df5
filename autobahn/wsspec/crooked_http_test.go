package wsspec

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// accept answers an opening handshake, or refuses it.
func (c *crooked) accept() bool {
	raw, ok := c.readHead("reads-request-whole")
	if !ok && !c.is("answers-half-requests") {
		return false
	}
	h := parseHead(raw)
	if wrong := wrongRequest(raw, h); wrong != 0 && !c.is("takes-any-request") && !c.is("answers-half-requests") {
		c.refuse(wrong)
		return false
	}
	if c.is("refuses-odd-requests") && !usual(h) {
		c.refuse(400)
		return false
	}
	d := Dialogue{Testee: Client, Request: h}
	lines := d.AnswerLines()
	if e := answerQuirks[c.quirk]; e != nil {
		lines = e(lines)
	}
	c.conn.Write(Lines(lines))
	if c.is("drops-early") {
		c.r.Discard(c.r.Buffered())
	}
	return true
}

// answerQuirks are answers that are wrong.
var answerQuirks = map[string]edit{
	"answers-1.0":              firstLine("HTTP/1.0 101 Switching Protocols"),
	"answers-upgrade-twice":    instead("Upgrade", "Upgrade: websocket", "Upgrade: websocket"),
	"answers-connection-close": instead("Connection", "Connection: close"),
	"answers-accept-again":     instead("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: {}", "Sec-WebSocket-Accept: {}"),
	"answers-odd-line":         plus("X y: z"),
	"answers-content-length":   plus("Content-Length: 0"),
	"answers-protocol":         plus("Sec-WebSocket-Protocol: x.always"),
	"answers-extension":        plus("Sec-WebSocket-Extensions: x-always"),
}

func (c *crooked) refuse(status int) {
	line := map[int]string{400: "HTTP/1.1 400 Bad Request", 405: "HTTP/1.1 405 Method Not Allowed", 426: "HTTP/1.1 426 Upgrade Required"}[status]
	lines := []string{line, "Content-Length: 0", "Connection: close"}
	if status == 426 && !c.is("refuses-without-version") {
		lines = append(lines, "Upgrade: websocket", "Sec-WebSocket-Version: 13")
	}
	switch c.quirk {
	case "refuses-silently":
		return
	case "refuses-with-200":
		lines[0] = "HTTP/1.1 200 OK"
	}
	c.conn.Write(Lines(lines))
	c.drain()
}

// wrongRequest is the status that a request is refused with, or 0.
func wrongRequest(raw string, h Head) int {
	f := strings.Split(h.First, " ")
	if len(f) != 3 || f[2] != "HTTP/1.1" || f[1] == "" || wrongLines(h) != "" || strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\n") {
		return 400
	}
	if f[0] != "GET" {
		return 405
	}
	hosts, keys, versions := h.Values("Host"), h.Values("Sec-WebSocket-Key"), h.Values("Sec-WebSocket-Version")
	lengths := h.Values("Content-Length")
	switch {
	case len(hosts) != 1, strings.ContainsAny(hosts[0], " ,"):
		return 400
	case len(h.Values("Transfer-Encoding")) > 0, len(lengths) > 1, len(lengths) == 1 && lengths[0] != "0":
		return 400
	case !h.Has("Upgrade", "websocket"), !h.Has("Connection", "Upgrade"):
		return 426
	case len(versions) != 1, versions[0] != "13":
		return 426
	case len(keys) != 1:
		return 400
	}
	if b, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(b) != 16 {
		return 400
	}
	return 0
}

// usual reports whether a request has the form of most clients'.
func usual(h Head) bool {
	var names []string
	for _, f := range h.Lines {
		names = append(names, f.Name)
	}
	f := strings.Split(h.First, " ")
	return len(f) == 3 && strings.HasPrefix(f[1], "/") && f[2] == "HTTP/1.1" && h.Get("Upgrade") == "websocket" && h.Get("Connection") == "Upgrade" &&
		strings.Contains(h.Raw, "\r\nHost: 127.0.0.1:") && !strings.Contains(h.Raw, " \r\n") && !strings.HasPrefix(h.Get("Host"), " ") &&
		slices.Equal(names, []string{"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"})
}

// askQuirks are requests that are wrong.
var askQuirks = map[string]edit{
	"asks-1.0":               firstLine("GET {} HTTP/1.0"),
	"asks-for-nothing":       firstLine("GET x HTTP/1.1"),
	"asks-with-fragment":     firstLine("GET {}#a HTTP/1.1"),
	"asks-with-odd-line":     plus("X y: z"),
	"asks-without-host":      without("Host"),
	"asks-without-upgrade":   without("Upgrade"),
	"asks-without-upgrading": instead("Connection", "Connection: close"),
	"asks-with-short-key":    instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P"),
	"asks-with-example-key":  instead("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
	"asks-for-8":             instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"),
	"asks-with-body":         plus("Content-Length: 5"),
	"asks-for-one-twice":     plus("Sec-WebSocket-Protocol: a, b, a"),
}

// ask sends an opening handshake and looks at the answer.
func (c *crooked) ask(addr string) bool {
	d := Dialogue{target: &target{host: addr, path: "/"}}
	lines := d.RequestLines(NewKey())
	if e := askQuirks[c.quirk]; e != nil {
		lines = e(lines)
	}
	request := Lines(lines)
	if c.is("asks-and-goes-on") {
		request = append(request, Text("early").Append(nil, true)...)
	}
	c.conn.Write(request)
	key := parseHead(string(request)).Get("Sec-WebSocket-Key")
	for {
		raw, ok := c.readHead("reads-answer-whole")
		if !ok {
			if c.is("ignores-eof") {
				<-c.stop
			}
			if c.is("takes-half-answers") {
				c.send(OpText, []byte("too early"))
			}
			return false
		}
		h := parseHead(raw)
		switch s := h.Status(); {
		case c.is("takes-any-answer"), s == 101 && c.is("takes-any-101"):
		case s >= 100 && s < 200 && s != 101 && !c.is("refuses-odd-answers"):
			continue
		case c.is("refuses-odd-answers") && len(h.Lines) == 3 && h.Lines[0].Name == "Upgrade" && h.Get("Upgrade") == "websocket" &&
			h.First == "HTTP/1.1 101 Switching Protocols" && h.Lines[1] == (Field{"Connection", "Upgrade"}) && strings.Count(h.Raw, ": ") == 3 && !strings.Contains(h.Raw, " \r"):
		case wrongAnswer(h, key, nil) != "" || c.is("refuses-odd-answers"):
			if c.is("keeps-tcp") {
				<-c.stop
			}
			return false
		}
		if c.is("drops-early") {
			c.r.Discard(c.r.Buffered())
		}
		return true
	}
}

// readHead reads a head, and tells one that has come in pieces if the quirk wants to
// know.
func (c *crooked) readHead(inOne string) (string, bool) {
	var b bytes.Buffer
	if _, err := c.r.Peek(1); err == nil && c.is(inOne) {
		if head, _ := c.r.Peek(c.r.Buffered()); !bytes.Contains(head, []byte("\r\n\r\n")) {
			return "", false
		}
	}
	for {
		line, err := c.r.ReadString('\n')
		if b.Len() == 0 && line == "\r\n" {
			continue
		}
		b.WriteString(line)
		if err != nil || b.Len() > 2<<20 {
			return b.String(), false
		}
		if line == "\r\n" || line == "\n" {
			return b.String(), true
		}
	}
}
