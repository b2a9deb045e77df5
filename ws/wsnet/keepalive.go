package wsnet

import (
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"time"

	"framewright/ws"
)

// control deals with the control frame that is complete.
func (in *incoming) control() error {
	c := in.c
	in.count()
	in.unlimit()
	switch in.rx.Frame().Opcode {
	case ws.OpPing:
		c.stats.pingsIn.Add(1)
		if !in.pings.take(c.set.pingRate, 1) {
			return in.violation(ws.RulePingRate.Violation("more pings than PingRate allows, " + strconv.Itoa(c.set.pingRate) + " a second"))
		}
		c.out.answer(in.rx.Control())
	case ws.OpPong:
		if !c.alive.answered(in.rx.Control()) && !in.pings.take(c.set.pingRate, 1) {
			return in.violation(ws.RulePongRate.Violation("more pongs that no ping asked for than PingRate allows, " + strconv.Itoa(c.set.pingRate) + " a second"))
		}
	case ws.OpClose:
		return c.closedByPeer(in.rx.CloseFrame())
	}
	return nil
}

// keepalive sends pings: those of the application, and one of its own when
// nothing has come since the last look, Options.PingInterval before. If nothing
// comes for PongTimeout after that, the peer is taken for dead. It looks every
// PingInterval while it waits for that, too: a sign of life ends the waiting.
type keepalive struct {
	c     *Conn
	place place // belongs to the settings' timers, and so does queue

	mu      sync.Mutex
	last    uint64    // id of the newest ping, which is its payload
	pending []pending // pings without an answer, oldest first

	// What tick saw last.
	bytes   uint64 // that had come
	waits   uint32 // how often a reader had begun or ended to wait
	nothing uint32 // how often, when overdue was set, a reader had waited in vain
	expects bool   // a keepalive ping is out
	overdue bool   // and its time was up, but nobody was listening

	queue uint8  // that place is in
	looks uint32 // still to come before the time of the ping is up
}

type pending struct {
	id   uint64
	at   moment
	done chan<- time.Duration // nil for keepalive's own
}

func (k *keepalive) start(c *Conn) {
	k.c = c
	if c.set.pingInterval > 0 {
		c.set.timers.add(k, untilPing)
	}
}

func (k *keepalive) stop() { k.c.set.timers.remove(k) }

// tick looks at what has come since the last look. It must not wait.
func (k *keepalive) tick() {
	c := k.c
	next := uint8(untilPing)
	bytes, waits, nothing := c.stats.bytesIn.Load(), c.in.waiting.Load(), c.in.nothing.Load()
	switch {
	case bytes != k.bytes: // a sign of life
		k.expects, k.overdue = false, false
	case !k.expects:
		k.waits = waits
		if c.socket != nil {
			k.ask()
		} else {
			go k.ask()
		}
		return
	case k.looks > 1:
		k.looks--
		c.set.timers.add(k, c.set.timers.before(k.looks))
		return
	case waits == k.waits && waits%2 == 1, // somebody was listening all the time
		k.overdue && nothing != k.nothing: // or has found that nothing lies unread
		c.cut(ErrPongTimeout, true)
		return
	default:
		if c.set.timers.wholeLooks() == 0 {
			next = untilPong
		}
		if !k.overdue {
			k.overdue, k.nothing = true, nothing
		}
	}
	k.bytes, k.waits = bytes, waits
	c.set.timers.add(k, next)
}

// ask is the part of tick that a peer may hold up, unless the stream is a socket.
func (k *keepalive) ask() {
	t := &k.c.set.timers
	next := uint8(untilPing)
	if k.expects = k.ping(); k.expects {
		k.looks = t.looks
		next = t.before(k.looks)
	}
	t.add(k, next)
}

// ping sends a ping unless something is being written or waits to be: then
// that finds out whether the peer is there. It reports whether the ping is out.
func (k *keepalive) ping() bool {
	out := &k.c.out
	if !out.frames.try() {
		return false
	}
	if len(out.pending) > 0 {
		out.unlock(k.c.Context())
		return false
	}
	_, err := k.send(k.c.Context(), nil)
	if k.c.socket != nil {
		out.sendAndUnlock()
	} else {
		out.unlock(k.c.Context())
	}
	return err == nil
}

// send has frames. It returns the ping's id.
func (k *keepalive) send(ctx context.Context, done chan<- time.Duration) (uint64, error) {
	out := &k.c.out
	k.mu.Lock()
	k.last++
	id := k.last
	if done == nil { // a peer that never answers must not make the list grow
		k.pending = slices.DeleteFunc(k.pending, func(p pending) bool { return p.done == nil })
	}
	k.pending = append(k.pending, pending{id, now(), done})
	k.mu.Unlock()

	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], id)
	h := ws.Header{Fin: true, Opcode: ws.OpPing, Length: int64(len(payload))}
	err := out.begin(ctx, &h)
	if err == nil {
		err = out.send(ctx, &h, payload[:], nil, done == nil && k.c.socket != nil)
	}
	if err != nil {
		k.forget(id)
		return 0, err
	}
	k.c.stats.pingsOut.Add(1)
	return id, nil
}

func (k *keepalive) forget(id uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = slices.DeleteFunc(k.pending, func(p pending) bool { return p.id == id })
}

// answered takes a pong. It answers the ping whose payload it carries and all
// before it: an endpoint may answer only the newest (RFC 6455 §5.5.3).
func (k *keepalive) answered(payload []byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	if len(payload) == 8 {
		id := binary.BigEndian.Uint64(payload)
		for i, p := range k.pending {
			if p.id == id {
				n = i + 1
			}
		}
	}
	if n == 0 { // "A response to an unsolicited Pong frame is not expected."
		k.c.stats.unsolicited.Add(1)
		return false
	}
	k.c.stats.pongsIn.Add(1)
	for _, p := range k.pending[:n] {
		rtt := now().sub(p.at)
		k.c.stats.rtt.Store(int64(rtt))
		if p.done != nil {
			p.done <- rtt
		}
	}
	k.pending = append(k.pending[:0], k.pending[n:]...)
	return true
}

// Ping sends a ping and waits for its pong, which is seen only while somebody
// reads. It returns the round-trip time.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	if err := c.out.frames.acquire(ctx, c); err != nil {
		return 0, wrapOp("ping", err)
	}
	done := make(chan time.Duration, 1)
	id, err := c.alive.send(ctx, done)
	c.out.unlock(ctx)
	if err != nil {
		return 0, wrapOp("ping", err)
	}
	select {
	case rtt := <-done:
		return rtt, nil
	case <-ctx.Done():
		c.alive.forget(id)
		return 0, wrapOp("ping", c.why(ctx))
	case <-c.life.Done():
		return 0, wrapOp("ping", c.Err())
	}
}
