package wsspec

import (
	"bufio"
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// crookedServer serves with a quirk until the test ends; its URL is returned.
func crookedServer(t testing.TB, quirk string) string {
	return serveEach(t, func(ctx context.Context, l net.Listener, conn net.Conn) {
		if quirk == "serves-once" {
			l.Close()
		}
		c := &crooked{quirk: quirk, role: Server, conn: conn, r: bufio.NewReader(conn), stop: ctx.Done()}
		if c.accept() {
			c.run()
		}
	})
}

// playCrookedClient plays one case with a client that has a quirk.
func playCrookedClient(t testing.TB, c *Case, s Settings, quirk string) Result {
	return playClient(t, c, s, func(ctx context.Context, addr string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		x := &crooked{quirk: quirk, role: Client, conn: conn, r: bufio.NewReader(conn), stop: ctx.Done()}
		if x.ask(addr) {
			x.run()
		}
	})
}

// playClient plays one case with a client that connects to an address.
func playClient(t testing.TB, c *Case, s Settings, client func(context.Context, string)) Result {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	defer done.Wait()
	defer cancel()
	done.Go(func() { client(ctx, l.Addr().String()) })
	l.(*net.TCPListener).SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	head, rest, err := readRequest(conn)
	if err != nil {
		t.Fatal(err)
	}
	return PlayClient(ctx, c, s, conn, head, rest)
}
