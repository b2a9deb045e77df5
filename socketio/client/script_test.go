package client

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wstest"
)

// A script is a server that a test plays by hand, in a synctest bubble, over WebSockets.
type script struct {
	t    *testing.T
	l    *wstest.Listener
	slow bool // it writes byte by byte
	world
	c *Client
}

// A session is a WebSocket whose Engine.IO handshake is done.
type session struct {
	*wstest.Peer
	s *script
}

// plays runs play twice: with bytes that come whole, and one by one. The client is there
// and not connected; set gives it handlers that note things.
func plays(t *testing.T, o Options, set func(s *script, c *Client), play func(s *script)) {
	t.Helper()
	for _, slow := range []bool{false, true} {
		t.Run(map[bool]string{false: "whole", true: "byte by byte"}[slow], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t, l: wstest.NewListener(), slow: slow, world: world{t: t}}
				o := o
				o.Engine.HTTPClient = s.l.Client()
				o.Engine.Transports = []string{engineio.WebSocket}
				o.Logger = slog.New(slog.DiscardHandler)
				var err error
				if s.c, err = New("http://io.test", &o); err != nil {
					t.Fatal(err)
				}
				if set != nil {
					set(s, s.c)
				}
				t.Cleanup(func() {
					s.l.Close()
					s.c.Close()
				})
				play(s)
			})
		})
	}
}

// session accepts the client's next connection.
func (s *script) session() *session {
	s.t.Helper()
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := s.l.Accept(); err == nil {
			accepted <- conn
		}
	}()
	select {
	case conn := <-accepted:
		x := &session{wstest.NewPeer(s.t, conn), s}
		s.t.Cleanup(func() { conn.Close() })
		x.Serve101()
		x.send(`0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}`)
		return x
	case <-time.After(time.Hour):
		s.t.Fatal("the client does not connect")
	}
	return nil
}

func (x *session) write(op ws.Opcode, data []byte) {
	x.s.t.Helper()
	b := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: op}, data)
	if x.s.slow && len(b) < 10_000 {
		x.SendBytesSlowly(b)
	} else {
		x.SendBytes(b)
	}
}

// send sends text messages: Engine.IO packets, of which most are messages, 4.
func (x *session) send(packets ...string) {
	x.s.t.Helper()
	for _, p := range packets {
		x.write(ws.OpText, []byte(p))
	}
}

func (x *session) sendBinary(b ...byte) {
	x.s.t.Helper()
	x.write(ws.OpBinary, b)
}

// want waits for text messages.
func (x *session) want(why string, packets ...string) {
	x.s.t.Helper()
	for _, p := range packets {
		x.WantFrame(why, wstest.Text(p))
	}
}

// connect has a socket connect in the background.
func (s *script) connect(k *Socket) <-chan error {
	done := make(chan error, 1)
	go func() { done <- k.Connect(context.Background()) }()
	return done
}

// in connects the namespace "/" over the client's first connection.
func (s *script) in() *session {
	s.t.Helper()
	done := s.connect(s.c.Socket)
	x := s.session()
	x.want("CONNECT", `40`)
	x.send(`40{"sid":"s1"}`)
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
	return x
}

// wantEnd waits until the client, which does not come back, is over, for a reason whose
// text has this in it.
func (s *script) wantEnd(reason Reason, text string) {
	s.t.Helper()
	err := s.c.Wait(s.t.Context())
	e := causeOf[*DisconnectedError](s.t, err)
	if e.Reason != reason || !strings.Contains(err.Error(), text) || len(err.Error()) > 1000 {
		s.t.Errorf("it ended with %.1000v; want %q and %q", err, reason, text)
	}
}
