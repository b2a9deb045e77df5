package engineio

import (
	"fmt"
	"sync/atomic"
)

// NumberIDs makes the ids of v's sessions 00000000000000000001 and so on.
func NumberIDs(v *Server) {
	var n atomic.Int64
	v.newID = func() string { return fmt.Sprintf("%020d", n.Add(1)) }
}

// NewID returns an id for a session.
func NewID(v *Server) string { return v.newID() }

// WireOf returns m as it stands in a payload.
func WireOf(m Message) string { return string(appendPayload(nil, []packet{messagePacket(m)})) }
