package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestHealthy: a server with any settings is found by the same ones.
func TestHealthy(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string // of both
	}{
		{name: "on loopback"},
		{name: "that answers for one name", args: []string{"-host", "chat.example.com"}},
		{name: "that answers for the names below one", args: []string{"-host", "*.example.com"}},
		{name: "under a path", args: []string{"-base-path", "/chat"}},
		{name: "behind a proxy", args: []string{"-trusted-proxy", "192.0.2.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, tt.args...)
			at := strings.TrimPrefix(p.url, "http://")
			wantHealthy(t, 0, "ok", nil, append([]string{"-addr", at}, tt.args...)...)
			wantHealthy(t, 0, "ok", []string{"FRAMEWRIGHT_ADDR=" + at}, tt.args...)
			_, port, err := net.SplitHostPort(at)
			if err != nil {
				t.Fatal(err)
			}
			wantHealthy(t, 0, "ok", nil, append([]string{"-addr", "0.0.0.0:" + port}, tt.args...)...)
			wantHealthy(t, 0, "ok", nil, append([]string{"-addr", ":9", "-metrics-addr", at}, tt.args...)...)
		})
	}
}

// TestHealthyOther: TLS with a name that is not this machine's, and a Unix socket.
func TestHealthyOther(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.Write([]byte("ok\n"))
		}
	})
	secure := httptest.NewTLSServer(ok)
	defer secure.Close()
	at := strings.TrimPrefix(secure.URL, "https://")
	wantHealthy(t, 0, "ok", nil, "-addr", at, "-cert", "c", "-key", "k")

	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("no Unix socket: %v", err)
	}
	local := httptest.NewUnstartedServer(ok)
	local.Listener.Close()
	local.Listener = l
	local.Start()
	defer local.Close()
	wantHealthy(t, 0, "ok", nil, "-addr", "unix:"+path)
}

// TestUnhealthy: whatever is wrong, the status says so and the text says what.
func TestUnhealthy(t *testing.T) {
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "it does not work", http.StatusServiceUnavailable)
	}))
	at := strings.TrimPrefix(full.URL, "http://")
	wantHealthy(t, 1, "says 503 Service Unavailable: it does not work", nil, "-addr", at)
	full.Close()
	wantHealthy(t, 1, "nobody", nil, "-addr", "unix:"+filepath.Join(t.TempDir(), "nobody"))
	wantHealthy(t, 2, "any free port", nil, "-addr", "127.0.0.1:0")
	wantHealthy(t, 2, "missing port", nil, "-addr", "127.0.0.1")
	wantHealthy(t, 2, "-addr", nil, "-adr", "127.0.0.1:1")
}

func wantHealthy(t *testing.T, code int, want string, env []string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	if got := run(t.Context(), append([]string{"healthy"}, args...), env, &out, &out); got != code || !strings.Contains(out.String(), want) {
		t.Errorf("healthy %q: exit status %d, want %d; want %q in %q", args, got, code, want, &out)
	}
}
