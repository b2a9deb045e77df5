package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"framewright/chat"
	"framewright/engineio"
	"framewright/internal/strictjson"
	"framewright/socketio"
)

// socketRoom is the room in which clients of Socket.IO chat: the one in which
// the native page begins.
const socketRoom = "lobby"

// A bridge lets Socket.IO clients chat. Each is a session of the hub and a
// member of the lobby, like one of the native page, and sees the same order.
//
// What a client sends as "message" with a string goes to everyone in the lobby,
// and what is said there comes as "message" with a string. Who connects is
// greeted by a "message" of its own. As auth a client may give its name and
// secret, and {recover: true}, with which its messages carry their place in the
// room as one more argument, from where it goes on after a short cut.
type bridge struct {
	hub   *chat.Hub
	io    *socketio.Server
	flush time.Duration // how long what waits for a session that is over may take to be sent
}

// The keys of what a socket's context knows.
type (
	identityKey struct{} // of chat.Identity
	sessionKey  struct{} // of *chat.Session
)

// auth is what a client may send when it connects.
type auth struct {
	Name, Secret, Token string
	Recover             bool
}

// UnmarshalJSON reads it as strictly as the other ways in do: a key once, and
// in its own case.
func (a *auth) UnmarshalJSON(b []byte) error {
	texts := map[string]*string{"name": &a.Name, "secret": &a.Secret, "token": &a.Token}
	known := strictjson.Limits{Known: []string{"name", "secret", "token", "recover"}}
	return strictjson.Object(b, known, func(key string, v strictjson.Value) error {
		switch text := texts[key]; {
		case v.Kind == strictjson.Null:
		case text != nil && v.Kind == strictjson.String:
			*text = v.Text()
		case key == "recover" && v.Kind == strictjson.Bool:
			a.Recover = v.Raw[0] == 't'
		case text != nil:
			return fmt.Errorf("%q must be a string, not %v", key, v.Kind)
		case key == "recover":
			return fmt.Errorf("%q must be true or false, not %v", key, v.Kind)
		}
		return nil
	})
}

// socketIO makes the Socket.IO server of an app whose hub is there.
func (a *app) socketIO() (*socketio.Server, error) {
	o := &socketio.Options{
		Engine: engineio.Options{
			OriginPatterns:        a.set.origins,
			MaxPayload:            int(a.set.maxMessage),
			QueueBytes:            a.set.queue,
			MaxSessions:           cmp.Or(a.set.maxConns, -1),
			MaxSessionsPerAddress: cmp.Or(a.set.maxPerAddress, -1),
			ByteRate:              cmp.Or(a.set.byteRate, -1),
			AddressByteRate:       cmp.Or(a.set.addressByteRate, -1),
			IdleRate:              cmp.Or(a.set.idleRate, -1),
			Address:               func(r *http.Request) string { return a.gate.countKey(r) },
			Remote:                func(r *http.Request) string { return remote(a.gate.proxies.client(r)) },
			Connect:               a.gate.withClient,
			// A client that polls asks again at once; one that does not is
			// not to hold up a drain.
			CloseTimeout: max(min(5*time.Second, a.set.drain/2), time.Millisecond),
		},
		ConnectTimeout: a.set.helloTimeout,
		MaxMessage:     int(a.set.maxMessage),
		PacketRate:     cmp.Or(a.set.packetRate, -1),
		ByteRate:       -1, // the layer below counts
		IdleRate:       cmp.Or(5*a.set.idleRate, -1),
		Recovery: &socketio.Recovery{Want: func(s *socketio.Socket) bool {
			var auth auth
			return s.DecodeAuth(&auth) == nil && auth.Recover
		}},
		Logger: a.log,
	}
	o.Engine.WebSocket.WriteTimeout = a.set.writeTimeout
	o.Engine.WebSocket.PingRate = cmp.Or(a.set.idleRate, -1)
	o.Engine.WebSocket.Hosts = []string{"*"} // ownHosts has looked
	o.Engine.WebSocket.MaxHeaderBytes = -1   // gate.headers has looked
	io, err := socketio.New(o)
	if err != nil {
		return nil, err
	}
	(&bridge{hub: a.hub, io: io, flush: min(3*time.Second, a.set.drain/4)}).serve()
	return io, nil
}

