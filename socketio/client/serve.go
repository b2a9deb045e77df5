package client

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"framewright/engineio"
	engine "framewright/engineio/client"
	"framewright/internal/tokens"
	"framewright/socketio"
)

func jitter(d time.Duration) time.Duration { return rand.N(d + 1) }

// serve acts on the packets that come over conn until it is over, and returns why.
func (c *Client) serve(conn *engine.Conn) error {
	in := socketio.NewDecoder(c.o.limits())
	for {
		m, err := conn.Receive(context.Background())
		if err != nil {
			return err
		}
		p, err := in.Add(m)
		if err == nil && p != nil {
			err = c.packet(conn, p)
		}
		if err != nil {
			conn.Abort(engineio.ParseError, err) // unless it is over already
			return conn.Err()
		}
	}
}

// nothing counts a packet of which nothing comes. One too many ends the connection.
// The caller holds c.mu.
func (c *Client) nothing(conn *engine.Conn) error {
	if _, ok := c.useless.Take(tokens.PerSecond(c.o.IdleRate), 1, time.Now()); !ok {
		err := fmt.Errorf("more than %d packets a second of which nothing comes (option IdleRate)", c.o.IdleRate)
		conn.Abort(engineio.Flood, err)
		return err
	}
	return nil
}

// packet acts on one packet. An error says how it breaks the protocol.
func (c *Client) packet(conn *engine.Conn, p *socketio.Packet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sockets[p.Namespace]
	if s == nil {
		return badPacket("a %v for the namespace %q, which was not asked for", p.Type, clip(p.Namespace))
	}
	if s.state == off { // a few were under way when it ended
		if s.joined != conn {
			return badPacket("a %v for the namespace %q, which was not asked for", p.Type, s.ns)
		}
		return c.nothing(conn)
	}
	switch p.Type {
	case socketio.PacketConnect:
		return s.welcomed(conn, p.Data)
	case socketio.PacketConnectError:
		return s.refused(p.Data)
	case socketio.PacketDisconnect:
		gone := &DisconnectedError{Reason: ServerDisconnect}
		s.over(gone)
		s.unwanted(gone)
		c.settle()
		return nil
	}
	if !s.asked {
		return badPacket("a %v for the namespace %q before the answer to CONNECT", p.Type, s.ns)
	}
	switch p.Type {
	case socketio.PacketAck, socketio.PacketBinaryAck:
		if !s.acknowledged(p.ID, p.Args) {
			return c.nothing(conn)
		}
		return nil
	}
	if offset, ok := p.Offset(); ok && s.pid != "" && len(offset) <= maxSecret {
		s.offset = offset
	}
	// A server that recovers the socket sends what was missed before its answer to
	// CONNECT, and python-socketio's what its handler of CONNECT emits. The former may
	// be much, and is for the socket as it was; the latter needs its new id.
	if s.state == connecting && s.pid == "" {
		if s.early.Len() >= c.o.MaxWaiting || s.early.Size()+p.Size > c.o.MaxMessage {
			return badPacket("more than %d events, or %d bytes of them, for the namespace %q before the answer to CONNECT (options MaxWaiting, MaxMessage)", c.o.MaxWaiting, c.o.MaxMessage, s.ns)
		}
		s.early.Push(p, p.Size)
		return nil
	}
	s.put(func() { s.event(conn, p) }, p.Size)
	return nil
}

// maxSecret is how long a sid, a pid or an offset may be that goes back to the server.
const maxSecret = 1024

// welcomed takes the answer to CONNECT. The caller holds c.mu.
func (s *Socket) welcomed(conn *engine.Conn, data []byte) error {
	if s.state == connected || !s.asked {
		return badPacket("a CONNECT for the namespace %q that answers none", s.ns)
	}
	var hello struct {
		SID string `json:"sid"`
		PID string `json:"pid"`
	}
	if err := json.Unmarshal(data, &hello); err != nil || hello.SID == "" {
		return badPacket("an answer to CONNECT without a sid; is this a server of Socket.IO 3 or 4?")
	}
	if len(hello.SID) > maxSecret || len(hello.PID) > maxSecret {
		return badPacket("a sid of %d bytes and a pid of %d; at most %d are taken", len(hello.SID), len(hello.PID), maxSecret)
	}
	s.deadline.Stop()
	s.recovered = hello.PID != "" && hello.PID == s.pid
	if !s.recovered {
		s.offset = ""
	}
	s.id, s.pid, s.state = hello.SID, hello.PID, connected
	s.client.tries = 0
	s.tell(nil)
	s.client.changed.Raise()
	s.drain(conn)
	for p, ok := s.early.Pop(); ok; p, ok = s.early.Pop() {
		s.add(func() { s.event(conn, p) }, p.Size)
	}
	s.put(func() { s.greeted() }, 0)
	return nil
}

