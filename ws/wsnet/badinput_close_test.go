package wsnet_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

var badCloseRows = []badRow{
	{row: 47, name: "a flood after the Close frame", test: func(t *testing.T, _ *badNet) {
		// Reading on is polite, as long as it has an end.
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			start := time.Now()
			p.SendBytes(badWire(role, "88 02 | 03e8"))
			p.WantClose("the answer", ws.CodeNormal, "")
			sent, chunk := 0, make([]byte, 64<<10)
			for ; sent < 64<<20; sent += len(chunk) {
				if _, err := p.Conn().Write(chunk); err != nil {
					break
				}
			}
			if sent > 32<<20 {
				t.Errorf("the endpoint took %d bytes after the end", sent)
			}
			app.wait(t)
			app.wantClosed(t, ws.CodeNormal, true)
			badTook(t, start, 0)
		})
	}},
	{row: 48, name: "our Close frame unanswered", test: func(t *testing.T, _ *badNet) {
		for name, meanwhile := range map[string]string{
			"silence":  "",
			"messages": "81 01 | 'a'",
			"pings":    "89 00",
		} {
			for _, reader := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, reader %v", name, reader), func(t *testing.T) { badUnanswered(t, meanwhile, reader) })
			}
		}
	}},
	{row: 48, name: "our Close frame not even read", test: func(t *testing.T, _ *badNet) {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			badRun(t, role.String(), "pipe", func(t *testing.T) {
				ours, theirs := wstest.PipeSize(4)
				p := wstest.NewPeer(t, theirs)
				c := wsnet.NewConn(ours, role, &wsnet.Options{PingInterval: -1})
				start := time.Now()
				err := c.Close(t.Context(), ws.CodeNormal, "a long goodbye")
				badTook(t, start, 5*time.Second)
				if !errors.Is(err, wsnet.ErrCloseTimeout) {
					t.Errorf("got %v, want ErrCloseTimeout", err)
				}
				p.Close()
			})
		}
	}},
	{row: 50, name: "unsolicited pongs are counted", test: func(t *testing.T, _ *badNet) {
		badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) {
			p.SendBytes(badWire(role, strings.Repeat("8a 01 | 'a'; ", 200)+"88 02 | 03e8"))
			p.WantClose("the answer, and nothing before", ws.CodeNormal, "")
			p.Close()
			app.wait(t)
			if got := app.conn.Stats(); got.Unsolicited != 200 || got.PongsIn != 0 || got.FramesOut != 1 {
				t.Errorf("got %+v, want 200 unsolicited pongs, none that answers, one frame out", got)
			}
		})
	}},
	{row: 51, name: "Close frames that cross", test: func(t *testing.T, _ *badNet) {
		for _, first := range []string{"ours", "theirs"} {
			t.Run(first+" first", func(t *testing.T) {
				badBoth(t, wsnet.Options{}, func(t *testing.T, role ws.Role, app *badApp, p *wstest.Peer) { badCrossing(t, role, first == "ours") })
			})
		}
	}},
}

func badUnanswered(t *testing.T, meanwhile string, reader bool) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		badRun(t, role.String(), "pipe", func(t *testing.T) {
			ours, theirs := wstest.Pipe()
			p := wstest.NewPeer(t, theirs)
			c := wsnet.NewConn(ours, role, &wsnet.Options{PingInterval: -1})
			app := newBadApp(nil, badWhole)
			if reader {
				go app.serve(c, nil)
			} else {
				close(app.done)
			}
			start, done := time.Now(), make(chan error, 1)
			go func() {
				err := c.Close(t.Context(), 4000, "bye")
				badTook(t, start, 5*time.Second)
				done <- err
			}()
			p.WantClose("ours", 4000, "bye")
			for range 9 {
				p.SendBytes(badWire(role, meanwhile))
				time.Sleep(time.Second)
			}
			p.WantEOF("TCP is cut, and nothing follows a Close frame")
			if err := <-done; !errors.Is(err, wsnet.ErrCloseTimeout) {
				t.Errorf("got %v, want ErrCloseTimeout", err)
			}
			if e, ok := errors.AsType[*ws.CloseError](c.Err()); !ok || e.Code != 4000 || e.Remote {
				t.Errorf("got %v, want our code 4000", c.Err())
			}
			<-app.done
			p.Close()
		})
	}
}

