// Package queue has the parts that the project's bounded queues are made of: a
// list of what waits that knows its size, and a signal for who waits for a
// change. What the bound is, and what happens when it is reached (wait, drop, end
// the peer), is for the owner to say, under whose lock both parts are.
package queue

import "slices"

// A List is what waits, oldest first. The zero List is empty. It is not for
// several goroutines at once.
type List[T any] struct {
	items []item[T] // items[head:] wait
	head  int
	size  int
}

type item[T any] struct {
	v    T
	size int
}

// keeps is how many places an empty list keeps: a burst is over, and who is idle
// should cost little.
const keeps = 16

// Len returns how many wait, and Size the sum of their sizes.
func (l *List[T]) Len() int  { return len(l.items) - l.head }
func (l *List[T]) Size() int { return l.size }

// Push adds v behind all others.
func (l *List[T]) Push(v T, size int) {
	if l.head > 0 && len(l.items) == cap(l.items) { // make use of what was taken
		n := copy(l.items, l.items[l.head:])
		clear(l.items[n:])
		l.items, l.head = l.items[:n], 0
	}
	l.items = append(l.items, item[T]{v, size})
	l.size += size
}

// PushFirst adds v before all others.
func (l *List[T]) PushFirst(v T, size int) {
	l.items = slices.Insert(l.items, l.head, item[T]{v, size})
	l.size += size
}

// First returns where the oldest is, until the list changes; nil if there is
// none.
func (l *List[T]) First() *T {
	if l.Len() == 0 {
		return nil
	}
	return &l.items[l.head].v
}

// Pop takes the oldest.
func (l *List[T]) Pop() (v T, ok bool) {
	if l.Len() == 0 {
		return v, false
	}
	it := l.items[l.head]
	l.items[l.head] = item[T]{} // nothing is kept alive that was taken
	l.head++
	l.size -= it.size
	if l.head == len(l.items) {
		l.items, l.head = l.items[:0], 0
		if cap(l.items) > keeps {
			l.items = nil
		}
	}
	return it.v, true
}

// Drop takes out all that drop is true for, and returns how many those were.
func (l *List[T]) Drop(drop func(T) bool) (dropped int) {
	kept := l.items[:0]
	for _, it := range l.items[l.head:] {
		if drop(it.v) {
			l.size -= it.size
			dropped++
			continue
		}
		kept = append(kept, it)
	}
	clear(l.items[len(kept):])
	l.items, l.head = kept, 0
	return dropped
}

// Clear takes out all.
func (l *List[T]) Clear() { *l = List[T]{} }

// A Signal wakes everyone who waits for it. The zero Signal is ready; nobody's
// waiting costs nothing. It is guarded by its owner's lock.
type Signal struct{ c chan struct{} }

// Wait returns a channel that the next Raise closes. Who waits lets go of the
// lock, receives from it, takes the lock, and looks again.
func (s *Signal) Wait() <-chan struct{} {
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

// Raise wakes those who wait.
func (s *Signal) Raise() {
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}

// IsAwaited reports whether somebody has asked for the next Raise.
func (s *Signal) IsAwaited() bool { return s.c != nil }
