package client

import (
	"errors"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// read takes in what comes over a WebSocket until it is over.
func (c *Conn) read(conn *wsnet.Conn) {
	for {
		op, data, err := conn.Read(c.life)
		if err != nil {
			c.lost(socketEnd(err))
			return
		}
		p := engineio.Packet{Type: engineio.PacketMessage, Message: engineio.Message{Binary: true, Data: data}}
		if op == ws.OpText {
			if p, err = engineio.ParsePacket(data); err != nil {
				c.lost(&engineio.CloseError{Reason: engineio.ParseError, Err: err})
				return
			}
		}
		if err := c.handle(p); err != nil {
			c.lost(err)
			return
		}
	}
}

// socketEnd says what the end of a WebSocket means for the session.
func socketEnd(err error) *engineio.CloseError {
	if _, ok := errors.AsType[*ws.ProtocolError](err); ok {
		return &engineio.CloseError{Reason: engineio.TransportError, Err: err}
	}
	return &engineio.CloseError{Reason: engineio.TransportClose, Err: err}
}
