package socketio_test

import (
	"context"
	"log"
	"net/http"

	"framewright/engineio"
	"framewright/socketio"
)

// A chat room for pages with `const socket = io()`: whoever connects is
// welcomed, and what one sends goes to everyone.
func Example() {
	io, err := socketio.New(&socketio.Options{
		Engine: engineio.Options{OriginPatterns: []string{"https://example.com"}}, // pages elsewhere that may connect
	})
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error {
		log.Println(s.ID(), "connected")
		return s.Emit("message", "Welcome to the chat!")
	})
	socketio.On(io, "message", func(ctx context.Context, s *socketio.Socket, text string) error {
		return io.Emit("message", text)
	})
	io.OnDisconnect(func(ctx context.Context, s *socketio.Socket, why socketio.Reason) {
		log.Println(s.ID(), "disconnected:", why)
	})
	http.Handle("/", http.FileServer(http.Dir("page")))
	http.Handle("/socket.io/", io)
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}

// An event that is answered, and errors that the client gets to read.
func ExampleOnAck() {
	io, err := socketio.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	type order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	type receipt struct {
		Number int    `json:"number"`
		Label  []byte `json:"label"` // goes as a binary attachment
	}
	// In the page: const r = await socket.emitWithAck("order", { item: "tea", count: 2 });
	socketio.OnAck(io, "order", func(ctx context.Context, s *socketio.Socket, o order) (receipt, error) {
		if o.Count < 1 {
			return receipt{}, &socketio.Error{Message: "how many?"} // r.error in the page
		}
		return receipt{Number: 1, Label: []byte(o.Item)}, nil
	})
}

// A namespace that only some may enter.
func ExampleNamespace_Use() {
	io, err := socketio.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	type userKey struct{}
	admin := io.Of("/admin")
	admin.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct {
			Token string `json:"token"` // in the page: io("/admin", { auth: { token } })
		}
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		if auth.Token != "secret" {
			return &socketio.Error{Message: "not authorized"} // socket.on("connect_error", …)
		}
		s.SetValue(userKey{}, "root")
		return nil
	})
	socketio.On(admin, "say", func(ctx context.Context, s *socketio.Socket, text string) error {
		return admin.Except("quiet").Emit("said", ctx.Value(userKey{}), text)
	})
}
