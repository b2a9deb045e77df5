package wsnet

import (
	"math"
	"sync"
	"time"
)

// timers wakes the keepalives of all connections with the same settings. In
// each queue all wait equally long, so the first that came is the first that is
// due, and one timer does for all: a timer for each connection would take 144
// bytes of it.
type timers struct {
	mu     sync.Mutex
	queues [2]queue
	looks  uint32 // how many a PongTimeout takes
}

const (
	untilPing = iota // for PingInterval
	untilPong        // for what PongTimeout is beyond whole PingIntervals
)

// set sets the spans, before there is any keepalive; interval is above 0.
func (t *timers) set(interval, timeout time.Duration) {
	t.queues[untilPing].span = interval
	t.queues[untilPong].span = timeout % interval
	looks := timeout / interval
	if timeout%interval > 0 {
		looks++
	}
	t.looks = uint32(min(looks, math.MaxUint32))
}

// before returns the queue in which to wait when, that waiting included, there
// are still that many looks before a PongTimeout is over. The odd one comes last.
func (t *timers) before(looks uint32) uint8 {
	if looks == 1 && t.queues[untilPong].span > 0 {
		return untilPong
	}
	return untilPing
}

// wholeLooks returns how many whole PingIntervals a PongTimeout takes.
func (t *timers) wholeLooks() uint32 {
	if t.queues[untilPong].span > 0 {
		return t.looks - 1
	}
	return t.looks
}

type queue struct {
	span        time.Duration
	timer       *time.Timer // nil while the queue is empty
	first, last *keepalive
}

// A place is one in a queue.
type place struct {
	due        moment // 0: in none
	prev, next *keepalive
}

// add sees to it that k.tick is called once, unless the connection ends before.
func (t *timers) add(k *keepalive, which uint8) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.c.Err() != nil {
		return // remove was called, or is about to be
	}
	q := &t.queues[which]
	k.queue, k.place = which, place{due: now().add(q.span), prev: q.last}
	if q.last != nil {
		q.last.place.next = k
	} else {
		q.first = k
		q.timer = time.AfterFunc(q.span, func() { t.fire(q) })
	}
	q.last = k
}

func (t *timers) remove(k *keepalive) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.place.due != 0 {
		t.unlink(k)
	}
}

// unlink has mu.
func (t *timers) unlink(k *keepalive) {
	q, p := &t.queues[k.queue], k.place
	if p.prev != nil {
		p.prev.place.next = p.next
	} else {
		q.first = p.next
	}
	if p.next != nil {
		p.next.place.prev = p.prev
	} else {
		q.last = p.prev
	}
	k.place = place{}
	if q.first == nil {
		q.timer.Stop()
		q.timer = nil
	}
}

func (t *timers) fire(q *queue) {
	for k := t.nextDue(q); k != nil; k = t.nextDue(q) {
		k.tick()
	}
}

// nextDue takes the first in q out of it if its time has come, or else sets the
// timer to when that will be.
func (t *timers) nextDue(q *queue) *keepalive {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := q.first
	if k == nil {
		return nil
	}
	if wait := k.place.due.sub(now()); wait > 0 {
		q.timer.Reset(wait)
		return nil
	}
	t.unlink(k)
	return k
}
