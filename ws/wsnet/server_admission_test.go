package wsnet_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// adBoth runs f over net/http and with Serve alone.
func adBoth(t *testing.T, f func(t *testing.T)) {
	for _, alone := range []bool{false, true} {
		t.Run(map[bool]string{false: "net/http", true: "Serve"}[alone], func(t *testing.T) {
			stAlone = alone
			defer func() { stAlone = false }()
			synctest.Test(t, f)
		})
	}
}

// adServer is a server whose Connect waits for a token from gate if the request
// says "X-Wait: yes".
func adServer() (*wsnet.Server, chan struct{}) {
	gate := make(chan struct{})
	srv, _ := stServer(stWait)
	srv.Connect = func(r *http.Request) (context.Context, error) {
		if r.Header.Get("X-Wait") != "" {
			<-gate
		}
		return nil, nil
	}
	return srv, gate
}

// adAsk sends a request and does not wait for the answer.
func adAsk(t *testing.T, l *wstest.Listener, lines ...string) *wstest.Peer {
	t.Helper()
	p := stPeer(t, l)
	p.SendBytes(wstest.Request("/", "server.test", lines...))
	synctest.Wait()
	return p
}

// A request whose handshake is under way takes a place.
func TestServerLimitCountsHandshakes(t *testing.T) {
	adBoth(t, func(t *testing.T) {
		srv, gate := adServer()
		srv.MaxConns = 2
		l := stServe(t, srv)
		open := stPeer(t, l)
		open.Upgrade()
		waits := adAsk(t, l, "X-Wait: yes")
		stRefused(t, l, 503)
		if n := srv.Count(); n != 2 {
			t.Errorf("one is open and one in its handshake: the count is %d", n)
		}
		gate <- struct{}{}
		if head := waits.ReadHead("the answer"); !strings.HasPrefix(head, "HTTP/1.1 101 ") {
			t.Errorf("the one that waited: %q", head)
		}
		stRefused(t, l, 503)
		waits.Close()
		synctest.Wait()
		last := stPeer(t, l)
		last.Upgrade()
		open.Close()
		last.Close()
		synctest.Wait()
	})
}

// Shutdown waits for connections, for handshakes, and for both.
func TestServerShutdownWaitsForHandshakes(t *testing.T) {
	for _, tt := range []struct{ open, waiting int }{{0, 1}, {1, 1}, {2, 1}, {1, 2}, {2, 2}, {0, 2}} {
		t.Run(fmt.Sprintf("%d open, %d in their handshakes", tt.open, tt.waiting), func(t *testing.T) {
			adBoth(t, func(t *testing.T) {
				srv, gate := adServer()
				l := stServe(t, srv)
				var open, waiting []*wstest.Peer
				for range tt.open {
					p := stPeer(t, l)
					p.Upgrade()
					open = append(open, p)
				}
				for range tt.waiting {
					waiting = append(waiting, adAsk(t, l, "X-Wait: yes"))
				}
				done := ctAsync(func() error { return srv.Shutdown(t.Context()) })
				for _, p := range open {
					ctPending(t, "Shutdown, with a connection open", done)
					p.WantClose("Shutdown", ws.CodeGoingAway, "")
					p.SendFrame(wstest.Close(ws.CodeGoingAway, ""))
					p.Close()
				}
				for _, p := range waiting {
					ctPending(t, "Shutdown, with a handshake under way", done)
					p.Close()
					gate <- struct{}{}
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				if n := srv.Count(); n != 0 {
					t.Errorf("Count = %d", n)
				}
			})
		})
	}
}

// adFrom is a listener whose connections come from the addresses in turn.
type adFrom struct {
	net.Listener
	from []string
}

func (l *adFrom) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	from := l.from[0]
	l.from = l.from[1:]
	return adConn{conn, from}, nil
}

type adConn struct {
	net.Conn
	from string
}

func (c adConn) RemoteAddr() net.Addr { return adAddr(c.from) }

type adAddr string

func (adAddr) Network() string  { return "tcp" }
func (a adAddr) String() string { return string(a) }

// Serve counts by the peer's host if it is not told otherwise: ports do not
// matter, hosts do not take each other's places.
func TestServeMaxPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := stServer(stWait)
		srv.MaxPerAddress = 1
		l := wstest.NewListener()
		go srv.Serve(&adFrom{l, []string{"192.0.2.1:1000", "192.0.2.2:1000", "192.0.2.1:2000", "[2001:db8::1]:1", "[2001:db8::1]:2", "192.0.2.1:3000"}})
		defer l.Close()
		first := stPeer(t, l)
		first.Upgrade()
		second := stPeer(t, l)
		second.Upgrade()
		stRefused(t, l, 429)
		third := stPeer(t, l)
		third.Upgrade()
		stRefused(t, l, 429)
		first.Close()
		synctest.Wait()
		again := stPeer(t, l)
		again.Upgrade()
		for _, p := range []*wstest.Peer{second, third, again} {
			p.Close()
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Those of whom nobody knows an address are bounded together.
func TestServerLimitWithoutAddress(t *testing.T) {
	adBoth(t, func(t *testing.T) {
		srv, _ := adServer()
		srv.MaxPerAddress = 1
		srv.Address = func(*http.Request) string { return "" }
		l := stServe(t, srv)
		first := stPeer(t, l)
		first.Upgrade()
		stRefused(t, l, 429)
		first.Close()
		synctest.Wait()
		again := stPeer(t, l)
		again.Upgrade()
		again.Close()
		synctest.Wait()
	})
}
