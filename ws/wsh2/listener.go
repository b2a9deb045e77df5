package wsh2

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// Listener returns what is left of l, which is plain TCP or Unix sockets, without the
// connections that begin with HTTP/2's preface (RFC 9113 §3.3): those are served here,
// and Shutdown waits for them.
func (s *Server) Listener(l net.Listener) net.Listener {
	d := &divided{Listener: l, s: s, rest: make(chan net.Conn), failed: make(chan error, 1), closed: make(chan struct{})}
	go d.accept()
	return d
}

// A divided listener looks at the first bytes of each connection. Nobody waits for those
// who send none but the connection itself.
type divided struct {
	net.Listener
	s      *Server
	rest   chan net.Conn
	failed chan error

	once   sync.Once
	closed chan struct{}
}

func (d *divided) accept() {
	for {
		c, err := d.Listener.Accept()
		if err == nil {
			go d.divide(c)
			continue
		}
		select {
		case d.failed <- err: // http.Server tries again, or gives up and closes
		case <-d.closed:
			return
		}
	}
}

// divide serves c, or hands it on with the bytes that were looked at.
func (d *divided) divide(c net.Conn) {
	c.SetReadDeadline(after(d.s.HandshakeTimeout, 10*time.Second))
	head, is := preface(c)
	c.SetReadDeadline(time.Time{})
	seen := &seenConn{Conn: c, head: head}
	if is {
		d.s.ServeConn(context.Background(), seen, nil)
		return
	}
	select {
	case d.rest <- seen:
	case <-d.closed:
		c.Close()
	}
}

// preface reads c as far as it may be HTTP/2's preface, and says whether it is.
func preface(c net.Conn) (head []byte, is bool) {
	want := []byte(http2.ClientPreface)
	head = make([]byte, 0, len(want))
	for len(head) < len(want) {
		n, err := c.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if !bytes.HasPrefix(want, head) || err != nil {
			return head, false
		}
	}
	return head, true
}

func (d *divided) Accept() (net.Conn, error) {
	select {
	case c := <-d.rest:
		return c, nil
	case err := <-d.failed:
		return nil, err
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *divided) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Listener.Close()
}

// A seenConn is a connection of which the first bytes were read.
type seenConn struct {
	net.Conn
	head []byte
}

func (c *seenConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}

// CloseWrite passes on to the connection below, if it can.
func (c *seenConn) CloseWrite() error { return closeWrite(c.Conn) }

// closeWrite ends the sending direction alone, where that can be.
func closeWrite(c io.Closer) error {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return net.ErrClosed
}
