package peer

import (
	"net"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

// gwsServer is the echo of its README, in a goroutine of its own as the README
// recommends, and its Broadcaster.
var gwsServer = Server{
	Name:      "gws",
	Module:    "github.com/lxzan/gws",
	Echo:      gwsServe(gwsEcho{}),
	Broadcast: gwsServe(&gwsBroadcast{all: map[*gws.Conn]bool{}}),
}

func gwsServe(events gws.Event) func(l net.Listener) error {
	up := gws.NewUpgrader(events, &gws.ServerOption{})
	return handler(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r)
		if err != nil {
			return
		}
		go c.ReadLoop() // lets go of what net/http holds
	})
}

type gwsEcho struct{ gws.BuiltinEventHandler }

func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

type gwsBroadcast struct {
	gws.BuiltinEventHandler
	mu  sync.Mutex
	all map[*gws.Conn]bool
}

func (g *gwsBroadcast) OnOpen(c *gws.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all[c] = true
}

func (g *gwsBroadcast) OnClose(c *gws.Conn, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, c)
}

func (g *gwsBroadcast) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(m.Opcode, m.Bytes())
	defer b.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.all {
		_ = b.Broadcast(c)
	}
}
