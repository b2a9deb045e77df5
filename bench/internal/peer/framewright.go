package peer

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"strings"

	"framewright/ws/wsnet"
)

// ourModule is the module's path, as it is called in this tree.
var ourModule = strings.TrimSuffix(reflect.TypeFor[wsnet.Conn]().PkgPath(), "/ws/wsnet")

// ours is Framewright with the API of its README and default options.
var ours = Server{
	Name:   "framewright",
	Module: ourModule,
	Echo:   func(l net.Listener) error { return http.Serve(l, wsnet.Handler(echo)) },
	Broadcast: func(l net.Listener) error {
		var all hub[*wsnet.Prepared]
		return http.Serve(l, wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
			queue := all.join()
			defer all.leave(queue)
			go func() {
				var batch []*wsnet.Prepared
				for p := range queue {
					batch = append(batch[:0], p)
					for len(queue) > 0 {
						batch = append(batch, <-queue)
					}
					if c.WritePrepared(ctx, batch...) != nil { // one write for all that wait
						break
					}
				}
				c.CloseNow()
			}()
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				p, err := wsnet.Prepare(m.Opcode, m.Data)
				if err != nil {
					return err
				}
				all.send(p)
			}
			return nil
		}))
	},
}

// oursAlone is the same without net/http, on an address that speaks nothing but
// WebSocket.
var oursAlone = Server{
	Name:   "framewright, Serve",
	Module: ourModule,
	Echo:   func(l net.Listener) error { return wsnet.Handler(echo).Serve(l) },
}

func echo(ctx context.Context, c *wsnet.Conn) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
			return err
		}
	}
	return nil
}
