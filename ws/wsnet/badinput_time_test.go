package wsnet_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// badBoth runs f in a bubble for both roles, with the endpoint's application
// and its raw peer.
func badBoth(t *testing.T, o wsnet.Options, f func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer)) {
	o.PingInterval = -1
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		badRun(t, role.String(), "pipe", func(t *testing.T) {
			app := newBadApp(&o, badWhole)
			f(t, role, app, (*badNet)(nil).open(t, role, "pipe", app, nil))
		})
	}
}

// badTook holds how long something took in a bubble.
func badTook(t *testing.T, start time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(start); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

var badTimeRows = []badRow{
	{row: 41, name: "a message that does not end", test: func(t *testing.T, _ *badNet) {
		for name, begin := range map[string]string{
			"after a header byte":  "81",
			"after a header":       "81 05",
			"inside a payload":     "81 05 | 'Hel'",
			"after a fragment":     "01 03 | 'Hel'",
			"inside a ping":        "89 05 | 'Hel'",
			"after a ping between": "01 03 | 'Hel'; 8a 00",
		} {
			t.Run(name, func(t *testing.T) {
				badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
					time.Sleep(time.Hour) // nothing has begun: nothing runs out
					start := time.Now()
					if begin == "81" {
						p.Send("81")
					} else {
						p.SendBytes(badWire(role, begin))
					}
					p.WantClose("the limit", badRude, "")
					badTook(t, start, 30*time.Second)
					p.Close()
					app.wait(t)
					app.wantFailed(t, badRude, ws.RuleMessageTime)
				})
			})
		}
	}},
	{row: 41, name: "fragments and pings that do not end", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			start := time.Now()
			p.SendBytes(badWire(role, "01 01 | 'a'"))
			for range 29 {
				time.Sleep(time.Second)
				p.SendBytes(badWire(role, "00 01 | 'b'; 89 01 | 'c'"))
				p.WantFrame("a pong", wstest.Pong("c"))
			}
			p.WantClose("the limit", badRude, "")
			badTook(t, start, 30*time.Second)
			p.Close()
			app.wait(t)
			app.wantFailed(t, badRude, ws.RuleMessageTime)
		})
	}},
	{row: 41, name: "a message that ends just in time", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{MessageTimeout: 3 * time.Second}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			for range 5 {
				p.SendBytes(badWire(role, "01 01 | 'a'"))
				time.Sleep(3*time.Second - 1)
				p.SendBytes(badWire(role, "80 01 | 'b'"))
			}
			p.SendBytes(badWire(role, "88 02 | 03e8"))
			p.WantClose("the answer", ws.CodeNormal, "")
			p.Close()
			app.wait(t, "ab", "ab", "ab", "ab", "ab")
		})
	}},
	{row: 69, name: "one byte a second", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, "81 04 | 'good'"))
			start := time.Now()
			for _, b := range badWire(role, "81 3c | 'a'*60") {
				p.SendBytes([]byte{b})
				if time.Since(start) == 30*time.Second {
					break
				}
				time.Sleep(time.Second)
			}
			p.WantClose("the limit", badRude, "")
			badTook(t, start, 30*time.Second)
			p.Close()
			app.wait(t, "good")
			app.wantFailed(t, badRude, ws.RuleMessageTime)
		})
	}},
	{row: 49, name: "pings over the rate", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, strings.Repeat("89 01 | 'a'; ", 201)))
			for range 200 {
				p.WantFrame("ten seconds' worth", wstest.Pong("a"))
			}
			p.WantClose("one more", badRude, "")
			p.Close()
			app.wait(t)
			app.wantFailed(t, badRude, ws.RulePingRate)
		})
	}},
	{row: 49, name: "pings at the rate", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{PingRate: 2}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, strings.Repeat("89 00; ", 20))) // all that may come at once
			for range 20 {
				p.WantFrame("a pong", wstest.Pong(""))
			}
			for range 100 {
				time.Sleep(time.Second / 2)
				p.SendBytes(badWire(role, "89 00"))
				p.WantFrame("a pong", wstest.Pong(""))
			}
			p.SendBytes(badWire(role, "89 00"))
			p.WantClose("one more", badRude, "")
			p.Close()
			app.wait(t)
			app.wantFailed(t, badRude, ws.RulePingRate)
		})
	}},
	{row: 50, name: "pongs over the rate", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{PingRate: 2}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, strings.Repeat("8a 01 | 'a'; ", 20))) // all that may come at once
			for range 100 {
				time.Sleep(time.Second / 2)
				p.SendBytes(badWire(role, "8a 00"))
			}
			p.SendBytes(badWire(role, "81 04 | 'good'; 8a 00; 8a 00"))
			p.WantClose("one more", badRude, "")
			p.Close()
			app.wait(t, "good")
			app.wantFailed(t, badRude, ws.RulePongRate)
		})
	}},
	{row: 49, name: "pings while the pong cannot go out", test: badPongPending},
	{row: 73, name: "empty messages over the rate", test: func(t *testing.T, _ *badNet) {
		for _, empty := range []string{"81 00; ", "82 00; ", "01 00; 80 00; ", "02 00; 00 00; 80 00; "} {
			badBoth(t, wsnet.Options{EmptyRate: 7}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
				p.SendBytes(badWire(role, strings.Repeat(empty, 71)+"81 04 | 'late'"))
				p.WantClose("one more than ten seconds' worth", badRude, "")
				p.Close()
				app.wait(t, make([]string, 70)...)
				app.wantFailed(t, badRude, ws.RuleEmptyRate)
			})
		}
	}},
	{row: 73, name: "empty messages over the default rate", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, strings.Repeat("81 00; ", 2001)))
			p.WantClose("one more than ten seconds' worth", badRude, "")
			p.Close()
			app.wait(t, make([]string, 2000)...)
			app.wantFailed(t, badRude, ws.RuleEmptyRate)
		})
	}},
	{row: 73, name: "empty messages at the rate, and others", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{EmptyRate: 1}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			var want []string
			for range 100 {
				p.SendBytes(badWire(role, "81 00; 82 01 | 'a'; 82 01 | 'a'"))
				want = append(want, "", "a", "a")
				time.Sleep(time.Second)
			}
			p.SendBytes(badWire(role, "88 02 | 03e8"))
			p.WantClose("the answer", ws.CodeNormal, "")
			p.Close()
			app.wait(t, want...)
		})
	}},
}

