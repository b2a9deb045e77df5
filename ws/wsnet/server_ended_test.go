package wsnet_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// Ended is told of a connection once, whichever way its handler ends, when it is
// closed and counted out and its numbers are the last; Shutdown waits for that.
func TestServerEnded(t *testing.T) {
	for name, handle := range map[string]func(context.Context, *wsnet.Conn) error{
		"returns":   func(ctx context.Context, c *wsnet.Conn) error { return nil },
		"fails":     func(ctx context.Context, c *wsnet.Conn) error { return fmt.Errorf("no") },
		"reads":     stWait,
		"panics":    func(ctx context.Context, c *wsnet.Conn) error { panic("no") },
		"is ended":  func(ctx context.Context, c *wsnet.Conn) error { runtime.Goexit(); return nil },
		"cuts":      func(ctx context.Context, c *wsnet.Conn) error { return c.CloseNow() },
		"goes on":   func(ctx context.Context, c *wsnet.Conn) error { c.CloseNow(); time.Sleep(time.Minute); return nil },
		"is closed": func(ctx context.Context, c *wsnet.Conn) error { return c.Close(ctx, ws.CodeNormal, "") },
	} {
		t.Run(name, func(t *testing.T) {
			adBoth(t, func(t *testing.T) {
				var returned, told bool
				srv, _ := stServer(func(ctx context.Context, c *wsnet.Conn) error {
					defer func() { returned = true }()
					if err := c.Write(ctx, ws.OpText, []byte("Hello")); err != nil {
						return err
					}
					return handle(ctx, c)
				})
				srv.MaxPerAddress = 1
				var conn *wsnet.Conn
				srv.Ended = func(c *wsnet.Conn) {
					if told || !returned || c.Err() == nil || srv.Count() != 0 {
						t.Errorf("told before: %v, returned: %v, end: %v, %d connections", told, returned, c.Err(), srv.Count())
					}
					if s := c.Stats(); s.MessagesOut != 1 {
						t.Errorf("%d messages, want 1", s.MessagesOut)
					}
					conn = c
					time.Sleep(time.Second) // Shutdown waits
					told = true
				}
				l := stServe(t, srv)
				if got := tsStatuses(t, l, badAsk("-Upgrade")); !slices.Equal(got, []int{426}) { // of which it is not told
					t.Errorf("got %v, want 426", got)
				}
				p := stPeer(t, l)
				p.Upgrade()
				p.WantFrame("what was written", wstest.Text("Hello"))
				if name == "reads" {
					p.Send("88 80 | 00000000")
				}
				go func() { // a peer that answers
					for {
						if _, err := p.Conn().Read(make([]byte, 100)); err != nil {
							p.Close()
							return
						}
					}
				}()
				if err := srv.Shutdown(t.Context()); err != nil || !told {
					t.Errorf("Shutdown: %v, and Ended has returned: %v", err, told)
				}
				if conn == nil || conn.Role() != ws.RoleServer {
					t.Error(conn)
				}
			})
		})
	}
}

// A panic in Ended is logged, and the server goes on.
func TestServerEndedPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, log := stServer(func(context.Context, *wsnet.Conn) error { return nil })
		srv.MaxConns = 1
		srv.Ended = func(*wsnet.Conn) { panic("not my day") }
		l := stServe(t, srv)
		for range 2 {
			p := stPeer(t, l)
			p.Upgrade()
			p.WantClose("the end", ws.CodeNormal, "")
			p.Send("88 82 | 00000000 | 03e8")
			p.Close()
			synctest.Wait()
		}
		if err := srv.Shutdown(t.Context()); err != nil || strings.Count(log.String(), "not my day") != 2 {
			t.Errorf("%v, log: %s", err, log)
		}
	})
}
