package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws/wstest"
)

// halves opens n connections, one after the other, that never end their header.
func halves(t *testing.T, url string, n int) []net.Conn {
	t.Helper()
	var all []net.Conn
	for range n {
		conn, err := net.Dial("tcp", url[strings.Index(url, "//")+2:])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if strings.HasPrefix(url, "https") {
			conn.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")) // the beginning of a ClientHello
		} else {
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX")
		}
		all = append(all, conn)
	}
	return all
}

// wantCut wants the first n of conns to be closed, and the others to be open.
func wantCut(t *testing.T, conns []net.Conn, n int) {
	t.Helper()
	for i, c := range conns {
		if i < n {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("connection %d of %d is open: %v", i, len(conns), err)
			}
			continue
		}
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("connection %d of %d: %v", i, len(conns), err)
		}
	}
}

// Who opens connections and says nothing, or half of something, has as many as
// its address may have. It loses the oldest, and others lose nothing.
func TestConnectionsOfOneAddress(t *testing.T) {
	for _, tt := range []struct {
		name    string
		tls     bool
		setting string
	}{
		{"for each address", false, "-max-http-per-address"}, {"in all", false, "-max-http"},
		{"for each address, with TLS", true, "-max-http-per-address"}, {"in all, with TLS", true, "-max-http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wstest.CheckLeaks(t)
			args := []string{tt.setting, "8", "-header-timeout", "1m", "-drain", "500ms"}
			client := http.DefaultClient
			if tt.tls {
				var cert, key string
				cert, key, client = testCertificate(t)
				args = append(args, "-cert", cert, "-key", key)
			}
			p := start(t, args...)
			most := 8
			if tt.setting == "-max-http" {
				most = 4 // of one address: half of all
			}
			conns := halves(t, p.url, 30)
			wantCut(t, conns, 30-most)
			for range 3 {
				resp, err := client.Get(p.url + "/metrics")
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 || !strings.Contains(string(body), `framewright_http_connections_cut_total{bound="address"} 2`) {
					t.Errorf("%s\n%s", resp.Status, body)
				}
			}
			client.CloseIdleConnections()
		})
	}
}

// A trusted proxy has more than one client, and is bounded by -max-http alone.
func TestConnectionsOfAProxy(t *testing.T) {
	p := start(t, "-max-http", "20", "-max-http-per-address", "2", "-trusted-proxy", "127.0.0.0/8", "-header-timeout", "1m", "-drain", "500ms")
	wantCut(t, halves(t, p.url, 30), 10)
}

// A connection at work is not cut for a new one, which learns why it is not
// taken; and what has become a WebSocket is no HTTP connection any more.
func TestConnectionsAtWorkStay(t *testing.T) {
	p := start(t, "-max-http-per-address", "3", "-publish-key", testKey, "-drain", "500ms")
	for range 5 {
		chatDial(t, p.url)
	}
	for range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST /publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+testKey+"\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100") {
			t.Fatal(line, err)
		}
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 429 || !strings.Contains(string(text), "-max-http-per-address") {
		t.Errorf("%s %s", resp.Status, text)
	}
}

// Chat connections of both kinds are bounded together.
func TestMaxConns(t *testing.T) {
	p := start(t, "-max-conns", "2", "-drain", "500ms")
	chatDial(t, p.url)
	if status, _, body := get(t, p.url+"/socket.io/?EIO=4&transport=polling"); status != 200 {
		t.Fatal(status, body)
	}
	for _, path := range []string{"/ws", "/socket.io/?EIO=4&transport=polling"} {
		if status, h, body := get(t, p.url+path); status != 503 || h.Get("Retry-After") == "" || !strings.Contains(body, "-max-conns") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A failing listener gives errors, and then connections.
type failingListener struct {
	net.Listener
	errs []error
	n    int
}

func (f *failingListener) Accept() (net.Conn, error) {
	f.n++
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	c, _ := net.Pipe()
	return c, nil
}

func (f *failingListener) Close() error { return nil }

// Row: no file descriptors. Accept waits, longer each time, and goes on.
func TestAcceptErrorsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passes := []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM}
		inner := &failingListener{}
		for _, err := range passes {
			inner.errs = append(inner.errs, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", err)})
		}
		told := 0
		l := bounded(inner, newConnections(0, 0, nil), func(error) { told++ })
		begin := time.Now()
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		if took, want := time.Since(begin), (5+10+20+40+80+160)*time.Millisecond; took != want || told != len(passes) {
			t.Errorf("%v, told %d times; want %v, %d", took, told, want, len(passes))
		}
		// While somebody waits for a request, that one makes room at once.
		inner.errs = []error{syscall.EMFILE}
		begin = time.Now()
		if _, err := l.Accept(); err != nil || time.Since(begin) != 0 || l.conns.count() != 1 {
			t.Errorf("%v, %v, %d connections", err, time.Since(begin), l.conns.count())
		}
		for _, end := range []error{net.ErrClosed, syscall.EINVAL, syscall.EBADF, io.EOF} {
			inner.errs = []error{end}
			if _, err := l.Accept(); !errors.Is(err, end) {
				t.Errorf("%v: %v", end, err)
			}
		}
		// The end does not wait for a pause.
		l.conns.makeRoom()
		for range 1000 {
			inner.errs = append(inner.errs, syscall.EMFILE)
		}
		done := make(chan error)
		go func() {
			_, err := l.Accept()
			done <- err
		}()
		time.Sleep(time.Minute)
		l.Close()
		l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if inner.n > 100 {
			t.Errorf("%d calls in a minute", inner.n)
		}
	})
}

func TestShare(t *testing.T) {
	for _, tt := range []struct{ limit, conns, http, per, wantConns, wantHTTP int }{
		{0, 10_000, 10_000, 1, 10_000, 10_000},
		{0, 0, 0, 1, 0, 0},
		{65_536, 10_000, 10_000, 1, 10_000, 10_000},
		{65_536, 10_000, 10_000, 2, 10_000, 10_000},
		{65_536, 0, 10_000, 1, 55_408, 10_000},
		{65_536, 0, 0, 1, 43_606, 21_802},
		{1024, 10_000, 10_000, 1, 598, 298},
		{1024, 10_000, 10_000, 2, 598, 149},
		{1024, 500, 10_000, 1, 500, 396},
		{1024, 10_000, 100, 1, 796, 100},
		{300, 10_000, 10_000, 1, 176, 87},
		{20, 10_000, 10_000, 1, 3, 1},
		{3, 10_000, 10_000, 1, 1, 1},
		{3, 0, 0, 2, 1, 1},
	} {
		c, h, fits := share(tt.limit, tt.conns, tt.http, tt.per)
		if c != tt.wantConns || h != tt.wantHTTP {
			t.Errorf("%d: %d and %d are %d and %d, want %d and %d", tt.limit, tt.conns, tt.http, c, h, tt.wantConns, tt.wantHTTP)
		}
		if want := (tt.conns == 0 || tt.conns == c) && (tt.http == 0 || tt.http == h); fits != want {
			t.Errorf("%d: %d and %d fit: %v", tt.limit, tt.conns, tt.http, fits)
		}
	}
}
