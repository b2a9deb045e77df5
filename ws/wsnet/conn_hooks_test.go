package wsnet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A peer that has shown who it is may send more from then on, and less when it has to.
func TestSetMaxMessage(t *testing.T) {
	for _, whole := range []bool{true, false} {
		much := 2 << 20
		if !whole {
			much = 70_000
		}
		synctest.Test(t, func(t *testing.T) {
			c, p := ctConnSize(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, MaxMessage: 10}, 3<<20)
			text := func(n int) string { return strings.Repeat("x", n) }
			send := func(n int) {
				wire := ctMasked(true, ws.OpText, text(n))
				if whole {
					p.SendBytes(wire)
					return
				}
				for i := range wire {
					p.SendBytes(wire[i : i+1])
				}
			}
			send(10)
			ctRead(t, "within the limit", c, ws.OpText, text(10))
			c.SetMaxMessage(100)
			send(100)
			ctRead(t, "after it was raised", c, ws.OpText, text(100))
			c.SetMaxMessage(-1)
			send(much)
			ctRead(t, "after it was lifted", c, ws.OpText, text(much))
			c.SetMaxMessage(5)
			send(6)
			_, _, err := c.Read(t.Context())
			pe, ok := errors.AsType[*ws.ProtocolError](err)
			if !ok || pe.Rule != ws.RuleMessageSize || pe.Detail != "message of more than 5 bytes, the limit that MaxMessage sets" {
				t.Errorf("after it was lowered: %v", err)
			}
		})
	}
}

// The limit is that of the connection alone, and not of others with the same Options.
func TestSetMaxMessageOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &wsnet.Options{PingInterval: -1, MaxMessage: 10}
		a, _ := ctConn(t, ws.RoleServer, o)
		b, p := ctConn(t, ws.RoleServer, o)
		a.SetMaxMessage(-1)
		p.SendBytes(ctMasked(true, ws.OpText, strings.Repeat("x", 11)))
		if _, _, err := b.Read(t.Context()); wsnetRule(err) != ws.RuleMessageSize {
			t.Errorf("another connection's limit: %v", err)
		}
	})
}

func wsnetRule(err error) ws.RuleID {
	if pe, ok := errors.AsType[*ws.ProtocolError](err); ok {
		return pe.Rule
	}
	return ""
}

// Pings and pongs are seen, in order, with what they carry; Close frames are not.
func TestOnControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, OnControl: func(conn uint64, op ws.Opcode, payload []byte) {
			seen = append(seen, fmt.Sprintf("%d %v %q", conn, op, payload))
		}})
		p.Send("89 01 'a' | 8a 02 'bc' | 01 01 'x' | 89 00 | 80 00 | 88 00")
		ctRead(t, "the message around them", c, ws.OpText, "x")
		if _, _, err := c.Read(t.Context()); err == nil {
			t.Error("the Close frame is a message")
		}
		id := c.ID()
		want := []string{fmt.Sprintf(`%d ping "a"`, id), fmt.Sprintf(`%d pong "bc"`, id), fmt.Sprintf(`%d ping ""`, id)}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A peer that answers our Close frame with frames for ever is not listened to for ever,
// however fast it is: each takes time. What it gets is our Close frame, and the end.
func TestCloseUnderAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(1 << 20)
		c := wsnet.NewConn(b, ws.RoleServer, &wsnet.Options{PingInterval: -1, EmptyRate: -1})
		defer c.CloseNow()
		go func() {
			flood := bytes.Repeat(ctMasked(true, ws.OpText, ""), 1000)
			for {
				if _, err := a.Write(flood); err != nil {
					return
				}
			}
		}()
		err := c.Close(t.Context(), ws.CodeGoingAway, "bye")
		e, ok := errors.AsType[*ws.CloseError](err)
		if !ok || e.Code != ws.CodeGoingAway || !errors.Is(err, wsnet.ErrStillSending) {
			t.Errorf("Close: %v", err)
		}
		if got := c.Stats().FramesIn; got < 64<<10 || got > 66<<10 {
			t.Errorf("%d frames were looked at, want some 64 Ki", got)
		}
		p := wstest.NewPeer(t, a)
		p.Want("our Close frame", "88 05 | 03e9 | 'bye'")
	})
}