// Row 49: a pong that cannot go out is overtaken by the next.
func badPongPending(t *testing.T, _ *badNet) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		badRun(t, role.String(), "pipe", func(t *testing.T) {
			ours, theirs := wstest.PipeSize(64)
			app := newBadApp(&wsnet.Options{PingInterval: -1}, badWhole)
			c := wsnet.NewConn(ours, role, &app.opts.Options)
			p := wstest.NewPeer(t, theirs)
			go app.serve(c, nil)
			wrote := make(chan error, 1)
			text := strings.Repeat("a", 1000)
			go func() { wrote <- c.Write(t.Context(), ws.OpText, []byte(text)) }()
			synctest.Wait() // the message is half out and stuck
			for i := range 20 {
				p.SendBytes(badWire(role, fmt.Sprintf("89 02 | '%02d'", i)))
				synctest.Wait()
			}
			if got := c.Stats(); got.PingsIn != 20 || got.PongsOut != 0 {
				t.Errorf("got %d pings read, %d pongs sent; want 20, 0", got.PingsIn, got.PongsOut)
			}
			p.WantFrame("what was under way", wstest.Text(text))
			p.WantFrame("the newest pong", wstest.Pong("19"))
			p.WantIdle("and no other")
			if err := <-wrote; err != nil {
				t.Error(err)
			}
			p.SendBytes(badWire(role, "88 02 | 03e8"))
			p.WantClose("the answer", ws.CodeNormal, "")
			p.Close()
			app.wait(t)
		})
	}
}
