package sio

import (
	"encoding/json"
	"fmt"
	"time"

	"framewright/chat"
	"framewright/internal/strictjson"
	"framewright/socketio"
)

// auth is what a client may send when it connects.
type auth struct {
	name, secret, token string
	recover             bool
}

// UnmarshalJSON reads it as strictly as the other ways in do: a key once, and
// in its own case.
func (a *auth) UnmarshalJSON(b []byte) error {
	texts := map[string]*string{"name": &a.name, "secret": &a.secret, "token": &a.token}
	known := strictjson.Limits{Known: []string{"name", "secret", "token", "recover"}}
	return strictjson.Object(b, known, func(key string, v strictjson.Value) error {
		switch text := texts[key]; {
		case v.Kind == strictjson.Null:
		case text != nil && v.Kind == strictjson.String:
			*text = v.Text()
		case key == "recover" && v.Kind == strictjson.Bool:
			a.recover = v.Raw[0] == 't'
		case text != nil:
			return fmt.Errorf("%q must be a string, not %v", key, v.Kind)
		case key == "recover":
			return fmt.Errorf("%q must be true or false, not %v", key, v.Kind)
		}
		return nil
	})
}

// WantsRecovery tells whether a client has asked to get what it misses when it
// is cut. It is what [socketio.Recovery].Want should be: a client that has not
// asked does not expect the places that its messages would carry.
func WantsRecovery(s *socketio.Socket) bool {
	var auth auth
	return s.DecodeAuth(&auth) == nil && auth.recover
}

// Codec is the [chat.Codec] of the sessions that [Attach] makes: a session that
// has one is a Socket.IO client's.
type Codec struct {
	ns     *socketio.Namespace
	values bool // see Options.Values
}

// Encode implements [chat.Codec]. A body that has no event here is a packet
// without content; of a greeting, nothing goes out as it is.
func (c Codec) Encode(e *chat.Event) (chat.Packet, error) {
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

func (c Codec) deleted(place chat.Cursor) (*socketio.Prepared, error) {
	return c.ns.Prepare("deleted", map[string]string{"place": place.String()})
}

func (c Codec) posted(m *chat.Message) (*socketio.Prepared, error) {
	var said any = m.Text
	if c.values && isValue(m) {
		said = json.RawMessage(m.Text)
	}
	p, err := c.ns.Prepare("message", said)
	if err != nil {
		return nil, err
	}
	return p.At(m.Cursor.String()), nil
}
