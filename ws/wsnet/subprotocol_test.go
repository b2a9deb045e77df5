package wsnet_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A server says why a page that asks for a subprotocol gives up, and not more
// than once a minute.
func TestServerLogsSubprotocols(t *testing.T) {
	for _, alone := range []bool{false, true} {
		for _, tc := range []struct {
			name      string
			offers    string
			supported []string
			want      string
		}{
			{"nothing on either side", "", nil, ""},
			{"one in common", "mqtt, chat", []string{"chat"}, ""},
			{"none in common", "mqtt", []string{"chat", "soap"}, `offered="\"mqtt\"" supported="[chat soap]"`},
			{"none supported", "mqtt", nil, "Options.Subprotocols is empty"},
			{"none offered", "", []string{"chat"}, "the client offers none"},
			{"one that is none", "a\x80b", []string{"chat"}, `a\\x80b`},
		} {
			synctest.Test(t, func(t *testing.T) {
				stAlone = alone
				defer func() { stAlone = false }()
				srv, log := stServer(func(ctx context.Context, c *wsnet.Conn) error { return nil })
				srv.Options.Subprotocols = tc.supported
				l := stServe(t, srv)
				ask := func() {
					var lines []string
					if tc.offers != "" {
						lines = []string{"Sec-WebSocket-Protocol: " + tc.offers}
					}
					p := stPeer(t, l)
					p.Upgrade(lines...)
					p.SendFrame(wstest.Close(ws.CodeNormal, ""))
					p.Close()
					synctest.Wait()
				}
				for range 10 {
					ask()
				}
				time.Sleep(time.Minute)
				ask()
				got := log.String()
				want := 2
				if tc.want == "" {
					want = 0
				}
				if n := strings.Count(got, "no subprotocol in common"); n != want || !strings.Contains(got, tc.want) || want > 0 && !strings.Contains(got, "others=9") {
					t.Errorf("%s, Serve %v: %d lines, want %d with %s:\n%s", tc.name, alone, n, want, tc.want, got)
				}
			})
		}
	}
}

// What Write has put behind others is out after Flush.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, WriteDelay: time.Hour})
		if err := c.Flush(t.Context()); err != nil {
			t.Errorf("with nothing to send: %v", err)
		}
		two := append(ctMasked(true, ws.OpText, "one"), ctMasked(true, ws.OpText, "two")...)
		p.SendBytes(two)
		ctRead(t, "the first of two", c, ws.OpText, "one")
		if err := c.Write(t.Context(), ws.OpText, []byte("answer")); err != nil {
			t.Fatal(err)
		}
		p.WantIdle("it waits for the answer to the second")
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		p.WantFrame("flushed", wstest.Text("answer"))
		c.CloseNow()
		if err := c.Flush(t.Context()); err == nil {
			t.Error("Flush of a connection that is over")
		}
	})
}
