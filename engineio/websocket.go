package engineio

import (
	"context"
	"errors"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// read takes in what comes over a WebSocket until it is over. It has a
// goroutine of its own, so that heartbeats and the end are noticed while the
// handler does something else.
func (s *Socket) read(conn *wsnet.Conn) {
	for {
		op, data, err := conn.Read(context.Background())
		if err != nil {
			s.end(lost(err), false)
			return
		}
		if err := s.hold(conn.Context(), len(data), 1); err != nil {
			s.end(lost(err), false) // unless it is over already
			return
		}
		kind, m := byte(typeMessage), Message{true, data}
		if op == ws.OpText {
			if kind, m, err = parsePacket(data); err != nil {
				s.undecodable(err)
				return
			}
		}
		if err := s.handle(conn.Context(), kind, m); err != nil {
			s.end(lost(err), false) // unless it is over already
			return
		}
	}
}

// lost says what the end of a WebSocket connection means for the session.
func lost(err error) *CloseError {
	if _, ok := errors.AsType[*ws.ProtocolError](err); ok {
		return &CloseError{TransportError, err}
	}
	return &CloseError{TransportClose, err}
}
