package wsnet_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A TLS connection inside of somebody else's type is broken by a write that
// timed out all the same: the connection must not claim to be usable.
func TestConnWrappedTLS(t *testing.T) {
	cert := ctCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		a, b := wstest.PipeSize(4096)
		mine, other := ctTLS(t, a, b, cert, ws.RoleServer)
		type wrapped struct{ net.Conn }
		c := wsnet.NewConn(wrapped{mine}, ws.RoleServer, ctQuiet())
		defer c.CloseNow()
		defer b.Close()
		write := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return c.Write(ctx, ws.OpBinary, make([]byte, 100))
		}
		for write() == nil { // until the pipe is full
		}
		go io.Copy(io.Discard, other)
		if c.Err() == nil {
			if err := write(); err != nil {
				t.Errorf("usable, it was said, but: %v", err)
			}
		}
	})
}
