package ws

import (
	"errors"
	"strconv"
	"strings"

	"framewright/ws/internal/http1"
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
	host, _, ok := http1.SplitPort(http1.Lower(r.Host))
	host = strings.TrimSuffix(host, ".")
	if ok && r.Local && http1.IsLoopback(host) {
		return nil
	}
	for _, pattern := range hosts {
		pattern = strings.TrimSuffix(http1.Bracketed(http1.Lower(pattern)), ".")
		if pattern == "*" {
			return nil
		}
		if suffix, wild := strings.CutPrefix(pattern, "*"); wild && ok && http1.IsHost(host) && len(host) > len(suffix) && strings.HasSuffix(host, suffix) {
			return nil
		}
		if ok && host == pattern {
			return nil
		}
	}
	if len(hosts) == 0 {
		return RuleHostAllowed.Refusal("Host " + http1.Quote(r.Host) + " is not localhost, and the request came to a loopback address; Options.Hosts names the hosts that this server answers for")
	}
	return RuleHostAllowed.Refusal("Host " + http1.Quote(r.Host) + " is none that this server answers for, which Options.Hosts names")
}

// CheckHostPattern reports what is wrong with an entry for Options.Hosts, so
// that a program can refuse a bad setting when it starts.
func CheckHostPattern(pattern string) error {
	if pattern == "*" || http1.IsHost(http1.Lower(http1.Bracketed(strings.TrimPrefix(pattern, "*.")))) {
		return nil
	}
	return errors.New("ws: host " + strconv.Quote(pattern) + " is none; expected a name or an address without a port, such as example.com, *.example.com, 192.0.2.1, ::1, or * for all")
}
