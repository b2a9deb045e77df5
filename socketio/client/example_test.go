package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"framewright/socketio"
	"framewright/socketio/client"
)

// A client of a chat: it hears what is said, and asks who is there.
func Example() {
	io, err := socketio.New(nil) // here our own; npm's and python-socketio's are as good
	if err != nil {
		log.Fatal(err)
	}
	io.OnConnect(func(ctx context.Context, s *socketio.Socket) error { return s.Emit("message", "Welcome!") })
	socketio.OnAck(io, "count", func(ctx context.Context, s *socketio.Socket, _ struct{}) (int, error) { return io.Count(), nil })
	server := httptest.NewServer(io)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(server.URL, &client.Options{Auth: map[string]string{"token": "secret"}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	heard := make(chan string, 1)
	client.On(c, "message", func(ctx context.Context, s *client.Socket, text string) error {
		heard <- text
		return nil
	})
	if err := c.Connect(ctx); err != nil { // it comes back by itself from now on
		log.Fatal(err)
	}
	fmt.Println(<-heard)
	n, err := client.Ask[int](ctx, c, "count")
	fmt.Println(n, err)
	// Output:
	// Welcome!
	// 1 <nil>
}
