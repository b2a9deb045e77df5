package ws

import (
	"errors"
	"strconv"
	"strings"
)

// CheckHost holds r.Host against p.Hosts. What CheckOrigin relies on, that a page
// whose origin is the host that was asked is this server's own, is true only if
// the host is: a name that belongs to somebody else may point to this machine
// (DNS rebinding). That is aimed at servers which think that nobody but this
// machine reaches them, so on a loopback address the default is this machine's
// own names. An error is a *HandshakeError with status 403.
func CheckHost(r *Request, p *Policy) error {
	var hosts []string
	if p != nil {
		hosts = p.Hosts
	}
	if len(hosts) == 0 && !r.Local {
		return nil
	}
	host, _, ok := splitPort(lower(r.Host))
	host = strings.TrimSuffix(host, ".")
	if ok && r.Local && isLoopbackHost(host) {
		return nil
	}
	for _, pattern := range hosts {
		pattern = strings.TrimSuffix(bracketed(lower(pattern)), ".")
		if pattern == "*" {
			return nil
		}
		if suffix, wild := strings.CutPrefix(pattern, "*"); wild && ok && isHost(host) && len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
			return nil
		}
		if ok && host == pattern {
			return nil
		}
	}
	if len(hosts) == 0 {
		return RuleHostAllowed.Refusal("Host " + quote(r.Host) + " is not localhost, and the request came to a loopback address; Options.Hosts names the hosts that this server answers for")
	}
	return RuleHostAllowed.Refusal("Host " + quote(r.Host) + " is none that this server answers for, which Options.Hosts names")
}

// isLoopbackHost reports whether host, in lower case, always means this machine
// (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
func isLoopbackHost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") && isHost(host) || host == "[::1]" || isLoopbackV4(host)
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

// bracketed puts an IPv6 address into brackets, as it stands in a Host.
func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// CheckHostPattern reports what is wrong with an entry for Options.Hosts, so
// that a program can refuse a bad setting when it starts.
func CheckHostPattern(pattern string) error {
	if pattern == "*" || isHost(lower(bracketed(strings.TrimPrefix(pattern, "*.")))) {
		return nil
	}
	return errors.New("ws: host " + strconv.Quote(pattern) + " is none; expected a name or an address without a port, such as example.com, *.example.com, 192.0.2.1, ::1, or * for all")
}
