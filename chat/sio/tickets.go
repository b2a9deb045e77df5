package sio

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"framewright/chat"
	"framewright/socketio"
)

// Tickets let clients come back to the next run of a server, after a restart or a crash,
// as who they were. The secret with which a client may come back then is a ticket: it says
// whose session it was, sealed (AES-256-GCM) with a key that the server keeps beside its
// history, so that no client can read or make one. What the client has missed comes from
// the history, by the place that it brings.
//
//	tickets, err := sio.NewTickets(key)
//	…
//	recovery := &socketio.Recovery{Want: sio.WantsRecovery, Seal: tickets.Seal, Open: tickets.Open}
//
// Nothing is written for a ticket, so a crash loses none. It is good in another run than
// the one that has made it, [TicketWindow] from that run's beginning, once, and
// [TicketAge] from when it was made, but no longer than its person's token. In the run
// that has made it, the socket itself is remembered, or was ended for a reason.
//
// Who has a client's ticket can be that client for as long, as with its secret: it is for
// the client alone, and travels as its secret does.
type Tickets struct {
	seal  cipher.AEAD
	run   string // of this run alone
	began time.Time

	mu    sync.Mutex
	spent map[string]struct{} // of sockets that have come back
}

// How long a ticket is good.
const (
	TicketWindow = 2 * time.Minute    // from the beginning of the run to which a client comes back
	TicketAge    = 7 * 24 * time.Hour // since its client connected as a new one
)

// TicketKey is how many bytes a key has, which should be random.
const TicketKey = 32

// Both bound what a run remembers and reads.
const (
	maxSpent  = 100_000 // tickets; past it, clients are new ones
	maxTicket = 2048    // bytes
)

// A ticket is what is sealed.
type ticket struct {
	Run     string      `json:"r"`
	Made    time.Time   `json:"m"`
	Socket  string      `json:"s"` // its ID
	Person  chat.Person `json:"p"`
	Expires time.Time   `json:"e,omitzero"`
}

// NewTickets returns the tickets of a run that begins now. The error is of a key that is
// none.
func NewTickets(key []byte) (*Tickets, error) {
	if len(key) != TicketKey {
		return nil, fmt.Errorf("sio: the key of the tickets has %d bytes: expected %d", len(key), TicketKey)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sio: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sio: %w", err)
	}
	return &Tickets{seal: seal, run: rand.Text(), began: time.Now(), spent: make(map[string]struct{})}, nil
}

// purpose keeps what is sealed for one namespace from being taken for something else.
func purpose(namespace string) []byte { return []byte("framewright chat/sio ticket 1 " + namespace) }

// Seal is a [socketio.Recovery].Seal: the ticket of a socket that chats, "" of another.
func (k *Tickets) Seal(s *socketio.Socket) string {
	id, ok := s.Context().Value(identityKey{}).(chat.Identity)
	if !ok {
		return ""
	}
	text, err := json.Marshal(ticket{k.run, time.Now().UTC().Truncate(time.Second), s.ID(), id.Person, id.Expires})
	if err != nil {
		return "" // a time beyond the year 9999
	}
	return base64.RawURLEncoding.EncodeToString(k.seal.Seal(nil, nil, text, purpose(s.Namespace().Name())))
}

// Open is a [socketio.Recovery].Open.
func (k *Tickets) Open(s *socketio.Socket, secret string) (socketio.Past, error) {
	t, err := k.read(s.Namespace().Name(), secret, time.Now())
	if err != nil {
		return socketio.Past{}, fmt.Errorf("sio: a ticket %w", err)
	}
	s.SetValue(identityKey{}, chat.Identity{Person: t.Person, Expires: t.Expires})
	return socketio.Past{ID: t.Socket}, nil
}

// read takes a ticket, which is not good any more then. The errors go on behind "a
// ticket".
func (k *Tickets) read(namespace, secret string, now time.Time) (t ticket, err error) {
	if len(secret) > maxTicket {
		return t, fmt.Errorf("of %d bytes; expected at most %d", len(secret), maxTicket)
	}
	sealed, err := base64.RawURLEncoding.DecodeString(secret)
	if err == nil {
		sealed, err = k.seal.Open(nil, nil, sealed, purpose(namespace))
	}
	if err != nil {
		return t, errors.New("that this server has not made")
	}
	if err := json.Unmarshal(sealed, &t); err != nil {
		return t, fmt.Errorf("of another version: %w", err)
	}
	switch {
	case t.Run == k.run:
		return t, errors.New("of this run, in which its socket is over")
	case now.Sub(k.began) > TicketWindow:
		return t, fmt.Errorf("that comes more than %v after the server began", TicketWindow)
	case now.Sub(t.Made) > TicketAge:
		return t, fmt.Errorf("older than %v", TicketAge)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.spent[t.Socket]; ok {
		return t, errors.New("that was taken already")
	}
	if len(k.spent) >= maxSpent {
		return t, fmt.Errorf("past the %d of one run", maxSpent)
	}
	k.spent[t.Socket] = struct{}{}
	return t, nil
}
