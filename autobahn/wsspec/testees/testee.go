package testees

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// A Testee is an endpoint that is broken in one way.
type Testee struct {
	Name string
	What string // what it does
	Only string // "server" or "client", if it is not both
	Faults
}

// Is reports whether the testee plays that role, "server" or "client".
func (t Testee) Is(role string) bool { return t.Only == "" || t.Only == role }

// A Listener is a testee as a server on the loopback.
type Listener struct {
	URL  string
	l    net.Listener
	wg   sync.WaitGroup
	mu   sync.Mutex
	open map[net.Conn]bool
}

// Listen serves on a free port of the loopback, until Close.
func (t Testee) Listen() (*Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Listener{URL: "ws://" + l.Addr().String(), l: l, open: map[net.Conn]bool{}}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[conn] = true
			s.mu.Unlock()
			s.wg.Go(func() {
				t.Serve(conn)
				s.mu.Lock()
				delete(s.open, conn)
				s.mu.Unlock()
			})
		}
	})
	return s, nil
}

// Close ends the server and its connections.
func (s *Listener) Close() {
	s.l.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Serve plays the testee as a server on a connection, until it ends.
func (t Testee) Serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReaderSize(conn, 8<<10)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	accept := acceptFor(req.Header.Get("Sec-WebSocket-Key"))
	if t.Accept != "" {
		accept = t.Accept
	}
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n", accept, t.Answer)
	(&endpoint{Faults: t.Faults, server: true, conn: conn, r: r}).run()
}

// Dial plays the testee as a client of a ws: URL until the connection ends.
func (t Testee) Dial(ctx context.Context, rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return t.Talk(conn, u.Host, u.RequestURI())
}

// Talk plays the testee as a client on a connection, until it ends.
func (t Testee) Talk(conn net.Conn, host, path string) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	key := "dGhlIHNhbXBsZSBub25jZQ=="
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", path, host, key)
	r := bufio.NewReaderSize(conn, 8<<10)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("answered %s", resp.Status)
	}
	(&endpoint{Faults: t.Faults, conn: conn, r: r}).run()
	return nil
}

func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
