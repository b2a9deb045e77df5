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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if quirk == "serves-once" {
				l.Close()
			}
			ended := make(chan struct{})
			all.Go(func() {
				select {
				case <-stop:
					conn.Close()
				case <-ended:
				}
			})
			all.Go(func() {
				defer close(ended)
				defer conn.Close()
				c := &crooked{quirk: quirk, role: Server, conn: conn, r: bufio.NewReader(conn), stop: stop}
				if c.accept() {
					c.run()
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); close(stop); all.Wait() })
	return "ws://" + l.Addr().String()
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
