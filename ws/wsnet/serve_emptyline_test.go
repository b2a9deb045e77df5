package wsnet_test

import (
	"context"
	"testing"
	"testing/synctest"

	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A request may have an empty line in front (RFC 9112 §2.2), which may come in two pieces,
// as any bytes may: CR by itself, and LF behind it.
func TestServeEmptyLineInPieces(t *testing.T) {
	for _, front := range []string{"\r\n", "\r\n\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			srv, log := stServer(func(ctx context.Context, c *wsnet.Conn) error { return c.CloseNow() })
			l := wstest.NewListener()
			go srv.Serve(l)
			defer l.Close()
			conn, err := l.Dial()
			if err != nil {
				t.Fatal(err)
			}
			p := wstest.NewPeer(t, conn)
			p.SendBytesSlowly([]byte(front))
			synctest.Wait()
			p.Upgrade()
			p.Close()
			synctest.Wait()
			if log.String() != "" {
				t.Errorf("%q in front: %s", front, log)
			}
		})
	}
}
