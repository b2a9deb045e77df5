package wsspec

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Our own server and client do what autobahn/expectations.txt says.
func TestTrialsOurs(t *testing.T) {
	wstest.CheckLeaks(t)
	srv := &wsnet.Server{Options: wsnet.ServerOptions{Options: roomy}, Handler: echo}
	s := httptest.NewServer(srv)
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	st, err := NewServerTest("ws"+strings.TrimPrefix(s.URL, "http"), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := clientDialer(t)
	for _, c := range autobahnCases() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			want := [2]string{vOK, vOK}
			switch c.ID {
			case "7.1.6", "7.13.1", "7.13.2":
				want = [2]string{vInfo, vInfo}
			}
			for role, r := range map[Role]Result{Server: st.Play(t.Context(), c), Client: dial(t.Context(), c)} {
				if got := [2]string{r.Behavior, r.BehaviorClose}; got != want {
					t.Errorf("%s: %s %q; want %q\nwant %s\ngot  %s", role, c.Title, got, want, r.Expected, r.Actual)
				}
			}
		})
	}
}

// roomy takes all that group 9 sends.
var roomy = wsnet.Options{MaxMessage: 16 << 20, MaxFragments: -1, EmptyRate: -1, PingRate: -1}

// clientDialer returns what plays a case with a client of ours that echoes.
func clientDialer(t *testing.T) func(context.Context, *Case) Result {
	wstest.CheckLeaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex // a dial and its accept belong together
	return func(ctx context.Context, c *Case) Result {
		mu.Lock()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			conn, err := wsnet.Dial(ctx, "ws://"+l.Addr().String(), &wsnet.DialOptions{Options: roomy})
			if err != nil {
				return
			}
			defer conn.CloseNow()
			echo(ctx, conn)
		}()
		conn, err := l.Accept()
		mu.Unlock()
		if err != nil {
			return Result{Verdict: Fail("a client", "%v", err)}
		}
		head, rest, err := readRequest(conn)
		if err != nil {
			return Result{Verdict: Fail("a client", "%v", err)}
		}
		r := PlayClient(ctx, c, Settings{}, conn, head, rest)
		<-gone
		return r
	}
}
