package wsnet

import (
	"sync"
	"time"

	"framewright/ws"
)

// timers wakes the keepalives of all connections of a group. In each queue all wait
// equally long, so the first that came is the first that is due, and one timer does for
// all: a timer for each connection would take 144 bytes of it. There are two queues, as
// ws.Keepalive knows two spans: the interval, and what a timeout is beyond whole ones.
type timers struct {
	mu       sync.Mutex
	interval int64 // nanoseconds
	queues   [2]queue
}

type queue struct {
	timer       *time.Timer // nil while the queue is empty
	first, last *place
}

// A place is one in a queue.
type place struct {
	due        ws.Moment // 0: in none
	prev, next *place
	wakes      interface {
		tick()
		over() bool // and need not be woken any more
	}
	queue uint8
}

// add sees to it that who is at p is woken once, after that many nanoseconds, unless the
// connection ends before.
func (t *timers) add(p *place, after int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.wakes.over() {
		return // remove was called, or is about to be
	}
	p.queue = 0
	if after != t.interval {
		p.queue = 1
	}
	q := &t.queues[p.queue]
	p.due, p.prev, p.next = now().Add(after), q.last, nil
	if q.last != nil {
		q.last.next = p
	} else {
		q.first = p
		q.timer = time.AfterFunc(time.Duration(after), func() { t.fire(q) })
	}
	q.last = p
}

func (t *timers) remove(p *place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.due != 0 {
		t.unlink(p)
	}
}

// unlink has mu.
func (t *timers) unlink(p *place) {
	q := &t.queues[p.queue]
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		q.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		q.last = p.prev
	}
	p.due, p.prev, p.next = 0, nil, nil
	if q.first == nil {
		q.timer.Stop()
		q.timer = nil
	}
}

func (t *timers) fire(q *queue) {
	for p := t.nextDue(q); p != nil; p = t.nextDue(q) {
		p.wakes.tick()
	}
}

// nextDue takes the first in q out of it if its time has come, or else sets the
// timer to when that will be.
func (t *timers) nextDue(q *queue) *place {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := q.first
	if p == nil {
		return nil
	}
	if wait := p.due - now(); wait > 0 {
		q.timer.Reset(time.Duration(wait))
		return nil
	}
	t.unlink(p)
	return p
}
