package engineio

// A PacketType is what a packet is for: the first character of its text form.
type PacketType byte

// The types of packets.
const (
	PacketOpen    PacketType = typeOpen    // server: the handshake, as JSON
	PacketClose   PacketType = typeClose   // the session is over
	PacketPing    PacketType = typePing    // server: heartbeat; client: the probe of an upgrade
	PacketPong    PacketType = typePong    // the answer to a ping
	PacketMessage PacketType = typeMessage // the only one whose message may be binary
	PacketUpgrade PacketType = typeUpgrade // client: the WebSocket takes over
	PacketNoop    PacketType = typeNoop    // server: to end a request that waits
)

// Separator stands between the packets of a payload, the body of a request or an
// answer by polling.
const Separator = separator

// A Packet is one packet of the protocol, for programs that speak it themselves,
// such as package engineio/client.
type Packet struct {
	Type PacketType
	Message
}

// ParsePacket reads one packet in its text form: a text message of a WebSocket, or
// what stands between two separators of a payload. Its data is a part of b, or
// decoded from it. The error says what was found in place of what.
func ParsePacket(b []byte) (Packet, error) {
	kind, m, err := parsePacket(b)
	return Packet{PacketType(kind), m}, err
}

// AppendPacket appends p in its text form, in which a binary message is base64. It
// is the inverse of [ParsePacket].
func AppendPacket(dst []byte, p Packet) []byte {
	if p.Binary {
		return appendBinary(dst, p.Data)
	}
	return append(append(dst, byte(p.Type)), p.Data...)
}

// PacketLen is the number of bytes that AppendPacket appends.
func PacketLen(p Packet) int {
	if p.Binary {
		return binaryLen(len(p.Data))
	}
	return 1 + len(p.Data)
}
