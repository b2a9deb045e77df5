package main

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"framewright/chat"
	"framewright/chat/sio"
)

// An admin is what an operator has of the running server: a page at /admin/,
// and what the page asks for under /admin/api/. Each request there shows the
// key in a header, which no page elsewhere can make a browser do, and there is
// no cookie. What was done is in the log.
type admin struct {
	key    [sha256.Size]byte // of the key, so that comparing takes the same time for any
	hub    *chat.Hub
	gate   *gate
	log    *slog.Logger
	failed *rateLimit // wrong keys of one address
}

// wrongKeys is how many wrong keys an address may show.
var wrongKeys = rate{0.1, 10}

// maxAdminBody is far more than a request needs, in bytes.
const maxAdminBody = 64 << 10

// An order is the body of a POST. Each action needs some of it, and may have
// some more.
type order struct {
	Room    string
	Person  string // its id
	Cursor  string
	Reason  string
	Seconds int64  // of a mute or a ban
	Address string // of a ban
}

// orders are the actions, by the end of their path. Each returns how many
// sessions or messages it was. What an action has no use for is refused: who
// bans somebody in a room should hear that a ban is for the whole server.
var orders = map[string]struct {
	needs, may string
	do         func(h *chat.Hub, o order) (int, error)
}{
	"mute": {"person, seconds", "room", func(h *chat.Hub, o order) (int, error) {
		h.Mute(o.Room, o.Person, time.Now().Add(time.Duration(o.Seconds)*time.Second))
		return 1, nil
	}},
	"unmute": {"person", "room", func(h *chat.Hub, o order) (int, error) {
		h.Mute(o.Room, o.Person, time.Time{})
		return 1, nil
	}},
	"kick": {"person", "room, reason", func(h *chat.Hub, o order) (int, error) { return h.Kick(o.Room, o.Person, o.Reason), nil }},
	"ban": {"seconds", "person, address, reason", func(h *chat.Hub, o order) (int, error) {
		if (o.Person == "") == (o.Address == "") {
			return 0, errors.New("expected person or address")
		}
		h.Ban(o.Person, o.Address, time.Now().Add(time.Duration(o.Seconds)*time.Second))
		n := 0
		for _, s := range h.Sessions() {
			if o.Person != "" && s.Person().ID == o.Person || o.Address != "" && s.Address() == o.Address {
				s.Kick(o.Reason)
				n++
			}
		}
		return n, nil
	}},
	"unban": {"", "person, address", func(h *chat.Hub, o order) (int, error) {
		if (o.Person == "") == (o.Address == "") {
			return 0, errors.New("expected person or address")
		}
		h.Ban(o.Person, o.Address, time.Time{})
		return 1, nil
	}},
	"delete": {"room, cursor", "", func(h *chat.Hub, o order) (int, error) {
		at, err := chat.ParseCursor(o.Cursor)
		if err != nil {
			return 0, err
		}
		found, err := h.Delete(o.Room, at)
		if found {
			return 1, err
		}
		return 0, err
	}},
	"close": {"room", "reason", func(h *chat.Hub, o order) (int, error) {
		return h.CloseRoom(o.Room, cmp.Or(o.Reason, "an operator has closed the room")), nil
	}},
}

// maxSeconds is ten years.
const maxSeconds = 10 * 365 * 24 * 3600

// check holds the order to what an action needs and may have, and writes its
// address as sessions have it.
func (o *order) check(needs, may string) error {
	takes := strings.Split(needs+", "+may, ", ")
	for _, f := range []struct {
		name  string
		given bool
	}{{"room", o.Room != ""}, {"person", o.Person != ""}, {"cursor", o.Cursor != ""}, {"reason", o.Reason != ""}, {"seconds", o.Seconds != 0}, {"address", o.Address != ""}} {
		switch {
		case f.given && !slices.Contains(takes, f.name):
			return fmt.Errorf("this takes no %s; it needs %s", f.name, cmp.Or(needs, may))
		case !f.given && f.name != "seconds" && slices.Contains(strings.Split(needs, ", "), f.name):
			return errors.New("expected " + f.name)
		}
	}
	if strings.Contains(needs, "seconds") && (o.Seconds < 1 || o.Seconds > maxSeconds) {
		return errors.New("expected seconds, from 1 to ten years")
	}
	if len(o.Reason) > maxReason {
		return fmt.Errorf("a reason has at most %d bytes", maxReason)
	}
	if o.Address != "" {
		key, err := addressKey(o.Address)
		if err != nil {
			return err
		}
		o.Address = key
	}
	if o.Room != "" {
		return chat.CheckRoom(o.Room)
	}
	return nil
}

