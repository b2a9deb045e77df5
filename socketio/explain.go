package socketio

import "fmt"

// explained are wide limits: what a peer with others may send is explained, too.
var explained = limits{depth: 1000, args: 1 << 20, attachments: 1 << 20, namespace: 1 << 16}

// Explain says in a few words what a packet is, the data of an Engine.IO text message:
// its type, its namespace, which acknowledgement it asks for or is, and how many binary
// messages belong to it. An error says why it is no packet.
func Explain(text []byte) (string, error) {
	p, err := parsePacket(text, explained)
	if err != nil {
		return "", err
	}
	words := fmt.Sprintf("Socket.IO %d %s in %s", p.typ, p.typ, p.namespace)
	if p.id != noID {
		words += fmt.Sprintf(", acknowledgement %d", p.id)
	}
	if p.attachments > 0 {
		words += fmt.Sprintf(", with %d binary messages behind it", p.attachments)
	}
	return words, nil
}
