package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"framewright/engineio"
	"framewright/ws"
	"framewright/ws/wsnet"
)

var errUpgradeTimeout = errors.New("engineio: the upgrade was not done in time (option UpgradeTimeout)")

// upgrade moves the session to a WebSocket, or leaves it as it is.
func (c *Conn) upgrade() {
	ctx, cancel := context.WithCancelCause(c.life)
	defer cancel(nil)
	timer := time.AfterFunc(c.o.UpgradeTimeout, func() { cancel(errUpgradeTimeout) })
	conn, err := c.probe(ctx)
	if err != nil {
		timer.Stop()
		c.stay(err)
		return
	}
	err = c.pause(ctx)
	timer.Stop()
	if err == nil {
		err = conn.Write(c.life, ws.OpText, []byte{byte(engineio.PacketUpgrade)})
		if err != nil { // the server may have it, and waits at the other end
			_ = conn.CloseNow()
			c.lost(socketEnd(err))
			c.stay(err)
			return
		}
	}
	if err != nil {
		_ = conn.CloseNow()
		c.stay(err)
		return
	}
	c.mu.Lock()
	c.conn, c.pausing = conn, false
	c.changed.Raise()
	c.flush()
	c.mu.Unlock()
	<-c.polled // what came by the last GET comes first
	c.read(conn)
}

// stay goes on by polling.
func (c *Conn) stay(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pausing, c.notUpgraded = false, err
	c.changed.Raise()
	c.flush()
}

// UpgradeErr returns why the session stayed on polling although the server offers a
// WebSocket; nil if it did not, or it is not settled yet.
func (c *Conn) UpgradeErr() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notUpgraded
}

// probe tries a WebSocket out.
func (c *Conn) probe(ctx context.Context) (*wsnet.Conn, error) {
	conn, err := c.dialWebSocket(ctx)
	if err != nil {
		return nil, cause(ctx, err)
	}
	if err = conn.Write(ctx, ws.OpText, []byte("2probe")); err == nil {
		var op ws.Opcode
		var data []byte
		op, data, err = conn.Read(ctx)
		if err == nil && (op != ws.OpText || string(data) != "3probe") {
			err = fmt.Errorf("engineio: %s of %d bytes where the answer to the probe, %q, is due", op, len(data), "3probe")
		}
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, cause(ctx, err)
	}
	return conn, nil
}

// pause lets no request begin and waits for those that are under way: what the last
// GET brings comes before what the WebSocket will, and what the last POST took before
// what it will take.
func (c *Conn) pause(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pausing = true
	for c.err == nil && ctx.Err() == nil && (c.getting || c.writing) {
		c.await(&c.changed, ctx)
	}
	switch {
	case c.err != nil:
		return c.err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil
}
