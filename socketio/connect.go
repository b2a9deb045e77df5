package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// comeback is what a client that wants to be recovered says in its CONNECT.
type comeback struct {
	PID    string `json:"pid"`
	Offset string `json:"offset"`
}

// greeting is the payload of the CONNECT reply.
type greeting struct {
	SID string `json:"sid"`
	PID string `json:"pid,omitempty"`
}

// admit runs the namespace's Use functions and connects the socket.
func (s *Socket) admit() {
	n := s.ns
	var back comeback
	var old *session
	if o := n.log.o; o != nil && s.auth != nil && json.Unmarshal(s.auth, &back) == nil && back.PID != "" {
		if old = n.returning(back.PID); old == nil {
			old = s.opened(back.PID)
		}
	}
	check := n.log.o == nil || n.log.o.CheckAgain || old == nil
	for {
		if check {
			if err := s.pass(); err != nil {
				s.refused(err)
				return
			}
		}
		if old != nil {
			if s.recovered(old, back.Offset) {
				if s.gone() {
					return
				}
				break
			}
			if old = nil; !check {
				check = true
				continue
			}
		}
		if !s.enter() {
			return
		}
		break
	}
	s.client.connected()
	n.setup.RLock()
	f := n.connect
	n.setup.RUnlock()
	if f == nil {
		return
	}
	if err := contained(func() error { return f(s.Context(), s) }); err != nil {
		s.failed("OnConnect", err)
		s.Disconnect()
	}
}

