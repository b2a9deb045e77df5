package http1

import (
	"strconv"
	"strings"
)

// IsScheme: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), in lower case (RFC 3986
// §3.1).
func IsScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.':
			return false
		}
	}
	return s != ""
}

// IsHost reports whether s, in lower case, is a host as an origin has it: labels
// of letters, digits, "-" and "_", of which the last may be empty; or an IPv6
// address in brackets, without a zone.
func IsHost(s string) bool {
	if v6, ok := strings.CutPrefix(s, "["); ok {
		v6, ok = strings.CutSuffix(v6, "]")
		for i := range len(v6) {
			if c := v6[i]; !isDigit(c) && (c < 'a' || c > 'f') && c != ':' && c != '.' {
				return false
			}
		}
		return ok && strings.Count(v6, ":") >= 2
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isDigit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// IsPort: 1 to 65535, without zeros in front.
func IsPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// SplitPort cuts "host", "host:port", "[v6]" or "[v6]:port".
func SplitPort(s string) (host, port string, ok bool) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		host, s = s[:end+1], s[end+1:]
		if s == "" {
			return host, "", true
		}
		if s[0] != ':' {
			return "", "", false
		}
		return host, s[1:], s[1:] != ""
	}
	host, port, found := strings.Cut(s, ":")
	if found && port == "" || strings.Contains(port, ":") {
		return "", "", false
	}
	return host, port, true
}

func DefaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// IsHostByte: what reg-name, an address in brackets and a port have (RFC 3986
// §3.2.2).
func IsHostByte(c byte) bool {
	l := c | 0x20
	return 'a' <= l && l <= 'z' || isDigit(c) || strings.IndexByte("!$%&'()*+,-.:;=[]_~", c) >= 0
}

// IsLoopback reports whether host, in lower case, always means this machine
// (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
func IsLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") && IsHost(host) || host == "[::1]" || isLoopbackV4(host)
}

// isLoopbackV4 reports whether s is 127.0.0.0/8 in dotted decimal, without zeros
// in front.
func isLoopbackV4(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if n, err := strconv.ParseUint(part, 10, 8); err != nil || strconv.FormatUint(n, 10) != part {
			return false
		}
	}
	return len(parts) == 4 && parts[0] == "127"
}

// Bracketed puts an IPv6 address into brackets, as it stands in a Host.
func Bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
