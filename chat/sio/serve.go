package sio

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"framewright/chat"
	"framewright/internal/address"
	"framewright/socketio"
)

// Options of [Attach]. A zero field has its default.
type Options struct {
	// Room is where the clients chat: "lobby" by default. [Attach] panics for
	// one that the hub would not have.
	Room string

	// FlushTimeout is how long a session that was ended may take to be sent
	// what was queued for it before: 3 s by default. One that is too slow has
	// none.
	FlushTimeout time.Duration

	// Address says where a client comes from, for the hub's limit on sessions
	// from one address. Default: the handshake's remote address without its
	// port; behind a proxy the program knows better. Empty is not counted. ctx
	// has the values that the Engine.IO session's Connect function gave.
	Address func(ctx context.Context, s *socketio.Socket) string

	// Values passes a message on that is no text: an object, a list, a number,
	// true or false. Everybody gets it as it is. To the hub, and to clients of
	// other transports, it is a message whose text is its JSON, bounded as
	// other texts are, with an ID that begins with [ValuePrefix]. Bytes are
	// refused.
	Values bool

	// Secret, if not nil, is asked about a client that brings neither a secret
	// nor a token, with the name that it wants, which may be empty: a program
	// that knows it again, by a cookie for example, returns a secret of 16 to
	// 128 bytes that nobody else has, or nothing. Then it is the same person as
	// before, and without a name it is the same guest.
	Secret func(ctx context.Context, s *socketio.Socket, name string) string
}

// Attach lets the clients that connect to a namespace chat. It takes the
// namespace's Use, OnConnect and OnRecover, and the event "message". Call it
// before the namespace's server serves; o may be nil.
func Attach(hub *chat.Hub, ns *socketio.Namespace, o *Options) {
	b := &bridge{hub: hub, ns: ns, codec: Codec{ns: ns}}
	if o != nil {
		b.o = *o
	}
	b.codec.values = b.o.Values
	b.o.Room = cmp.Or(b.o.Room, "lobby")
	b.o.FlushTimeout = cmp.Or(b.o.FlushTimeout, 3*time.Second)
	if b.o.Address == nil {
		b.o.Address = remoteHost
	}
	if err := chat.CheckRoom(b.o.Room); err != nil {
		panic(err)
	}
	ns.Use(b.admit)
	ns.OnConnect(b.connected)
	ns.OnRecover(b.recover)
	socketio.On(ns, "message", b.message)
}

func remoteHost(_ context.Context, s *socketio.Socket) string {
	host, ok := address.Host(s.Request().RemoteAddr)
	if !ok {
		return "" // not a network's address
	}
	return host
}

// A bridge is a hub and the namespace whose clients chat there.
type bridge struct {
	hub   *chat.Hub
	ns    *socketio.Namespace
	codec Codec
	o     Options
}

// The keys of what a socket's context knows.
type (
	identityKey struct{} // of chat.Identity
	sessionKey  struct{} // of *chat.Session
)

// admit says who a client is, or refuses it.
func (b *bridge) admit(ctx context.Context, s *socketio.Socket) error {
	var auth auth
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	secret := auth.secret
	if secret == "" && auth.token == "" && b.o.Secret != nil {
		secret = b.o.Secret(ctx, s, auth.name)
	}
	if auth.name == "" {
		auth.name = guestName(secret)
	}
	id, err := b.hub.Authenticate(ctx, chat.Credentials{Name: auth.name, Secret: secret, Token: auth.token})
	if err != nil {
		return b.refusal(err)
	}
	if id.Person.ID == "" {
		id.Person.ID = chat.NewGuestID() // the same after a cut
	}
	id.Address = b.o.Address(ctx, s)
	_, err = b.enter(s, id)
	if e, ok := errors.AsType[*chat.Error](err); ok && e.Code == chat.CodeNameTaken && auth.secret == "" && auth.token == "" {
		// It may be this client's own name, from a connection that is gone
		// and not known to be: without a secret it cannot say so.
		id.Person.Name += " " + strings.ToLower(rand.Text()[:4])
		_, err = b.enter(s, id)
	}
	return err
}

// guestName is what a guest is called who wants no name: the same as before if
// it has a secret.
func guestName(secret string) string {
	chance := rand.Text()
	if secret != "" {
		sum := sha256.Sum256([]byte("framewright guest name\x00" + secret))
		chance = base32.StdEncoding.EncodeToString(sum[:])
	}
	return "guest " + strings.ToLower(chance[:6])
}

// enter registers a session of the hub, which ends with the socket.
func (b *bridge) enter(s *socketio.Socket, id chat.Identity) (*chat.Session, error) {
	session, err := b.hub.Admit(id, b.codec)
	if err != nil {
		return nil, b.notNow(s, err)
	}
	s.SetValue(identityKey{}, id)
	s.SetValue(sessionKey{}, session)
	ctx := s.Context()
	context.AfterFunc(ctx, func() { session.Close(departed(context.Cause(ctx))) })
	return session, nil
}

// departed is why a session is over, as the Disconnected hook should hear it:
// nil if the client simply went.
func departed(err error) error {
	if e, ok := errors.AsType[*socketio.ClosedError](err); ok {
		switch e.Reason {
		case socketio.Flood:
			return chat.ErrFlood
		case socketio.ClientDisconnect, socketio.TransportClose, socketio.Replaced:
			return nil
		}
	}
	return err
}

// notNow is refusal for what keeps a client from connecting. If that will pass,
// its connection is closed: so it comes back by itself, as it does not after it
// was refused.
func (b *bridge) notNow(s *socketio.Socket, err error) error {
	if e, ok := errors.AsType[*chat.Error](err); ok && e.Code == chat.CodeUnavailable {
		s.Drop()
	}
	return b.refusal(err)
}

// refusal is what a client gets to read of an error of the hub's.
func (b *bridge) refusal(err error) error {
	f, ok := b.hub.Refusal("", err)
	if !ok {
		return err
	}
	data := map[string]any{"code": f.Code}
	if f.Retry > 0 {
		data["retry"] = f.Retry.Milliseconds()
	}
	return &socketio.Error{Message: f.Text, Data: data, Err: err}
}

// SessionOf is the hub's session of a socket that chats, nil of another.
func SessionOf(s *socketio.Socket) *chat.Session {
	session, _ := s.Context().Value(sessionKey{}).(*chat.Session)
	return session
}

// sendTimeout bounds how long a message may wait for its turn.
const sendTimeout = 10 * time.Second

// message is what a client says. With an id of its own, which another string
// behind the text gives, it may be sent again without being said twice. It stands
// in the socket's line until it was said: the session needs no second one.
func (b *bridge) message(ctx context.Context, s *socketio.Socket, args socketio.Args) error {
	session := SessionOf(s)
	text, id, err := b.textOf(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	over := session.Run(ctx, func() {
		if err = session.Request(); err == nil {
			err = session.Send(b.o.Room, id, text)
		}
	})
	if err = cmp.Or(over, err); err != nil {
		return b.refusal(err)
	}
	return nil
}
