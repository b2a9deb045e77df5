package socketio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"framewright/engineio"
	"framewright/internal/tokens"
)

// A client is one Engine.IO session with the sockets that it has in namespaces.
type client struct {
	server *Server
	engine *engineio.Socket
	ctx    context.Context // of the session

	in assembly // belongs to what calls message, one at a time

	packets tokens.Bucket
	bytes   tokens.Bucket

	mu       sync.Mutex
	deadline *time.Timer         // for its first namespace; nil when it has one
	sockets  map[string]*Socket  // by namespace
	left     map[string]struct{} // namespaces that it was in, for packets that were under way; nil: none
	idle     tokens.Bucket       // of what nothing comes of
}

// opened begins with an Engine.IO session, which lasts until Ended.
func (s *Server) opened(ctx context.Context, e *engineio.Socket) engineio.Receiver {
	c := &client{server: s, engine: e, ctx: ctx}
	c.deadline = time.AfterFunc(s.o.ConnectTimeout, e.Close)
	s.everyone(func(w *Watcher) {
		if w.Opened != nil {
			w.Opened()
		}
	})
	return c
}

// Message implements [engineio.Receiver].
func (c *client) Message(m engineio.Message) error {
	c.server.everyone(func(w *Watcher) {
		if w.In != nil {
			w.In(len(m.Data))
		}
	})
	if err := c.hold(m); err != nil {
		return err
	}
	return c.message(m)
}

// Ended implements [engineio.Receiver].
func (c *client) Ended(err error) error {
	s, e := c.server, c.engine
	c.connected()
	why := TransportClose
	if ce, ok := errors.AsType[*engineio.CloseError](err); ok {
		why = Reason(ce.Reason)
	}
	if _, ok := errors.AsType[*PacketError](err); ok {
		why = ParseError
		s.o.Logger.Info("socketio: a client broke the protocol", "remote", e.Remote(), "session", label(e), "err", err)
		err = nil // said; the session is closed
	}
	if why == Flood {
		s.o.Logger.Info("socketio: a client sends too much", "remote", e.Remote(), "session", label(e), "err", err)
	}
	s.o.Logger.Debug("socketio: a client's connection is over", "remote", e.Remote(), "session", label(e), "transport", e.Transport(), "why", err)
	c.ended(why)
	s.everyone(func(w *Watcher) {
		if w.Closed != nil {
			w.Closed(why)
		}
	})
	return err
}

// connected stops the deadline for the client's first namespace.
func (c *client) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadline != nil {
		c.deadline.Stop()
		c.deadline = nil
	}
}

// label is enough of a session's id to tell its lines in the log from others',
// and too little to speak as the client.
func label(e *engineio.Socket) string { return e.ID()[:min(8, len(e.ID()))] }

// idled counts a packet of which nothing comes. One too many ends the session,
// and is an error.
func (c *client) idled(n float64) error {
	rate := c.server.o.IdleRate
	c.mu.Lock()
	_, ok := c.idle.Take(tokens.PerSecond(rate), n, time.Now())
	c.mu.Unlock()
	if !ok {
		c.engine.Abort(fmt.Errorf("more than %d packets a second of which nothing comes (option IdleRate)", rate))
		return c.engine.Err()
	}
	return nil
}

// connectCosts is what a CONNECT counts against IdleRate: the program's Use
// functions, and what it does for a client that comes or goes.
const connectCosts = 25

// hold waits until a message of the client's has its time. Meanwhile no more is
// read from it.
func (c *client) hold(m engineio.Message) error {
	o, now := &c.server.o, time.Now()
	wait := max(c.packets.Spend(tokens.PerSecond(o.PacketRate), 1, now), c.bytes.Spend(tokens.PerSecond(o.ByteRate), float64(len(m.Data)), now))
	if tokens.Sleep(c.ctx, wait) != nil {
		return c.engine.Err()
	}
	return nil
}

// message takes one message: a packet's text, or one of its attachments.
func (c *client) message(m engineio.Message) error {
	p, size, err := c.in.add(m, c.server.o.limits(), c.server.o.MaxMessage)
	if p == nil || err != nil {
		return err
	}
	return c.packet(*p, size)
}

// packet acts on a packet that is complete.
func (c *client) packet(p packet, size int) error {
	if p.typ == typeConnect {
		return c.connect(p)
	}
	c.mu.Lock()
	s := c.sockets[p.namespace]
	_, left := c.left[p.namespace]
	c.mu.Unlock()
	switch {
	case s == nil && left:
		return c.idled(1) // a few were under way when the socket ended
	case s == nil || !s.ready():
		return badPacket("a packet for the namespace %q, to which the client is not connected", p.namespace)
	}
	switch p.typ {
	case typeEvent, typeBinaryEvent:
		s.jobs.put(c.ctx, s, func() { s.event(p) }, size)
	case typeAck, typeBinaryAck:
		if !s.acknowledged(p.id, Args{p.args}) {
			return c.idled(1)
		}
	case typeDisconnect:
		s.end(ClientDisconnect)
	default:
		return badPacket("a %v, which only a server sends", p.typ)
	}
	return nil
}

// connect begins the client's way into a namespace.
func (c *client) connect(p packet) error {
	n := c.server.namespace(p.namespace)
	if n == nil {
		if err := c.idled(1); err != nil {
			return err
		}
		return c.refuse(p.namespace, "Invalid namespace", nil)
	}
	if err := c.idled(connectCosts); err != nil {
		return err
	}
	s := newSocket(c, n, p.data)
	c.mu.Lock()
	_, twice := c.sockets[n.name]
	if !twice {
		if c.sockets == nil {
			c.sockets = make(map[string]*Socket)
		}
		c.sockets[n.name] = s
	}
	c.mu.Unlock()
	if twice {
		return badPacket("a second CONNECT to the namespace %q", n.name)
	}
	s.jobs.put(c.ctx, s, s.admit, 0)
	return nil
}

// refuse sends a CONNECT_ERROR.
func (c *client) refuse(namespace, message string, data any) error {
	text, err := appendJSON(appendHead(nil, packet{typ: typeConnectError, namespace: namespace, id: noID}), refusal{message, data})
	if err != nil {
		return err
	}
	return c.engine.Send(engineio.Message{Data: text})
}

// tell sends a packet without attachments; if that fails, the session ends and
// that is enough.
func (c *client) tell(p packet) { _ = c.engine.Send(engineio.Message{Data: appendPacket(nil, p)}) }

// forget drops a socket that is over.
func (c *client) forget(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sockets[s.ns.name] == s {
		delete(c.sockets, s.ns.name)
		if c.left == nil {
			c.left = make(map[string]struct{})
		}
		c.left[s.ns.name] = struct{}{}
	}
}

// ended ends all sockets of a session that is over.
func (c *client) ended(why Reason) {
	for _, s := range c.list() {
		s.end(why)
	}
}

// list is the sockets of this moment.
func (c *client) list() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.sockets))
}
