package wsnet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

var badServerRows = []badRow{
	{row: 13, name: "a header dripped", test: badDrip},
	{row: 20, name: "frames sent with the request", test: badEarly},
	{row: 21, name: "too many from one address", test: badPerAddress},
	{row: 22, name: "too many", test: badFull},
	{row: 22, name: "a server that is shutting down", test: badDraining},
	{row: 45, name: "all the codes there are", test: badCloseCodes},
}

// badServe serves h in memory until the test ends.
func badServe(t *testing.T, h http.Handler) *wstest.Listener {
	l := wstest.NewListener()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return l
}

func badKnock(t *testing.T, l *wstest.Listener) *wstest.Peer {
	t.Helper()
	conn, err := l.Dial()
	if err != nil {
		t.Fatal(err)
	}
	return wstest.NewPeer(t, conn)
}

// Row 13. The time limit is http.Server's.
func badDrip(t *testing.T, _ *badNet) {
	synctest.Test(t, func(t *testing.T) {
		app := newBadApp(nil, badWhole)
		p := badKnock(t, badServe(t, app))
		start := time.Now()
		var closed time.Duration
		go func() {
			p.Conn().Read(make([]byte, 1))
			closed = time.Since(start)
		}()
		for _, b := range []byte(badAsk())[:8] {
			p.SendBytes([]byte{b})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if closed != 5*time.Second {
			t.Errorf("closed after %v, want 5s", closed)
		}
		if app.calls.Load() > 0 {
			t.Error("the handler was called")
		}
	})
}

// Row 20. How much a server's buffer holds must not matter.
func badEarly(t *testing.T, n *badNet) {
	for _, transport := range []string{"tcp", "tls"} {
		for _, size := range []int{1, 1000, 5000, 70000} {
			t.Run(fmt.Sprintf("%s %d bytes", transport, size), func(t *testing.T) {
				app := newBadApp(nil, badWhole)
				p := wstest.NewPeer(t, n.dial(t, transport, app))
				text := strings.Repeat("a", size)
				h := ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key}
				p.SendBytes(slices.Concat(wstest.Request("/", "server.test"), ws.AppendFrame(nil, h, []byte(text)), ws.AppendFrame(nil, h, []byte("more")), badWire(ws.RoleServer, "88 02 | 03e8")))
				p.ReadHead("the opening handshake")
				p.WantClose("the answer to what came early", ws.CodeNormal, "")
				p.Close()
				app.wait(t, text, "more")
			})
		}
	}
}

func badRefused(t *testing.T, why string, p *wstest.Peer, status int, part string) {
	t.Helper()
	p.SendBytes(wstest.Request("/", "server.test"))
	resp, body := badResponse(t, p.Conn(), bufio.NewReader(p.Conn()), http.MethodGet)
	if resp.StatusCode != status || resp.Header.Get("Retry-After") != "7" || !strings.Contains(body, part) {
		t.Errorf("%s: got %d %q %q, want %d with Retry-After and %q", why, resp.StatusCode, resp.Header, body, status, part)
	}
	p.Close()
}

func badLimited() *wsnet.Server {
	s := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		_, _, err := c.Read(ctx)
		return err
	})
	s.Options.PingInterval = -1
	s.RetryAfter = 7 * time.Second
	s.Logger = slog.New(slog.DiscardHandler)
	return s
}

// badLeave has p close its connection, and the server notice.
func badLeave(p *wstest.Peer) {
	p.Send("88 80 | 00000000")
	p.WantClose("the answer", ws.CodeNoStatus, "")
	p.Close()
	synctest.Wait()
}

func badPerAddress(t *testing.T, _ *badNet) {
	synctest.Test(t, func(t *testing.T) {
		s := badLimited()
		s.MaxPerAddress = 2
		l := badServe(t, s)
		a, b := badKnock(t, l), badKnock(t, l)
		a.Upgrade()
		b.Upgrade()
		badRefused(t, "the third from one address", badKnock(t, l), 429, "MaxPerAddress")
		badLeave(a)
		c := badKnock(t, l)
		c.Upgrade()
		badRefused(t, "the third again", badKnock(t, l), 429, "MaxPerAddress")
		badLeave(b)
		badLeave(c)
	})
}

func badFull(t *testing.T, _ *badNet) {
	synctest.Test(t, func(t *testing.T) {
		s := badLimited()
		s.MaxConns = 1
		l := badServe(t, s)
		a := badKnock(t, l)
		a.Upgrade()
		badRefused(t, "the second of one", badKnock(t, l), 503, "MaxConns")
		badLeave(a)

		// A request that is refused must not keep a place.
		broken := badKnock(t, l)
		broken.SendBytes([]byte(badAsk("Sec-WebSocket-Version: 8")))
		broken.ReadHead("a broken request")
		broken.Close()
		b := badKnock(t, l)
		b.Upgrade()
		badLeave(b)
	})
}

func badDraining(t *testing.T, _ *badNet) {
	synctest.Test(t, func(t *testing.T) {
		s := badLimited()
		l := badServe(t, s)
		a := badKnock(t, l)
		a.Upgrade()
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		a.WantClose("shutting down", ws.CodeGoingAway, "")
		badRefused(t, "a newcomer while the server waits for others", badKnock(t, l), 503, "shutting down")
		a.Send("88 82 | 00000000 | 03e9")
		a.WantEOF("the end")
		a.Close()
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		badRefused(t, "a newcomer afterwards", badKnock(t, l), 503, "shutting down")
	})
}
