package wsh2

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
)

// Bridge lets h, which expects WebSockets as RFC 6455 has them, take those of HTTP/2, too:
// a handler that hijacks a connection of HTTP/1.1 and writes its 101, such as those of
// other libraries, or a httputil.ReverseProxy. It sees a GET with Upgrade and a key, and
// what it hijacks is the stream; its status, its headers and its subprotocol are answered
// as RFC 8441 §5 has it, and what it refuses is refused as it says. All other requests go
// to h as they are.
func Bridge(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Method != http.MethodConnect {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(&bridged{ResponseWriter: w, r: r}, asUpgrade(r))
	})
}

// asUpgrade is the extended CONNECT r as a request of HTTP/1.1 (RFC 6455 §4.1).
func asUpgrade(r *http.Request) *http.Request {
	u := r.Clone(r.Context())
	var nonce [16]byte
	rand.Read(nonce[:])
	u.Method, u.Proto, u.ProtoMajor, u.ProtoMinor = http.MethodGet, "HTTP/1.1", 1, 1
	u.Body, u.ContentLength = http.NoBody, 0
	delete(u.Header, ":protocol")
	u.Header["Upgrade"] = []string{"websocket"}
	u.Header["Connection"] = []string{"Upgrade"}
	u.Header["Sec-Websocket-Key"] = []string{base64.StdEncoding.EncodeToString(nonce[:])}
	return u
}

// handshakeHeaders are what a 101 has and a 200 over HTTP/2 has not.
var handshakeHeaders = []string{"Upgrade", "Connection", "Sec-Websocket-Accept"}

// A bridged is the ResponseWriter of a handler behind Bridge.
type bridged struct {
	http.ResponseWriter
	r         *http.Request
	switching bool // WriteHeader(101) was called: Hijack comes next
	hijacked  bool
}

// Unwrap is for an http.ResponseController.
func (b *bridged) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (b *bridged) WriteHeader(status int) {
	if status == http.StatusSwitchingProtocols {
		b.switching = true
		return
	}
	b.ResponseWriter.WriteHeader(status)
}

// Hijack gives up the stream: after a WriteHeader of 101 it is answered already, else it
// is when a head was written to it.
func (b *bridged) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if b.hijacked {
		return nil, nil, http.ErrHijacked
	}
	b.hijacked = true
	c := &bridgedConn{b: b}
	if b.switching {
		if err := c.answer(b.Header()); err != nil {
			return nil, nil, err
		}
	}
	return c, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)), nil
}

// A bridgedConn is a connection of HTTP/1.1 to its handler. It is not for several
// goroutines until its answer is written, as a handshake is not.
type bridgedConn struct {
	b       *bridged
	head    []byte   // of the answer, until its end has come
	stream  net.Conn // nil before
	refused bool     // the answer was no 101: what follows is its body
}

// maxHead bounds an answer's head, in bytes.
const maxHead = 64 << 10

var (
	errHead       = errors.New("wsh2: what was written to a hijacked connection is no answer of HTTP/1.1 with a head of at most 64 KiB")
	errUnanswered = errors.New("wsh2: a WebSocket over HTTP/2 cannot be read before its handshake is answered")
)

// answer says 200 with what header has besides the handshake of HTTP/1.1.
func (c *bridgedConn) answer(header http.Header) error {
	h := c.b.ResponseWriter.Header()
	for name, values := range header {
		h[name] = values
	}
	for _, name := range handshakeHeaders {
		delete(h, name)
	}
	c.b.ResponseWriter.WriteHeader(http.StatusOK)
	stream, _, err := http.NewResponseController(c.b.ResponseWriter).Hijack()
	c.stream = stream
	return err
}

func (c *bridgedConn) Write(p []byte) (int, error) {
	switch {
	case c.stream != nil:
		return c.stream.Write(p)
	case c.refused:
		return c.b.ResponseWriter.Write(p)
	}
	c.head = append(c.head, p...)
	end := bytes.Index(c.head, []byte("\r\n\r\n"))
	if end < 0 {
		if len(c.head) > maxHead {
			return 0, errHead
		}
		return len(p), nil
	}
	head, rest := c.head[:end+4], c.head[end+4:]
	c.head = nil
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), c.b.r)
	if err != nil {
		return 0, errHead
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if err := c.answer(resp.Header); err != nil {
			return 0, err
		}
	} else {
		c.refuse(resp)
	}
	if len(rest) > 0 {
		if _, err := c.Write(rest); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// refuse passes on an answer that was written to the connection, its body following.
func (c *bridgedConn) refuse(resp *http.Response) {
	c.refused = true
	h := c.b.ResponseWriter.Header()
	for name, values := range resp.Header {
		if !slices.Contains(handshakeHeaders, name) {
			h[name] = values
		}
	}
	c.b.ResponseWriter.WriteHeader(resp.StatusCode)
}

func (c *bridgedConn) Read(p []byte) (int, error) {
	if c.stream == nil {
		return 0, errUnanswered
	}
	return c.stream.Read(p)
}

// Close closes the stream; a refusal ends with its handler.
func (c *bridgedConn) Close() error {
	if c.stream == nil {
		return nil
	}
	return c.stream.Close()
}

// CloseWrite ends the sending direction.
func (c *bridgedConn) CloseWrite() error {
	if c.stream == nil {
		return nil
	}
	return closeWrite(c.stream)
}

func (c *bridgedConn) LocalAddr() net.Addr {
	a, _ := c.b.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return a
}

func (c *bridgedConn) RemoteAddr() net.Addr { return textAddr(c.b.r.RemoteAddr) }

// A textAddr is an address as net/http has it.
type textAddr string

func (a textAddr) Network() string { return "tcp" }
func (a textAddr) String() string  { return string(a) }

func (c *bridgedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *bridgedConn) SetReadDeadline(t time.Time) error {
	if c.stream != nil {
		return c.stream.SetReadDeadline(t)
	}
	return http.NewResponseController(c.b.ResponseWriter).SetReadDeadline(t)
}

func (c *bridgedConn) SetWriteDeadline(t time.Time) error {
	if c.stream != nil {
		return c.stream.SetWriteDeadline(t)
	}
	return http.NewResponseController(c.b.ResponseWriter).SetWriteDeadline(t)
}
