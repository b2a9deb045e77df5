package wsspec

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// takeover keeps both contexts, as most servers that compress do.
var takeover = &ws.Compression{SendContext: true, ReceiveContext: true, Threshold: -1}

// free are the options of a testee that has nothing against a suite.
func free(c *ws.Compression) wsnet.Options {
	return wsnet.Options{MaxMessage: 64 << 20, MaxFragments: -1, PingRate: -1, EmptyRate: -1, InflateRate: -1, Compression: c}
}

// deflateServer is a server of ours that echoes and compresses; its URL is returned.
func deflateServer(t *testing.T, c *ws.Compression) string {
	t.Helper()
	srv := wsnet.Handler(echo)
	srv.Logger = slog.New(slog.DiscardHandler)
	srv.Options = wsnet.ServerOptions{Options: free(c), OriginPatterns: []string{"*"}}
	s := httptest.NewServer(srv)
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// playAll plays cases with a server at a URL, some at the same time.
func playAll(t *testing.T, url string, s Settings, cases []*Case) []Result {
	t.Helper()
	st, err := NewServerTest(url, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return parallel(cases, func(c *Case) Result { return st.Play(t.Context(), c) })
}

// parallel plays cases, some at the same time.
func parallel(cases []*Case, play func(*Case) Result) []Result {
	results := make([]Result, len(cases))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, c := range cases {
		slots <- struct{}{}
		wg.Go(func() {
			results[i] = play(c)
			<-slots
		})
	}
	wg.Wait()
	return results
}

// A clientTestee plays the client's part on a connection that it dials itself.
type clientTestee func(ctx context.Context, url string)

// deflatingClient is a client of ours that echoes and compresses.
func deflatingClient(c *ws.Compression) clientTestee {
	return func(ctx context.Context, url string) {
		conn, err := wsnet.Dial(ctx, url, &wsnet.DialOptions{Options: free(c)})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		echo(ctx, conn)
	}
}

// playClients plays each case with a client that is started for it.
func playClients(t *testing.T, client clientTestee, s Settings, cases []*Case) []Result {
	t.Helper()
	return parallel(cases, func(c *Case) Result { return playOneClient(t, client, s, c) })
}

func playOneClient(t *testing.T, client clientTestee, s Settings, c *Case) Result {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return Result{Case: c}
	}
	defer l.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		client(t.Context(), "ws://"+l.Addr().String()+"/")
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Error(err)
		return Result{Case: c}
	}
	head, rest, err := readRequest(conn)
	if err != nil {
		t.Error(err)
		return Result{Case: c}
	}
	r := PlayClient(t.Context(), c, s, conn, head, rest)
	<-gone
	return r
}
