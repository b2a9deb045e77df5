package peer

import (
	"bytes"
	"net"
	"sync"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// fasthttpServer is gorilla's code on fasthttp; see gorillaServer.
var fasthttpServer = Server{
	Name:   "fasthttp",
	Module: "github.com/fasthttp/websocket",
	Echo: func(l net.Listener) error {
		up := websocket.FastHTTPUpgrader{WriteBufferPool: &sync.Pool{}}
		return fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) {
			_ = up.Upgrade(ctx, func(c *websocket.Conn) {
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
			})
		})
	},
}
