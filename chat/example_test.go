package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"framewright/chat"
	"framewright/chat/boltstore"
	"framewright/chat/plain"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A whole chat server: it greets who connects, tells the others, and answers
// every message with one of its own, to all.
func Example() {
	var hub *chat.Hub
	hub = chat.New(chat.Options{
		Connected: func(s *chat.Session) {
			fmt.Println("connect:", s.Person().Name)
			s.Emit(chat.Notice{Text: "Hello " + s.Person().Name})             // to just the one who connects
			hub.Broadcast(chat.Notice{Text: s.Person().Name + " is here"}, s) // to all but one
		},
		Disconnected: func(s *chat.Session, reason error) {
			fmt.Println("disconnect:", s.Person().Name)
			hub.Broadcast(chat.Notice{Text: s.Person().Name + " is gone"})
		},
		Message: func(s *chat.Session, m *chat.Message) { // the room, sender included, has it already
			fmt.Println("message:", m.Text)
			hub.Broadcast(chat.Notice{Text: "received: " + m.Text}) // to all, in whatever room
		},
	})
	defer hub.Close()
	sockets := wsnet.Handler(plain.Handler(hub, nil))
	mux := http.NewServeMux()
	mux.Handle("/ws", sockets) // and http.ListenAndServe("127.0.0.1:8080", mux)

	// A client of it.
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx := context.Background()
	c, err := wsnet.Dial(ctx, server.URL+"/ws", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	say := func(request string, answers int) {
		c.Write(ctx, ws.OpText, []byte(request))
		for range answers {
			_, answer, err := c.Read(ctx)
			fmt.Printf("%.30s… %v\n", answer, err)
		}
	}
	say(`{"type":"hello","name":"Ada"}`, 2)
	say(`{"type":"join","room":"lobby"}`, 1)
	say(`{"type":"send","room":"lobby","id":"1","text":"hi"}`, 3)
	c.Close(ctx, ws.CodeNormal, "")
	sockets.Shutdown(ctx)
	// Unordered output:
	// connect: Ada
	// {"type":"welcome","you":{"id":… <nil>
	// {"type":"notice","text":"Hello… <nil>
	// {"type":"joined","room":"lobby… <nil>
	// message: hi
	// {"type":"ack","id":"1","room":… <nil>
	// {"type":"message","room":"lobb… <nil>
	// {"type":"notice","text":"recei… <nil>
	// disconnect: Ada
}

// History that survives the process, in one file.
func Example_durable() {
	dir, err := os.MkdirTemp("", "chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for life := range 2 {
		store, err := boltstore.Open(filepath.Join(dir, "chat.db"), &boltstore.Options{MaxAge: 30 * 24 * time.Hour})
		if err != nil {
			fmt.Println(err)
			return
		}
		hub := chat.New(chat.Options{Store: store})
		// The same id: the second life does not store it again.
		m, err := hub.Publish("lobby", chat.Person{ID: "cron", Name: "Clock"}, "noon", "It is noon.")
		fmt.Println(life, m.Cursor.Seq, err)
		hub.Close() // and with it the store
	}
	// Output:
	// 0 1 <nil>
	// 1 1 <nil>
}

// An operator's calls, from any goroutine: an HTTP handler, a console.
func ExampleHub_Kick() {
	hub := chat.New(chat.Options{})
	defer hub.Close()
	m, err := hub.Publish("lobby", chat.Person{ID: "u1", Name: "Eve"}, "", "Buy now!")
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := hub.Delete("lobby", m.Cursor) // whoever is there hears of it
	fmt.Println(found, err)
	hub.Mute("", "u1", time.Now().Add(time.Hour)) // everywhere
	fmt.Println(hub.Kick("lobby", "u1", "advertising"), "sessions")
	// Output:
	// true <nil>
	// 0 sessions
}

// Who may do what, and what it costs to ask too often.
func ExampleOptions() {
	hub := chat.New(chat.Options{
		AllowJoin: func(s *chat.Session, room string) error {
			if room == "staff" && s.Person().ID != "u1" {
				return fmt.Errorf("the room %q is for the staff", room)
			}
			return nil
		},
		MessageRate:   chat.Rate{PerSecond: 1, Burst: 5},
		PresenceGrace: 30 * time.Second,
	})
	defer hub.Close()
	s, err := hub.Connect(chat.Person{ID: "u2", Name: "Bob"}, plain.Codec{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close(nil)
	fmt.Println(s.Join("staff", chat.Cursor{}, ""))
	fmt.Println(s.Join("lobby", chat.Cursor{}, ""))
	// Output:
	// chat: the room "staff" is for the staff (not-allowed)
	// <nil>
}
