package sio

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"framewright/chat"
	"framewright/socketio"
)

// connected greets the client and lets it hear the room from here on. One that
// was recovered has heard it up to here.
func (b *bridge) connected(ctx context.Context, s *socketio.Socket) error {
	session := sessionOf(s)
	if !s.Recovered() {
		if err := session.Join(b.o.Room, chat.Cursor{}, ""); err != nil {
			return b.notNow(s, err)
		}
		greeting, joined, meanwhile, err := begin(ctx, session)
		if err != nil {
			return err
		}
		place := joined.Cursor.String()
		s.SetOffset(place)
		if greeting.Text != "" {
			p, err := b.ns.Prepare("message", greeting.Text)
			if err != nil {
				return err
			}
			meanwhile = slices.Insert(meanwhile, 0, p.At(place))
		}
		for _, p := range meanwhile {
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
func begin(ctx context.Context, session *chat.Session) (w chat.Welcome, j chat.Joined, meanwhile []*socketio.Prepared, err error) {
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
	if err := session.Join(b.o.Room, place, ""); err != nil {
		return err
	}
	_, joined, meanwhile, err := begin(ctx, session)
	if err != nil {
		return err
	}
	if !joined.Recovered {
		return errors.New("what was missed is not kept any more")
	}
	for _, place := range joined.Deleted {
		p, err := b.codec.deleted(place)
		if err != nil {
			return err
		}
		meanwhile = append(meanwhile, p)
	}
	for _, m := range joined.Messages {
		p, err := b.codec.posted(m)
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

// pump sends what the hub has for the session until it is over. It takes no
// more than the client does: the rest waits in the session's own queue, which
// has the hub's bounds.
func (b *bridge) pump(s *socketio.Socket, session *chat.Session) {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	defer context.AfterFunc(session.Context(), func() {
		if errors.Is(session.Err(), chat.ErrSlow) {
			cancel() // nothing waits any more
			return
		}
		time.AfterFunc(b.o.FlushTimeout, cancel)
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
		case chat.Left: // the room is all that there is for it
			session.Kick(e.Reason)
		}
		if err == nil {
			continue
		}
		switch why := session.Err(); {
		case errors.Is(why, chat.ErrKicked), errors.Is(why, chat.ErrExpired), errors.Is(why, chat.ErrFlood):
			if errors.Is(why, chat.ErrKicked) { // a disconnect has no room for a reason
				if p, err := b.ns.Prepare("notice", map[string]string{"text": "You were " + strings.TrimPrefix(why.Error(), "chat: ") + "."}); err == nil {
					_ = s.Send(p)
				}
			}
			s.Disconnect() // and stays away
		default:
			s.Drop()
		}
		return
	}
}
