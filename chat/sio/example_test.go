package sio_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"framewright/chat"
	"framewright/chat/sio"
	"framewright/socketio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A chat for pages with Socket.IO's client, and what one of them sends and gets.
func Example() {
	hub := chat.New(chat.Options{})
	defer hub.Close()
	io, err := socketio.New(&socketio.Options{Recovery: &socketio.Recovery{Want: sio.WantsRecovery}})
	if err != nil {
		log.Fatal(err)
	}
	sio.Attach(hub, io.Namespace, &sio.Options{Room: "tea"})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io) // and http.ListenAndServe("127.0.0.1:8080", mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer io.Shutdown(ctx)

	c, err := wsnet.Dial(ctx, server.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	read := func() string {
		_, packet, err := c.Read(ctx)
		if err != nil {
			log.Fatal(err)
		}
		return string(packet)
	}
	read() // Engine.IO's handshake
	// In the page: const socket = io({ auth: { name: "Ada" } });
	if err := c.Write(ctx, ws.OpText, []byte(`40{"name":"Ada"}`)); err != nil {
		log.Fatal(err)
	}
	read() // the namespace's
	fmt.Println(read())
	hub.Broadcast(chat.Notice{Text: "The kettle is on."})
	fmt.Println(read())
	// Output:
	// 42["message","Welcome, Ada."]
	// 42["notice",{"text":"The kettle is on."}]
}
