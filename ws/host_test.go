package ws_test

import (
	"strings"
	"testing"

	"framewright/ws"
)

func TestCheckHost(t *testing.T) {
	for _, tc := range []struct {
		name  string
		host  string
		local bool
		hosts []string
		ok    bool
	}{
		{"any, elsewhere", "evil.example", false, nil, true},
		{"localhost", "localhost", true, nil, true},
		{"localhost and a port", "localhost:8080", true, nil, true},
		{"localhost in upper case, with a dot", "LocalHost.:8080", true, nil, true},
		{"a name below localhost", "app.localhost:1", true, nil, true},
		{"127.0.0.1", "127.0.0.1:8080", true, nil, true},
		{"127.1.2.3", "127.1.2.3", true, nil, true},
		{"::1", "[::1]:8080", true, nil, true},
		{"another name", "evil.example", true, nil, false},
		{"a name that begins alike", "localhost.evil.example", true, nil, false},
		{"a name that ends alike", "notlocalhost", true, nil, false},
		{"a number that begins alike", "127.0.0.1.evil.example", true, nil, false},
		{"a fourth of it too large", "127.0.0.256", true, nil, false},
		{"zeros in front", "127.0.0.01", true, nil, false},
		{"short", "127.1", true, nil, false},
		{"one number", "2130706433", true, nil, false},
		{"every address", "0.0.0.0:8080", true, nil, false},
		{"another address of this machine", "192.168.0.1:8080", true, nil, false},
		{"::1 without brackets", "::1", true, nil, false},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]", true, nil, false},
		{"user information", "localhost@evil.example", true, nil, false},
		{"an escape", "evil%2elocalhost", true, nil, false},
		{"an empty label", "evil..localhost", true, nil, false},
		{"two ports", "localhost:1:2", true, nil, false},
		{"nothing", "", true, nil, false},
		{"a port alone", ":80", true, nil, false},

		{"in the list", "Chat.example:443", false, []string{"a.example", "chat.EXAMPLE"}, true},
		{"in the list, on loopback", "chat.example", true, []string{"chat.example"}, true},
		{"localhost beside a list, on loopback", "localhost", true, []string{"chat.example"}, true},
		{"localhost beside a list, elsewhere", "localhost", false, []string{"chat.example"}, false},
		{"not in the list", "evil.example", false, []string{"chat.example"}, false},
		{"subdomain", "a.b.chat.example", false, []string{"*.chat.example"}, true},
		{"not below", "chat.example", false, []string{"*.chat.example"}, false},
		{"look-alike", "evilchat.example", false, []string{"*.chat.example"}, false},
		{"an escape before a suffix", "evil%00.chat.example", false, []string{"*.chat.example"}, false},
		{"IPv6, without brackets", "[2001:db8::1]:80", false, []string{"2001:db8::1"}, true},
		{"all", "evil.example", true, []string{"*"}, true},
	} {
		r := goodRequest()
		r.Host, r.Local = tc.host, tc.local
		err := ws.CheckHost(r, &ws.Policy{Hosts: tc.hosts})
		if (err == nil) != tc.ok {
			t.Errorf("%s: Host %q, local %v, list %v: %v", tc.name, tc.host, tc.local, tc.hosts, err)
		}
		if err != nil && !strings.Contains(err.Error(), "Options.Hosts") {
			t.Errorf("%s: the option is not named: %v", tc.name, err)
		}
	}
	for pattern, ok := range map[string]bool{"*": true, "a.example": true, "*.a.example": true, "::1": true, "[::1]": true, "127.0.0.1": true,
		"": false, "a:80": false, "*a": false, "a b": false, "http://a": false, "a%00": false, "*.": false} {
		if err := ws.CheckHostPattern(pattern); (err == nil) != ok {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}
