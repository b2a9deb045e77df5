// Package token makes and checks the tokens by which another program, a web
// site with accounts for example, tells a chat who a client is. They are JSON
// Web Tokens (RFC 7519) signed with HMAC-SHA256 ("HS256", RFC 7518 §3.2), so
// that any language has a library for the other end:
//
//	jwt.encode({"sub": "u17", "name": "Ada", "exp": time.time() + 3600}, key)   # Python, PyJWT
//
// Nothing else is accepted: no other algorithm, whatever the token's header
// says, and no token without an end. A token is good for whoever has it, as often
// as it is shown; let it end soon, and refresh it over the connection.
package token

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"framewright/chat"
)

// MinKey is the least length of a key in bytes, that of the hash (RFC 7518
// §3.2).
const MinKey = 32

// Key signs and checks tokens. Both ends have it, and nobody else.
type Key []byte

// NewKey returns the key that both ends share. The error says that it is too
// short.
func NewKey(b []byte) (Key, error) {
	if len(b) < MinKey {
		return nil, fmt.Errorf("chat/token: a key has at least %d random bytes, this has %d", MinKey, len(b))
	}
	return Key(bytes.Clone(b)), nil
}

// header is the only one that is made.
const header = `{"alg":"HS256","typ":"JWT"}`

// maxToken bounds what is decoded, in bytes: a person and two times need less.
const maxToken = 4 << 10

// claims are the fields of a token that count here; others are ignored.
type claims struct {
	Subject   string   `json:"sub"`
	Name      string   `json:"name,omitempty"`
	Expires   *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf,omitempty"`
}

var b64 = base64.RawURLEncoding.Strict()

// Sign makes a token for a person that is good until expires, to the second. An
// empty name leaves the choice of a name to the client.
func (k Key) Sign(p chat.Person, expires time.Time) string {
	exp := float64(expires.Unix())
	body, err := json.Marshal(claims{Subject: p.ID, Name: p.Name, Expires: &exp})
	if err != nil {
		panic(err) // two strings and a number
	}
	t := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(body)
	return t + "." + b64.EncodeToString(k.sum(t))
}

func (k Key) sum(t string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(t))
	return h.Sum(nil)
}

var (
	errForeign = errors.New("not signed with this server's key")
	errShape   = errors.New("not a token")
)

// Check returns who a token says its bearer is. The error is a [*chat.Error]:
// CodeExpired, or CodeBadToken for everything else that is wrong.
func (k Key) Check(t string) (chat.Identity, error) {
	c, err := k.claims(t)
	if err != nil {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "the token is " + err.Error(), Err: err}
	}
	now := time.Now()
	expires := seconds(*c.Expires)
	if !now.Before(expires) {
		return chat.Identity{}, &chat.Error{Code: chat.CodeExpired, Text: "the token has expired; get another"}
	}
	if c.NotBefore != nil && now.Before(seconds(*c.NotBefore)) {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "the token is not good yet (its nbf)"}
	}
	return chat.Identity{Person: chat.Person{ID: c.Subject, Name: c.Name}, Expires: expires}, nil
}

func (k Key) claims(t string) (c claims, err error) {
	if len(k) < MinKey {
		return c, errors.New("of no use: this server has no key")
	}
	if len(t) > maxToken || strings.Count(t, ".") != 2 {
		return c, errShape
	}
	signed := t[:strings.LastIndexByte(t, '.')]
	sum, err := b64.DecodeString(t[len(signed)+1:])
	if err != nil {
		return c, errShape
	}
	if !hmac.Equal(sum, k.sum(signed)) {
		return c, errForeign
	}
	// What follows was written by somebody with the key. The algorithm is still
	// looked at: it must not say one thing and mean another.
	head, body, _ := strings.Cut(signed, ".")
	var h struct {
		Algorithm string   `json:"alg"`
		Critical  []string `json:"crit"`
	}
	if err := decode(head, &h); err != nil {
		return c, err
	}
	if h.Algorithm != "HS256" || len(h.Critical) > 0 {
		return c, fmt.Errorf("of the algorithm %.16q with extensions %.64q; only HS256 without any is taken", h.Algorithm, h.Critical)
	}
	if err := decode(body, &c); err != nil {
		return c, err
	}
	if c.Subject == "" || c.Expires == nil {
		return c, errors.New("without a subject (sub) or an end (exp)")
	}
	return c, nil
}

func decode(s string, v any) error {
	b, err := b64.DecodeString(s)
	if err != nil {
		return errShape
	}
	if err := json.Unmarshal(b, v); err != nil {
		return errShape
	}
	return nil
}

// seconds reads a NumericDate (RFC 7519 §2). One out of range is the range's
// end.
func seconds(n float64) time.Time {
	const most = 1 << 40 // in some thirty thousand years
	return time.Unix(int64(math.Floor(max(0, min(n, most)))), 0)
}

// Authenticate is for [chat.Options].Authenticate: the client shows a token,
// and may choose its name only if the token has none.
func (k Key) Authenticate(_ context.Context, c chat.Credentials) (chat.Identity, error) {
	if c.Token == "" {
		return chat.Identity{}, &chat.Error{Code: chat.CodeBadToken, Text: "this server wants a token"}
	}
	id, err := k.Check(c.Token)
	if err == nil && id.Person.Name == "" {
		id.Person.Name = c.Name
	}
	return id, err
}
