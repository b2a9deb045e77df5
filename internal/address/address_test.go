package address

import "testing"

func TestHost(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "host:": "host", ":80": ""} {
		if host, ok := Host(address); host != want || !ok {
			t.Errorf("%q: %q, %v; want %q", address, host, ok, want)
		}
	}
	for _, address := range []string{"", "pipe", "/run/socket", "2001:db8::1"} {
		if host, ok := Host(address); host != address || ok {
			t.Errorf("%q: %q, %v; want what it was, and false", address, host, ok)
		}
	}
}
