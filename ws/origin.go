package ws

import (
	"errors"
	"strconv"
	"strings"
)

// CheckOrigin decides whether a browser's page may connect (RFC 6455 §10.2).
// Scripts cannot forge the Origin header, and cookies go along with every
// handshake, so without this check any page on the web could use the
// connection in the name of its visitor. A request without an Origin does
// not come from a page and passes.
//
// The page's host and port must be those of r.Host; its scheme must be http
// or https, and https if r came through TLS. Any other origin must match one
// of p.OriginPatterns. An error is a *HandshakeError with status 403.
func CheckOrigin(r *Request, p *Policy) error {
	origins := r.Values("Origin")
	switch {
	case len(origins) > 1:
		return RuleOneOrigin.Refusal(strconv.Itoa(len(origins)) + " Origin headers: " + QuoteValues(origins))
	case len(origins) == 0:
		if p != nil && p.RequireOrigin && len(r.Values("Cookie")) > 0 {
			return RuleOriginMissing.Refusal("cookies, but no Origin header, which Options.RequireOrigin asks for")
		}
		return nil
	}
	from, ok := parseOrigin(origins[0])
	if ok && from.sameAs(r) {
		return nil
	}
	if p != nil {
		for _, pattern := range p.OriginPatterns {
			if pattern == "*" || pattern == "null" && origins[0] == "null" || ok && pattern != "null" && from.matches(pattern) {
				return nil
			}
		}
	}
	return RuleOrigin.Refusal("origin " + QuoteValues(origins) + " is not the host " + quote(r.Host) +
		" that was asked; a page that may connect from elsewhere is allowed by its host in Options.OriginPatterns")
}

// An origin is scheme, host and port, in lower case; the port is never empty
// for http and https (RFC 6454 §4).
type origin struct{ scheme, host, port string }

// parseOrigin reads "scheme://host[:port]" as a browser writes it, which is
// ASCII (RFC 6454 §6.2). Anything more, such as user information, a path or a
// percent-escape, is no origin and does not parse: what another reader might
// take for the end of a host must not stand in front of a suffix that is
// allowed.
func parseOrigin(s string) (o origin, ok bool) {
	scheme, rest, found := strings.Cut(lower(s), "://")
	if !found || !isScheme(scheme) {
		return o, false
	}
	o.scheme = scheme
	o.host, o.port, ok = splitPort(rest)
	if !ok || !isHost(o.host) || o.port != "" && !isPort(o.port) {
		return o, false
	}
	if o.port == "" {
		o.port = defaultPort(scheme)
	}
	return o, true
}

// isScheme: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), in lower case (RFC 3986
// §3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.':
			return false
		}
	}
	return s != ""
}

// isHost reports whether s, in lower case, is a host as an origin has it: labels
// of letters, digits, "-" and "_", of which the last may be empty; or an IPv6
// address in brackets, without a zone.
func isHost(s string) bool {
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

// isPort: 1 to 65535, without zeros in front.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// lower folds ASCII only: Unicode's case folding would make a Kelvin sign a k,
// and so another host this one.
func lower(s string) string {
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

// splitPort cuts "host", "host:port", "[v6]" or "[v6]:port".
func splitPort(s string) (host, port string, ok bool) {
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

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// sameAs reports whether a page from o asked its own server. A proxy in front
// may have taken TLS off, so an https page may stand behind a plain request,
// but never the reverse.
func (o origin) sameAs(r *Request) bool {
	if o.scheme != "https" && (o.scheme != "http" || r.TLS) {
		return false
	}
	host, port, ok := splitPort(lower(r.Host))
	if port == "" {
		port = defaultPort(o.scheme)
	}
	return ok && o.host == host && o.port == port
}

// matches reports whether o fits "[scheme://]host[:port]". The host may begin
// with "*.", which stands for one or more labels; the port may be "*"; without
// one it is the scheme's own.
func (o origin) matches(pattern string) bool {
	pattern = lower(pattern)
	if scheme, rest, found := strings.Cut(pattern, "://"); found {
		if scheme != o.scheme {
			return false
		}
		pattern = rest
	} else if o.scheme != "http" && o.scheme != "https" {
		return false
	}
	host, port, ok := splitPort(pattern)
	if !ok {
		return false
	}
	switch port {
	case "*":
	case "":
		if o.port != defaultPort(o.scheme) {
			return false
		}
	default:
		if o.port != port {
			return false
		}
	}
	if suffix, wild := strings.CutPrefix(host, "*"); wild {
		return len(o.host) > len(suffix) && strings.HasSuffix(o.host, suffix)
	}
	return o.host == host
}

// CheckOriginPattern reports what is wrong with an entry for
// Options.OriginPatterns, so that a program can refuse a bad setting when it
// starts.
func CheckOriginPattern(pattern string) error {
	bad := func(why string) error {
		return errors.New("ws: origin pattern " + strconv.Quote(pattern) + ": " + why +
			"; expected [scheme://]host[:port] such as example.com, *.example.com, https://example.com:8443, localhost:*, or * alone")
	}
	if pattern == "*" || pattern == "null" {
		return nil
	}
	rest := pattern
	if scheme, after, found := strings.Cut(pattern, "://"); found {
		if scheme == "" {
			return bad("the scheme is empty")
		}
		if !isScheme(lower(scheme)) {
			return bad("the scheme is none")
		}
		rest = after
	}
	if strings.ContainsAny(rest, "/\\@?# \t,") {
		return bad("an origin has no path, query or user")
	}
	host, port, ok := splitPort(rest)
	if !ok || host == "" {
		return bad("no host, or no port after the colon")
	}
	if port != "" && port != "*" && !isPort(port) {
		return bad("the port is not a number from 1 to 65535")
	}
	if i := strings.LastIndexByte(host, '*'); i > 0 || i == 0 && (len(host) < 3 || host[1] != '.') {
		return bad("a star stands alone for the first labels, as in *.example.com")
	}
	if !isHost(lower(strings.TrimPrefix(host, "*."))) {
		return bad("the host is not letters, digits, hyphens and dots, or an IPv6 address in brackets; an international name is written as browsers send it, xn--…")
	}
	return nil
}
