package peers

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A relay counts the connections that go through it and are open.
type relay struct {
	l  net.Listener
	wg sync.WaitGroup

	mu      sync.Mutex
	open    int
	over    bool
	changed *sync.Cond
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l}
	r.changed = sync.NewCond(&r.mu)
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.carry(c, to) })
		}
	})
	t.Cleanup(func() { // the browser has ended before
		l.Close()
		r.wg.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.over = true
		r.changed.Broadcast()
	})
	return r
}

func (r *relay) carry(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	r.count(1)
	defer r.count(-1)
	back := make(chan struct{})
	go func() { defer close(back); io.Copy(c, s); c.Close() }()
	io.Copy(s, c)
	s.Close()
	<-back
}

func (r *relay) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open += n
	r.changed.Broadcast()
}

// settled returns a channel that is closed when n connections are open.
func (r *relay) settled(n int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for r.open != n && !r.over {
			r.changed.Wait()
		}
		close(done)
	}()
	return done
}

// TestPageHTTP2: over TLS the page speaks HTTP/2, and two tabs chat over the one
// connection that they share with it.
func TestPageHTTP2(t *testing.T) {
	t.Parallel()
	server := buildServer(t)
	a := newAuthority(t)
	server.args, server.secure = []string{"-cert", a.certFile, "-key", a.keyFile}, true
	server.start(t)
	r := newRelay(t, server.addr)
	b := startBrowser(t)
	b.strict = true
	url := "https://" + r.l.Addr().String() + "/#streams"
	ada := b.chats(t, "Ada", url)
	ada.want("came over HTTP/2", "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].every((e) => e.nextHopProtocol === 'h2')", true)
	grace := ada.beside("Grace", url)
	ada.types("Hello")
	grace.sees("Hello")
	grace.types("Hi")
	ada.sees("Hi")
	// A WebSocket over HTTP/1.1 would hold a connection of its own.
	select {
	case <-r.settled(1):
	case <-time.After(patience):
		t.Error("there is more than one connection")
	}
}
