package chat_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"framewright/chat"
	"framewright/chat/plain"
	"framewright/ws"
)

// A whole chat server: it greets who connects, tells the others, and passes on
// what is said.
func Example() {
	var hub *chat.Hub
	hub = chat.New(chat.Options{
		Welcome: func(p chat.Person) string { return "Hello " + p.Name }, // to just the one who connects
		Connected: func(s *chat.Session) {
			slog.Debug("connect", "name", s.Person().Name)
			hub.Broadcast(chat.Notice{Text: s.Person().Name + " is here"}, s) // to all but one
		},
		Disconnected: func(s *chat.Session, reason error) {
			slog.Debug("disconnect", "name", s.Person().Name, "reason", reason)
			hub.Broadcast(chat.Notice{Text: s.Person().Name + " is gone"})
		},
		Message: func(s *chat.Session, m *chat.Message) { // the room, sender included, has it already
			slog.Debug("message", "name", s.Person().Name, "room", m.Room)
		},
	})
	defer hub.Close()
	sockets := ws.Handler(plain.Handler(hub, nil))
	http.Handle("/ws", sockets) // and http.ListenAndServe("127.0.0.1:8080", nil)

	// A client of it.
	server := httptest.NewServer(http.DefaultServeMux)
	defer server.Close()
	ctx := context.Background()
	c, err := ws.Dial(ctx, server.URL+"/ws", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Write(ctx, ws.OpText, []byte(`{"type":"hello","name":"Ada","secret":"correct horse battery"}`))
	_, msg, err := c.Read(ctx)
	fmt.Println(string(msg), err)
	c.Close(ctx, ws.CodeNormal, "")
	// Output:
	// {"type":"welcome","you":{"id":"fdc0706e1daf780b5335b2f9","name":"Ada"},"text":"Hello Ada"} <nil>
}
