package plain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"framewright/chat"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The types of PROTOCOL.md, as they go out.
type (
	wirePerson struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Account bool   `json:"account,omitempty"`
	}
	wireWelcome struct {
		Type    string     `json:"type"`
		You     wirePerson `json:"you"`
		Text    string     `json:"text"`
		Time    wireTime   `json:"time"`
		MaxText int        `json:"maxText,omitempty"`
		wireExpiry
	}
	wireRenamed struct {
		Type string     `json:"type"`
		You  wirePerson `json:"you"`
		Was  string     `json:"was"`
		Text string     `json:"text"`
	}
	wireMessage struct {
		Type   string      `json:"type,omitempty"`
		Room   string      `json:"room,omitempty"`
		Cursor chat.Cursor `json:"cursor"`
		Time   wireTime    `json:"time"`
		From   wirePerson  `json:"from"`
		ID     string      `json:"id,omitempty"`
		Text   string      `json:"text"`
	}
	wireJoined struct {
		Type      string        `json:"type"`
		ID        string        `json:"id,omitempty"`
		Room      string        `json:"room"`
		Cursor    chat.Cursor   `json:"cursor"`
		Recovered bool          `json:"recovered"`
		Messages  []wireMessage `json:"messages"`
		Deleted   []chat.Cursor `json:"deleted,omitempty"`
		Members   []wirePerson  `json:"members"`
		People    int           `json:"people"`
	}
	wireHistory struct {
		Type     string        `json:"type"`
		ID       string        `json:"id,omitempty"`
		Room     string        `json:"room"`
		Messages []wireMessage `json:"messages"`
		More     bool          `json:"more"`
	}
	wireLeft struct {
		Type   string `json:"type"`
		ID     string `json:"id,omitempty"`
		Room   string `json:"room"`
		Reason string `json:"reason,omitempty"`
	}
	wireAck struct {
		Type   string      `json:"type"`
		ID     string      `json:"id"`
		Room   string      `json:"room,omitempty"`
		Cursor chat.Cursor `json:"cursor,omitzero"`
		Time   wireTime    `json:"time"`
	}
	wirePrivate struct {
		Type string     `json:"type"`
		From wirePerson `json:"from"`
		To   wirePerson `json:"to"`
		ID   string     `json:"id"`
		Text string     `json:"text"`
		Time wireTime   `json:"time"`
	}
	wireDeleted struct {
		Type   string      `json:"type"`
		Room   string      `json:"room"`
		Cursor chat.Cursor `json:"cursor"`
	}
	wireMuted struct {
		Type  string   `json:"type"`
		Room  string   `json:"room,omitempty"`
		Until wireTime `json:"until"`
		Retry int64    `json:"retry"`
	}
	wireRefreshed struct {
		Type string `json:"type"`
		ID   string `json:"id,omitempty"`
		wireExpiry
	}
	// A wireExpiry says when, and also in how long: what the client's clock
	// shows is nobody's business.
	wireExpiry struct {
		Expires   wireTime `json:"expires,omitzero"`
		ExpiresIn int64    `json:"expiresIn,omitempty"`
	}
	wirePong struct {
		Type string   `json:"type"`
		ID   string   `json:"id,omitempty"`
		Time wireTime `json:"time"`
	}
	wireRestart struct {
		Type  string `json:"type"`
		Retry int64  `json:"retry"`
	}
	wirePresence struct {
		Type   string     `json:"type"`
		Room   string     `json:"room"`
		Who    wirePerson `json:"who"`
		Here   bool       `json:"here"`
		Was    string     `json:"was,omitempty"`
		People int        `json:"people"`
		Time   wireTime   `json:"time"`
	}
	wireTyping struct {
		Type string     `json:"type"`
		Room string     `json:"room"`
		Who  wirePerson `json:"who"`
	}
	wireNotice struct {
		Type string `json:"type"`
		Room string `json:"room,omitempty"`
		Text string `json:"text"`
	}
	wireError struct {
		Type string `json:"type"`
		ID   string `json:"id,omitempty"`
		Code string `json:"code"`
		Text string `json:"text"`

		Retry int64 `json:"retry,omitempty"`
	}
)

// wireTime has milliseconds, always three digits, so that the text sorts.
type wireTime time.Time

