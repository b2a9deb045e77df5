package token_test

import (
	"context"
	"fmt"
	"time"

	"framewright/chat"
	"framewright/chat/token"
)

// A web site with accounts signs; the chat, which has the same key, checks.
func Example() {
	key, err := token.NewKey([]byte("from the configuration of both, 32 bytes at least"))
	if err != nil {
		fmt.Println(err)
		return
	}
	hub := chat.New(chat.Options{Authenticate: key.Authenticate})
	defer hub.Close()

	tok := key.Sign(chat.Person{ID: "u17", Name: "Ada"}, time.Now().Add(time.Hour)) // on the site
	id, err := hub.Authenticate(context.Background(), chat.Credentials{Token: tok}) // what a hello does
	fmt.Println(id.Person.ID, id.Person.Name, err)
	_, err = hub.Authenticate(context.Background(), chat.Credentials{Token: tok[1:]})
	fmt.Println(err)
	// Output:
	// u17 Ada <nil>
	// chat: the token is not signed with this server's key (bad-token)
}
