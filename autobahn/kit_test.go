package main

import (
	"context"
	"net"
	"net/http/httptest"
	"testing"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// TestEndsWithAClose is what README.md shows of a raw peer: a question that no suite
// of cases can ask, since it is about the server's own end.
func TestEndsWithAClose(t *testing.T) {
	server := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error { // any server will do
		_, _, err := c.Read(ctx)
		return err
	})
	s := httptest.NewServer(server)
	defer s.Close()

	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := wstest.NewPeer(t, conn)
	p.UpgradeAt("/", conn.RemoteAddr().String())
	p.Send("01 81 | 37fa213d | 7f") // a text that goes on: FIN=0, masked, one byte

	go server.Shutdown(context.Background()) // or send a process its SIGTERM
	p.WantClose("the server goes away", ws.CodeGoingAway, "")
	p.Send("88 82 | 00000000 | 03e9")
	p.WantEOF("the server ends the connection first")
}