func (t wireTime) IsZero() bool { return time.Time(t).IsZero() }

func (t wireTime) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

func person(p chat.Person) wirePerson { return wirePerson(p) }

func message(m *chat.Message) wireMessage {
	return wireMessage{Cursor: m.Cursor, Time: wireTime(m.Time), From: person(m.From), ID: m.ID, Text: m.Text}
}

func messages(ms []*chat.Message) []wireMessage {
	out := make([]wireMessage, len(ms)) // never nil: [] on the wire, not null
	for i, m := range ms {
		out[i] = message(m)
	}
	return out
}

// A pong answers a ping, with the request's id. It is this protocol's own: what
// a hub never says.
type pong struct{ ref string }

// EventName implements [chat.Body].
func (pong) EventName() string { return "pong" }

// expiry is that of a session; zero if it has none.
func expiry(t time.Time) (x wireExpiry) {
	if !t.IsZero() {
		x = wireExpiry{wireTime(t), max(1, milliseconds(time.Until(t)))}
	}
	return x
}

// milliseconds rounds up: 0 means that there is nothing to wait for.
func milliseconds(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// wire returns what stands for b on the wire; nil if b is not of this protocol.
func wire(b chat.Body) any {
	name := b.EventName()
	switch b := b.(type) {
	case chat.Welcome:
		return wireWelcome{name, person(b.You), b.Text, wireTime(time.Now()), b.MaxText, expiry(b.Expires)}
	case chat.Renamed:
		return wireRenamed{name, person(b.You), b.Was, b.Text}
	case chat.Joined:
		j := wireJoined{Type: name, ID: b.Ref, Room: b.Room, Cursor: b.Cursor, Recovered: b.Recovered, People: b.People,
			Messages: messages(b.Messages), Deleted: b.Deleted, Members: make([]wirePerson, len(b.Members))}
		for i, p := range b.Members {
			j.Members[i] = person(p)
		}
		return j
	case chat.Left:
		return wireLeft{name, b.Ref, b.Room, b.Reason}
	case chat.History:
		return wireHistory{name, b.Ref, b.Room, messages(b.Messages), b.More}
	case chat.Private:
		return wirePrivate{name, person(b.From), person(b.To), b.ID, b.Text, wireTime(b.Time)}
	case chat.Deleted:
		return wireDeleted{name, b.Room, b.Cursor}
	case chat.Muted:
		return wireMuted{name, b.Room, wireTime(b.Until), max(0, milliseconds(time.Until(b.Until)))}
	case chat.Refreshed:
		return wireRefreshed{name, b.Ref, expiry(b.Expires)}
	case pong:
		return wirePong{name, b.ref, wireTime(time.Now())}
	case chat.Restart:
		return wireRestart{name, milliseconds(b.Retry)}
	case chat.Posted:
		m := message(b.Message)
		m.Type, m.Room = name, b.Message.Room
		return m
	case chat.Ack:
		return wireAck{name, b.ID, b.Room, b.Cursor, wireTime(b.Time)}
	case chat.Presence:
		return wirePresence{name, b.Room, person(b.Who), b.Here, b.Was, b.People, wireTime(b.Time)}
	case chat.Typing:
		return wireTyping{name, b.Room, person(b.Who)}
	case chat.Notice:
		return wireNotice{name, b.Room, b.Text}
	case chat.Refusal:
		return wireError{name, b.Ref, string(b.Code), b.Text, milliseconds(b.Retry)}
	}
	return nil
}

// Codec encodes events as text messages of this protocol. A packet's Value is a
// *wsnet.Prepared, so that the frame, too, is made once for all receivers.
type Codec struct{}

// Encode implements [chat.Codec].
func (Codec) Encode(e *chat.Event) (chat.Packet, error) {
	v := wire(e.Body)
	if v == nil {
		return chat.Packet{}, fmt.Errorf("chat/plain: no message type for %T", e.Body)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // pages insert it as text; traces stay readable
	if err := enc.Encode(v); err != nil {
		return chat.Packet{}, err
	}
	p, err := wsnet.Prepare(ws.OpText, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	if err != nil {
		return chat.Packet{}, err
	}
	return chat.Packet{Size: len(p.Data()), Value: p}, nil
}
