package peer

import (
	"bytes"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorillaServer reads with NextReader into a buffer of its own, which saves the
// allocation that ReadMessage makes for each message, and has its write buffers
// pooled. Broadcast is the hub of its chat example, with a PreparedMessage, and
// without joining several messages into one: a receiver would not see the
// messages that were sent.
var gorillaServer = Server{
	Name:   "gorilla",
	Module: "github.com/gorilla/websocket",
	Echo: handler(func(w http.ResponseWriter, r *http.Request) {
		c, err := gorillaUpgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		var buf bytes.Buffer
		for {
			kind, r, err := c.NextReader()
			if err != nil {
				return
			}
			buf.Reset()
			if _, err := buf.ReadFrom(r); err != nil {
				return
			}
			if err := c.WriteMessage(kind, buf.Bytes()); err != nil {
				return
			}
		}
	}),
	Broadcast: func(l net.Listener) error {
		var all hub[*websocket.PreparedMessage]
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := gorillaUpgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			queue := all.join()
			defer all.leave(queue)
			go func() {
				for p := range queue {
					if c.WritePreparedMessage(p) != nil {
						break
					}
				}
				c.Close()
			}()
			for {
				kind, b, err := c.ReadMessage()
				if err != nil {
					return
				}
				p, err := websocket.NewPreparedMessage(kind, b)
				if err != nil {
					return
				}
				all.send(p)
			}
		}))
	},
}

var gorillaUpgrader = websocket.Upgrader{WriteBufferPool: &sync.Pool{}}
