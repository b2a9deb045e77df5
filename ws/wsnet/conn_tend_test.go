package wsnet_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// tendFull returns a server's end over a socket that takes nothing until the filled bytes
// are read.
func tendFull(t *testing.T, o *wsnet.Options) (*wsnet.Conn, io.ReadWriteCloser, int) {
	t.Helper()
	wstest.CheckLeaks(t)
	server, client, filled := wsFull(t)
	return wsnet.NewConn(server, ws.RoleServer, o), client, filled
}

// tendRead wants what comes behind what filled the socket.
func tendRead(t *testing.T, client io.Reader, filled int, want []byte) {
	t.Helper()
	got := make([]byte, filled+len(want))
	if _, err := io.ReadFull(client, got); err != nil || string(got[filled:]) != string(want) {
		t.Errorf("got %s, %v, want %s", ctShort(got[filled:]), err, ctShort(want))
	}
}

// A peer that pings and does not read gets its messages read all the same, and the newest
// pong once it does.
func TestPongsToAFullSocket(t *testing.T) {
	c, client, filled := tendFull(t, ctQuiet())
	for _, text := range []string{"first", "second", "third"} {
		client.Write(append(ctMasked(true, ws.OpPing, text), ctMasked(true, ws.OpText, text)...))
		ctRead(t, "behind a ping", c, ws.OpText, text)
	}
	tendRead(t, client, filled, ctUnmasked(true, ws.OpPong, "first"))
	got := make([]byte, 2+6)
	if io.ReadFull(client, got[:2+5]); string(got[:2+5]) == "\x8a\x06secon" { // it may have gone out with the first
		io.ReadFull(client, got[2+5:])
		io.ReadFull(client, got[:2+5])
	}
	if string(got[:2+5]) != "\x8a\x05third" {
		t.Errorf("got %q, want the newest pong", got)
	}
	c.CloseNow()
}

// What was gathered for a peer that does not read does not hold the reader, nor CloseNow.
func TestGatheredForAFullSocket(t *testing.T) {
	for _, reads := range []bool{true, false} {
		o := ctQuiet()
		o.WriteDelay = time.Hour
		c, client, filled := tendFull(t, o)
		client.Write(append(ctMasked(true, ws.OpText, "1"), ctMasked(true, ws.OpText, "2")...))
		ctRead(t, "the first", c, ws.OpText, "1")
		if err := c.Write(t.Context(), ws.OpText, []byte("gathered")); err != nil {
			t.Fatal(err)
		}
		ctRead(t, "the second", c, ws.OpText, "2")
		client.Write(ctMasked(true, ws.OpText, "3"))
		ctRead(t, "one that the reader waits for", c, ws.OpText, "3")
		if reads {
			tendRead(t, client, filled, ctUnmasked(true, ws.OpText, "gathered"))
		}
		c.CloseNow()
		client.Close()
	}
}

// A pong that became due while another was stuck follows it, with no help.
func TestPongBehindAStuckPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(4)
		c, p := wsnet.NewConn(ctOnlyStream{a}, ws.RoleServer, ctQuiet()), wstest.NewPeer(t, b)
		defer c.CloseNow()
		go func() {
			for range c.Messages(t.Context()) {
			}
		}()
		for _, text := range []string{"one", "two", "three"} {
			p.SendBytes(ctMasked(true, ws.OpPing, text))
			synctest.Wait()
		}
		p.WantFrame("the one that was stuck", wstest.Pong("one"))
		p.WantFrame("the newest", wstest.Pong("three"))
		p.WantIdle("and no other")
		if s := c.Stats(); s.PongsOut != 2 || s.FramesOut != 2 || s.MessagesOut != 0 {
			t.Errorf("%+v", s)
		}
	})
}
