package wsspec

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Head is the head of an HTTP request or answer as it came: no field is joined,
// folded or dropped, so that a case can look at all of them.
type Head struct {
	Raw   string // with the empty line that ends it
	First string // the request line or the status line
	Lines []Field
}

// A Field is one header line.
type Field struct{ Name, Value string }

// parseHead takes a head apart. It is lenient: what is wrong with a line is the
// case's to judge.
func parseHead(raw string) Head {
	h := Head{Raw: raw}
	first := true
	for line := range strings.SplitSeq(raw, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if first {
			h.First, first = line, false
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Lines = append(h.Lines, Field{name, strings.Trim(value, " \t")})
		}
	}
	return h
}

// Values returns the values of all lines of that name, in their order.
func (h Head) Values(name string) []string {
	var vs []string
	for _, f := range h.Lines {
		if sameWord(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	return vs
}

// Get returns the first value of that name, or "".
func (h Head) Get(name string) string {
	for _, f := range h.Lines {
		if sameWord(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether a comma-separated list of that name has the word, in any case.
func (h Head) Has(name, word string) bool {
	for _, v := range h.Values(name) {
		for w := range strings.SplitSeq(v, ",") {
			if sameWord(strings.TrimSpace(w), word) {
				return true
			}
		}
	}
	return false
}

// sameWord compares ASCII letters in any case, and only these: strings.EqualFold takes
// the sign for Kelvin for a k.
func sameWord(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	lower := func(c byte) byte {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// Status returns the status code of an answer, or 0.
func (h Head) Status() int {
	if !strings.HasPrefix(h.First, "HTTP/1.") {
		return 0
	}
	_, rest, _ := strings.Cut(h.First, " ")
	code, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil || n < 100 || n > 999 {
		return 0
	}
	return n
}

// AcceptFor computes the Sec-WebSocket-Accept for a key (§4.2.2).
func AcceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// checkAnswer says what is wrong with a server's answer to a handshake that has
// this key, as far as every dialogue needs it right (§4.1).
func checkAnswer(h Head, key string) error {
	switch {
	case h.Status() == 0:
		return fmt.Errorf("no HTTP answer: it begins with %.60q", h.First)
	case h.Status() != 101:
		return fmt.Errorf("answered %.60q instead of 101", h.First)
	case !sameWord(h.Get("Upgrade"), "websocket"):
		return fmt.Errorf("a 101 with Upgrade %q instead of websocket", h.Get("Upgrade"))
	case !h.Has("Connection", "upgrade"):
		return errors.New("a 101 whose Connection does not have Upgrade")
	case h.Get("Sec-WebSocket-Accept") != AcceptFor(key):
		return fmt.Errorf("Sec-WebSocket-Accept is %q; want %q", h.Get("Sec-WebSocket-Accept"), AcceptFor(key))
	}
	return nil
}
