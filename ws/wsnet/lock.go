package wsnet

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A lock is a mutex that a context can stop waiting for. Who finds it free
// pays for one atomic operation, as with sync.Mutex; the others stand in line.
// Where it counts, that operation stands where the lock is taken or let go.
type lock struct {
	atomic.Uint32                      // unlocked, locked or contended
	wait          atomic.Pointer[line] // nil until somebody has to wait
}

type line struct {
	mu    sync.Mutex
	turns []chan struct{} // closed for the one whose turn it is
}

const (
	unlocked  = iota
	locked    // and nobody waits
	contended // and somebody may be waiting
)

// try takes l if it is free.
func (l *lock) try() bool { return l.CompareAndSwap(unlocked, locked) }

// acquire waits until it has l, ctx ends, or the connection does.
func (l *lock) acquire(ctx context.Context, life *lifetime) error {
	if l.try() {
		return nil
	}
	return l.standInLine(ctx, life)
}

func (l *lock) standInLine(ctx context.Context, life *lifetime) error {
	turn, ok := l.enqueue()
	if ok {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	case <-life.Done():
	}
	l.leave(turn)
	return life.cause(ctx)
}

// acquireAfter is acquire for the time after the connection's end. It gives up
// when stop is ready; nil is never.
func (l *lock) acquireAfter(stop <-chan struct{}) bool {
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
	if l.wait.Load() == nil {
		l.wait.CompareAndSwap(nil, new(line))
	}
	w := l.wait.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.Swap(contended) == unlocked {
		return nil, true
	}
	turn = make(chan struct{})
	w.turns = append(w.turns, turn)
	return turn, false
}

// leave gives up a place in the line, and l itself if its turn has come
// meanwhile.
func (l *lock) leave(turn chan struct{}) {
	w := l.wait.Load()
	w.mu.Lock()
	i := slices.Index(w.turns, turn)
	if i >= 0 {
		w.turns = slices.Delete(w.turns, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 {
		l.release()
	}
}

// release hands l to the first in the line, or lets it be free.
func (l *lock) release() {
	if !l.CompareAndSwap(locked, unlocked) {
		l.callNext()
	}
}

func (l *lock) callNext() {
	w := l.wait.Load()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.turns) == 0 {
		w.turns = nil
		l.Store(unlocked)
		return
	}
	close(w.turns[0])
	w.turns = w.turns[1:]
}