// pass runs the Use functions.
func (s *Socket) pass() error {
	s.ns.setup.RLock()
	list := s.ns.middleware
	s.ns.setup.RUnlock()
	for _, f := range list {
		if err := contained(func() error { return f(s.Context(), s) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Socket) refused(err error) {
	if _, ok := errors.AsType[*Error](err); !ok {
		s.failed("Use", err)
	}
	message, data := public(err)
	s.end(ServerDisconnect)
	// The client may try again over the same connection.
	if err := s.client.refuse(s.ns.name, message, data); err != nil {
		s.failed("Use", err)
		_ = s.client.refuse(s.ns.name, message, nil)
	}
}

func (s *Socket) ready() bool {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return s.state != connecting
}

// returning finds what is left of the socket whose secret pid is. A socket that
// is still there has lost its connection without this side's knowing: it ends.
func (n *Namespace) returning(pid string) *session {
	n.mu.Lock()
	old := n.log.live[pid]
	n.mu.Unlock()
	if old != nil {
		old.end(Replaced)
		old.client.engine.Close()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log.expire()
	return n.log.take(pid)
}

// opened finds what was left by another run of the server of the socket whose secret pid
// is, if the program can.
func (s *Socket) opened(pid string) *session {
	s.ns.setup.RLock()
	lasts := s.ns.recover != nil
	s.ns.setup.RUnlock()
	open := s.ns.log.o.Open
	if !lasts || open == nil {
		return nil
	}
	var past Past
	if err := contained(func() (err error) { past, err = open(s, pid); return err }); err != nil {
		s.failed("Open", err)
		return nil
	}
	return &session{pid: pid, id: past.ID, rooms: past.Rooms, values: s.ownValues()}
}

// seal returns a new secret with which the client may come back.
func (s *Socket) seal() (pid string) {
	s.ns.setup.RLock()
	lasts := s.ns.recover != nil
	s.ns.setup.RUnlock()
	if f := s.ns.log.o.Seal; lasts && f != nil {
		if err := contained(func() error { pid = f(s); return nil }); err != nil {
			s.failed("Seal", err)
		}
	}
	return cmp.Or(pid, newID())
}

// enter connects the socket: the CONNECT reply is sent, and whatever the
// namespace sends is for this socket, too, from then on. It reports false if
// the client is gone.
func (s *Socket) enter() bool {
	n := s.ns
	participates := n.log.o != nil && (n.log.o.Want == nil || contained(func() error {
		if !n.log.o.Want(s) {
			return errNotWanted
		}
		return nil
	}) == nil)
	pid := ""
	if participates {
		pid = s.seal()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.state == over {
		return false
	}
	if participates {
		s.pid, s.base, s.virgin = pid, n.log.offset(), true
	}
	s.attach(nil)
	return true
}

var errNotWanted = errors.New("socketio: the socket does not take part in recovery")

// attach sends the CONNECT reply and makes the socket reachable. The caller
// holds the namespace's mu.
func (s *Socket) attach(rooms []string) {
	data, err := json.Marshal(greeting{s.id, s.pid})
	if err != nil {
		panic(err) // two strings
	}
	s.client.tell(packet{typ: typeConnect, namespace: s.ns.name, id: noID, data: data})
	s.state, s.was = connected, true
	if s.pid != "" {
		s.ns.log.live[s.pid] = s
	}
	s.ns.enter(s, rooms)
	if len(s.ns.watchers) > 0 {
		s.ns.tellConnected(s)
	}
}

// recovered connects the socket as the one that x is left of, if the client can
// be given what it has missed. The missed events go out before the CONNECT
// reply.
func (s *Socket) recovered(x *session, offset string) bool {
	n := s.ns
	n.setup.RLock()
	replay := n.recover
	n.setup.RUnlock()
	since := x.since(offset)
	fresh, values := s.id, s.ownValues()
	n.mu.Lock()
	if s.state == over {
		n.mu.Unlock()
		return true // nobody is there to be told
	}
	s.id, s.pid, s.base, s.virgin, s.back = x.id, x.pid, since, x.virgin, true
	s.become(x.values)
	if replay == nil {
		defer n.mu.Unlock()
		events, ok := n.log.missed(since, x.roomSet())
		if ok {
			for _, e := range events {
				_ = s.deliver(e, false)
			}
			s.attach(x.rooms)
			return true
		}
	} else {
		s.state = recovering
		n.mu.Unlock()
		err := contained(func() error { return replay(s.Context(), s, since) })
		n.mu.Lock()
		defer n.mu.Unlock()
		if s.state == over {
			return true
		}
		if err == nil {
			s.attach(x.rooms)
			return true
		}
		s.state = connecting
		s.failed("OnRecover", err)
	}
	s.id, s.pid, s.back = fresh, "", false
	s.become(values)
	return false
}

// gone tells whether the client went before it was connected.
func (s *Socket) gone() bool {
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	return !s.was
}

// become gives the socket other values.
func (s *Socket) become(values context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel(ErrClosed) // of the context before, which no handler has seen
	s.values = values
	s.ctx, s.cancel = context.WithCancelCause(values)
}

// event runs the handler of an event and acknowledges it.
func (s *Socket) event(p packet) {
	name, err := p.event()
	if err != nil {
		return // parsePacket has seen to that
	}
	r, args := s.ns.route(name), Args{p.args[1:]}
	if len(r.watchers) > 0 {
		s.tellReceived(r.watchers, p)
	}
	var reply []any
	if r.handle == nil {
		_ = s.client.idled(1) // who reads will see it
		err = &Error{Message: fmt.Sprintf("the server has no handler for the event %.80q", name)}
	} else {
		reply, err = r.run(s.Context(), s, name, args)
	}
	if _, mine := errors.AsType[*argumentError](err); mine {
		_ = s.client.idled(1)
	}
	if err != nil && (r.handle != nil || p.id == noID) {
		err = s.handled(r, name, err)
	}
	if p.id == noID {
		return
	}
	if err != nil {
		message, data := public(err)
		reply = []any{failure{message, data}}
	}
	ack, err := encode(typeAck, s.ns.name, p.id, slices.Clone(reply)...)
	if err != nil { // the program's value, or its error's data
		s.failed(fmt.Sprintf("acknowledgement of %.80q", name), err)
		ack, _ = encode(typeAck, s.ns.name, p.id, failure{Error: internalError})
	}
	s.ns.mu.Lock()
	defer s.ns.mu.Unlock()
	if s.state == connected {
		_ = s.deliver(ack, false)
	}
}

// handled has the program decide about an event's error, if it wants to and there was a
// handler, and logs it otherwise.
func (s *Socket) handled(r route, name string, err error) error {
	decides := r.handle != nil && r.failed != nil
	if _, panicked := errors.AsType[*errPanic](err); panicked || !decides {
		s.failed(fmt.Sprintf("event %.80q", name), err)
	}
	if !decides {
		return err
	}
	var instead error
	if panicked := contained(func() error { instead = r.failed(s.Context(), s, name, err); return nil }); panicked != nil {
		s.failed("OnError", panicked)
		return panicked
	}
	return instead
}
