package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

type listenerAt struct {
	net.Listener
	addr net.Addr
}

func (l listenerAt) Addr() net.Addr { return l.addr }

// On a loopback address every path is for this machine's own names, unless
// somebody has said otherwise.
func TestOwnHosts(t *testing.T) {
	proxy := prefixes{netip.MustParsePrefix("127.0.0.1/32")}
	for _, tc := range []struct {
		name    string
		listen  string
		hosts   hosts
		trusted prefixes
		host    string
		status  int
	}{
		{"loopback, localhost", "127.0.0.1", nil, nil, "localhost:8080", 200},
		{"loopback, its address", "127.0.0.1", nil, nil, "127.0.0.1:8080", 200},
		{"loopback, IPv6", "::1", nil, nil, "[::1]:8080", 200},
		{"loopback, a name that points to it", "127.0.0.1", nil, nil, "evil.example:8080", 403},
		{"loopback, a proxy's public name", "127.0.0.1", nil, nil, "chat.example", 403},
		{"loopback, the same, named", "127.0.0.1", hosts{"chat.example"}, nil, "chat.example", 200},
		{"loopback, another than that", "127.0.0.1", hosts{"chat.example"}, nil, "evil.example", 403},
		{"loopback, a trusted proxy", "127.0.0.1", nil, proxy, "chat.example", 200},
		{"loopback, a trusted proxy and a name", "127.0.0.1", hosts{"chat.example"}, proxy, "evil.example", 403},
		{"loopback, all", "127.0.0.1", hosts{"*"}, nil, "evil.example", 200},
		{"elsewhere", "192.0.2.1", nil, nil, "evil.example", 200},
		{"everywhere", "0.0.0.0", nil, nil, "evil.example", 200},
		{"elsewhere, with a name", "192.0.2.1", hosts{"*.chat.example"}, nil, "evil.example", 403},
		{"elsewhere, with a name that fits", "192.0.2.1", hosts{"*.chat.example"}, nil, "a.chat.example", 200},
	} {
		a := &app{set: &settings{hosts: tc.hosts}, metrics: newMetrics(), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		a.set.proxies.trusted = tc.trusted
		a.gate = &gate{proxies: a.set.proxies, log: a.log, metrics: a.metrics}
		at := &net.TCPAddr{IP: net.ParseIP(tc.listen), Port: 8080}
		h := a.ownHosts([]net.Listener{listenerAt{addr: &net.UnixAddr{Name: "socket", Net: "unix"}}, listenerAt{addr: at}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, path := range []string{"/", "/ws", "/socket.io/?EIO=4&transport=polling", "/publish", "/metrics", "/healthz"} {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)
			r.Host = tc.host
			if at.IP.IsUnspecified() {
				at = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} // the proxy of this machine
			}
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(at)))
			h.ServeHTTP(w, r)
			if w.Code != tc.status || tc.status == 403 && !strings.Contains(w.Body.String(), "-host") {
				t.Errorf("%s, %s: %d %q, want %d", tc.name, path, w.Code, w.Body, tc.status)
			}
		}
	}
	var h hosts
	if h.Set("example.com, *.a.example") != nil || len(h) != 2 || h.Set("example.com:80") == nil || h.Set("") == nil {
		t.Errorf("got %v", h)
	}
}

// The whole server: a name that -host gives gets everything, another nothing.
func TestHostOfEveryPath(t *testing.T) {
	const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-Websocket-Version: 13\r\nSec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	p := start(t, "-host", "chat.example", "-drain", "500ms")
	for path, header := range map[string]string{
		"/": "", "/ws": handshake, "/socket.io/?EIO=4&transport=polling": "", "/socket.io/?EIO=4&transport=websocket": handshake, "/healthz": "", "/metrics": "",
	} {
		want := 200
		if header != "" {
			want = 101
		}
		for host, status := range map[string]int{"chat.example": want, "localhost": want, "evil.example": 403} {
			if resp := raw(t, p.url, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nOrigin: http://"+host+"\r\n"+header+"\r\n"); resp.StatusCode != status {
				t.Errorf("%s for %s: %s, want %d", path, host, resp.Status, status)
			}
		}
	}
}
