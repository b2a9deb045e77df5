package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// prefixes is a list of networks, as a setting.
type prefixes []netip.Prefix

func (p *prefixes) list() {}
func (p *prefixes) String() string {
	var all []string
	for _, one := range *p {
		text := unixPeer
		if one.IsValid() {
			text = one.String()
		}
		all = append(all, text)
	}
	return strings.Join(all, ",")
}

func (p *prefixes) Set(s string) error {
	for one := range strings.SplitSeq(s, ",") {
		one = strings.TrimSpace(one)
		if one == unixPeer {
			*p = append(*p, netip.Prefix{})
			continue
		}
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			addr, err := netip.ParseAddr(one)
			if err != nil || addr.Zone() != "" {
				return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8, nor unix", one)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

// unixPeer stands in the list for whoever comes by a Unix socket. In it, that is
// the zero Prefix, as such a peer's address is the zero Addr.
const unixPeer = "unix"

func (p prefixes) contains(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(one netip.Prefix) bool {
		return one.Contains(a) || !one.IsValid() && !a.IsValid()
	})
}

// The headers in which a proxy says for whom it asks.
const (
	xForwardedFor = "X-Forwarded-For"
	forwarded     = "Forwarded" // RFC 7239
)

// proxies knows whose word about a client's address is good. One header counts
// and no other: a proxy hands those that it does not write through, and a
// client may have written them.
type proxies struct {
	trusted prefixes
	header  string
}

// client is the address that r comes from: the peer's, or, while that is a
// trusted proxy's, the one that this proxy says it asks for. Each proxy appends
// to the list that it got, so it is read from its end, and what a stranger
// wrote is never reached. It is the zero Addr if the peer has none.
func (p *proxies) client(r *http.Request) netip.Addr {
	at := address(r.RemoteAddr)
	if !p.trusted.contains(at) {
		return at
	}
	list := splitList(r.Header[p.header])
	for i := len(list) - 1; i >= 0 && p.trusted.contains(at); i-- {
		hop := list[i]
		if p.header == forwarded {
			hop = forwardedFor(hop)
		}
		next := address(hop)
		if !next.IsValid() {
			break // "unknown", or a name: then the proxy stands for its clients
		}
		at = next
	}
	return at
}

// maxHops bounds what is read of a list that a client may have begun.
const maxHops = 32

// splitList gives the last entries of a list that may stand in several lines of
// a header. A comma in quotes does not end an entry, so an odd quote would hide
// those behind it: then the list has one entry that is no address.
func splitList(lines []string) []string {
	s := strings.Join(lines, ",")
	if len(s) > 4<<10 {
		s = s[len(s)-4<<10:]
	}
	var list []string
	quoted, begin := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"' && (i == 0 || s[i-1] != '\\'):
			quoted = !quoted
		case s[i] == ',' && !quoted:
			list = append(list, strings.TrimSpace(s[begin:i]))
			begin = i + 1
		}
	}
	if quoted {
		return nil
	}
	list = append(list, strings.TrimSpace(s[begin:]))
	return list[max(0, len(list)-maxHops):]
}

// forwardedFor is the "for" of one element: for=192.0.2.60;proto=http, or
// for="[2001:db8::17]:4711" (RFC 7239 §4, §6).
func forwardedFor(element string) string {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// address reads an IP address, with a port or without, in brackets or without.
// An IPv4 address in IPv6's clothes is taken out of them.
func address(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// limitKey is what limits for one address count by: IPv6 gives a household 64
// bits of addresses, so there the network counts. It is "" for nobody's address,
// which has no limit.
func limitKey(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
