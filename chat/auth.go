package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Credentials are what a client shows of itself. Each may be empty.
type Credentials struct {
	Name   string // as it would like to be called
	Secret string // made up and kept by the client
	Token  string // from whoever the program trusts to give them out
}

// Identity is who a client has turned out to be.
type Identity struct {
	Person  Person
	Expires time.Time // the session ends then, unless it is refreshed; zero: never
	Address string    // where it comes from, for [Options.MaxSessionsPerAddress]; empty: not counted
}

// Authenticate asks [Options.Authenticate] who a client is, or by default
// [PersonFromSecret]. A transport calls it before [Hub.Admit], with the
// connection's context: a program that goes by cookies or headers puts what it
// found in the HTTP request there. The error is an [*Error].
func (h *Hub) Authenticate(ctx context.Context, c Credentials) (Identity, error) {
	if f := h.o.Authenticate; f != nil {
		id, err := f(ctx, c)
		if err != nil {
			return Identity{}, asError(err, CodeBadToken)
		}
		if err := notExpired(id.Expires); err != nil {
			return Identity{}, err
		}
		return id, nil
	}
	if c.Token != "" {
		return Identity{}, &Error{Code: CodeBadToken, Text: "this server takes no tokens (option Authenticate)"}
	}
	p, err := PersonFromSecret(c.Name, c.Secret)
	return Identity{Person: p}, err
}

func notExpired(t time.Time) error {
	if !t.IsZero() && !time.Now().Before(t) {
		return &Error{Code: CodeExpired, Text: "the token has expired; get another"}
	}
	return nil
}

// GuestPrefix is how the ID begins of everybody for whom nobody vouches: those of
// [PersonFromSecret], and those that the hub makes up. A program gives no other
// ID that begins with it: so no account can be made that is a guest, whose ID
// everybody knows, nor a guest that is an account.
const GuestPrefix = "~"

// NewGuestID makes an ID up for somebody new.
func NewGuestID() string { return GuestPrefix + rand.Text() }

// PersonFromSecret makes a person's public ID from a secret that the client has
// made up and keeps: who has the secret is the same person again, on another
// connection or another day. The ID begins with [GuestPrefix]. No secret means
// somebody new, without an ID. The error is an [*Error] with CodeBadSecret.
func PersonFromSecret(name, secret string) (Person, error) {
	if secret == "" {
		return Person{Name: name}, nil
	}
	if len(secret) < 16 || len(secret) > 128 {
		return Person{}, &Error{Code: CodeBadSecret,
			Text: fmt.Sprintf("a secret has 16 to 128 bytes, and should be random; this has %d", len(secret))}
	}
	sum := sha256.Sum256([]byte("framewright chat person\x00" + secret))
	return Person{ID: GuestPrefix + hex.EncodeToString(sum[:12]), Name: name}, nil
}

// Refresh replaces the session's token before it expires, and answers with a
// [Refreshed] event that carries ref. The token must be the same person's. The
// error is an [*Error]; the session goes on until its old token expires.
func (s *Session) Refresh(ctx context.Context, token, ref string) error {
	if token == "" {
		return &Error{Code: CodeBadToken, Text: "a refresh needs a token"}
	}
	id, err := s.hub.Authenticate(ctx, Credentials{Name: s.Person().Name, Token: token})
	if err != nil {
		return err
	}
	if id.Person.ID != s.Person().ID {
		return &Error{Code: CodeBadToken, Text: "the token is somebody else's; connect anew to be another person"}
	}
	if s.Err() != nil {
		return ErrClosed
	}
	s.expireAt(id.Expires)
	s.Emit(Refreshed{Ref: ref, Expires: id.Expires})
	return nil
}

// expireAt ends the session at t unless it is called again before. Zero: never.
func (s *Session) expireAt(t time.Time) {
	s.expiryMu.Lock()
	defer s.expiryMu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if t.IsZero() || s.Err() != nil {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		s.expiryMu.Lock()
		defer s.expiryMu.Unlock()
		if s.expiry != timer {
			return // refreshed in the last moment
		}
		s.Emit(Refusal{Code: CodeExpired, Text: "the token has expired; connect again with another"})
		s.end(ErrExpired)
	})
	s.expiry = timer
}
