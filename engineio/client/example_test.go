package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"framewright/engineio"
	"framewright/engineio/client"
)

// A session with a server that sends back what it gets.
func ExampleDial() {
	echo, err := engineio.NewServer(func(ctx context.Context, s *engineio.Socket) error {
		return s.Each(func(m engineio.Message) error { return s.Send(m) })
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer echo.Close()
	server := httptest.NewServer(echo)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, server.URL, nil) // begins with polling, moves to a WebSocket
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(engineio.Text("hello"), engineio.Binary([]byte{1, 2, 3})); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		m, err := c.Receive(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%t %q\n", m.Binary, m.Data)
	}
	// Output:
	// false "hello"
	// true "\x01\x02\x03"
}
