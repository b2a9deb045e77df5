package wsnet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A bare TCP socket is read by another way than all other streams. MessageTimeout
// holds on it, wherever the message stops.
func TestMessageTimeoutTCP(t *testing.T) {
	wstest.CheckLeaks(t)
	for name, begun := range map[string][]byte{
		"after one byte of a header":     {0x81},
		"after half of a header":         wstest.MustHex("82 fe 01"),
		"after a header":                 wstest.MustHex("82 fe 0100 00000000"),
		"inside a payload":               wstest.MustHex("82 fe 0100 00000000 6162"),
		"inside a long payload":          append(wstest.MustHex("82 ff 0000000000080000 00000000"), make([]byte, 70<<10)...),
		"after a fragment":               ctMasked(false, ws.OpText, "ab"),
		"inside a ping":                  wstest.MustHex("89 84 00000000 61"),
		"after a message and a bit more": append(ctMasked(true, ws.OpText, "whole"), 0x81),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := ctTCP(t)
			c := wsnet.NewConn(server, ws.RoleServer, &wsnet.Options{PingInterval: -1, MessageTimeout: 40 * time.Millisecond})
			defer c.CloseNow()
			if _, err := client.Write(begun); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var err error
			for err == nil {
				_, _, err = c.Read(ctx)
			}
			if pe, ok := errors.AsType[*ws.ProtocolError](err); !ok || pe.Rule != ws.RuleMessageTime {
				t.Errorf("ended with %v, want rule %s", err, ws.RuleMessageTime)
			}
		})
	}
}

// On a socket, too, what was gathered goes out before the reader waits, and not
// only when its time has come; and what was read is counted by then.
func TestBeforeWaitingTCP(t *testing.T) {
	server, client := ctTCP(t)
	o := ctQuiet()
	o.WriteDelay = time.Hour
	c := wsnet.NewConn(server, ws.RoleServer, o)
	defer c.CloseNow()
	in, out := cgMessages(3, 4)
	for range 2 { // one more, and half of another
		in = append(in, ctMasked(true, ws.OpText, "half")...)
	}
	if _, err := client.Write(in[:len(in)-7]); err != nil {
		t.Fatal(err)
	}
	ended := ctAsync(func() error { return cgEcho(t.Context(), c) })
	client.SetReadDeadline(time.Now().Add(10 * time.Second))
	p := wstest.NewPeer(t, client)
	p.WantBytes("the answers", append(out, ctUnmasked(true, ws.OpText, "half")...))
	if s := c.Stats(); s.MessagesIn != 4 || s.FramesIn != 4 {
		t.Errorf("%d messages in %d frames were read, want 4 in 4", s.MessagesIn, s.FramesIn)
	}
	c.CloseNow()
	<-ended
}
