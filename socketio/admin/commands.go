package admin

import (
	"context"
	"fmt"

	"framewright/socketio"
)

// maxName bounds the names of rooms and events that a page sends, in bytes.
const maxName = 256

// commands adds what a page may ask for. Each names a namespace, and may name a room,
// which a socket's own is, too; without one it is for everybody there.
func (p *panel) commands() {
	p.command("join", func(args socketio.Args) (act, error) {
		var ns, room, filter string
		err := args.Decode(&ns, &room, &filter)
		return act{ns, filter, room, func(t socketio.Target) error { return t.Join(room) }}, err
	})
	p.command("leave", func(args socketio.Args) (act, error) {
		var ns, room, filter string
		err := args.Decode(&ns, &room, &filter)
		return act{ns, filter, room, func(t socketio.Target) error { t.Leave(room); return nil }}, err
	})
	p.command("_disconnect", func(args socketio.Args) (act, error) {
		var ns, filter string
		var whole bool
		err := args.Decode(&ns, &whole, &filter)
		return act{ns, filter, "everyone", func(t socketio.Target) error { disconnect(t, whole); return nil }}, err
	})
	p.command("emit", func(args socketio.Args) (act, error) {
		var ns, filter, event string
		var rest socketio.Args
		if err := args.Decode(&ns, &filter, &event, &rest); err != nil {
			return act{}, err
		}
		list := make([]any, rest.Len())
		into := make([]any, len(list))
		for i := range list {
			into[i] = &list[i]
		}
		err := rest.Decode(into...)
		return act{ns, filter, event, func(t socketio.Target) error { return t.Emit(event, list...) }}, err
	})
}

// disconnect ends the target's sockets or, with whole, their clients.
func disconnect(t socketio.Target, whole bool) {
	for _, s := range t.Sockets() {
		if whole {
			s.DisconnectClient()
		} else {
			s.Disconnect()
		}
	}
}

// An act is what a page has asked for.
type act struct {
	namespace string
	filter    string // a room; "" is everybody
	what      string // the room to join or leave, or the event
	do        func(socketio.Target) error
}

// command has an event do what read makes of its arguments.
func (p *panel) command(event string, read func(socketio.Args) (act, error)) {
	socketio.On(p.ns, event, func(ctx context.Context, s *socketio.Socket, args socketio.Args) error {
		if p.o.ReadOnly {
			return &socketio.Error{Message: "the page may look only (option ReadOnly)"}
		}
		a, err := read(args)
		if err != nil {
			return err
		}
		t, err := p.target(a)
		if err != nil {
			return err
		}
		p.o.Logger.Info("admin: "+event, "remote", p.o.Address(ctx, s), "namespace", a.namespace, "to", a.filter, "what", a.what, "sockets", t.Count())
		if err := a.do(t); err != nil {
			return &socketio.Error{Message: err.Error(), Err: err}
		}
		return nil
	})
}

// target is the sockets that an act is for. A namespace that there is not is not made.
func (p *panel) target(a act) (t socketio.Target, err error) {
	for _, name := range []string{a.filter, a.what} {
		if len(name) > maxName {
			return t, &socketio.Error{Message: fmt.Sprintf("a name of %d bytes; expected at most %d", len(name), maxName)}
		}
	}
	if a.what == "" {
		return t, &socketio.Error{Message: "the name of a room or an event is missing"}
	}
	for _, ns := range p.io.Namespaces() {
		if ns.Name() != a.namespace {
			continue
		}
		if a.filter != "" {
			return ns.To(a.filter), nil
		}
		return ns.To(), nil
	}
	return t, &socketio.Error{Message: fmt.Sprintf("there is no namespace %.80q", a.namespace)}
}
