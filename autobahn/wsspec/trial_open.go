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
	if err := d.Dial(); err != nil {
		return err
	}
	key := NewKey()
	head := Lines(d.RequestLines(key))
	d.Request = parseHead(string(head))
	d.Write(head)
	var err error
	if d.Answer, err = d.ReadHead(); err != nil {
		return fmt.Errorf("no answer to the opening handshake: %w", err)
	}
	if err := answerFault(d.Answer, key); err != nil {
		return fmt.Errorf("the opening handshake: %w", err)
	}
	return nil
}

// headFields are a head's fields by lower-case name, as the testsuite reads them:
// lines of one name are one list, and a space before a colon does not matter.
type headFields struct {
	values map[string]string
	lines  map[string]int
}

func readFields(h Head) headFields {
	f := headFields{map[string]string{}, map[string]int{}}
	for _, l := range h.Lines {
		name := strings.ToLower(strings.TrimSpace(l.Name))
		value := strings.TrimSpace(l.Value)
		if f.lines[name]++; f.lines[name] > 1 {
			value = f.values[name] + ", " + value
		}
		f.values[name] = value
	}
	return f
}

// has reports whether a list has the word.
func (f headFields) has(name, word string) bool {
	for w := range strings.SplitSeq(f.values[name], ",") {
		if strings.EqualFold(strings.TrimSpace(w), word) {
			return true
		}
	}
	return false
}

// once returns an error if one of the fields has several lines.
func (f headFields) once(names ...string) error {
	for _, name := range names {
		if f.lines[name] > 1 {
			return fmt.Errorf("%d lines %s; want one", f.lines[name], name)
		}
	}
	return nil
}

// requestFault says what the testsuite's server finds wrong in a client's request.
func requestFault(h Head) error {
	f := readFields(h)
	words := strings.Fields(h.First)
	switch {
	case !pythonDecodes([]byte(h.Raw)):
		return errors.New("the request is not UTF-8")
	case len(words) != 3 || words[0] != "GET" || words[2] != "HTTP/1.1":
		return fmt.Errorf("%.60q is no GET of HTTP/1.1", h.First)
	case strings.Contains(words[1], "#"):
		return errors.New("the target has a fragment")
	case f.lines["host"] == 0:
		return errors.New("no Host")
	case !f.has("upgrade", "websocket") || !f.has("connection", "upgrade"):
		return errors.New("no Upgrade to websocket")
	}
	if v, err := strconv.Atoi(f.values["sec-websocket-version"]); err != nil || v != 8 && v != 13 {
		return fmt.Errorf("Sec-WebSocket-Version %q", f.values["sec-websocket-version"])
	}
	key := f.values["sec-websocket-key"]
	strange := strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
	if len(key) != 24 || strange != "==" || !strings.HasSuffix(key, "==") {
		return fmt.Errorf("Sec-WebSocket-Key %q; want 16 bytes in base64", key)
	}
	return f.once("host", "sec-websocket-version", "sec-websocket-key", "origin", "sec-websocket-extensions")
}

// answerFault says what the testsuite's client finds wrong in a server's answer.
func answerFault(h Head, key string) error {
	f := readFields(h)
	words := append(strings.Fields(h.First), "", "")
	status, _ := strconv.Atoi(words[1])
	switch {
	case !pythonDecodes([]byte(h.Raw)):
		return errors.New("the answer is not UTF-8")
	case words[0] != "HTTP/1.1" || status != 101:
		return fmt.Errorf("answered %.60q instead of 101", h.First)
	case !strings.EqualFold(f.values["upgrade"], "websocket"):
		return fmt.Errorf("an Upgrade to %q instead of websocket", f.values["upgrade"])
	case !f.has("connection", "upgrade"):
		return errors.New("a Connection without Upgrade")
	case f.values["sec-websocket-accept"] != AcceptFor(key):
		return fmt.Errorf("Sec-WebSocket-Accept is %q; want %q", f.values["sec-websocket-accept"], AcceptFor(key))
	case strings.Trim(f.values["sec-websocket-extensions"], ", \t") != "":
		return fmt.Errorf("the extension %q, which was not offered", f.values["sec-websocket-extensions"])
	case f.values["sec-websocket-protocol"] != "":
		return fmt.Errorf("the subprotocol %q, which was not offered", f.values["sec-websocket-protocol"])
	}
	return f.once("sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol")
}
