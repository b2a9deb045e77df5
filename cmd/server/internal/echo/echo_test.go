package echo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// serving runs f with a server, under fake time, and ends it.
func serving(t *testing.T, o Options, f func(t *testing.T, dial func() *wsnet.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := wstest.NewListener()
		o.Logger = slog.New(slog.DiscardHandler)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- Serve(ctx, l, o) }()
		f(t, func() *wsnet.Conn {
			c, err := wsnet.Dial(t.Context(), "ws://echo.test/", &wsnet.DialOptions{
				Options: wsnet.Options{PingInterval: -1, MaxMessage: -1}, HTTPClient: l.Client(), Header: http.Header{"Origin": {"https://elsewhere.example"}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.CloseNow() })
			return c
		})
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestServe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int64
		sizes []int
		then  int // too long; 0: nothing is
	}{
		{"a limit", 1000, []int{0, 1, 1000}, 1001},
		{"that of package ws", 0, []int{0, 1 << 20}, 1<<20 + 1},
		{"none", -1, []int{0, 3 << 20}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			serving(t, Options{Limit: tt.limit}, func(t *testing.T, dial func() *wsnet.Conn) {
				c := dial()
				send := func(n int) (got string, err error) {
					go c.Write(t.Context(), ws.OpText, []byte(strings.Repeat("x", n)))
					_, data, err := c.Read(t.Context())
					return string(data), err
				}
				for _, n := range tt.sizes {
					if got, err := send(n); err != nil || got != strings.Repeat("x", n) {
						t.Errorf("sent %d bytes, got %d, %v", n, len(got), err)
					}
				}
				if tt.then == 0 {
					return
				}
				_, err := send(tt.then)
				if e, ok := errors.AsType[*ws.CloseError](err); !ok || e.Code != ws.CodeTooBig {
					t.Errorf("%d bytes: %v, want %v", tt.then, err, ws.CodeTooBig)
				}
			})
		})
	}
}

// The end of ctx closes the connections, in an orderly way.
func TestServeEnds(t *testing.T) {
	var end error
	serving(t, Options{}, func(t *testing.T, dial func() *wsnet.Conn) {
		c := dial()
		go func() { _, _, end = c.Read(context.Background()) }()
	})
	if e, ok := errors.AsType[*ws.CloseError](end); !ok || e.Code != ws.CodeGoingAway {
		t.Errorf("%v, want %v", end, ws.CodeGoingAway)
	}
}

func TestListenerFails(t *testing.T) {
	if err := Serve(t.Context(), broken{}, Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, want the listener's error", err)
	}
}

type broken struct{}

func (broken) Accept() (net.Conn, error) { return nil, io.ErrUnexpectedEOF }
func (broken) Close() error              { return nil }
func (broken) Addr() net.Addr            { return &net.TCPAddr{} }

// Readers that stall are cut together after one wait; the others get all.
func TestBroadcastWithStalledReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := wstest.NewListener()
		srv := wsnet.Handler(new(broadcaster).serve)
		srv.Options = wsnet.ServerOptions{Options: wsnet.Options{PingInterval: -1, WriteTimeout: -1}}
		hs := &http.Server{Handler: srv}
		go hs.Serve(l)
		connect := func() *wsnet.Conn {
			c, err := wsnet.Dial(t.Context(), "ws://echo.test/", &wsnet.DialOptions{Options: wsnet.Options{PingInterval: -1}, HTTPClient: l.Client()})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		reader, sender := connect(), connect()
		for range 20 {
			connect() // and never read
		}
		const n = 300
		msg := []byte(strings.Repeat("x", 10_000)) // three times an outbox in all
		var wg sync.WaitGroup
		for _, c := range []*wsnet.Conn{reader, sender} {
			wg.Go(func() {
				for i := range n {
					if _, _, err := c.Read(t.Context()); err != nil {
						t.Errorf("message %d: %v", i, err)
						return
					}
				}
			})
		}
		write := func(n int) {
			for range n {
				if err := sender.Write(t.Context(), ws.OpText, msg); err != nil {
					t.Fatal(err)
				}
			}
		}
		// What the connections themselves hold is taken, and how soon is the
		// scheduler's business. From there on nothing moves towards those who do
		// not read, and no outbox is full yet.
		const first = 50
		write(first)
		synctest.Wait()
		begin := time.Now() // the bubble's time: only a wait passes it
		write(n - first)
		wg.Wait()
		if d := time.Since(begin); d != stallTimeout {
			t.Errorf("all the stalled readers together cost %v, want one wait of %v", d, stallTimeout)
		}
		synctest.Wait()
		if n := srv.Count(); n != 2 {
			t.Errorf("%d connections are left, want 2", n)
		}
		reader.CloseNow()
		sender.CloseNow()
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
}