// refused takes a CONNECT_ERROR. The caller holds c.mu.
func (s *Socket) refused(data []byte) error {
	if s.state != connecting || !s.asked {
		return badPacket("a CONNECT_ERROR for the namespace %q that answers nothing", s.ns)
	}
	e := &ConnectError{Namespace: s.ns}
	var why struct {
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(data, &why) == nil {
		e.Message, e.Data = why.Message, why.Data
	} else {
		_ = json.Unmarshal(data, &e.Message) // python-socketio's may be a string
	}
	s.over(&DisconnectedError{ServerDisconnect, e})
	s.unwanted(e)
	s.client.settle()
	return nil
}

// greet sends a CONNECT. The caller holds c.mu; c.conn is there.
func (s *Socket) greet() {
	conn := s.client.conn
	if conn == s.client.leaving || conn.Err() != nil {
		return // the next one is for this socket, too
	}
	s.state, s.joined, s.asked = connecting, conn, false
	s.cancel(ErrClosed) // of the one before, which ended with its connection
	s.ctx, s.cancel = context.WithCancelCause(s.client.life)
	o := &s.client.o
	s.deadline = time.AfterFunc(o.ConnectTimeout, func() {
		conn.Abort(engineio.TransportError, fmt.Errorf("no answer to the CONNECT for the namespace %q within %v (option ConnectTimeout)", s.ns, o.ConnectTimeout))
	})
	if o.AuthFunc == nil {
		s.ask(conn, o.Auth, nil)
		return
	}
	ctx := s.ctx
	go func() { // and Close does not wait for it: it is the program's
		var auth any
		err := contained(func() (err error) { auth, err = o.AuthFunc(ctx, s.ns); return err })
		s.client.mu.Lock()
		defer s.client.mu.Unlock()
		if ctx.Err() == nil { // it is still the same attempt
			s.ask(conn, auth, err)
		}
	}()
}

// ask sends the CONNECT itself. The caller holds c.mu.
func (s *Socket) ask(conn *engine.Conn, auth any, err error) {
	var messages []engineio.Message
	if err != nil {
		err = fmt.Errorf("socketio: AuthFunc: %w", err)
	} else if messages, err = s.connectPacket(auth); err == nil {
		err = conn.Send(messages...)
	}
	switch {
	case err == nil:
		s.asked = true
	case conn.Err() == nil: // the program's own mistake; the connection may be others', too
		s.over(&DisconnectedError{ClientDisconnect, err})
		s.failed(err)
		if s.wanted {
			s.client.retry(s)
		}
		s.client.settle()
	}
}

// connectPacket is a CONNECT with what the server needs to recover the socket.
func (s *Socket) connectPacket(auth any) ([]engineio.Message, error) {
	if s.pid == "" && auth == nil {
		return socketio.Encode(socketio.PacketConnect, s.ns, socketio.NoID)
	}
	fields := map[string]json.RawMessage{}
	if auth != nil {
		text, err := json.Marshal(auth)
		if err != nil {
			return nil, fmt.Errorf("socketio: the option Auth: %w", err)
		}
		if json.Unmarshal(text, &fields) != nil || fields == nil {
			return nil, fmt.Errorf("socketio: the option Auth is a %T, which is no JSON object", auth)
		}
	}
	if s.pid != "" {
		fields["pid"], _ = json.Marshal(s.pid)
		if s.offset != "" {
			fields["offset"], _ = json.Marshal(s.offset)
		}
	}
	return socketio.Encode(socketio.PacketConnect, s.ns, socketio.NoID, fields)
}

// retry has a socket greet again after a while, over the same connection. The caller
// holds c.mu.
func (c *Client) retry(s *Socket) {
	conn := c.conn
	time.AfterFunc(c.o.delay(c.tries+1), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.wanted && s.state == off && c.conn == conn && conn != nil {
			s.greet()
		}
	})
}
