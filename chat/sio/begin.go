package sio

import (
	"context"
	"errors"
	"slices"

	"framewright/chat"
	"framewright/socketio"
)

// connected greets the client and lets it hear the room from here on. One that
// was recovered has heard it up to here.
func (b *bridge) connected(ctx context.Context, s *socketio.Socket) error {
	session := SessionOf(s)
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
	session.Attend(&pump{b: b, s: s, session: session}, batchBytes)
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
	if id.Address == "" { // of another run, see Tickets
		id.Address = b.o.Address(ctx, s)
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
