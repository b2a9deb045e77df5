package client

import (
	"context"
	"fmt"
	"time"

	"framewright/engineio"
	"framewright/internal/tokens"
)

// packetOverhead is what a waiting packet or message counts besides its own bytes.
const packetOverhead = 64

// handle takes in one packet from the server. An error is the session's end.
func (c *Conn) handle(p engineio.Packet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive()
	switch p.Type {
	case engineio.PacketMessage:
		c.put(p.Message)
	case engineio.PacketPing:
		early := time.Since(c.pinged) < c.interval/2
		c.pinged = time.Now()
		if early || c.ponging {
			if err := c.nothing(); err != nil || c.ponging {
				return err
			}
		}
		if c.err != nil {
			return nil
		}
		c.ponging = true
		c.push(packet{engineio.Packet{Type: engineio.PacketPong}})
	case engineio.PacketClose:
		return &engineio.CloseError{Reason: engineio.TransportClose, Err: errClosePacket}
	case engineio.PacketOpen:
		return &engineio.CloseError{Reason: engineio.ParseError, Err: errSecondOpen}
	default: // a noop, and what means nothing here
		return c.nothing()
	}
	return nil
}

// nothing counts a packet of which nothing comes. One too many is an error. The
// caller holds c.mu.
func (c *Conn) nothing() error {
	if _, ok := c.useless.Take(tokens.PerSecond(c.o.IdleRate), 1, time.Now()); !ok {
		return &engineio.CloseError{Reason: engineio.Flood, Err: fmt.Errorf("more than %d packets a second of which nothing comes (option IdleRate)", c.o.IdleRate)}
	}
	return nil
}

// put hands m to whoever calls Receive. While as much as Options.MaxPayload allows
// at once is waiting already, it waits, and nothing more is read. What comes for a
// session that is over is dropped. The caller holds c.mu.
func (c *Conn) put(m engineio.Message) {
	for c.err == nil && c.in.Size() > c.o.MaxPayload {
		c.held = true
		c.await(&c.inRoom, c.life)
	}
	if c.held {
		c.held = false
		c.alive() // a ping may be among what was held up
	}
	if c.err == nil {
		c.in.Push(m, len(m.Data)+packetOverhead)
		c.inWake.Raise()
	}
}

// Receive returns the server's next message, in memory that the caller may keep.
// Messages that came before the session's end are returned before its error, unless
// Close was called. When ctx ends, the error is its cause, and nothing is lost.
//
// A server whose messages are not received is held up: while it waits, its silence
// is no reason to give it up, but it may give up a client whose pongs do not come.
func (c *Conn) Receive(ctx context.Context) (engineio.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if m, ok := c.in.Pop(); ok {
			if c.in.Size() <= c.o.MaxPayload {
				c.inRoom.Raise()
			}
			return m, nil
		}
		if c.err != nil {
			return engineio.Message{}, c.err
		}
		if ctx.Err() != nil {
			return engineio.Message{}, context.Cause(ctx)
		}
		c.await(&c.inWake, ctx)
	}
}
