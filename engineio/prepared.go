package engineio

import (
	"bytes"
	"unicode/utf8"

	"framewright/ws/wsnet"
)

// A Prepared batch of messages is checked and encoded once, and can be sent to
// any number of sessions, in a broadcast.
type Prepared struct {
	packets   []packet
	size      int
	separator bool // a text has U+001E
}

// Prepare returns a batch of the messages, which it copies. The error is
// [ErrNotUTF8].
func Prepare(messages ...Message) (*Prepared, error) {
	p := &Prepared{packets: make([]packet, 0, len(messages))}
	for _, m := range messages {
		if !m.Binary {
			if !utf8.Valid(m.Data) {
				return nil, ErrNotUTF8
			}
			p.separator = p.separator || bytes.IndexByte(m.Data, separator) >= 0
		}
		pk := messagePacket(m)
		var err error
		if pk.frame, err = wsnet.Prepare(pk.opcode(), pk.wire); err != nil {
			return nil, err
		}
		p.packets = append(p.packets, pk)
		p.size += pk.size()
	}
	return p, nil
}
