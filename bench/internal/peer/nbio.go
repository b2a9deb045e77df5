package peer

import (
	"net"
	"net/http"
	"sync"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbioServer is an event loop: no goroutine for a connection. It is set up as in
// its README's WebSocket example.
var nbioServer = Server{
	Name:     "nbio",
	Module:   "github.com/lesismal/nbio",
	Fragment: 32 << 10,
	Echo: func(l net.Listener) error {
		up := websocket.NewUpgrader()
		up.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, b []byte) {
			_ = c.WriteMessage(kind, b)
		})
		return nbioServe(l, up)
	},
	Broadcast: func(l net.Listener) error {
		var mu sync.Mutex
		all := map[*websocket.Conn]bool{}
		up := websocket.NewUpgrader()
		up.OnOpen(func(c *websocket.Conn) {
			mu.Lock()
			defer mu.Unlock()
			all[c] = true
		})
		up.OnClose(func(c *websocket.Conn, _ error) {
			mu.Lock()
			defer mu.Unlock()
			delete(all, c)
		})
		up.OnMessage(func(_ *websocket.Conn, kind websocket.MessageType, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			for c := range all {
				_ = c.WriteMessage(kind, b)
			}
		})
		return nbioServe(l, up)
	},
}

func nbioServe(l net.Listener, up *websocket.Upgrader) error {
	logging.SetLevel(logging.LevelNone)
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network:                 "tcp",
		Addrs:                   []string{l.Addr().String()},
		Listen:                  func(string, string) (net.Listener, error) { return l, nil },
		MaxLoad:                 1_000_000,
		ReleaseWebsocketPayload: true,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = up.Upgrade(w, r, nil)
		}),
	})
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}
