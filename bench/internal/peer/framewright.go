package peer

import (
	"context"
	"net"
	"net/http"
	"sync"

	"framewright/ws"
)

// ours is Framewright with the API of its README and default options.
var ours = Server{
	Name:   "framewright",
	Module: "framewright",
	Echo: func(l net.Listener) error {
		return http.Serve(l, ws.Handler(func(ctx context.Context, c *ws.Conn) error {
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				if err := c.Write(ctx, m.Opcode, m.Data); err != nil {
					return err
				}
			}
			return nil
		}))
	},
	Broadcast: func(l net.Listener) error {
		var mu sync.Mutex
		queues := map[chan *ws.Prepared]bool{}
		return http.Serve(l, ws.Handler(func(ctx context.Context, c *ws.Conn) error {
			queue := make(chan *ws.Prepared, broadcastQueue)
			mu.Lock()
			queues[queue] = true
			mu.Unlock()
			defer func() {
				mu.Lock()
				delete(queues, queue)
				mu.Unlock()
			}()
			go func() {
				for {
					select {
					case p := <-queue:
						if c.WritePrepared(ctx, p) != nil {
							return
						}
					case <-ctx.Done():
						return
					}
				}
			}()
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return err
				}
				p, err := ws.Prepare(m.Opcode, m.Data)
				if err != nil {
					return err
				}
				mu.Lock()
				for queue := range queues {
					queue <- p
				}
				mu.Unlock()
			}
			return nil
		}))
	},
}