// badCrossing has both ends begin a closing handshake before either sees the
// other's Close frame.
func badCrossing(t *testing.T, role ws.Role, oursFirst bool) {
	ours, theirs := wstest.Pipe()
	p := wstest.NewPeer(t, theirs)
	c := wsnet.NewConn(ours, role, &wsnet.Options{PingInterval: -1})
	if !oursFirst { // it lies there, unread, when Close is called
		p.SendBytes(badWire(role, "88 02 | 0fa1"))
	}
	done := make(chan error, 1)
	go func() { done <- c.Close(t.Context(), 4000, "ours") }()
	synctest.Wait()
	if oursFirst {
		p.SendBytes(badWire(role, "88 02 | 0fa1"))
	}
	p.WantClose("ours", 4000, "ours")
	synctest.Wait()
	if role == ws.RoleServer {
		p.WantEOF("no second Close frame")
	} else {
		p.WantIdle("no second Close frame")
	}
	p.Close()
	if err := <-done; err != nil {
		t.Errorf("Close: got %v, want nil", err)
	}
	if e, ok := errors.AsType[*ws.CloseError](c.Err()); !ok || e.Code != 4000 || e.Remote || e.Err != nil {
		t.Errorf("got %v, want our code 4000", c.Err())
	}
	if got := c.Stats().FramesOut; got != 1 {
		t.Errorf("%d frames went out, want one", got)
	}
}

// Where a connection breaks, for rows 67 and 68.
var badCuts = map[string]string{
	"between messages":   "",
	"inside a header":    "82",
	"inside a length":    "82 7e 01",
	"inside a payload":   "81 05 | 'Hel'",
	"between fragments":  "01 03 | 'Hel'",
	"inside a Close":     "88 05 | 03e8 | 'b'",
	"inside a long text": "81 7f 0000000000010000 | 'a'*60000",
}

var badCutRows = []badRow{
	{row: 67, name: "a reset", test: func(t *testing.T, n *badNet) { badCutTest(t, n, true) }},
	{row: 68, name: "a half-close", test: func(t *testing.T, n *badNet) { badCutTest(t, n, false) }},
}

func badCutTest(t *testing.T, n *badNet, reset bool) {
	for where, cut := range badCuts {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			for _, transport := range []string{"pipe", "tcp", "tls"} {
				badRun(t, strings.Join([]string{where, role.String(), transport}, ", "), transport, func(t *testing.T) {
					app := newBadApp(nil, badWhole)
					p := n.open(t, role, transport, app, badWire(role, "81 04 | 'good'; 89 01 | 'p'"))
					p.WantFrame("a sign that the good one has come", wstest.Pong("p"))
					if where == "inside a header" {
						p.Send("82")
					} else {
						p.SendBytes(badWire(role, cut))
					}
					want := io.ErrUnexpectedEOF
					if reset {
						want = syscall.ECONNRESET
						badReset(t, p)
					} else {
						p.CloseWrite()
						p.WantEOF("our side goes, too, without a Close frame")
						p.Close()
					}
					app.wait(t, "good")
					if e := app.wantClosed(t, ws.CodeAbnormal, true); !errors.Is(e, want) {
						t.Errorf("got %v, want %v in it", e, want)
					}
				})
			}
		}
	}
}

// badReset resets what is below TLS, too.
func badReset(t *testing.T, p *wstest.Peer) {
	if c, ok := p.Conn().(*tls.Conn); ok {
		p = wstest.NewPeer(t, c.NetConn())
	}
	p.Reset()
}

// badNotice is a stream that, like TLS, has something to send when it ends.
type badNotice struct{ net.Conn }

func (n badNotice) CloseWrite() error {
	synctest.Wait() // what is about to move deadlines has done so
	_, err := n.Write([]byte("bye"))
	return err
}

// The Close frame that fails a connection has a time limit of its own, and
// that limit's end must not reach into what is sent after it: TLS would then
// not say that it ends, and both sides would wait for each other until
// CloseTimeout.
func TestBadInputLeavesNoDeadline(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		badRun(t, role.String(), "pipe", func(t *testing.T) {
			ours, theirs := wstest.Pipe()
			app := newBadApp(nil, badWhole)
			go app.serve(wsnet.NewConn(badNotice{ours}, role, nil), nil)
			p := wstest.NewPeer(t, theirs)
			p.SendBytes(badWire(role, "83 00"))
			p.WantClose("the verdict", badErr, "")
			p.Want("what the stream itself has to say", "'bye'")
			p.Close()
			app.wait(t)
		})
	}
}
