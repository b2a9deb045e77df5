package client

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// A packet is one that waits to be sent.
type packet struct{ engineio.Packet }

func (p packet) size() int { return len(p.Data) + packetOverhead }

// Send queues messages for the server: in order, and with nothing between them. It
// does not wait and does not keep the messages' data. The error is
// [engineio.ErrNotUTF8], [engineio.ErrSeparator], [ErrTooLarge] or [ErrFull], with
// which nothing was queued and the session goes on, or the session's end.
func (c *Conn) Send(messages ...engineio.Message) error {
	return c.send(messages, false)
}

// SendVolatile is Send if the messages can go out now: nothing else waits to be sent,
// and no upgrade is under way. Otherwise they are dropped. It reports whether they
// were sent.
func (c *Conn) SendVolatile(messages ...engineio.Message) bool {
	return c.send(messages, true) == nil
}

func (c *Conn) send(messages []engineio.Message, volatile bool) error {
	batch := make([]packet, 0, len(messages))
	size := 0
	for _, m := range messages {
		if err := c.check(m); err != nil {
			return err
		}
		p := packet{engineio.Packet{Type: engineio.PacketMessage, Message: engineio.Message{Binary: m.Binary, Data: bytes.Clone(m.Data)}}}
		size += p.size()
		batch = append(batch, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.out.Size() + c.sending
	switch {
	case c.err != nil:
		return c.err
	case size > c.o.QueueBytes:
		return fmt.Errorf("%w: %d bytes, and Options.QueueBytes is %d", ErrTooLarge, size, c.o.QueueBytes)
	case waiting+size > c.o.QueueBytes || volatile && (waiting > 0 || c.pausing):
		return ErrFull
	case c.conn == nil: // a WebSocket has no base64
		for _, p := range batch {
			if n := engineio.PacketLen(p.Packet); c.maxPayload > 0 && n > c.maxPayload {
				return fmt.Errorf("%w: %d bytes by polling, and the server takes %d at once", ErrTooLarge, n, c.maxPayload)
			}
		}
	}
	c.push(batch...)
	return nil
}

// check holds a message against what can be sent.
func (c *Conn) check(m engineio.Message) error {
	switch {
	case c.maxPayload > 0 && len(m.Data) > c.maxPayload:
		return fmt.Errorf("%w: %d bytes, and the server takes %d", ErrTooLarge, len(m.Data), c.maxPayload)
	case m.Binary:
		return nil
	case !utf8.Valid(m.Data):
		return engineio.ErrNotUTF8
	case c.o.Transports[0] == engineio.Polling && bytes.IndexByte(m.Data, engineio.Separator) >= 0:
		return engineio.ErrSeparator
	}
	return nil
}

// push queues packets and sets in motion what sends them. The caller holds c.mu.
func (c *Conn) push(batch ...packet) {
	for _, p := range batch {
		c.out.Push(p, p.size())
	}
	c.flush()
}

// Ready waits until at least half of the queue is free.
func (c *Conn) Ready(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && c.out.Size()+c.sending > c.o.QueueBytes/2 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.await(&c.outRoom, ctx)
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// flush has the queue sent, unless it is being sent already, or an upgrade is under
// way. The caller holds c.mu.
func (c *Conn) flush() {
	if c.writing || c.pausing || c.out.Len() == 0 || c.life.Err() != nil {
		return
	}
	c.writing = true
	c.tasks.Go(c.write)
}

// write sends the queue and ends when it is empty, so that an idle session has no
// goroutine for it.
func (c *Conn) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.Len() > 0 && !c.pausing {
		conn := c.conn
		batch := c.take()
		c.mu.Unlock()
		var err error
		if conn != nil {
			err = writeTo(c.life, conn, batch)
		} else {
			err = c.post(c.life, batch)
		}
		c.mu.Lock()
		c.sending = 0
		if err != nil {
			c.unsent = len(batch)
			c.mu.Unlock()
			c.lost(err)
			c.mu.Lock()
			break
		}
		if c.out.Size() <= c.o.QueueBytes/2 {
			c.outRoom.Raise()
		}
	}
	c.writing = false
	c.changed.Raise()
}

// gathered is how many packets are sent at once: python-engineio takes no more in one
// request, and ends the session.
const gathered = 16

// take takes from the queue what is sent at once: by polling, what the server takes
// in one request. There is something. The caller holds c.mu.
func (c *Conn) take() (batch []packet) {
	limit, size := c.maxPayload, 0
	if limit == 0 {
		limit = defaultPayload
	}
	for len(batch) < gathered {
		next := c.out.First()
		if next == nil {
			break
		}
		size += engineio.PacketLen(next.Packet)
		if separators := len(batch); separators > 0 && c.conn == nil && size+separators > limit {
			break
		}
		p, _ := c.out.Pop()
		c.sending += p.size()
		if p.Type == engineio.PacketPong {
			c.ponging = false
		}
		batch = append(batch, p)
	}
	return batch
}

// defaultPayload is how much is sent in one request to a server that did not say how
// much it takes: the limit that those have unless they are told another.
const defaultPayload = 1_000_000

func writeTo(ctx context.Context, conn *wsnet.Conn, batch []packet) error {
	for _, p := range batch {
		op, data := ws.OpBinary, p.Data
		if !p.Binary {
			op, data = ws.OpText, engineio.AppendPacket(nil, p.Packet)
		}
		if err := conn.Write(ctx, op, data); err != nil {
			return socketEnd(err)
		}
	}
	return nil
}
