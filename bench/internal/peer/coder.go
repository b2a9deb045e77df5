package peer

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// coderServer reads with Reader into a buffer of its own, which saves the
// allocation that Read makes for each message. Its calls get a context that
// never ends, which is the cheapest for it. Broadcast is its chat example.
var coderServer = Server{
	Name:   "coder",
	Module: "github.com/coder/websocket",
	Echo: handler(func(w http.ResponseWriter, r *http.Request) {
		c, err := coderAccept(w, r)
		if err != nil {
			return
		}
		defer c.CloseNow()
		ctx := context.Background()
		var buf bytes.Buffer
		for {
			kind, r, err := c.Reader(ctx)
			if err != nil {
				return
			}
			buf.Reset()
			if _, err := buf.ReadFrom(r); err != nil {
				return
			}
			if err := c.Write(ctx, kind, buf.Bytes()); err != nil {
				return
			}
		}
	}),
	Broadcast: func(l net.Listener) error {
		var all hub[[]byte]
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := coderAccept(w, r)
			if err != nil {
				return
			}
			ctx := context.Background()
			queue := all.join()
			defer all.leave(queue)
			go func() {
				for b := range queue {
					if c.Write(ctx, websocket.MessageBinary, b) != nil {
						break
					}
				}
				_ = c.CloseNow()
			}()
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					return
				}
				all.send(b)
			}
		}))
	},
}

func coderAccept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	c, err := websocket.Accept(w, r, nil) // without compression by default
	if err == nil {
		c.SetReadLimit(2 << 20)
	}
	return c, err
}
