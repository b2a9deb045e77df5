// Package token makes and checks the tokens by which another program, a web
// site with accounts for example, tells a chat who a client is. They are JSON
// Web Tokens (RFC 7519) signed with HMAC-SHA256 ("HS256", RFC 7518 §3.2), so
// that any language has a library for the other end:
//
//	jwt.encode({"sub": "u17", "name": "Ada", "exp": time.time() + 3600}, key)   # Python, PyJWT
//
// Nothing else is accepted: no other algorithm, whatever the token's header
// says, no token without an end, none whose JSON two programs might read
// differently. A token is good for whoever has it, as often as it is shown; let
// it end soon, and refresh it over the connection.
package token

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"framewright/chat"
)

// MinKey is the least length of a key in bytes, that of the hash (RFC 7518
// §3.2).
const MinKey = 32

// Key signs and checks tokens. Both ends have it, and nobody else. Its methods
// are those of a [Verifier] that demands no issuer and has no audience.
type Key []byte

// NewKey returns the key that both ends share. The error says that it is too
// short.
func NewKey(b []byte) (Key, error) {
	if len(b) < MinKey {
		return nil, fmt.Errorf("chat/token: a key has at least %d random bytes, this has %d", MinKey, len(b))
	}
	return Key(bytes.Clone(b)), nil
}

// Sign is [Verifier.Sign] without issuer and audience.
func (k Key) Sign(p chat.Person, expires time.Time) string { return Verifier{Key: k}.Sign(p, expires) }

// Check is [Verifier.Check]; a token that is for some audience is refused.
func (k Key) Check(t string) (chat.Identity, error) { return Verifier{Key: k}.Check(t) }

// Authenticate is [Verifier.Authenticate].
func (k Key) Authenticate(ctx context.Context, c chat.Credentials) (chat.Identity, error) {
	return Verifier{Key: k}.Authenticate(ctx, c)
}

// A Verifier checks tokens that one key signs, also where that key signs for
// other servers, or for other purposes, too.
type Verifier struct {
	Key      Key
	Issuer   string // that iss must be; empty: any, or none
	Audience string // that aud must have; empty: then a token with an aud is for others (RFC 7519 §4.1.3)
}

// Sign makes a token for a person that is good until expires, to the second. An
// empty name leaves the choice of a name to the client.
func (v Verifier) Sign(p chat.Person, expires time.Time) string {
	body, err := json.Marshal(struct {
		Subject  string `json:"sub"`
		Name     string `json:"name,omitempty"`
		Expires  int64  `json:"exp"`
		Issuer   string `json:"iss,omitempty"`
		Audience string `json:"aud,omitempty"`
	}{p.ID, p.Name, expires.Unix(), v.Issuer, v.Audience})
	if err != nil {
		panic(err) // strings and a number
	}
	t := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(body)
	return t + "." + b64.EncodeToString(v.Key.sum(t))
}

func (k Key) sum(t string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(t))
	return h.Sum(nil)
}

// Check returns who a token says its bearer is: an account, if it says a name.
// The error is a [*chat.Error]: CodeExpired, or CodeBadToken for everything else
// that is wrong.
func (v Verifier) Check(t string) (chat.Identity, error) {
	c, err := v.claims(t)
	if err != nil {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "the token is " + err.Error(), Err: err}
	}
	now := time.Now()
	if !now.Before(c.expires) {
		return chat.Identity{}, &chat.Error{Code: chat.CodeExpired, Text: "the token has expired; get another"}
	}
	if now.Before(c.notBefore) {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "the token is not good yet (its nbf)"}
	}
	return chat.Identity{Person: chat.Person{ID: c.subject, Name: c.name, Account: c.name != ""}, Expires: c.expires}, nil
}

func (v Verifier) claims(t string) (c claims, err error) {
	if len(v.Key) < MinKey {
		return c, errors.New("of no use: this server has no key")
	}
	if len(t) > maxToken {
		return c, fmt.Errorf("too long: %d bytes; expected at most %d", len(t), maxToken)
	}
	if strings.Count(t, ".") != 2 {
		return c, errors.New("not a token: expected three parts with a dot between them")
	}
	signed := t[:strings.LastIndexByte(t, '.')]
	sum, err := decode(t[len(signed)+1:])
	if err != nil {
		return c, errors.New("not a token: the signature is not base64url without padding")
	}
	if !hmac.Equal(sum, v.Key.sum(signed)) {
		return c, errors.New("not signed with this server's key")
	}
	// What follows was written by somebody with the key. It is still read
	// strictly: it must not say one thing to them and another here.
	head, body, _ := strings.Cut(signed, ".")
	if err := checkHeader(head); err != nil {
		return c, err
	}
	if c, err = parseClaims(body); err != nil {
		return c, err
	}
	return c, v.judge(c)
}

// Authenticate is for [chat.Options].Authenticate: the client shows a token,
// and may choose its name only if the token has none.
func (v Verifier) Authenticate(_ context.Context, c chat.Credentials) (chat.Identity, error) {
	if c.Token == "" {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "this server wants a token"}
	}
	id, err := v.Check(c.Token)
	if err == nil && id.Person.Name == "" {
		id.Person.Name = c.Name
	}
	return id, err
}
