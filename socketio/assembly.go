package socketio

import "framewright/engineio"

// An assembly puts packets together of the messages in which they come: a text, and
// the attachments that it announces.
type assembly struct {
	pending *packet // its attachments are still to come
	binary  [][]byte
	size    int // bytes of both
}

// add takes the next message. It returns the packet that is complete with it, whose
// size is at most most bytes, or nil.
func (a *assembly) add(m engineio.Message, l limits, most int) (p *packet, size int, err error) {
	switch {
	case m.Binary && a.pending == nil:
		return nil, 0, badPacket("a binary message that no packet has announced")
	case m.Binary:
		a.binary = append(a.binary, m.Data)
		a.size += len(m.Data)
	case a.pending != nil:
		return nil, 0, badPacket("a text message where attachment %d of %d is due", len(a.binary)+1, a.pending.attachments)
	default:
		p, err := parsePacket(m.Data, l)
		if err != nil {
			return nil, 0, err
		}
		a.pending, a.size = &p, len(m.Data)
	}
	if a.size > most {
		return nil, 0, badPacket("a packet of more than %d bytes with its attachments (option MaxMessage)", most)
	}
	if len(a.binary) < a.pending.attachments {
		return nil, 0, nil
	}
	p, size = a.pending, a.size
	for i := range p.args {
		p.args[i].binary = a.binary
	}
	a.pending, a.binary = nil, nil
	return p, size, nil
}
