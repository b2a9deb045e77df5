package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"framewright/internal/address"
	"framewright/internal/tokens"
	"framewright/socketio"
)

// wrongPasswords is how many wrong passwords an address may show: ten at once, and then
// one in ten seconds.
var wrongPasswords = tokens.Rate{PerSecond: 0.1, Burst: 10}

// A session lets a page that has shown the password connect again without it, such as
// after it was loaded anew.
const (
	sessionAge  = 12 * time.Hour // since it was last used
	maxSessions = 100            // past it, the one that was used longest ago ends
)

// credentials are what the page sends as auth.
type credentials struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	SessionID string `json:"sessionId"`
}

// An authenticator says which pages may look.
type authenticator struct {
	o     *Options
	wrong tokens.Table[string] // by address

	mu       sync.Mutex
	sessions []session // the one that was used last at the end
}

type session struct {
	sum  [sha256.Size]byte // of its ID
	used time.Time
}

// errInvalid has the text at which the page asks for the password.
var errInvalid = &socketio.Error{Message: "invalid credentials"}

// admit returns the ID of a session that has begun, "" if none has.
func (a *authenticator) admit(ctx context.Context, s *socketio.Socket) (string, error) {
	if a.o.NoAuth {
		return "", local(s.Request())
	}
	from, now := a.o.Address(ctx, s), time.Now()
	if wait := a.wrong.Wait(from, 1, now); wait > 0 {
		return "", &socketio.Error{Message: "your address has shown too many wrong passwords; try again in " + wait.Round(time.Second).String()}
	}
	var c credentials
	if s.DecodeAuth(&c) != nil || c == (credentials{}) {
		return "", errInvalid
	}
	if c.SessionID != "" && a.known(c.SessionID, now) {
		return "", nil
	}
	if same(c.Username, a.o.Username)&same(c.Password, a.o.Password) == 1 {
		return a.begin(now), nil
	}
	if c.Password != "" { // a session's ID cannot be guessed, and may be an old one
		a.wrong.Take(from, 1, now)
	}
	a.o.Logger.Warn("admin: a page was refused", "remote", from)
	return "", errInvalid
}

// same is 1 if the texts are the same, in a time that says nothing about the right one.
func same(given, right string) int {
	g, r := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(g[:], r[:])
}

// begin begins a session and returns its ID.
func (a *authenticator) begin(now time.Time) string {
	id := rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sessions) >= maxSessions {
		a.sessions = slices.Delete(a.sessions, 0, 1)
	}
	a.sessions = append(a.sessions, session{sha256.Sum256([]byte(id)), now})
	return id
}

// known reports whether there is a session of this ID, which is used now.
func (a *authenticator) known(id string, now time.Time) bool {
	sum := sha256.Sum256([]byte(id))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = slices.DeleteFunc(a.sessions, func(s session) bool { return now.Sub(s.used) > sessionAge })
	i := slices.IndexFunc(a.sessions, func(s session) bool { return s.sum == sum })
	if i < 0 {
		return false
	}
	a.sessions = append(slices.Delete(a.sessions, i, i+1), session{sum, now})
	return true
}

// local refuses whoever is not on this machine. A proxy on this machine looks as if it
// were the client, so what a proxy leaves is looked for, too. Host is looked at because a
// page elsewhere may have its own name lead here.
func local(r *http.Request) error {
	host, _ := address.Host(r.RemoteAddr)
	a, err := netip.ParseAddr(host)
	if err != nil || !a.Unmap().IsLoopback() {
		return &socketio.Error{Message: "without a password, a page has to be on the server's own machine (option NoAuth)"}
	}
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return &socketio.Error{Message: "without a password, there may be no proxy before the server, and the header " + h + " is one's (option NoAuth)"}
		}
	}
	if !loopbackName(r.Host) {
		return &socketio.Error{Message: "without a password, the server has to be called localhost, 127.0.0.1 or [::1] (option NoAuth)"}
	}
	return nil
}

func loopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
