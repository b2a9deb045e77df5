package main

import (
	"context"

	"framewright/chat"
	"framewright/chat/token"
)

// authenticator takes the tokens that v finds good. Who shows none is whoever
// its secret says, as on a server without a key.
func authenticator(v token.Verifier) func(context.Context, chat.Credentials) (chat.Identity, error) {
	return func(ctx context.Context, c chat.Credentials) (chat.Identity, error) {
		if c.Token == "" {
			p, err := chat.PersonFromSecret(c.Name, c.Secret)
			return chat.Identity{Person: p}, err
		}
		id, err := v.Authenticate(ctx, c)
		if err == nil && id.Person.ID == publisherID {
			err = &chat.Error{Code: chat.CodeBadToken, Text: "the token's subject is this server's own"}
		}
		return id, err
	}
}
