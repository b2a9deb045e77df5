package wsnet

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"framewright/ws"
)

// A plain path has letters, digits, "-", "." and "/" alone. Every one is a target that
// parseTarget takes, and that is the path itself.
func TestPlainPath(t *testing.T) {
	for _, target := range []string{"", "a", "a/", "-", "*"} {
		if plainPath(target) {
			t.Errorf("%q is taken for a path", target)
		}
	}
	for c := range 256 {
		target := "/a" + string([]byte{byte(c)}) + "/b"
		want := strings.ContainsRune("-./0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(c))
		if got := plainPath(target); got != want {
			t.Errorf("%q: %v", target, got)
		}
		if !want {
			continue
		}
		if u, err := parseTarget(http.MethodGet, target); err != nil || u.Path != target || u.Host != "" {
			t.Errorf("%q: %+v, %v", target, u, err)
		}
	}
}

// Why a target cannot be read is said without the target, which the error shows, cut.
func TestParseTargetError(t *testing.T) {
	_, err := parseTarget(http.MethodGet, "/%zz")
	e, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok || e.Status != 400 || e.Err != url.EscapeError("%zz") {
		t.Errorf("%#v", err)
	}
}

// An addressless is a connection that does not know the other end, as one in memory may.
type addressless struct{ net.Conn }

func (addressless) RemoteAddr() net.Addr { return nil }

// What net/http knows of a request besides its text: the connection, and whether it stays.
func TestHTTPRequest(t *testing.T) {
	conn, other := net.Pipe()
	defer conn.Close()
	defer other.Close()
	request := func(minor int, connection string) *ws.Request {
		r, _, err := ws.ParseRequest(fmt.Appendf(nil, "GET / HTTP/1.%d\r\nHost: a\r\nConnection: %s\r\n\r\n", minor, connection))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		minor      int
		connection string
		closes     bool
	}{{0, "", true}, {0, "keep-alive", false}, {1, "", false}, {1, "close", true}} {
		if h := httpRequest(request(tt.minor, tt.connection), nil, conn); h.Close != tt.closes {
			t.Errorf("%+v: %v", tt, h.Close)
		}
	}
	if h := httpRequest(&ws.Request{}, nil, conn); h.Proto != "" {
		t.Errorf("a request that could not be read is %q", h.Proto)
	}
	for name, tt := range map[string]struct {
		rwc    io.ReadWriteCloser
		remote string
		local  bool
		tls    bool
	}{
		"a pipe":            {conn, "pipe", true, false},
		"no address":        {addressless{conn}, "", true, false},
		"no connection":     {struct{ io.ReadWriteCloser }{conn}, "", false, false},
		"TLS, not net/http": {tls.Client(conn, &tls.Config{ServerName: "a"}), "pipe", true, true},
	} {
		h := httpRequest(request(1, ""), nil, tt.rwc)
		local := h.Context().Value(http.LocalAddrContextKey) != nil
		if h.RemoteAddr != tt.remote || local != tt.local || (h.TLS != nil) != tt.tls {
			t.Errorf("%s: from %q, local address %v, TLS %v", name, h.RemoteAddr, local, h.TLS)
		}
	}
}
