package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"

	"framewright/socketio"
	"framewright/ws"
)

// The cookie by which a guest with a page of -web is known again: the page's own
// script says nothing of who it is. Over TLS its name has a prefix that keeps
// other hosts of the same domain from setting it.
const (
	guestCookie       = "framewright-guest"
	guestCookieSecure = "__Host-" + guestCookie
)

// guestValue is what this server gives out: 130 bits of chance.
var guestValue = regexp.MustCompile(`^[A-Z2-7]{26}$`)

type guestKey struct{} // of the cookie's value, in a handshake's context

// knownGuests gives each handshake that comes from a page of the server's own a
// guest's cookie, unless it has one, and lets next know which. To pages of other
// origins it is neither given nor does it count, so none can act for a visitor. A
// script cannot read it, and no other site's request has it (SameSite).
func (a *app) knownGuests(next http.Handler) http.Handler {
	if a.set.web == "" { // the built-in pages keep a secret of their own
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownPage(r) {
			next.ServeHTTP(w, r)
			return
		}
		c := http.Cookie{Name: guestCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
		if r.TLS != nil {
			c.Name, c.Secure = guestCookieSecure, true
		}
		if had, err := r.Cookie(c.Name); err == nil && guestValue.MatchString(had.Value) {
			c.Value = had.Value
		} else {
			c.Value = rand.Text()
			http.SetCookie(w, &c)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), guestKey{}, c.Value)))
	})
}

// ownPage reports whether a request comes from a page of this server, as far as
// the browser says: with a GET to the page's own origin, not all say one.
func ownPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return false
	}
	return ws.CheckOrigin(&ws.Request{Method: r.Method, Host: r.Host, TLS: r.TLS != nil, Header: r.Header}, nil) == nil
}

// guestSecret is a [sio.Options].Secret: another one for each name, so that two
// tabs of one browser in which two people play are two.
func guestSecret(ctx context.Context, _ *socketio.Socket, name string) string {
	value, ok := ctx.Value(guestKey{}).(string)
	if !ok {
		return ""
	}
	sum := hmac.New(sha256.New, []byte(value))
	sum.Write([]byte(name))
	return hex.EncodeToString(sum.Sum(nil))
}