// serve has the bridge hear of its clients.
func (b *bridge) serve() {
	b.io.Use(b.admit)
	b.io.OnConnect(b.connected)
	b.io.OnRecover(b.recover)
	socketio.On2(b.io, "message", b.message)
}

// admit says who a client is, or refuses it.
func (b *bridge) admit(ctx context.Context, s *socketio.Socket) error {
	var auth auth
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	if auth.Name == "" {
		auth.Name = "guest " + strings.ToLower(rand.Text()[:6])
	}
	id, err := b.hub.Authenticate(ctx, chat.Credentials{Name: auth.Name, Secret: auth.Secret, Token: auth.Token})
	if err != nil {
		return b.refusal(err)
	}
	if id.Person.ID == "" {
		id.Person.ID = chat.NewGuestID() // the same after a cut
	}
	id.Address = limitKey(clientOf(ctx).addr)
	_, err = b.enter(s, id)
	if e, ok := errors.AsType[*chat.Error](err); ok && e.Code == chat.CodeNameTaken && auth.Secret == "" && auth.Token == "" {
		// It may be this client's own name, from a connection that is gone
		// and not known to be: without a secret it cannot say so.
		id.Person.Name += " " + strings.ToLower(rand.Text()[:4])
		_, err = b.enter(s, id)
	}
	return err
}

// enter registers a session of the hub, which ends with the socket.
func (b *bridge) enter(s *socketio.Socket, id chat.Identity) (*chat.Session, error) {
	session, err := b.hub.Admit(id, socketCodec{b.io.Namespace})
	if err != nil {
		return nil, b.notNow(s, err)
	}
	s.SetValue(identityKey{}, id)
	s.SetValue(sessionKey{}, session)
	ctx := s.Context()
	context.AfterFunc(ctx, func() { session.Close(departed(context.Cause(ctx))) })
	return session, nil
}

// departed is why a session is over, as the log should have it: nil if the
// client simply went.
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

// sessionOf is the session that admit or recover has made.
func sessionOf(s *socketio.Socket) *chat.Session {
	session, _ := s.Context().Value(sessionKey{}).(*chat.Session)
	return session
}

// connected greets the client and lets it hear the room from here on. One that
// was recovered has heard it up to here.
func (b *bridge) connected(ctx context.Context, s *socketio.Socket) error {
	session := sessionOf(s)
	if !s.Recovered() {
		if err := session.Join(socketRoom, chat.Cursor{}, ""); err != nil {
			return b.notNow(s, err)
		}
		greeting, joined, meanwhile, err := b.begin(ctx, session)
		if err != nil {
			return err
		}
		place := joined.Cursor.String()
		s.SetOffset(place)
		p, err := b.io.Prepare("message", greeting.Text)
		if err != nil {
			return err
		}
		for _, p := range append([]*socketio.Prepared{p.At(place)}, meanwhile...) {
			if err := s.Send(p); err != nil {
				return nil // it has gone again
			}
		}
	}
	go b.pump(s, session)
	return nil
}

// begin takes the two events with which a session in a room begins, and what
// came for it between them: that it is called something else now, for example.
func (b *bridge) begin(ctx context.Context, session *chat.Session) (w chat.Welcome, j chat.Joined, meanwhile []*socketio.Prepared, err error) {
	for {
		p, err := session.Next(ctx)
		if err != nil {
			return w, j, nil, err
		}
		switch body := p.Value.(type) {
		case chat.Welcome:
			w = body
		case chat.Joined:
			return w, body, meanwhile, nil
		case *socketio.Prepared:
			meanwhile = append(meanwhile, body)
		}
	}
}

// recover gives a client that was cut what it has missed, and takes away what was
// deleted meanwhile.
func (b *bridge) recover(ctx context.Context, s *socketio.Socket, since string) error {
	id, ok := ctx.Value(identityKey{}).(chat.Identity)
	if !ok {
		return errors.New("the socket was never admitted")
	}
	place, err := chat.ParseCursor(since)
	if err != nil || place.IsZero() {
		return errors.New("not a place in the room")
	}
	session, err := b.enter(s, id)
	if err != nil {
		return err
	}
	if err := session.Join(socketRoom, place, ""); err != nil {
		return err
	}
	_, joined, meanwhile, err := b.begin(ctx, session)
	if err != nil {
		return err
	}
	if !joined.Recovered {
		return errors.New("what was missed is not kept any more")
	}
	codec := socketCodec{b.io.Namespace}
	for _, place := range joined.Deleted {
		p, err := codec.deleted(place)
		if err != nil {
			return err
		}
		meanwhile = append(meanwhile, p)
	}
	for _, m := range joined.Messages {
		p, err := codec.posted(m)
		if err != nil {
			return err
		}
		meanwhile = append(meanwhile, p)
	}
	for _, p := range meanwhile {
		if err := s.Send(p); err != nil {
			return err
		}
	}
	return nil
}

