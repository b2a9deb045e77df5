package peer

import (
	"bytes"
	"context"
	"net/http"
	"sync"

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
	Broadcast: handler(func() http.HandlerFunc {
		var mu sync.Mutex
		queues := map[chan []byte]bool{}
		return func(w http.ResponseWriter, r *http.Request) {
			c, err := coderAccept(w, r)
			if err != nil {
				return
			}
			defer c.CloseNow()
			ctx := context.Background()
			queue := make(chan []byte, broadcastQueue)
			mu.Lock()
			queues[queue] = true
			mu.Unlock()
			go func() {
				for b := range queue {
					if c.Write(ctx, websocket.MessageBinary, b) != nil {
						return
					}
				}
			}()
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				for queue := range queues {
					queue <- b
				}
				mu.Unlock()
			}
		}
	}()),
}

func coderAccept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	c, err := websocket.Accept(w, r, nil) // without compression by default
	if err == nil {
		c.SetReadLimit(2 << 20)
	}
	return c, err
}
