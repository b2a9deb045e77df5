package http1

import (
	"strconv"
	"strings"
)

// IsToken: 1*tchar (RFC 9110 §5.6.2).
func IsToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// isTokenByte: tchar.
func isTokenByte(b byte) bool {
	switch c := b | 0x20; {
	case 'a' <= c && c <= 'z', isDigit(b), b == '-':
		return true
	}
	return strings.IndexByte("!#$%&'*+.^_`|~", b) >= 0
}

// IsFieldValue: no control characters but HTAB.
func IsFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// TrimOWS takes off optional white space: spaces and tabs (RFC 9110 §5.6.3).
func TrimOWS(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// HasToken reports whether the comma-separated list in values has the token, in
// any case; token is in lower case (RFC 9110 §5.6.1).
func HasToken(values []string, token string) bool {
	for _, list := range values {
		for member := range strings.SplitSeq(list, ",") {
			if EqualFold(TrimOWS(member), token) {
				return true
			}
		}
	}
	return false
}

// EqualFold reports whether s is want, which is in lower case, in any case, of
// ASCII letters alone: see lower.
func EqualFold(s, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// Lower folds ASCII only: Unicode's case folding would make a Kelvin sign a k,
// and so another host this one.
func Lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

// knownNames are the names that handshakes have, in canonical form.
var knownNames = [...]string{"Host", "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version",
	"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Origin", "User-Agent", "Cookie", "Pragma", "Cache-Control",
	"Accept", "Accept-Encoding", "Accept-Language", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Authorization", "Content-Length"}

// CanonicalName returns a header's name as net/http has it: Sec-Websocket-Key.
func CanonicalName(name string) string {
	for _, known := range knownNames {
		if len(known) == len(name) && strings.EqualFold(known, name) {
			return known
		}
	}
	b := []byte(name)
	upper := true
	for i, c := range b {
		if c |= 0x20; 'a' <= c && c <= 'z' {
			if upper {
				c -= 0x20
			}
			b[i] = c
		}
		upper = b[i] == '-'
	}
	return string(b)
}

// ExpectsContinue reports whether an Expect header's value has 100-continue.
func ExpectsContinue(value string) bool {
	for member := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		if EqualFold(member, "100-continue") {
			return true
		}
	}
	return false
}

// Quote shows a part of a request in an error.
func Quote(s string) string { return QuoteValues([]string{s}) }

// QuoteValues shows header values in an error or a log, cut to a readable length.
func QuoteValues(v []string) string {
	if len(v) == 0 {
		return "missing"
	}
	s := strconv.Quote(strings.Join(v, ", "))
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