// maxReason is 200 characters, as the page has it, of any kind.
const maxReason = 800

// addressKey makes of an address, or of what /people gives as one, what a session
// has: of IPv6 the network.
func addressKey(text string) (string, error) {
	a, err := netip.ParseAddr(text)
	if p, perr := netip.ParsePrefix(text); perr == nil && p.Bits() == 64 && p.Addr().Is6() {
		a, err = p.Addr(), nil
	}
	if err != nil {
		return "", fmt.Errorf("%.64q is no address; expected one such as 192.0.2.7 or 2001:db8::7, or an IPv6 network /64", text)
	}
	return limitKey(a.Unmap().WithZone("")), nil
}

// ServeHTTP answers under /admin/api/.
func (a *admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	status, answer := a.answer(w, r)
	if text, ok := answer.(string); ok {
		answer = map[string]string{"text": text}
	}
	body, err := json.Marshal(answer)
	if err != nil { // impossible: texts and numbers
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

func (a *admin) answer(w http.ResponseWriter, r *http.Request) (int, any) {
	key := limitKey(a.gate.proxies.client(r))
	from := remote(a.gate.proxies.client(r))
	if wait := a.failed.Wait(key, 1, time.Now()); wait > 0 {
		retryAfter(w, wait)
		return http.StatusTooManyRequests, "your address has shown too many wrong keys; try again later"
	}
	if !bearer(r, a.key) {
		// Only one that shows a key guesses. Any page can make its visitor's
		// browser ask without, which is not to lock the visitor out.
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			a.failed.Take(key, 1, time.Now())
		}
		a.log.Warn("admin refused", "remote", from, "path", r.URL.Path)
		w.Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
		return http.StatusUnauthorized, "expected the header Authorization: Bearer, with the key that -admin-key-file names"
	}
	name := strings.TrimPrefix(r.URL.Path, adminAPI)
	if list := a.list(name); list != nil {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			return http.StatusMethodNotAllowed, "this takes GET"
		}
		answer, err := list(r)
		return a.outcome(w, answer, err)
	}
	action, ok := orders[name]
	if !ok {
		return http.StatusNotFound, "there is nothing here"
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		return http.StatusMethodNotAllowed, "this takes POST"
	}
	body, bad := jsonBody(w, r, maxAdminBody, "")
	if bad != nil {
		return bad.status, bad.text
	}
	var o order
	if err := readFields(body, []field{{"room", &o.Room}, {"person", &o.Person}, {"cursor", &o.Cursor}, {"reason", &o.Reason}, {"seconds", &o.Seconds}, {"address", &o.Address}}); err != nil {
		return http.StatusBadRequest, "the body: " + err.Error()
	}
	if err := o.check(action.needs, action.may); err != nil {
		return http.StatusUnprocessableEntity, err.Error()
	}
	n, err := action.do(a.hub, o)
	outcome := []any{"action", name, "remote", from, "person", o.Person, "room", o.Room, "address", o.Address, "cursor", o.Cursor, "seconds", o.Seconds, "count", n}
	if err != nil {
		outcome = append(outcome, "err", err.Error())
	}
	a.log.Info("admin", outcome...)
	return a.outcome(w, map[string]int{"count": n}, err)
}

// outcome is the answer to what succeeded or failed.
func (a *admin) outcome(w http.ResponseWriter, answer any, err error) (int, any) {
	if e, ok := errors.AsType[*chat.Error](err); ok {
		if e.Code == chat.CodeUnavailable || e.Code == chat.CodeTooManyRooms {
			retryAfter(w, time.Second)
			return http.StatusServiceUnavailable, e.Text
		}
		return http.StatusUnprocessableEntity, e.Text
	}
	if err != nil {
		return http.StatusUnprocessableEntity, err.Error()
	}
	return http.StatusOK, answer
}

