package peer

import "sync"

// A hub is how servers broadcast whose library has no way of its own: a queue
// for each receiver, and a goroutine that writes what is in it, as the chat
// examples of gorilla and coder have it. A receiver whose queue is full is let
// go.
type hub[T any] struct {
	mu     sync.Mutex
	queues map[chan T]bool
}

// hubQueue is how many messages may wait for a receiver: more than the load ever
// has under way.
const hubQueue = 64

// join adds a receiver. It has to leave.
func (h *hub[T]) join() chan T {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.queues == nil {
		h.queues = map[chan T]bool{}
	}
	queue := make(chan T, hubQueue)
	h.queues[queue] = true
	return queue
}

// leave ends the queue.
func (h *hub[T]) leave(queue chan T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(queue)
}

func (h *hub[T]) drop(queue chan T) {
	if h.queues[queue] {
		delete(h.queues, queue)
		close(queue)
	}
}

// send puts v into all queues.
func (h *hub[T]) send(v T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for queue := range h.queues {
		select {
		case queue <- v:
		default:
			h.drop(queue)
		}
	}
}