// pump sends what the hub has for the session until it is over.
func (b *bridge) pump(s *socketio.Socket, session *chat.Session) {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	defer context.AfterFunc(session.Context(), func() {
		if errors.Is(session.Err(), chat.ErrSlow) {
			cancel() // nothing waits any more
			return
		}
		time.AfterFunc(b.flush, cancel)
	})()
	for {
		err := s.Ready(ctx)
		var p chat.Packet
		if err == nil {
			p, err = session.Next(ctx)
		}
		switch e := p.Value.(type) {
		case *socketio.Prepared:
			if err == nil {
				err = s.Send(e)
			}
		case chat.Left: // the lobby is all that there is for it
			session.Kick(e.Reason)
		}
		if err == nil {
			continue
		}
		switch why := session.Err(); {
		case errors.Is(why, chat.ErrKicked), errors.Is(why, chat.ErrExpired), errors.Is(why, chat.ErrFlood):
			s.Disconnect() // and stays away
		default:
			s.Drop()
		}
		return
	}
}

// sendTimeout bounds what one message may take.
const sendTimeout = 10 * time.Second

// message is what a client says. With an id of its own, which another string
// behind the text gives, it may be sent again without being said twice.
func (b *bridge) message(ctx context.Context, s *socketio.Socket, text, id string) error {
	session := sessionOf(s)
	if id == "" {
		id = rand.Text()
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	done := make(chan error, 1)
	err := session.Do(ctx, func() {
		err := session.Request()
		if err == nil {
			err = session.Send(socketRoom, id, text)
		}
		done <- err
	})
	if err == nil {
		select {
		case err = <-done:
		case <-session.Context().Done():
			err = session.Err()
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return b.refusal(err)
	}
	return nil
}

// socketCodec encodes what a Socket.IO client in the lobby gets to hear.
type socketCodec struct{ ns *socketio.Namespace }

// Encode implements [chat.Codec]. A body that has no event here is a packet
// without content; of a greeting, nothing goes out as it is.
func (c socketCodec) Encode(e *chat.Event) (chat.Packet, error) {
	var p *socketio.Prepared
	var err error
	switch body := e.Body.(type) {
	case chat.Welcome, chat.Joined, chat.Left:
		return chat.Packet{Value: body}, nil
	case chat.Deleted:
		p, err = c.deleted(body.Cursor)
	case chat.Muted:
		p, err = c.ns.Prepare("notice", map[string]string{"text": mutedText(body)})
	case chat.Posted:
		p, err = c.posted(body.Message)
	case chat.Notice:
		p, err = c.ns.Prepare("notice", map[string]string{"text": body.Text})
	case chat.Presence:
		presence := map[string]any{"name": body.Who.Name, "here": body.Here, "people": body.People}
		if body.Who.Account {
			presence["account"] = true
		}
		if body.Was != "" {
			presence["was"] = body.Was
		}
		p, err = c.ns.Prepare("presence", presence)
	case chat.Renamed:
		p, err = c.ns.Prepare("renamed", map[string]string{"name": body.You.Name, "was": body.Was, "text": body.Text})
	default:
		return chat.Packet{}, nil
	}
	if err != nil {
		return chat.Packet{}, err
	}
	return chat.Packet{Size: p.Size(), Value: p}, nil
}

func mutedText(m chat.Muted) string {
	if left := time.Until(m.Until).Round(time.Second); left > 0 {
		return "You may not write for " + left.String() + "."
	}
	return "You may write again."
}

func (c socketCodec) deleted(place chat.Cursor) (*socketio.Prepared, error) {
	return c.ns.Prepare("deleted", map[string]string{"place": place.String()})
}

func (c socketCodec) posted(m *chat.Message) (*socketio.Prepared, error) {
	p, err := c.ns.Prepare("message", m.Text)
	if err != nil {
		return nil, err
	}
	return p.At(m.Cursor.String()), nil
}