// bearer compares the key that a request shows in a time that says nothing about
// the right one.
func bearer(r *http.Request, key [sha256.Size]byte) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(given)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], key[:]) == 1
}

// list is what can be asked for by GET, by the end of its path.
func (a *admin) list(name string) func(r *http.Request) (any, error) {
	switch name {
	case "rooms":
		return a.rooms
	case "people":
		return a.people
	case "messages":
		return a.messages
	}
	return nil
}

type adminRoom struct {
	Name     string `json:"name"`
	People   int    `json:"people"`
	Sessions int    `json:"sessions"`
}

func (a *admin) rooms(*http.Request) (any, error) {
	list := []adminRoom{}
	for _, r := range a.hub.Rooms() {
		list = append(list, adminRoom(r))
	}
	return map[string]any{"rooms": list}, nil
}

type adminSession struct {
	Person    string    `json:"person"`
	Name      string    `json:"name"`
	Account   bool      `json:"account"` // the name is vouched for; otherwise a guest's
	Session   string    `json:"session"` // as the log has it
	Address   string    `json:"address"`
	Transport string    `json:"transport"`
	Since     time.Time `json:"since"`
	Rooms     []string  `json:"rooms"`
}

// most bounds a list. What it leaves out can be asked for by room or by name.
const most = 1000

func (a *admin) people(r *http.Request) (any, error) {
	room, name := r.URL.Query().Get("room"), strings.ToLower(r.URL.Query().Get("name"))
	list := []adminSession{}
	for _, s := range a.hub.Sessions() {
		p, rooms := s.Person(), append([]string{}, s.Rooms()...) // in JSON a list, also where it is empty
		if room != "" && !slices.Contains(rooms, room) || name != "" && !strings.Contains(strings.ToLower(p.Name), name) {
			continue
		}
		one := adminSession{p.ID, p.Name, p.Account, sessionLabel(s), s.Address(), "websocket", s.Since().UTC().Truncate(time.Second), rooms}
		if _, ok := s.Codec().(sio.Codec); ok {
			one.Transport = "socket.io"
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b adminSession) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.Since.Compare(b.Since), strings.Compare(a.Session, b.Session))
	})
	return map[string]any{"people": list[:min(len(list), most)], "more": max(0, len(list)-most)}, nil
}

type adminMessage struct {
	Cursor  chat.Cursor `json:"cursor"`
	Time    time.Time   `json:"time"`
	Person  string      `json:"person"`
	Name    string      `json:"name"`
	Account bool        `json:"account"`
	Text    string      `json:"text"`
}

func (a *admin) messages(r *http.Request) (any, error) {
	var before chat.Cursor
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if before, err = chat.ParseCursor(text); err != nil {
			return nil, err
		}
	}
	page, err := a.hub.Messages(r.URL.Query().Get("room"), before, 50)
	if err != nil {
		return nil, err
	}
	list := []adminMessage{}
	for _, m := range page.Messages {
		list = append(list, adminMessage{m.Cursor, m.Time, m.From.ID, m.From.Name, m.From.Account, m.Text})
	}
	return map[string]any{"messages": list, "more": page.More}, nil
}

// Where an operator's page is, and what it asks.
const (
	adminPath = "/admin/"
	adminAPI  = adminPath + "api/"
)

// adminRoutes adds what an operator has, if there is a key.
func (a *app) adminRoutes(mux *http.ServeMux) {
	if a.set.adminKey == "" {
		mux.HandleFunc(adminPath, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "The operator's page is off. The option -admin-key-file turns it on.", http.StatusNotFound)
		})
		return
	}
	mux.Handle(adminAPI, &admin{key: sha256.Sum256([]byte(a.set.adminKey)), hub: a.hub, gate: a.gate, log: a.log, failed: newRateLimit(wrongKeys)})
	mux.Handle(adminPath, page())
}
