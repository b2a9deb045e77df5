package peer

import (
	"net"
	"net/http"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
)

// ourChat is Framewright's chat with its JSON protocol. Broadcast wants a client
// that speaks it.
var ourChat = Server{
	Name:   "framewright chat",
	Module: "framewright",
	Chat:   true,
	Broadcast: func(l net.Listener) error {
		s := ws.Handler(plain.Handler(chat.New(chat.Options{}), nil))
		s.Options.Subprotocols = []string{plain.Subprotocol}
		return http.Serve(l, s)
	},
}
