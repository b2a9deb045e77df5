package micro

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"framewright/ws/wsnet"
)

const rawRequest = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// Upgrades returns a function for each library that does the server's half of
// an opening handshake, without a socket, and drops the connection. gobwas and
// our AcceptStream get the request's bytes and parse them; the others get what
// net/http has parsed. coder's connection has goroutines and is closed; the
// others hold nothing and are garbage.
func Upgrades() map[string]func() {
	request := httptest.NewRequest("GET", "http://example.com/", nil)
	for line := range strings.Lines(rawRequest) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name != "Host" {
			request.Header.Set(name, v)
		}
	}
	w := newHijacked()
	quiet := &wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1}} // the others have no keepalive, either
	gorillaUpgrader := gorilla.Upgrader{WriteBufferPool: &sync.Pool{}}
	gwsUpgrader := gws.NewUpgrader(gws.BuiltinEventHandler{}, &gws.ServerOption{})
	return map[string]func(){
		"framewright": func() {
			_, err := wsnet.Accept(w, request, quiet)
			must(w, err)
		},
		"framewright, AcceptStream": func() {
			w.conn.Reader.Reset(rawRequest)
			_, err := wsnet.AcceptStream(context.Background(), w.conn, quiet)
			must(w, err)
		},
		"gobwas": func() {
			w.conn.Reader.Reset(rawRequest)
			_, err := gobwas.Upgrade(w.conn)
			must(w, err)
		},
		"gorilla": func() {
			_, err := gorillaUpgrader.Upgrade(w, request, nil)
			must(w, err)
		},
		"coder": func() {
			c, err := coder.Accept(w, request, nil)
			must(w, err)
			_ = c.CloseNow()
		},
		"gws": func() {
			_, err := gwsUpgrader.Upgrade(w, request)
			must(w, err)
		},
	}
}

// must panics if the handshake was refused, or answered with something else
// than a 101: nothing here depends on input.
func must(w *hijacked, err error) {
	if err == nil && !bytes.HasPrefix(w.conn.wrote[:w.conn.n], []byte("HTTP/1.1 101 ")) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		panic(err)
	}
	w.conn.n = 0
	clear(w.header) // coder has set some
}

// hijacked is a ResponseWriter of net/http whose connection goes nowhere.
type hijacked struct {
	header http.Header
	conn   *nowhere
	rw     *bufio.ReadWriter
}

func newHijacked() *hijacked {
	c := &nowhere{Reader: strings.NewReader("")}
	return &hijacked{http.Header{}, c, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))}
}

func (h *hijacked) Header() http.Header         { return h.header }
func (h *hijacked) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader is how coder sends its answer; what net/http does then is not
// counted.
func (h *hijacked) WriteHeader(int) { _, _ = io.WriteString(h.conn, "HTTP/1.1 101 ") }

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.rw.Reader.Reset(h.conn)
	h.rw.Writer.Reset(h.conn)
	return h.conn, h.rw, nil
}

// nowhere is a connection that keeps the beginning of what is written.
type nowhere struct {
	*strings.Reader
	wrote [64]byte
	n     int
}

func (c *nowhere) Write(b []byte) (int, error) {
	c.n += copy(c.wrote[c.n:], b)
	return len(b), nil
}

func (*nowhere) Close() error                     { return nil }
func (*nowhere) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*nowhere) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*nowhere) SetDeadline(time.Time) error      { return nil }
func (*nowhere) SetReadDeadline(time.Time) error  { return nil }
func (*nowhere) SetWriteDeadline(time.Time) error { return nil }
