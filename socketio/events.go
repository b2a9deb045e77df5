package socketio

import (
	"context"
	"slices"
)

// UseEvents adds a function that each event of a client must pass before its handler, in
// the order they were added: here a program checks what a socket may do. An error is the
// event's own, as if its handler had returned it: see [On]. args may be decoded here and
// once more in the handler.
func (n *Namespace) UseEvents(f func(ctx context.Context, s *Socket, event string, args Args) error) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.gates = append(slices.Clip(n.gates), f)
}

// OnAny has f called with each event that has no handler of its own. What it returns is
// the acknowledgement, if the client asks for one. Without it, such an event is answered
// with an error, and counts against [Options.IdleRate].
func (n *Namespace) OnAny(f func(ctx context.Context, s *Socket, event string, args Args) (Reply, error)) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.any = f
}

// OnError has f called with each error of a handler, of an OnAny or a UseEvents function,
// and of arguments that could not be decoded. What f returns takes the error's place in
// the acknowledgement; nil acknowledges with nothing. f decides what is logged; a panic
// is logged before, and comes as an error, too.
func (n *Namespace) OnError(f func(ctx context.Context, s *Socket, event string, err error) error) {
	n.setup.Lock()
	defer n.setup.Unlock()
	n.failed = f
}

// A route is what an event goes through.
type route struct {
	gates  []func(context.Context, *Socket, string, Args) error
	handle handler // nil: there is none
	failed func(context.Context, *Socket, string, error) error

	watchers []*Watcher
}

func (n *Namespace) route(event string) route {
	n.setup.RLock()
	defer n.setup.RUnlock()
	r := route{gates: n.gates, handle: n.handlers[event], failed: n.failed, watchers: n.watchers}
	if f := n.any; r.handle == nil && f != nil {
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
