package chat

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds what a session is yet to be sent. Putting never waits: a queue
// that would pass its bounds drops volatile packets, and then fails for good.
// One goroutine takes.
type queue struct {
	maxBytes int
	maxAge   time.Duration
	wake     chan struct{} // of capacity 1: full when the taker, if it waits, should look again

	mu      sync.Mutex
	items   []item // items[head:] are waiting
	head    int
	bytes   int
	waiting bool          // the taker waits for wake
	err     error         // why the queue takes no more
	room    chan struct{} // closed when the queue is half empty again; nil if nobody waits
}

type item struct {
	Packet
	volatile bool
	put      time.Time
}

// packetOverhead is what a waiting packet costs besides its own bytes.
const packetOverhead = 64

func (q *queue) init(maxBytes int, maxAge time.Duration) {
	q.maxBytes, q.maxAge = maxBytes, maxAge
	q.wake = make(chan struct{}, 1)
}

func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// put adds p, and reports how many volatile packets were dropped for lack of
// room. The error is that with which the queue has just ended, if this packet
// was the one too many; a queue that ended before ignores p.
func (q *queue) put(p Packet, volatile bool, now time.Time) (dropped int, err error) {
	size := p.Size + packetOverhead
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return 0, nil
	}
	if volatile && q.bytes+size > q.maxBytes/2 {
		return 1, nil // nothing that may be dropped fills the second half
	}
	if q.bytes+size > q.maxBytes {
		dropped = q.dropVolatile()
	}
	if q.bytes+size > q.maxBytes || q.head < len(q.items) && now.Sub(q.items[q.head].put) > q.maxAge {
		q.fail(ErrSlow)
		q.items, q.head, q.bytes = nil, 0, 0 // never to be sent; free it now
		return dropped, ErrSlow
	}
	if q.head > 0 && len(q.items) == cap(q.items) { // make use of what was taken
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item{p, volatile, now})
	q.bytes += size
	q.rouse()
	return dropped, nil
}

// putFirst adds p before everything that waits; what is put first is small, and
// is held to no bound.
func (q *queue) putFirst(p Packet, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.items = slices.Insert(q.items, q.head, item{p, false, now})
		q.bytes += p.Size + packetOverhead
		q.rouse()
	}
}

func (q *queue) dropVolatile() (dropped int) {
	kept := q.items[:0]
	for _, it := range q.items[q.head:] {
		if it.volatile {
			q.bytes -= it.Size + packetOverhead
			dropped++
			continue
		}
		kept = append(kept, it)
	}
	clear(q.items[len(kept):])
	q.items, q.head = kept, 0
	return dropped
}

// rouse wakes the taker if it waits. The caller holds mu.
func (q *queue) rouse() {
	if q.waiting {
		q.waiting = false
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// fail ends the queue: it takes no more, and gives err when it is empty.
func (q *queue) fail(err error) {
	if q.err == nil {
		q.err = err
	}
	q.rouse()
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

// take appends to dst the oldest packet, waiting for one, and those after it up
// to most packets and as far as they all fit into maxBytes together. What was
// put before close is given out first, then the error that close was given.
func (q *queue) take(ctx context.Context, dst []Packet, most, maxBytes int) ([]Packet, error) {
	q.mu.Lock()
	for q.head == len(q.items) {
		if q.err != nil {
			q.mu.Unlock()
			return dst, q.err // does not change any more
		}
		q.waiting = true
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			return dst, context.Cause(ctx)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	for taken, bytes := 0, 0; taken < most && q.head < len(q.items); taken++ {
		it := &q.items[q.head]
		if bytes += it.Size; bytes > maxBytes && taken > 0 {
			break
		}
		dst = append(dst, it.Packet)
		q.bytes -= it.Size + packetOverhead
		*it = item{}
		q.head++
	}
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 64 {
			q.items = nil // a burst is over; an idle session keeps little
		}
	}
	if q.bytes <= q.maxBytes/2 {
		signal(&q.room)
	}
	return dst, nil
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
