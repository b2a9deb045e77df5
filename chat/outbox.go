package chat

import (
	"context"
	"sync"
	"time"

	"framewright/internal/queue"
)

// An outbox holds what a session is yet to be sent. Putting never waits: one
// that would pass its bounds drops volatile packets, and then fails for good.
// One goroutine takes: one that calls take, or one that a Writer has while something
// waits.
type outbox struct {
	maxBytes int
	maxAge   time.Duration

	mu      sync.Mutex
	items   queue.List[item]
	by      attended
	wake    chan struct{} // of capacity 1: full when the taker, if it waits, should look again; nil until one has waited
	waiting bool          // the taker waits for wake
	dropped uint64        // volatile packets, so far
	err     error         // why the queue takes no more
	room    queue.Signal  // the queue is half empty again
}

type item struct {
	Packet
	volatile bool
	put      time.Time
}

// packetOverhead is what a waiting packet costs besides its own bytes.
const packetOverhead = 64

func (q *outbox) init(maxBytes int, maxAge time.Duration) {
	q.maxBytes, q.maxAge = maxBytes, maxAge
}

func (q *outbox) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.Size()
}

// look says what waits at a time.
func (q *outbox) look(now time.Time) Queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := Queue{Packets: q.items.Len(), Bytes: q.items.Size(), MaxBytes: q.maxBytes, MaxAge: q.maxAge, Dropped: q.dropped}
	if oldest := q.items.First(); oldest != nil {
		l.Age = now.Sub(oldest.put)
	}
	return l
}

// put adds p, and reports how many volatile packets were dropped for lack of
// room. The error is that with which the queue has just ended, if this packet
// was the one too many; a queue that ended before ignores p.
func (q *outbox) put(p Packet, volatile bool, now time.Time) (dropped int, err error) {
	size := p.Size + packetOverhead
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return 0, nil
	}
	if volatile && q.items.Size()+size > q.maxBytes/2 {
		q.dropped++
		return 1, nil // nothing that may be dropped fills the second half
	}
	if q.items.Size()+size > q.maxBytes {
		dropped = q.items.Drop(func(it item) bool { return it.volatile })
		q.dropped += uint64(dropped)
	}
	oldest := q.items.First()
	if q.items.Size()+size > q.maxBytes || oldest != nil && now.Sub(oldest.put) > q.maxAge {
		q.fail(ErrSlow)
		q.items.Clear() // never to be sent; free it now
		return dropped, ErrSlow
	}
	q.items.Push(item{p, volatile, now}, size)
	q.rouse()
	return dropped, nil
}

// putFirst adds p before everything that waits; what is put first is small, and
// is held to no bound.
func (q *outbox) putFirst(p Packet, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.items.PushFirst(item{p, false, now}, p.Size+packetOverhead)
		q.rouse()
	}
}

// rouse wakes the taker if it waits, or has the writer begin. The caller holds mu.
func (q *outbox) rouse() {
	if q.by.writer != nil && !q.by.writing {
		q.by.writing = true
		go q.write()
	}
	if q.waiting {
		q.waiting = false
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// fail ends the queue: it takes no more, and gives err when it is empty.
func (q *outbox) fail(err error) {
	if q.err == nil {
		q.err = err
		if q.by.writer != nil {
			q.by.writer.Over(err)
		}
	}
	q.rouse()
	q.room.Raise()
}

func (q *outbox) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail(err)
}

// take appends to dst the oldest packet, waiting for one, and those after it up
// to most packets and as far as they all fit into maxBytes together. What was
// put before close is given out first, then the error that close was given.
func (q *outbox) take(ctx context.Context, dst []Packet, most, maxBytes int) ([]Packet, error) {
	q.mu.Lock()
	for q.items.Len() == 0 {
		if q.err != nil {
			q.mu.Unlock()
			return dst, q.err // does not change any more
		}
		q.waiting = true
		if q.wake == nil {
			q.wake = make(chan struct{}, 1)
		}
		wake := q.wake
		q.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return dst, context.Cause(ctx)
		}
		q.mu.Lock()
	}
	defer q.mu.Unlock()
	return q.takeBatch(dst, most, maxBytes), nil
}

// takeBatch is take when something waits. The caller holds mu.
func (q *outbox) takeBatch(dst []Packet, most, maxBytes int) []Packet {
	for taken, bytes := 0, 0; taken < most; taken++ {
		it := q.items.First()
		if it == nil {
			break
		}
		if bytes += it.Size; bytes > maxBytes && taken > 0 {
			break
		}
		dst = append(dst, it.Packet)
		q.items.Pop()
	}
	if q.items.Size() <= q.maxBytes/2 {
		q.room.Raise()
	}
	return dst
}

// ready waits until at least half of the queue is free.
func (q *outbox) ready(ctx context.Context) error {
	q.mu.Lock()
	for q.items.Size() > q.maxBytes/2 && q.err == nil {
		room := q.room.Wait()
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
