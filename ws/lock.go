package ws

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A lock is a mutex that a context can stop waiting for. Who finds it free
// pays for one atomic operation, as with sync.Mutex; the others stand in line.
type lock struct {
	state atomic.Uint32 // unlocked, locked or contended

	mu   sync.Mutex
	line []chan struct{} // closed for the one whose turn it is
}

const (
	unlocked  = iota
	locked    // and nobody waits
	contended // and somebody may be waiting
)

// try takes l if it is free.
func (l *lock) try() bool { return l.state.CompareAndSwap(unlocked, locked) }

// acquire waits until it has l, ctx ends, or the connection does.
func (l *lock) acquire(ctx context.Context, c *Conn) error {
	if l.try() {
		return nil
	}
	turn, ok := l.enqueue()
	if ok {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	l.leave(turn)
	return c.why(ctx)
}

// acquireAfter is acquire for the time after the connection's end. It gives up
// when stop is ready; nil is never.
func (l *lock) acquireAfter(stop <-chan struct{}) bool {
	if l.try() {
		return true
	}
	turn, ok := l.enqueue()
	if ok {
		return true
	}
	select {
	case <-turn:
		return true
	case <-stop:
	}
	l.leave(turn)
	return false
}

// enqueue takes l if it is free after all, or else a place in the line.
func (l *lock) enqueue() (turn chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.Swap(contended) == unlocked {
		return nil, true
	}
	turn = make(chan struct{})
	l.line = append(l.line, turn)
	return turn, false
}

// leave gives up a place in the line, and l itself if its turn has come
// meanwhile.
func (l *lock) leave(turn chan struct{}) {
	l.mu.Lock()
	i := slices.Index(l.line, turn)
	if i >= 0 {
		l.line = slices.Delete(l.line, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 {
		l.release()
	}
}

// release hands l to the first in the line, or lets it be free.
func (l *lock) release() {
	if l.state.CompareAndSwap(locked, unlocked) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) == 0 {
		l.line = nil
		l.state.Store(unlocked)
		return
	}
	close(l.line[0])
	l.line = l.line[1:]
}
