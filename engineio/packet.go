package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A Message is what the two sides exchange: text, which is UTF-8, or binary.
type Message struct {
	Binary bool
	Data   []byte
}

// Text returns s as a message.
func Text(s string) Message { return Message{Data: []byte(s)} }

// Binary returns b, which is not copied, as a message.
func Binary(b []byte) Message { return Message{Binary: true, Data: b} }

// A packet begins with its type, as text:
//
//	type (1 digit), data
//
// A binary message has another form. In a polling payload it is the letter b
// and the data in base64; on a WebSocket it is the data, as a binary message.
// A payload is one or more packets with U+001E between them.
const (
	typeOpen    = '0' // server: the handshake, as JSON
	typeClose   = '1'
	typePing    = '2' // server: heartbeat; client: "2probe"
	typePong    = '3' // client: heartbeat; server: "3probe"
	typeMessage = '4'
	typeUpgrade = '5' // client: the WebSocket takes over
	typeNoop    = '6' // server: to end a request that waits

	base64Mark = 'b'
	separator  = 0x1e
)

// parsePacket reads one packet in its text form. The content is a part of b,
// or decoded from it.
func parsePacket(b []byte) (kind byte, m Message, err error) {
	if len(b) == 0 {
		return 0, m, errors.New("an empty packet; expected a type, 0 to 6")
	}
	switch kind = b[0]; {
	case kind == base64Mark:
		data := b[1:]
		// Go's decoder skips line ends, which would hide what came.
		if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
			return 0, m, fmt.Errorf("a binary packet with a line end at byte %d; expected base64", i+1)
		}
		m.Binary = true
		m.Data = make([]byte, base64.StdEncoding.DecodedLen(len(data)))
		n, err := base64.StdEncoding.Strict().Decode(m.Data, data)
		if err != nil {
			return 0, Message{}, fmt.Errorf("a binary packet of %d bytes: %w", len(b), err)
		}
		m.Data = m.Data[:n]
		return typeMessage, m, nil
	case kind < typeOpen || kind > typeNoop:
		return 0, m, fmt.Errorf("packet type %q; expected 0 to 6, or b", kind)
	case !utf8.Valid(b):
		return 0, m, fmt.Errorf("a packet of type %c that is not UTF-8", kind)
	}
	m.Data = b[1:]
	return kind, m, nil
}

// A packet is one that waits to be sent.
type packet struct {
	wire   []byte // type and data, or the data of a binary message
	binary bool
	frame  *wsnet.Prepared // the same as a WebSocket message, or nil
}

func (p packet) opcode() ws.Opcode {
	if p.binary {
		return ws.OpBinary
	}
	return ws.OpText
}

// packetOverhead is what a waiting packet counts besides its own bytes.
const packetOverhead = 64

func (p packet) size() int { return len(p.wire) + packetOverhead }

// The packets without data that a server sends.
var (
	closePacket = packet{wire: []byte{typeClose}}
	pingPacket  = packet{wire: []byte{typePing}}
	noopPacket  = packet{wire: []byte{typeNoop}}
)

// messagePacket copies m into a packet.
func messagePacket(m Message) packet {
	if m.Binary {
		return packet{wire: bytes.Clone(m.Data), binary: true}
	}
	wire := make([]byte, 1+len(m.Data))
	wire[0] = typeMessage
	copy(wire[1:], m.Data)
	return packet{wire: wire}
}

// appendPayload appends packets to dst in the form of an HTTP body.
func appendPayload(dst []byte, packets []packet) []byte {
	for i, p := range packets {
		if i > 0 {
			dst = append(dst, separator)
		}
		if p.binary {
			dst = appendBinary(dst, p.wire)
		} else {
			dst = append(dst, p.wire...)
		}
	}
	return dst
}

// payloadSize is the number of bytes that appendPayload appends.
func payloadSize(packets []packet) int {
	n := max(0, len(packets)-1)
	for _, p := range packets {
		if p.binary {
			n += binaryLen(len(p.wire))
		} else {
			n += len(p.wire)
		}
	}
	return n
}

// appendBinary appends a binary message in its text form, which is binaryLen long.
func appendBinary(dst, data []byte) []byte {
	return base64.StdEncoding.AppendEncode(append(dst, base64Mark), data)
}

func binaryLen(data int) int { return 1 + base64.StdEncoding.EncodedLen(data) }
