package main

import (
	"container/list"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"framewright/internal/admission"
)

// connections counts the HTTP connections of a listener, from the moment that
// they are accepted, before a TLS handshake and a request, and bounds them: in
// all, and for each address. One that has become a WebSocket is not among them
// any more: those have bounds of their own.
//
// When there are too many, the one that has waited longest for a request makes
// room, be it for its first or for another one. Those at work stay; if all are,
// the new one is refused.
type connections struct {
	exempt func(netip.Addr) bool // from the bound for each address; nil: none
	secure bool                  // with TLS: a refusal cannot be said

	forAddress, forAll atomic.Uint64 // how many were cut or refused for want of room

	account admission.Control

	mu        sync.Mutex
	open      map[net.Conn]*connection
	waiting   *list.List            // of *connection: the longest wait first
	addresses map[string]*list.List // the same, by address
}

// A connection waits for a request while it is in the lists.
type connection struct {
	net.Conn
	address string // "": not counted for one
	inAll   *list.Element
	inThese *list.Element
}

func newConnections(max, perAddress int, exempt func(netip.Addr) bool) *connections {
	return &connections{
		exempt: exempt, account: admission.Control{Max: max, PerAddress: perAddress},
		open: make(map[net.Conn]*connection), waiting: list.New(), addresses: make(map[string]*list.List),
	}
}

// admit counts a new connection, or refuses and closes it.
func (c *connections) admit(conn net.Conn) bool {
	c.mu.Lock()
	n := &connection{Conn: conn, address: c.addressOf(conn)}
	verdict := c.account.Admit(n.address)
	var cut *connection
	status := 0
	switch verdict {
	case admission.AddressFull:
		c.forAddress.Add(1)
		cut, status = longest(c.addresses[n.address]), http.StatusTooManyRequests
	case admission.Full:
		c.forAll.Add(1)
		cut, status = longest(c.waiting), http.StatusServiceUnavailable
	}
	if cut != nil {
		c.forget(cut)
		verdict = c.account.Admit(n.address) // in its place
	}
	if verdict == admission.Admitted {
		c.open[conn] = n
		c.wait(n)
	}
	c.mu.Unlock()
	if cut != nil {
		cut.Close()
	}
	if verdict != admission.Admitted {
		refuseConn(conn, status, c.secure)
	}
	return verdict == admission.Admitted
}

// addressOf is what the bound for each address counts by.
func (c *connections) addressOf(conn net.Conn) string {
	if c.account.PerAddress <= 0 {
		return ""
	}
	at := address(conn.RemoteAddr().String())
	if !at.IsValid() || c.exempt != nil && c.exempt(at) { // a Unix socket's peers have no addresses
		return ""
	}
	return limitKey(at)
}

// longest returns what stands first in a list, which may be nil.
func longest(l *list.List) *connection {
	if l == nil || l.Len() == 0 {
		return nil
	}
	return l.Front().Value.(*connection)
}

// wait puts n at the end of the lists.
func (c *connections) wait(n *connection) {
	n.inAll = c.waiting.PushBack(n)
	if n.address == "" {
		return
	}
	these := c.addresses[n.address]
	if these == nil {
		these = list.New()
		c.addresses[n.address] = these
	}
	n.inThese = these.PushBack(n)
}

// work takes n out of the lists.
func (c *connections) work(n *connection) {
	if n.inAll == nil {
		return
	}
	c.waiting.Remove(n.inAll)
	if these := c.addresses[n.address]; these != nil {
		if these.Remove(n.inThese); these.Len() == 0 {
			delete(c.addresses, n.address)
		}
	}
	n.inAll, n.inThese = nil, nil
}

// forget counts n out.
func (c *connections) forget(n *connection) {
	c.work(n)
	delete(c.open, n.Conn)
	c.account.Release(n.address)
}

// state is an http.Server's ConnState. A connection is active from the end of a
// request's header to the end of the answer, and idle, or new, in between.
func (c *connections) state(conn net.Conn, s http.ConnState) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.open[conn]
	if n == nil { // it was cut
		return
	}
	switch s {
	case http.StateActive:
		c.work(n)
	case http.StateIdle:
		c.work(n)
		c.wait(n)
	case http.StateClosed, http.StateHijacked:
		c.forget(n)
	}
}

// count returns how many there are.
func (c *connections) count() int { return c.account.Count() }

// full reports whether there are all that may be and none of them can make room.
func (c *connections) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.account.IsFull() && c.waiting.Len() == 0
}

// makeRoom cuts the connection that has waited longest for a request, and
// reports whether there was one.
func (c *connections) makeRoom() bool {
	c.mu.Lock()
	cut := longest(c.waiting)
	if cut != nil {
		c.forget(cut)
	}
	c.mu.Unlock()
	if cut == nil {
		return false
	}
	c.forAll.Add(1)
	cut.Close()
	return true
}

// refuseConn closes a connection that nobody has read from. What it says fits the
// socket's buffer, which is empty, so nothing waits for the client.
func refuseConn(conn net.Conn, status int, secure bool) {
	if !secure {
		text := "The server has all the connections that it takes (option -max-http).\n"
		if status == http.StatusTooManyRequests {
			text = "Your address has all the connections that it may have (option -max-http-per-address).\n"
		}
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		io.WriteString(conn, "HTTP/1.1 "+strconv.Itoa(status)+" "+http.StatusText(status)+"\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+text)
	}
	conn.Close()
}

// A boundedListener takes connections as far as their bounds allow. An error of
// Accept that will pass, such as that there are no more file descriptors, makes
// room and is waited out.
type boundedListener struct {
	net.Listener
	conns  *connections
	failed func(err error) // is told of such errors, many times

	once sync.Once
	over chan struct{}
}

func bounded(l net.Listener, c *connections, failed func(error)) *boundedListener {
	return &boundedListener{Listener: l, conns: c, failed: failed, over: make(chan struct{})}
}

// Accept implements [net.Listener].
func (b *boundedListener) Accept() (net.Conn, error) {
	const most = time.Second
	pause := 5 * time.Millisecond
	for {
		conn, err := b.Listener.Accept()
		switch {
		case err == nil && b.conns.admit(conn):
			return conn, nil
		case err == nil:
			continue
		case !passing(err):
			return nil, err
		}
		b.failed(err)
		if b.conns.makeRoom() {
			continue
		}
		select {
		case <-time.After(pause):
		case <-b.over:
			return nil, net.ErrClosed
		}
		pause = min(2*pause, most)
	}
}

// passing reports whether an error of Accept is the moment's, and not the
// listener's end.
func passing(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	for _, end := range []error{syscall.EINVAL, syscall.EBADF, syscall.ENOTSOCK, syscall.EOPNOTSUPP} {
		if errors.Is(err, end) {
			return false
		}
	}
	var errno syscall.Errno
	return errors.As(err, &errno)
}

// Close implements [net.Listener].
func (b *boundedListener) Close() error {
	b.once.Do(func() { close(b.over) })
	return b.Listener.Close()
}
