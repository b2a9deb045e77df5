package peer

import (
	"net"
	"net/http"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws/wsnet"
)

// ourChat is Framewright's chat with its JSON protocol. Broadcast wants a client
// that speaks it.
var ourChat = Server{
	Name:   "framewright chat",
	Module: ourModule,
	Chat:   true,
	Broadcast: func(l net.Listener) error {
		unlimited := chat.Rate{PerSecond: -1} // or one sender could not keep the room busy
		hub := chat.New(chat.Options{
			MaxSessionsPerPerson: -1, MaxSessionsPerAddress: -1,
			MessageRate: unlimited, PersonRate: unlimited, ReadRate: unlimited, RequestRate: unlimited,
		})
		s := wsnet.Handler(plain.Handler(hub, nil))
		s.Options.Subprotocols = []string{plain.Subprotocol}
		return http.Serve(l, s)
	},
}
