package echo

import (
	"context"
	"sync"
	"time"

	"framewright/internal/queue"
	"framewright/ws/wsnet"
)

// A broadcaster sends what comes on any connection to all of them. Each has a
// queue bounded in bytes, and a goroutine that empties it. A sender waits while
// a queue is full, which is how a fast sender is slowed to what its receivers
// take; but for all the full ones together it waits no longer than
// stallTimeout, and then cuts them. So stalled readers cost the others one such
// wait, however many they are.
type broadcaster struct {
	mu    sync.Mutex
	conns map[*outbox]struct{}
}

// An outbox is what waits to be sent over one connection.
type outbox struct {
	conn *wsnet.Conn

	mu      sync.Mutex
	waiting []*wsnet.Prepared
	bytes   int
	taken   int           // messages that were sent
	more    chan struct{} // gets a value when something was added
	room    queue.Signal  // something was taken
}

const (
	outboxBytes  = 1 << 20     // waiting for one connection; one message may be longer
	perMessage   = 64          // what a message counts besides its content
	stallTimeout = time.Second // of a full outbox
)

// serve is a wsnet.Server's Handler.
func (b *broadcaster) serve(ctx context.Context, c *wsnet.Conn) error {
	o := &outbox{conn: c, more: make(chan struct{}, 1)}
	b.mu.Lock()
	if b.conns == nil {
		b.conns = make(map[*outbox]struct{})
	}
	b.conns[o] = struct{}{}
	b.mu.Unlock()

	var wg sync.WaitGroup
	wg.Go(func() { o.write(ctx) })
	defer wg.Wait() // ctx ends when the connection is over
	defer func() {
		b.mu.Lock()
		delete(b.conns, o)
		b.mu.Unlock()
	}()
	var all []*outbox
	for msg, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		p, err := wsnet.Prepare(msg.Opcode, msg.Data)
		if err != nil {
			return err
		}
		b.mu.Lock()
		all = all[:0]
		for o := range b.conns {
			all = append(all, o)
		}
		b.mu.Unlock()
		send(all, p)
		clear(all)
	}
	return nil
}

// send puts p into every outbox. If some were full, those are cut that are still
// full after stallTimeout, and those that have taken nothing meanwhile: they
// would be full one of the next times.
func send(all []*outbox, p *wsnet.Prepared) {
	var full []*outbox
	for _, o := range all {
		if _, ok := o.add(p); !ok {
			full = append(full, o)
		}
	}
	if len(full) == 0 {
		return
	}
	taken := make([]int, len(all))
	for i, o := range all {
		taken[i] = o.progress()
	}
	timer := time.NewTimer(stallTimeout)
	defer timer.Stop()
	late := false
	for _, o := range full {
		room, ok := o.add(p)
		for !ok && !late {
			select {
			case <-room:
			case <-o.conn.Context().Done():
				ok = true // needs nothing any more
				continue
			case <-timer.C:
				late = true
			}
			room, ok = o.add(p)
		}
		if !ok {
			o.conn.CloseNow()
		}
	}
	if late {
		for i, o := range all {
			if o.stalled(taken[i]) {
				o.conn.CloseNow()
			}
		}
	}
}

// add puts p into the outbox unless it is full; room then tells when it is
// worth another try.
func (o *outbox) add(p *wsnet.Prepared) (room <-chan struct{}, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := len(p.Data()) + perMessage
	if o.bytes > 0 && o.bytes+size > outboxBytes {
		return o.room.Wait(), false
	}
	o.waiting = append(o.waiting, p)
	o.bytes += size
	select {
	case o.more <- struct{}{}:
	default: // it knows
	}
	return nil, true
}

func (o *outbox) progress() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken
}

// stalled reports whether messages wait and none was sent since taken.
func (o *outbox) stalled(taken int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes > 0 && o.taken == taken
}

// write empties the outbox until the connection is over.
func (o *outbox) write(ctx context.Context) {
	var batch []*wsnet.Prepared
	for {
		select {
		case <-o.more:
		case <-ctx.Done():
			return
		}
		o.mu.Lock()
		batch, o.waiting = o.waiting, batch[:0]
		o.mu.Unlock()
		for i, p := range batch {
			if o.conn.WritePrepared(ctx, p) != nil {
				o.conn.CloseNow()
				return
			}
			batch[i] = nil
			o.mu.Lock()
			o.bytes -= len(p.Data()) + perMessage
			o.taken++
			o.room.Raise()
			o.mu.Unlock()
		}
	}
}
