package plain_test

import (
	"log"
	"net/http"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws/wsnet"
)

// A chat at /ws, for the client of the server's page and whoever else reads PROTOCOL.md.
func ExampleHandler() {
	hub := chat.New(chat.Options{})
	s := wsnet.Handler(plain.Handler(hub, nil))
	s.Options.Subprotocols = []string{plain.Subprotocol}
	http.Handle("/ws", s)
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
