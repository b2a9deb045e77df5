package sio

import (
	"errors"
	"strings"
	"time"

	"framewright/chat"
	"framewright/internal/ending"
	"framewright/socketio"
)

// batchBytes is how much is taken out of a session's queue at a time. It no longer
// counts there, so it is small beside one.
const batchBytes = 16 << 10

// A pump sends what the hub has for the session until it is over. It takes little
// more than the client does: the rest waits in the session's own queue, which has the
// hub's bounds.
type pump struct {
	b       *bridge
	s       *socketio.Socket
	session *chat.Session
	patient ending.Context // ends when what waits for this client is not to be waited for
}

// Write implements [chat.Writer].
func (p *pump) Write(batch []chat.Packet) error {
	if err := p.s.Ready(&p.patient); err != nil {
		return err
	}
	var room [16]*socketio.Prepared
	events, left := room[:0], (*chat.Left)(nil)
	for _, packet := range batch {
		switch e := packet.Value.(type) {
		case *socketio.Prepared:
			events = append(events, e)
		case chat.Left: // the room is all that there is for it
			left = &e
		}
	}
	err := p.s.SendBatch(events...)
	if left != nil {
		p.session.Kick(left.Reason)
	}
	return err
}

// Over implements [chat.Writer].
func (p *pump) Over(reason error) {
	if errors.Is(reason, chat.ErrSlow) || p.s.Context().Err() != nil { // nothing waits any more, or nobody
		p.patient.End()
		return
	}
	time.AfterFunc(p.b.o.FlushTimeout, p.patient.End)
}

// End implements [chat.Writer]: it ends the socket.
func (p *pump) End(error) {
	switch why := p.session.Err(); {
	case errors.Is(why, chat.ErrKicked), errors.Is(why, chat.ErrExpired), errors.Is(why, chat.ErrFlood):
		if errors.Is(why, chat.ErrKicked) { // a disconnect has no room for a reason
			if e, err := p.b.ns.Prepare("notice", map[string]string{"text": "You were " + strings.TrimPrefix(why.Error(), "chat: ") + "."}); err == nil {
				_ = p.s.Send(e)
			}
		}
		p.s.Disconnect() // and stays away
	default:
		p.s.Drop()
	}
}
