package client

import (
	"context"
	"errors"
	"fmt"

	engine "framewright/engineio/client"
	"framewright/socketio"
)

// put has f run after the socket's earlier jobs; its event has size bytes. While
// Options.MaxWaiting are waiting, or Options.MaxMessage bytes, it waits itself, and
// nothing more is read from the connection. The caller holds c.mu.
func (s *Socket) put(f func(), size int) {
	c := s.client
	for w := &s.jobs; w.Len() > 0 && (w.Len() >= c.o.MaxWaiting || w.Size()+size > c.o.MaxMessage) && c.life.Err() == nil; {
		c.await(&s.room, c.life)
	}
	s.add(f, size)
}

// last has f run after the socket's earlier jobs, and never waits. The caller holds
// c.mu.
func (s *Socket) last(f func()) { s.add(f, 0) }

func (s *Socket) add(f func(), size int) {
	s.jobs.Push(f, size)
	if !s.working {
		s.working = true
		s.client.working++
		go s.work()
	}
}

// work runs the socket's jobs, and ends when there are none, so that an idle socket has
// no goroutine for them.
func (s *Socket) work() {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		f, ok := s.jobs.Pop()
		if !ok {
			break
		}
		s.room.Raise()
		c.mu.Unlock()
		f()
		c.mu.Lock()
	}
	s.working = false
	c.working--
	c.changed.Raise()
}

// event runs the handler of an event and acknowledges it. A handler's answers, and what
// it emits, need room: it is run once half of what may wait is free.
func (s *Socket) event(conn *engine.Conn, p *socketio.Packet) {
	_ = conn.Ready(s.client.life) // or the connection is over, and the event came before that
	ctx := s.Context()
	r := s.route(p.Event)
	var reply []any
	var err error
	if r.handle == nil {
		if p.ID == socketio.NoID {
			return
		}
		err = &Error{Message: fmt.Sprintf("the client has no handler for the event %q", clip(p.Event))}
	} else if reply, err = r.run(ctx, s, p.Event, p.Args); err != nil {
		err = s.handled(ctx, r, p.Event, err)
	}
	if p.ID == socketio.NoID {
		return
	}
	if err != nil {
		reply = []any{failure(err)}
	}
	messages, err := socketio.Encode(socketio.PacketAck, s.ns, p.ID, reply...)
	if err == nil {
		err = s.reply(conn, messages)
	}
	if err == nil {
		return
	}
	s.log(fmt.Sprintf("acknowledgement of %q", clip(p.Event)), err)
	if messages, err = socketio.Encode(socketio.PacketAck, s.ns, p.ID, failure(err)); err == nil {
		_ = s.reply(conn, messages) // the connection is over otherwise
	}
}

// failure is what an acknowledgement carries when a handler failed: as much of err as
// the server may know.
func failure(err error) any {
	f := struct {
		Error string `json:"error"`
		Data  any    `json:"data,omitempty"`
	}{Error: "internal error"}
	if e, ok := errors.AsType[*Error](err); ok {
		f.Error, f.Data = e.Message, e.Data
	}
	return f
}

// A route is what an event goes through.
type route struct {
	gates  []func(context.Context, *Socket, string, Args) error
	handle handler // nil: there is none
	failed func(context.Context, *Socket, string, error) error
}

func (s *Socket) route(event string) route {
	s.setup.RLock()
	defer s.setup.RUnlock()
	r := route{gates: s.gates, handle: s.handlers[event], failed: s.failedWith}
	if f := s.any; r.handle == nil && f != nil {
		r.handle = func(ctx context.Context, s *Socket, args Args) ([]any, error) { return f(ctx, s, event, args) }
	}
	return r
}

// run passes an event through the gates to its handler.
func (r *route) run(ctx context.Context, s *Socket, event string, args Args) (reply []any, err error) {
	err = contained(func() (err error) {
		for _, gate := range r.gates {
			if err := gate(ctx, s, event, args); err != nil {
				return err
			}
		}
		reply, err = r.handle(ctx, s, args)
		return err
	})
	return reply, err
}

// handled has the program decide about an event's error, if it wants to, and logs it
// otherwise.
func (s *Socket) handled(ctx context.Context, r route, event string, err error) error {
	if _, panicked := errors.AsType[*errPanic](err); panicked || r.failed == nil {
		s.log(fmt.Sprintf("event %q", clip(event)), err)
	}
	if r.failed == nil {
		return err
	}
	var instead error
	if panicked := contained(func() error { instead = r.failed(ctx, s, event, err); return nil }); panicked != nil {
		s.log("OnError", panicked)
		return panicked
	}
	return instead
}

// greeted calls the OnConnect function.
func (s *Socket) greeted() {
	s.setup.RLock()
	f := s.connect
	s.setup.RUnlock()
	if f == nil {
		return
	}
	ctx := s.Context()
	if err := contained(func() error { return f(ctx, s) }); err != nil {
		s.log("OnConnect", err)
	}
}

// parted calls the OnDisconnect function.
func (s *Socket) parted(ctx context.Context, why Reason) {
	s.setup.RLock()
	f := s.disconnect
	s.setup.RUnlock()
	if f == nil {
		return
	}
	if err := contained(func() error { f(ctx, s, why); return nil }); err != nil {
		s.log("OnDisconnect", err)
	}
}

// report has the OnConnectError function called. The caller holds c.mu.
func (s *Socket) report(err error) {
	ctx := s.ctx
	s.last(func() {
		s.setup.RLock()
		f := s.refusal
		s.setup.RUnlock()
		if f == nil {
			return
		}
		if panicked := contained(func() error { f(ctx, s, err); return nil }); panicked != nil {
			s.log("OnConnectError", panicked)
		}
	})
}

// log logs an error of the program's.
func (s *Socket) log(where string, err error) {
	l := s.client.o.Logger
	if e, ok := errors.AsType[*errPanic](err); ok {
		l.Error("socketio: panic", "in", where, "namespace", s.ns, "panic", e.value, "stack", string(e.stack))
		return
	}
	l.Info("socketio: handler failed", "in", where, "namespace", s.ns, "err", err)
}
