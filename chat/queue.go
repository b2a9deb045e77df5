package chat

import (
	"context"
	"sync"
	"time"
)

// queue holds what a session is yet to be sent. Putting never waits: a queue
// that would pass its bounds drops volatile packets, and then fails for good.
// One goroutine takes.
type queue struct {
	maxBytes int
	maxAge   time.Duration

	mu    sync.Mutex
	items []item // items[head:] are waiting
	head  int
	bytes int
	err   error         // why the queue takes no more
	wake  chan struct{} // closed when a packet, or err, is there; nil if nobody waits
	room  chan struct{} // closed when the queue is half empty again; nil if nobody waits
}

type item struct {
	Packet
	volatile bool
	put      time.Time
}

// packetOverhead is what a waiting packet costs besides its own bytes.
const packetOverhead = 64

// put adds p. It reports the error with which the queue has just ended, if this
// packet was the one too many; a queue that ended before ignores p.
func (q *queue) put(p Packet, volatile bool) error {
	size := p.Size + packetOverhead
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return nil
	}
	if volatile && q.bytes+size > q.maxBytes/2 {
		return nil // nothing that may be dropped fills the second half
	}
	if q.bytes+size > q.maxBytes {
		q.dropVolatile()
	}
	now := time.Now()
	if q.bytes+size > q.maxBytes || q.head < len(q.items) && now.Sub(q.items[q.head].put) > q.maxAge {
		q.fail(ErrSlow)
		q.items, q.head, q.bytes = nil, 0, 0 // never to be sent; free it now
		return ErrSlow
	}
	q.items = append(q.items, item{p, volatile, now})
	q.bytes += size
	signal(&q.wake)
	return nil
}

func (q *queue) dropVolatile() {
	kept := q.items[:0]
	for _, it := range q.items[q.head:] {
		if it.volatile {
			q.bytes -= it.Size + packetOverhead
			continue
		}
		kept = append(kept, it)
	}
	clear(q.items[len(kept):])
	q.items, q.head = kept, 0
}

// fail ends the queue: it takes no more, and gives err when it is empty.
func (q *queue) fail(err error) {
	if q.err == nil {
		q.err = err
	}
	signal(&q.wake)
	signal(&q.room)
}

func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail(err)
}

func signal(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// take returns the oldest packet, waiting for one. What was put before close is
// given out first, then the error that close was given.
func (q *queue) take(ctx context.Context) (Packet, error) {
	q.mu.Lock()
	for q.head == len(q.items) {
		if q.err != nil {
			q.mu.Unlock()
			return Packet{}, q.err // does not change any more
		}
		if q.wake == nil {
			q.wake = make(chan struct{})
		}
		wake := q.wake
		q.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return Packet{}, context.Cause(ctx)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	p := q.items[q.head].Packet
	q.items[q.head] = item{}
	q.head++
	q.bytes -= p.Size + packetOverhead
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 64 {
			q.items = nil // a burst is over; an idle session keeps little
		}
	}
	if q.bytes <= q.maxBytes/2 {
		signal(&q.room)
	}
	return p, nil
}

// ready waits until at least half of the queue is free.
func (q *queue) ready(ctx context.Context) error {
	q.mu.Lock()
	for q.bytes > q.maxBytes/2 && q.err == nil {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	return q.err
}
