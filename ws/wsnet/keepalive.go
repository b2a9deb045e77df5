package wsnet

import (
	"context"
	"time"

	"framewright/ws"
)

// keepalive sends pings: those of the application, and its own when ws.Keepalive asks for
// one.
type keepalive struct {
	in    *inbox
	look  ws.Keepalive
	place place // among those that the group's timers wake
}

func (k *keepalive) start(in *inbox) {
	k.in, k.place.wakes = in, k
	if set := in.link.set; set.spans.Interval > 0 {
		set.timers.add(&k.place, set.spans.Interval)
	}
}

func (k *keepalive) stop() { k.in.link.set.timers.remove(&k.place) }

// over reports whether the connection is.
func (k *keepalive) over() bool { return k.in.link.life.err() != nil }

// tick looks at what has come since the last look. It must not wait.
func (k *keepalive) tick() {
	l := k.in.link
	signs := ws.Signs{Bytes: l.stats.bytesIn.Load(), Waits: k.in.waits.Load(), Idle: k.in.idle.Load()}
	switch do, after := k.look.Look(signs, l.set.spans); do {
	case ws.LookPing:
		if l.socket != nil {
			k.ask()
		} else {
			go k.ask()
		}
	case ws.LookDead:
		l.cut(ws.EndByLoss(ErrPongTimeout, true, nil))
	default:
		l.set.timers.add(&k.place, after)
	}
}

// ask is the part of tick that a peer may hold up, unless the stream is a socket.
func (k *keepalive) ask() {
	k.in.link.set.timers.add(&k.place, k.look.Pinged(k.ping(), k.in.link.set.spans))
}

// ping sends a ping unless something is being written or waits to be: then
// that finds out whether the peer is there. It reports whether the ping is out.
func (k *keepalive) ping() bool {
	life := &k.in.link.life
	if !k.in.out.frames.try() {
		return false
	}
	if len(k.in.out.pending) > 0 {
		k.in.out.unlock(life)
		return false
	}
	_, err := k.send(life, nil)
	if k.in.link.socket != nil {
		k.in.out.handOver()
	} else {
		k.in.out.unlock(life)
	}
	return err == nil
}

// send has frames. It returns the ping's number; done gets the round-trip time, and is nil
// for keepalive's own.
func (k *keepalive) send(ctx context.Context, done chan<- time.Duration) (uint64, error) {
	var whom any
	if done != nil {
		whom = done
	}
	k.in.link.pings.Lock()
	ping, payload := k.in.link.ep.Pings.Send(now(), whom)
	k.in.link.pings.Unlock()
	h := ws.Header{Fin: true, Opcode: ws.OpPing, Length: int64(len(payload))}
	err := k.in.out.begin(ctx, &h)
	if err == nil {
		err = k.in.out.send(ctx, &h, payload[:], nil, done == nil && k.in.link.socket != nil)
	}
	if err != nil {
		k.forget(ping.Number)
		return 0, err
	}
	k.in.link.stats.pingsOut.Add(1)
	return ping.Number, nil
}

func (k *keepalive) forget(number uint64) {
	k.in.link.pings.Lock()
	defer k.in.link.pings.Unlock()
	k.in.link.ep.Pings.Forget(number)
}

// Ping sends a ping and waits for its pong, which is seen only while somebody
// reads. It returns the round-trip time.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	if err := c.out.frames.acquire(ctx, &c.link.life); err != nil {
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
		return 0, wrapOp("ping", c.link.life.cause(ctx))
	case <-c.link.life.Done():
		return 0, wrapOp("ping", c.Err())
	}
}
