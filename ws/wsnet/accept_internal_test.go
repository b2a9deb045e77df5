package wsnet

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// What Accept sees of a request that net/http has read.
func TestRequestOf(t *testing.T) {
	type seen struct {
		Scheme, Protocol string
		TLS              bool
		Length           int64
		Local            bool
	}
	for name, tt := range map[string]struct {
		spoil func(*http.Request)
		want  seen
	}{
		"as it is":      {func(*http.Request) {}, seen{Scheme: "http"}},
		"TLS":           {func(r *http.Request) { r.TLS = new(tls.ConnectionState) }, seen{Scheme: "https", TLS: true}},
		"a length":      {func(r *http.Request) { r.ContentLength = 3 }, seen{Scheme: "http", Length: 3}},
		"chunks":        {func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, seen{Scheme: "http", Length: -1}},
		":protocol":     {func(r *http.Request) { r.Header[":protocol"] = []string{"websocket"} }, seen{Scheme: "http", Protocol: "websocket"}},
		"two protocols": {func(r *http.Request) { r.Header[":protocol"] = []string{"websocket", "x"} }, seen{Scheme: "http"}},
		"no protocol":   {func(r *http.Request) { r.Header[":protocol"] = nil }, seen{Scheme: "http"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		tt.spoil(r)
		got := requestOf(r)
		if d := cmp.Diff(tt.want, seen{got.Scheme, got.Protocol, got.TLS, got.Length, got.Local}); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

// The trace has the headers that net/http takes out of the others.
func TestRequestText(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/a?b", nil)
	r.Host, r.TransferEncoding = "c", []string{"chunked"}
	r.Header.Set("D", "e")
	if got, want := string(requestText(r)), "GET /a?b HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\nD: e\r\n\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Each connection has a number of its own.
func TestConnNumbers(t *testing.T) {
	seen := map[uint64]bool{}
	for range 10 {
		x := newHTTPExchange(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), &noServerOptions)
		seen[uint64(x.id)] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d numbers for 10 connections", len(seen))
	}
}

// A noted connection writes down what is done with it; what is named in fails does.
type noted struct {
	net.Conn
	did   []string
	fails string
}

var errNoted = errors.New("it broke")

func (c *noted) note(format string, args ...any) error {
	did := fmt.Sprintf(format, args...)
	c.did = append(c.did, did)
	if c.fails != "" && strings.HasPrefix(did, c.fails) {
		return errNoted
	}
	return nil
}

func after(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return time.Until(t).String()
}

func (c *noted) SetDeadline(t time.Time) error      { return c.note("deadline %s", after(t)) }
func (c *noted) SetWriteDeadline(t time.Time) error { return c.note("write deadline %s", after(t)) }
func (c *noted) Write(p []byte) (int, error)        { return len(p), c.note("write %s", p) }
func (c *noted) Close() error                       { return c.note("close") }

// The answer has its time, and none of the server's deadlines outlives it.
func TestSendAnswer(t *testing.T) {
	for _, tt := range []struct {
		timeout time.Duration
		fails   string
		want    []string
	}{
		{time.Second, "", []string{"deadline none", "write deadline 1s", "write 101", "write deadline none"}},
		{1, "", []string{"deadline none", "write deadline 1ns", "write 101", "write deadline none"}},
		{0, "", []string{"deadline none", "write 101", "write deadline none"}},
		{-1, "", []string{"deadline none", "write 101", "write deadline none"}},
		{time.Second, "deadline", []string{"deadline none"}},
		{time.Second, "write deadline 1s", []string{"deadline none", "write deadline 1s"}},
		{time.Second, "write 101", []string{"deadline none", "write deadline 1s", "write 101"}},
		{time.Second, "write deadline none", []string{"deadline none", "write deadline 1s", "write 101", "write deadline none"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &noted{fails: tt.fails}
			if err := sendAnswer(c, []byte("101"), tt.timeout); (err == errNoted) != (tt.fails != "") {
				t.Errorf("%v, %q: %v", tt.timeout, tt.fails, err)
			}
			if d := cmp.Diff(tt.want, c.did); d != "" {
				t.Errorf("%v, %q: (-want +got)\n%s", tt.timeout, tt.fails, d)
			}
		})
	}
}

// A hijackable answer gives away a connection.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
	rw   *bufio.ReadWriter
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.rw, nil }

// A connection that was taken over and cannot be answered is closed.
func TestAcceptNotAnswered(t *testing.T) {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wstest.Request("/", "server.test"))))
	if err != nil {
		t.Fatal(err)
	}
	c := &noted{fails: "write"}
	w := hijackable{httptest.NewRecorder(), c, bufio.NewReadWriter(bufio.NewReader(strings.NewReader("")), nil)}
	_, err = Accept(w, req, nil)
	e, ok := errors.AsType[*ws.HandshakeError](err)
	if !ok || !errors.Is(err, errNoted) || e.Status != 0 || c.did[len(c.did)-1] != "close" {
		t.Errorf("%v; %q", err, c.did)
	}
}

// What came right behind the request is the connection's.
func TestEarly(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("GET\x81\x00"))
	if b := early(r); b != nil || early(nil) != nil {
		t.Errorf("nothing came, got %q", b)
	}
	if _, err := r.Discard(3); err != nil {
		t.Fatal(err)
	}
	if b := early(r); string(b) != "\x81\x00" {
		t.Errorf("got %q", b)
	}
}
