package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A PacketType is the first character of a packet.
type PacketType uint8

const (
	typeConnect PacketType = iota
	typeDisconnect
	typeEvent
	typeAck
	typeConnectError
	typeBinaryEvent
	typeBinaryAck
)

func (t PacketType) binary() bool { return t == typeBinaryEvent || t == typeBinaryAck }

func (t PacketType) String() string {
	switch t {
	case typeConnect:
		return "CONNECT"
	case typeDisconnect:
		return "DISCONNECT"
	case typeEvent:
		return "EVENT"
	case typeAck:
		return "ACK"
	case typeConnectError:
		return "CONNECT_ERROR"
	case typeBinaryEvent:
		return "BINARY_EVENT"
	case typeBinaryAck:
		return "BINARY_ACK"
	}
	return "type " + strconv.Itoa(int(t))
}

// A packet is one Socket.IO packet without its attachments. On the wire, inside
// an Engine.IO message:
//
//	+------+-------------------+-----------------+--------+---------+
//	| type | attachments and - | /namespace and ,| ack id | payload |
//	| 0–6  | types 5 and 6     | unless it is /  | digits | JSON    |
//	+------+-------------------+-----------------+--------+---------+
//
//	2["message","hello"]                             an event in /
//	51-/files,7["put",{"_placeholder":true,"num":0}] and one binary message
type packet struct {
	typ         PacketType
	namespace   string // begins with a slash
	id          int64  // of the acknowledgement; noID if none
	attachments int    // how many binary messages follow

	data []byte // CONNECT and CONNECT_ERROR: a JSON value, or nil
	args []arg  // the others but DISCONNECT: an array; with events, args[0] is the name
}

const noID = -1

// maxID is what a JavaScript number holds exactly.
const maxID = 1<<53 - 1

// limits bound what a packet may look like.
type limits struct {
	depth       int // of nested JSON arrays and objects, the arguments' own array included
	args        int
	attachments int
	namespace   int // bytes
}

// A PacketError says how a packet breaks the protocol or a limit.
type PacketError struct{ text string }

func (e *PacketError) Error() string { return "socketio: " + e.text }

func badPacket(format string, args ...any) error {
	return &PacketError{fmt.Sprintf(format, args...)}
}

// parsePacket reads a packet. What it returns shares b's memory. The error is a
// *PacketError.
func parsePacket(b []byte, l limits) (packet, error) {
	p := packet{namespace: "/", id: noID}
	if len(b) == 0 {
		return p, badPacket("an empty packet; it begins with its type, 0 to 6")
	}
	// type (1 digit)
	if p.typ = PacketType(b[0] - '0'); p.typ > typeBinaryAck {
		return p, badPacket("a packet begins with its type, 0 to 6, and not with %q", b[0])
	}
	if !utf8.Valid(b) {
		return p, badPacket("a packet that is not UTF-8")
	}
	kind := p.typ
	b = b[1:]
	// attachments (digits) and a dash
	if kind.binary() {
		n, rest, err := number(b, int64(l.attachments))
		if err != nil || len(rest) == 0 || rest[0] != '-' {
			return p, badPacket("a %v begins with the number of its attachments, at most %d (option MaxAttachments), and a dash", kind, l.attachments)
		}
		p.attachments, b = int(n), rest[1:]
	}
	// namespace, and a comma unless the packet ends here
	if len(b) > 0 && b[0] == '/' {
		name, rest, _ := bytes.Cut(b, []byte{','})
		if len(name) > l.namespace {
			return p, badPacket("a namespace of %d bytes, at most %d are allowed", len(name), l.namespace)
		}
		if bytes.IndexByte(name, 0x1e) >= 0 {
			return p, badPacket("a namespace with U+001E, which separates packets in polling")
		}
		p.namespace, b = string(name), rest
	}
	// ack id (digits)
	if len(b) > 0 && '0' <= b[0] && b[0] <= '9' {
		n, rest, err := number(b, maxID)
		if err != nil {
			return p, badPacket("an acknowledgement's id is a number up to 2^53-1")
		}
		p.id, b = n, rest
	}
	// payload
	return p, p.payload(b, l)
}

func number(b []byte, most int64) (n int64, rest []byte, err error) {
	end := slices.IndexFunc(b, func(c byte) bool { return c < '0' || '9' < c })
	if end < 0 {
		end = len(b)
	}
	if n, err = strconv.ParseInt(string(b[:min(end, 20)]), 10, 64); err == nil && n > most {
		err = strconv.ErrRange
	}
	return n, b[end:], err
}

// payload parses b as what follows p's head.
func (p *packet) payload(b []byte, l limits) error {
	switch {
	case p.typ == typeDisconnect:
		if len(b) > 0 || p.id != noID {
			return badPacket("a DISCONNECT has no payload")
		}
		return nil
	case p.typ == typeConnect || p.typ == typeConnectError:
		if len(b) == 0 && p.typ == typeConnect {
			return nil
		}
		if p.id != noID || len(b) == 0 || b[0] != '{' && (b[0] != '"' || p.typ == typeConnect) {
			return badPacket("the payload of a %v is an object", p.typ)
		}
		if err := checkJSON(b, l.depth); err != nil {
			return err
		}
		p.data = b
		return nil
	}
	if len(b) == 0 || b[0] != '[' {
		return badPacket("the payload of a %v is an array", p.typ)
	}
	if err := checkJSON(b, l.depth); err != nil {
		return err
	}
	var err error
	if p.args, err = split(b, l.args); err != nil {
		return err
	}
	if err := p.hold(); err != nil {
		return err
	}
	if p.typ == typeAck || p.typ == typeBinaryAck {
		if p.id == noID {
			return badPacket("an %v without the id of what it acknowledges", p.typ)
		}
		return nil
	}
	if len(p.args) == 0 {
		return badPacket("an event without a name")
	}
	_, err = p.event()
	return err
}

// event returns the name of the event.
func (p *packet) event() (string, error) {
	raw := p.args[0].raw
	if c := raw[0]; c == '-' || '0' <= c && c <= '9' {
		return string(raw), nil // JavaScript lets numbers be names
	}
	var name string
	if raw[0] != '"' || json.Unmarshal(raw, &name) != nil {
		return "", badPacket("an event's name is a string")
	}
	if slices.Contains(reserved, name) {
		return "", badPacket("an event cannot be called %q, that is the client's own", name)
	}
	return name, nil
}

// reserved are the names of events that the client makes itself: as names on
// the wire they would look like it.
var reserved = []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

// appendHead appends p up to its payload.
func appendHead(dst []byte, p packet) []byte {
	dst = append(dst, '0'+byte(p.typ))
	if p.typ.binary() {
		dst = strconv.AppendInt(dst, int64(p.attachments), 10)
		dst = append(dst, '-')
	}
	if p.namespace != "/" {
		dst = append(dst, p.namespace...)
		dst = append(dst, ',')
	}
	if p.id != noID {
		dst = strconv.AppendInt(dst, p.id, 10)
	}
	return dst
}

// appendPacket is the inverse of parsePacket.
func appendPacket(dst []byte, p packet) []byte {
	dst = append(appendHead(dst, p), p.data...)
	switch p.typ {
	case typeEvent, typeAck, typeBinaryEvent, typeBinaryAck:
		dst = append(dst, '[')
		for i, a := range p.args {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, a.raw...)
		}
		dst = append(dst, ']')
	}
	return dst
}
