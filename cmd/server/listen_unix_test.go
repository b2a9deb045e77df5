//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"framewright/chat/plain"
	"framewright/ws/wsnet"
)

// socketDir is a folder with a short name, as a socket's must be.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// through is a client that connects by a Unix socket, whatever the URL's host.
func through(t *testing.T, path string) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestListenUnix(t *testing.T) {
	dir := socketDir(t)
	path := filepath.Join(dir, "s")
	want := func(why, part string) {
		t.Helper()
		l, err := listen("-addr", "unix:"+path, 0o640)
		if err == nil {
			l.Close()
		}
		if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
			t.Errorf("%s: %v, want %q", why, err, part)
		}
	}
	l, err := listen("-addr", "unix:"+path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Error(info.Mode(), err)
	}
	want("somebody listens", "somebody listens there")
	l.Close()
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Error("the file is left:", err)
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	want("left by one that was killed", "")
	os.WriteFile(path, []byte("mine"), 0o600)
	want("a file", "no socket")
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file was touched")
	}
	os.Remove(path)
	os.Symlink("nowhere", path)
	want("a link", "no socket")
	os.Remove(path)
	want("no name", "")
	path = filepath.Join(dir, "not", "there")
	want("no folder", "no such file")
	path = ""
	want("no name", "expected unix:")
	path = filepath.Join(dir, strings.Repeat("x", 200))
	want("a long name", "invalid argument")

	// A file that somebody else has put there stays.
	path = filepath.Join(dir, "s")
	if l, err = listen("-addr", "unix:"+path, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	os.WriteFile(path, []byte("mine"), 0o600)
	l.Close()
	if data, _ := os.ReadFile(path); string(data) != "mine" {
		t.Error("the file was touched")
	}
}

// Over a Unix socket nobody has an address: no bound for each holds, unless a
// proxy says for whom it asks.
func TestUnixSocket(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		path := filepath.Join(socketDir(t), "s")
		args := []string{"-addr", "unix:" + path, "-max-per-address", "2", "-max-http-per-address", "1", "-handshake-rate", "0.01/3", "-drain", "500ms", "-log", "json"}
		if trusted {
			args = append(args, "-trusted-proxy", "unix")
		}
		p := start(t, args...)
		client := through(t, path)
		for i := range 5 {
			h := http.Header{"X-Forwarded-For": {"192.0.2.1"}}
			c, err := wsnet.Dial(t.Context(), "ws://localhost/ws", &wsnet.DialOptions{Options: wsnet.Options{Subprotocols: []string{plain.Subprotocol}}, HTTPClient: client, Header: h})
			if want := !trusted || i < 2; (err == nil) != want {
				t.Errorf("trusted %v, connection %d: %v", trusted, i, err)
			}
			if err == nil {
				defer c.CloseNow()
			}
		}
		if trusted {
			p.wantLine(t, "refused", `"remote":"192.0.2.1"`)
		}
		resp, err := client.Get("http://localhost/healthz")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		p.end(t)
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Error("the file is left:", err)
		}
	}
}

// Sockets that systemd has opened are taken as they are, by their names.
func TestSocketActivation(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program, which takes seconds")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	open := func(network, addr string) (*os.File, string) {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		l.Close()
		t.Cleanup(func() { f.Close() })
		return f, l.Addr().String()
	}
	path := filepath.Join(socketDir(t), "s")
	one, url := open("tcp", "127.0.0.1:0")
	two, _ := open("unix", path)
	three, metrics := open("tcp", "127.0.0.1:0")
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, bin, "-memory")
	cmd.ExtraFiles = []*os.File{one, two, three}
	p, out := launchCommand(t, cmd, "LISTEN_FDS=3", "LISTEN_FDNAMES=web:web:metrics")
	if line, err := out.ReadString('\n'); err != nil || !strings.Contains(line, url) {
		t.Fatalf("%s, %v\n%s", line, err, p.stderr)
	}
	for at, want := range map[string]int{"http://" + url + "/": 200, "http://" + url + "/metrics": 404, "http://" + metrics + "/metrics": 200, "http://" + metrics + "/": 404} {
		if status, _, _ := get(t, at); status != want {
			t.Errorf("%s: %d, want %d", at, status, want)
		}
	}
	resp, err := through(t, path).Get("http://localhost/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.cmd.Process.Signal(os.Interrupt)
	if status := p.wait(t); status != 0 {
		t.Error(status)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error("the file is systemd's:", err)
	}

	// What is no such socket is an error, and what is meant for another process
	// nothing.
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, bin, "-memory")
	cmd.ExtraFiles = []*os.File{file}
	p, _ = launchCommand(t, cmd, "LISTEN_FDS=1")
	if status := p.wait(t); status != 1 || !strings.Contains(p.stderr.String(), "socket 1 (unknown)") {
		t.Errorf("%d %s", status, p.stderr)
	}
	if in, err := inherit([]string{"LISTEN_PID=1", "LISTEN_FDS=1"}); err != nil || in.main != nil {
		t.Error(in, err)
	}
}
