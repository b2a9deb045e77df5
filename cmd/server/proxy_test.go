package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestClientAddress(t *testing.T) {
	const own = "10.0.0.1:1234" // the proxy's
	for _, tt := range []struct {
		name   string
		peer   string
		header string // which one counts
		lines  []string
		want   string
	}{
		{"no proxy", "203.0.113.9:1", xForwardedFor, nil, "203.0.113.9"},
		{"a stranger says it is somebody else", "203.0.113.9:1", xForwardedFor, []string{"192.0.2.1"}, "203.0.113.9"},
		{"the proxy asks for a client", own, xForwardedFor, []string{"203.0.113.9"}, "203.0.113.9"},
		{"the client wrote a beginning", own, xForwardedFor, []string{"192.0.2.1, 10.0.0.9, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", own, xForwardedFor, []string{"192.0.2.1, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"in several lines", own, xForwardedFor, []string{"192.0.2.1", "203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"all are proxies", own, xForwardedFor, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"the proxy says nothing", own, xForwardedFor, nil, "10.0.0.1"},
		{"unknown", own, xForwardedFor, []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"with a port", own, xForwardedFor, []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", own, xForwardedFor, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 with a port", own, xForwardedFor, []string{"[2001:db8::1]:80"}, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.9]:80", xForwardedFor, nil, "203.0.113.9"},
		{"the proxy's address as IPv6", "[::ffff:10.0.0.1]:80", xForwardedFor, []string{"203.0.113.9"}, "203.0.113.9"},
		{"Forwarded", own, forwarded, []string{`for=192.0.2.1, for="203.0.113.9:80";proto=https;by=10.0.0.1`}, "203.0.113.9"},
		{"Forwarded, IPv6, in capitals", own, forwarded, []string{`Proto=https; For="[2001:db8::1]:80"`}, "2001:db8::1"},
		{"Forwarded, hidden", own, forwarded, []string{`for=_hidden`}, "10.0.0.1"},
		{"Forwarded, a quoted comma", own, forwarded, []string{`for="_a,b";for=192.0.2.1, for=203.0.113.9`}, "203.0.113.9"},
		{"Forwarded, a quote that never ends", own, forwarded, []string{`for="192.0.2.1, for=203.0.113.9`}, "10.0.0.1"},
		{"no address at all", "@", xForwardedFor, nil, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := proxies{header: tt.header}
			p.trusted.Set("10.0.0.0/8, ::1")
			// The other header is always there, and never believed.
			other := map[string]string{xForwardedFor: forwarded, forwarded: xForwardedFor}[tt.header]
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{tt.header: tt.lines, other: {"for=198.51.100.1", "198.51.100.1"}}}
			if got := remote(p.client(r)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestClientAddressIsBounded(t *testing.T) {
	p := proxies{header: xForwardedFor}
	p.trusted.Set("10.0.0.0/8")
	long := strings.Repeat("10.0.0.1,", 100_000)
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{xForwardedFor: {long + "10.0.0.2"}}}
	if got := remote(p.client(r)); got != "10.0.0.1" {
		t.Error(got)
	}
}

func TestLimitKey(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "::1": "::/64", "": "", "@": "", "/run/s": "",
	} {
		if got := limitKey(address(in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
