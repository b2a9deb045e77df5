package room

import (
	"context"
	"sync"
	"time"
)

// AsTheyCome is the speed of a gate that lets everything through.
const AsTheyCome = -1

// A gate lets so many through a second. The speed may change while somebody waits.
type gate struct {
	mu      sync.Mutex
	speed   float64
	last    time.Time     // when it let the last one through
	changed chan struct{} // closed when speed is another
}

func newGate(speed float64) *gate { return &gate{speed: speed, changed: make(chan struct{})} }

func (g *gate) set(speed float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.speed = speed
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) now() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.speed
}

// pass waits for its turn, or until ctx ends, whose cause it returns then.
func (g *gate) pass(ctx context.Context) error {
	for {
		wait, changed := g.turn()
		if wait == 0 {
			return context.Cause(ctx)
		}
		var due <-chan time.Time // never, if nobody passes
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-due:
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// turn takes a turn, or says how long it is until the next: below 0 if there is none.
func (g *gate) turn() (wait time.Duration, changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch {
	case g.speed == 0:
		return -1, g.changed
	case g.speed > 0:
		every := time.Duration(float64(time.Second) / g.speed)
		next := g.last.Add(every)
		if wait := next.Sub(now); wait > 0 {
			return wait, g.changed
		}
		if now.Sub(next) < every { // a little late: the next is not later for it
			g.last = next
			return 0, nil
		}
	}
	g.last = now
	return 0, nil
}
