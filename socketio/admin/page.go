package admin

import (
	"context"
	"encoding/json"
	"time"

	"framewright/engineio"
	"framewright/socketio"
)

// A page is one page that looks at the server.
type page struct {
	panel  *panel
	socket *socketio.Socket
	counts counts
	feed   *feed // in Development

	polling map[*socketio.Socket]struct{} // shown as such
}

func newPage(p *panel, s *socketio.Socket) *page {
	return &page{panel: p, socket: s, feed: newFeed(p.o.EventRate), polling: make(map[*socketio.Socket]struct{})}
}

// run tells the page of the server until ctx, the socket's, ends.
func (v *page) run(ctx context.Context, session string) {
	defer v.panel.forget(v)
	w := &socketio.Watcher{}
	v.counts.watch(w)
	var present []described
	if v.panel.o.Mode == Development {
		v.watch(w, &present)
	}
	stop := v.panel.io.Watch(w)
	defer stop()
	if session != "" {
		v.emit(ctx, "session", session)
	}
	v.emit(ctx, "config", map[string]any{"supportedFeatures": v.panel.features()})
	v.emit(ctx, "server_stats", v.panel.stats(&v.counts))
	if v.panel.o.Mode == Development {
		v.begin(ctx, present)
	}
	ticker := time.NewTicker(v.panel.o.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			v.emit(ctx, "server_stats", v.panel.stats(&v.counts))
			v.upgrades(ctx)
		case <-v.feed.wake:
			notes, ok := v.feed.take()
			if !ok {
				v.panel.o.Logger.Info("admin: a page is too slow for what happens, and is cut", "remote", v.panel.o.Address(ctx, v.socket))
				v.socket.Drop() // it comes back by itself
				return
			}
			for _, n := range notes {
				v.tell(ctx, n)
			}
		}
	}
}

// emit sends the page an event when it has taken half of those before. That fails only
// when the page is gone, which run sees.
func (v *page) emit(ctx context.Context, event string, args ...any) {
	if v.socket.Ready(ctx) == nil {
		_ = v.socket.Emit(event, args...)
	}
}

// begin shows the page who is there: at first as many sockets as fit into one packet, for
// each list takes the place of the one before, and then the others.
func (v *page) begin(ctx context.Context, present []described) {
	list, size := []json.RawMessage{}, 0
	for len(present) > 0 {
		text := v.show(present[0])
		if size += len(text); size > v.panel.o.MaxPacket {
			break
		}
		list, present = append(list, text), present[1:]
	}
	v.emit(ctx, "all_sockets", list)
	for _, d := range present {
		if ctx.Err() != nil {
			return
		}
		v.emit(ctx, "socket_connected", v.show(d), moment(d.socket.Since()))
	}
}

// show is [panel.show], and remembers what to look at again.
func (v *page) show(d described) json.RawMessage {
	if d.socket.Transport() == engineio.Polling {
		v.polling[d.socket] = struct{}{}
	}
	return v.panel.show(d)
}

func (v *page) tell(ctx context.Context, n note) {
	if n.opened != nil {
		n.args[0] = v.show(*n.opened)
	}
	v.emit(ctx, n.name, n.args...)
}

// upgrades tells of sockets that do not poll any more.
func (v *page) upgrades(ctx context.Context) {
	for s := range v.polling {
		switch {
		case s.Context().Err() != nil:
			delete(v.polling, s)
		case s.Transport() != engineio.Polling:
			delete(v.polling, s)
			v.emit(ctx, "socket_updated", map[string]string{"id": s.ID(), "nsp": s.Namespace().Name(), "transport": s.Transport()})
		}
	}
}

// watch has w fill present and the feed.
func (v *page) watch(w *socketio.Watcher, present *[]described) {
	add := func(name string, args ...any) { v.feed.add(note{name: name, args: args}) }
	w.Present = func(s *socketio.Socket, rooms []string) bool {
		*present = append(*present, described{s, rooms})
		return len(*present) < v.panel.o.MaxSockets
	}
	w.Connected = func(s *socketio.Socket, rooms []string) {
		v.feed.add(note{name: "socket_connected", args: []any{nil, moment(time.Now())}, opened: &described{s, rooms}})
	}
	w.Disconnected = func(s *socketio.Socket, why socketio.Reason) {
		add("socket_disconnected", s.Namespace().Name(), s.ID(), why, moment(time.Now()))
	}
	w.Joined = func(s *socketio.Socket, room string) {
		add("room_joined", s.Namespace().Name(), room, s.ID(), moment(time.Now()))
	}
	w.Left = func(s *socketio.Socket, room string) {
		add("room_left", s.Namespace().Name(), room, s.ID(), moment(time.Now()))
	}
	event := func(name string) func(*socketio.Socket, socketio.Event) {
		return func(s *socketio.Socket, e socketio.Event) {
			if s.Namespace() == v.panel.ns {
				return // what pages are told is not told to pages
			}
			v.feed.maybe(func() note {
				return note{name: name, args: []any{s.Namespace().Name(), s.ID(), showEvent(e), moment(time.Now())}}
			})
		}
	}
	w.Received, w.Sent = event("event_received"), event("event_sent")
}
