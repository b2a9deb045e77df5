package wstest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// backlog is how many connections a Listener holds that nobody has accepted;
// further dialers wait. 128 is what Linux long had as SOMAXCONN.
const backlog = 128

// A Listener is a net.Listener whose connections are pipes (see [Conn]). Make
// one with [NewListener], in the synctest bubble in which it is used.
//
// Its addresses are of TEST-NET-1 (RFC 5737): the server is 192.0.2.1:80, the
// clients 192.0.2.2 with a port of their own.
type Listener struct {
	conns chan *Conn
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	port   int // of the last client
}

// NewListener returns a Listener that accepts until it is closed.
func NewListener() *Listener {
	return &Listener{
		conns: make(chan *Conn, backlog),
		done:  make(chan struct{}),
		port:  49151, // the next one begins the dynamic ports
	}
}

var (
	serverIP = net.IPv4(192, 0, 2, 1)
	clientIP = net.IPv4(192, 0, 2, 2)
)

// Accept waits for a connection. After Close it fails with [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	default:
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	}
}

// Close ends Accept and Dial, and resets the connections that nobody accepted.
// Those that were accepted stay.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	l.refuse()
	return nil
}

// refuse resets what waits in the backlog of a closed Listener.
func (l *Listener) refuse() {
	for {
		select {
		case c := <-l.conns:
			c.Reset()
		default:
			return
		}
	}
}

// Addr returns the server's address.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: serverIP, Port: 80} }

// Dial connects to the Listener. After Close it fails with
// [syscall.ECONNREFUSED].
func (l *Listener) Dial() (net.Conn, error) {
	return l.DialContext(context.Background(), "tcp", "")
}

// DialContext is Dial in the form that http.Transport takes. Whatever network
// and addr say, it connects to l. ctx bounds the wait for a full backlog.
func (l *Listener) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, l.opError("dial", err)
	}
	l.mu.Lock()
	l.port++
	client, server := newPipe(DefaultPipeSize, &net.TCPAddr{IP: clientIP, Port: l.port}, l.Addr())
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return nil, l.opError("dial", syscall.ECONNREFUSED)
	}

	select {
	case l.conns <- server:
		// Close may have emptied the backlog just before.
		select {
		case <-l.done:
			l.refuse()
		default:
		}
		return client, nil
	case <-l.done:
		return nil, l.opError("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, l.opError("dial", ctx.Err())
	}
}

// Client returns an HTTP client whose every connection goes to l, for any host.
// It keeps no connection for a later request, so no goroutine stays behind in
// a synctest bubble, and it does not follow redirects.
func (l *Listener) Client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       l.DialContext,
			DisableKeepAlives: true, // does not concern an upgrade
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.Addr(), Err: err}
}
