package socketio

import (
	"errors"

	"framewright/engineio"
)

// The types of packets.
const (
	PacketConnect      PacketType = typeConnect
	PacketDisconnect   PacketType = typeDisconnect
	PacketEvent        PacketType = typeEvent
	PacketAck          PacketType = typeAck
	PacketConnectError PacketType = typeConnectError // by servers only
	PacketBinaryEvent  PacketType = typeBinaryEvent
	PacketBinaryAck    PacketType = typeBinaryAck
)

// NoID is the id of a packet that neither asks for an acknowledgement nor is one.
const NoID = noID

// A Packet is a whole packet, for programs that speak the protocol themselves, such
// as package socketio/client. It is of use until its arguments were decoded: it may
// share memory with the messages in which it came.
type Packet struct {
	Type      PacketType
	Namespace string // begins with a slash
	ID        int64  // of the acknowledgement that is asked for, or of what this acknowledges
	Event     string // the name, of PacketEvent and PacketBinaryEvent
	Args      Args   // of events and acknowledgements
	Data      []byte // of PacketConnect and PacketConnectError: JSON, or nil
	Size      int    // bytes, its attachments included
}

// Offset returns the last argument if it is a string: where a server recovers
// connections, it says how far the client has come.
func (p *Packet) Offset() (offset string, ok bool) {
	list := p.Args.list
	if len(list) == 0 || list[len(list)-1].raw[0] != '"' {
		return "", false
	}
	err := list[len(list)-1].decode(&offset)
	return offset, err == nil
}

// Limits bound the packets that a [Decoder] takes. All of them are needed.
type Limits struct {
	Message     int // bytes of a packet, with its attachments
	Attachments int
	Args        int
	Depth       int // of nested JSON, the arguments' own array included
}

// A Decoder makes packets of the messages of an Engine.IO session, for one side of
// it. It is for one goroutine.
type Decoder struct {
	in     assembly
	limits Limits
}

// NewDecoder returns a decoder for a session that begins.
func NewDecoder(l Limits) *Decoder { return &Decoder{limits: l} }

// Add takes the next message. It returns the packet that is complete with it, or nil
// if attachments are still to come. After an error, a [*PacketError], the session's
// messages have lost their meaning.
func (d *Decoder) Add(m engineio.Message) (*Packet, error) {
	l := &d.limits
	p, size, err := d.in.add(m, limits{depth: l.Depth, args: l.Args + 1, attachments: l.Attachments, namespace: maxNamespace}, l.Message)
	if p == nil || err != nil {
		return nil, err
	}
	whole := &Packet{Type: p.typ, Namespace: p.namespace, ID: p.id, Data: p.data, Size: size, Args: Args{p.args}}
	if p.typ == typeEvent || p.typ == typeBinaryEvent {
		if whole.Event, err = p.event(); err != nil {
			return nil, err // parsePacket has seen to that
		}
		whole.Args.list = p.args[1:]
	}
	return whole, nil
}

// Encode returns the messages of a packet whose payload is values: the event's name
// and its arguments, those of an acknowledgement, or the one value, or none, of the
// other types. Type is one without attachments: if values hold a []byte at any depth,
// those are attachments, and the type is the one that has them.
func Encode(t PacketType, namespace string, id int64, values ...any) ([]engineio.Message, error) {
	if err := checkNamespace(namespace); err != nil {
		return nil, err
	}
	switch t {
	case typeEvent, typeAck:
	case typeConnect, typeDisconnect, typeConnectError:
		text := appendHead(nil, packet{typ: t, namespace: namespace, id: noID})
		var err error
		for _, v := range values {
			text, err = appendJSON(text, v)
		}
		return []engineio.Message{{Data: text}}, err
	default:
		return nil, errors.New("socketio: Encode takes the types without attachments")
	}
	text, attachments, err := encodeText(t, namespace, id, append([]any{}, values...))
	if err != nil {
		return nil, err
	}
	messages := append(make([]engineio.Message, 0, 1+len(attachments)), engineio.Message{Data: text})
	for _, a := range attachments {
		messages = append(messages, engineio.Binary(a))
	}
	return messages, nil
}

// CheckEvent says why a program's event cannot have a name, and CheckNamespace the
// same of a namespace.
func CheckEvent(name string) error     { return checkEvent(name) }
func CheckNamespace(name string) error { return checkNamespace(name) }
