package boltstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"framewright/chat"
	"framewright/chat/boltstore"
)

// A month of messages. The hub closes the store.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := boltstore.Open(filepath.Join(dir, "chat.db"), &boltstore.Options{MaxAge: 30 * 24 * time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	hub := chat.New(chat.Options{Store: store})
	defer hub.Close()
	m, err := hub.Publish("lobby", chat.Person{ID: "u1", Name: "Ada"}, "", "Hello")
	fmt.Println(m.Text, err)
	// Output: Hello <nil>
}
