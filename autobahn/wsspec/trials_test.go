package wsspec

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Our own server and client do over TCP what autobahn/expectations.txt says.
func TestTrialsOurs(t *testing.T) {
	wstest.CheckLeaks(t)
	srv := &wsnet.Server{Options: wsnet.ServerOptions{Options: roomy}, Handler: echo}
	s := httptest.NewServer(srv)
	t.Cleanup(func() { s.Close(); srv.Shutdown(context.Background()) })
	st, err := NewServerTest("ws"+strings.TrimPrefix(s.URL, "http"), Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[Role]func(context.Context, *Case) Result{Server: st.Play, Client: clientDialer(t)}
	var wg sync.WaitGroup
	places := make(chan bool, 16)
	for _, c := range autobahnCases() {
		if (testing.Short() || wstest.RaceEnabled()) && slices.Contains(c.Tags, "long") {
			continue
		}
		want := [2]string{vOK, vOK}
		switch c.ID {
		case "7.1.6", "7.13.1", "7.13.2":
			want = [2]string{vInfo, vInfo}
		}
		for role, play := range roles {
			places <- true
			wg.Go(func() {
				defer func() { <-places }()
				r := play(t.Context(), c)
				if got := [2]string{r.Behavior, r.BehaviorClose}; got != want {
					t.Errorf("%s: %s, %s: %q; want %q\nwant %s\ngot  %s", c.ID, role, c.Title, got, want, r.Expected, r.Actual)
				}
			})
		}
	}
	wg.Wait()
}

// roomy takes all that group 9 sends.
var roomy = wsnet.Options{MaxMessage: 16 << 20, MaxFragments: -1, EmptyRate: -1, PingRate: -1}

// clientDialer returns what plays a case with a client of ours that echoes.
func clientDialer(t *testing.T) func(context.Context, *Case) Result {
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
			// Not CloseNow: it would cut off what is still on its way.
			defer conn.Close(ctx, ws.CodeNormal, "")
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

// A testee that sends without end, and one that does not read its pongs, end a case
// and cost it no memory to speak of.
func TestTrialsFlood(t *testing.T) {
	wstest.CheckLeaks(t)
	for what, frame := range map[string]Frame{"pings": Ping("p"), "pongs": Pong("p"), "a message": {Opcode: OpContinuation, Payload: make([]byte, 1<<16)}} {
		t.Run(what, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				head, _, err := readRequest(conn)
				if err != nil {
					return
				}
				io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
					AcceptFor(parseHead(string(head)).Get("Sec-WebSocket-Key"))+"\r\n\r\n")
				b := Frame{Opcode: OpText}.Append(nil, false)
				for {
					if _, err := conn.Write(b); err != nil {
						return
					}
					for b = b[:0]; len(b) < 64<<10; {
						b = frame.Append(b, false)
					}
				}
			})
			st, err := NewServerTest("ws://"+l.Addr().String(), Settings{Patience: 300 * time.Millisecond}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := st.Play(t.Context(), autobahnCases()[0]); r.Outcome != Failed {
				t.Errorf("%s: %s", r.Outcome, r.Actual)
			}
		})
	}
}
