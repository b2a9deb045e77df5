package engineio

import "fmt"

// packetNames are what the protocol calls its types, from 0 on.
var packetNames = [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// Explain says in a few words what a packet is that went over the wire, whole as a text
// message or as one of a polling payload, and returns what it carries. An error says why
// it is no packet.
func Explain(wire []byte) (words string, m Message, err error) {
	kind, m, err := parsePacket(wire)
	switch {
	case err != nil:
		return "", Message{}, err
	case m.Binary:
		return fmt.Sprintf("Engine.IO %c binary message in base64", base64Mark), m, nil
	case (kind == typePing || kind == typePong) && string(m.Data) == "probe":
		return fmt.Sprintf("Engine.IO %c %s of an upgrade", kind, packetNames[kind-typeOpen]), m, nil
	}
	return fmt.Sprintf("Engine.IO %c %s", kind, packetNames[kind-typeOpen]), m, nil
}

// IsMessage reports whether a text that Explain has explained carries a message of the
// layer above.
func IsMessage(wire []byte) bool { return len(wire) > 0 && wire[0] == typeMessage }
