package ws

import (
	"errors"
	"strconv"
	"strings"

	"framewright/ws/internal/http1"
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
		return RuleOneOrigin.Refusal(strconv.Itoa(len(origins)) + " Origin headers: " + http1.QuoteValues(origins))
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
	return RuleOrigin.Refusal("origin " + http1.QuoteValues(origins) + " is not the host " + http1.Quote(r.Host) +
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
	scheme, rest, found := strings.Cut(http1.Lower(s), "://")
	if !found || !http1.IsScheme(scheme) {
		return o, false
	}
	o.scheme = scheme
	o.host, o.port, ok = http1.SplitPort(rest)
	if !ok || !http1.IsHost(o.host) || o.port != "" && !http1.IsPort(o.port) {
		return o, false
	}
	if o.port == "" {
		o.port = http1.DefaultPort(scheme)
	}
	return o, true
}

// sameAs reports whether a page from o asked its own server. A proxy in front
// may have taken TLS off, so an https page may stand behind a plain request,
// but never the reverse.
func (o origin) sameAs(r *Request) bool {
	if o.scheme != "https" && (o.scheme != "http" || r.TLS) {
		return false
	}
	host, port, ok := http1.SplitPort(http1.Lower(r.Host))
	if port == "" {
		port = http1.DefaultPort(o.scheme)
	}
	return ok && o.host == host && o.port == port
}

// matches reports whether o fits "[scheme://]host[:port]". The host may begin
// with "*.", which stands for one or more labels; the port may be "*"; without
// one it is the scheme's own.
func (o origin) matches(pattern string) bool {
	pattern = http1.Lower(pattern)
	if scheme, rest, found := strings.Cut(pattern, "://"); found {
		if scheme != o.scheme {
			return false
		}
		pattern = rest
	} else if o.scheme != "http" && o.scheme != "https" {
		return false
	}
	host, port, ok := http1.SplitPort(pattern)
	if !ok {
		return false
	}
	switch port {
	case "*":
	case "":
		if o.port != http1.DefaultPort(o.scheme) {
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
		if !http1.IsScheme(http1.Lower(scheme)) {
			return bad("the scheme is none")
		}
		rest = after
	}
	if strings.ContainsAny(rest, "/\\@?# \t,") {
		return bad("an origin has no path, query or user")
	}
	host, port, ok := http1.SplitPort(rest)
	if !ok || host == "" {
		return bad("no host, or no port after the colon")
	}
	if port != "" && port != "*" && !http1.IsPort(port) {
		return bad("the port is not a number from 1 to 65535")
	}
	if i := strings.LastIndexByte(host, '*'); i > 0 || i == 0 && (len(host) < 3 || host[1] != '.') {
		return bad("a star stands alone for the first labels, as in *.example.com")
	}
	if !http1.IsHost(http1.Lower(strings.TrimPrefix(host, "*."))) {
		return bad("the host is not letters, digits, hyphens and dots, or an IPv6 address in brackets; an international name is written as browsers send it, xn--…")
	}
	return nil
}
