package plain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"framewright/chat"
	"framewright/ws"
)

// The types of PROTOCOL.md, as they go out.
type (
	wirePerson struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	wireWelcome struct {
		Type string     `json:"type"`
		You  wirePerson `json:"you"`
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
		Members   []wirePerson  `json:"members"`
		People    int           `json:"people"`
	}
	wireLeft struct {
		Type string `json:"type"`
		ID   string `json:"id,omitempty"`
		Room string `json:"room"`
	}
	wireAck struct {
		Type   string      `json:"type"`
		ID     string      `json:"id"`
		Room   string      `json:"room"`
		Cursor chat.Cursor `json:"cursor"`
		Time   wireTime    `json:"time"`
	}
	wirePresence struct {
		Type   string     `json:"type"`
		Room   string     `json:"room"`
		Who    wirePerson `json:"who"`
		Here   bool       `json:"here"`
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
	}
)

// wireTime has milliseconds, always three digits, so that the text sorts.
type wireTime time.Time

func (t wireTime) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

func person(p chat.Person) wirePerson { return wirePerson(p) }

func message(m *chat.Message) wireMessage {
	return wireMessage{Cursor: m.Cursor, Time: wireTime(m.Time), From: person(m.From), ID: m.ID, Text: m.Text}
}

// wire returns what stands for b on the wire; nil if b is not of this protocol.
func wire(b chat.Body) any {
	name := b.EventName()
	switch b := b.(type) {
	case chat.Welcome:
		return wireWelcome{name, person(b.You), b.Text}
	case chat.Joined:
		j := wireJoined{Type: name, ID: b.Ref, Room: b.Room, Cursor: b.Cursor, Recovered: b.Recovered, People: b.People,
			Messages: make([]wireMessage, len(b.Messages)), Members: make([]wirePerson, len(b.Members))}
		for i, m := range b.Messages {
			j.Messages[i] = message(m)
		}
		for i, p := range b.Members {
			j.Members[i] = person(p)
		}
		return j
	case chat.Left:
		return wireLeft{name, b.Ref, b.Room}
	case chat.Posted:
		m := message(b.Message)
		m.Type, m.Room = name, b.Message.Room
		return m
	case chat.Ack:
		return wireAck{name, b.ID, b.Room, b.Cursor, wireTime(b.Time)}
	case chat.Presence:
		return wirePresence{name, b.Room, person(b.Who), b.Here, b.People, wireTime(b.Time)}
	case chat.Typing:
		return wireTyping{name, b.Room, person(b.Who)}
	case chat.Notice:
		return wireNotice{name, b.Room, b.Text}
	case chat.Refusal:
		return wireError{name, b.Ref, string(b.Code), b.Text}
	}
	return nil
}

// Codec encodes events as text messages of this protocol. A packet's Value is a
// *ws.Prepared, so that the frame, too, is made once for all receivers.
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
	p, err := ws.Prepare(ws.OpText, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	if err != nil {
		return chat.Packet{}, err
	}
	return chat.Packet{Size: len(p.Data()), Value: p}, nil
}
