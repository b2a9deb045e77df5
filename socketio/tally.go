package socketio

import (
	"context"
	"sync"
	"sync/atomic"

	"framewright/internal/queue"
)

// A tally counts goroutines. Unlike a sync.WaitGroup it may be waited for while others
// begin, as they do when a Shutdown's time is over before the clients are gone, and the
// wait can be given up.
type tally struct {
	n      atomic.Int64
	waited atomic.Bool // somebody has

	mu   sync.Mutex
	none queue.Signal
}

// Go runs f in a goroutine of its own.
func (t *tally) Go(f func()) {
	t.n.Add(1)
	go func() {
		defer func() {
			if t.n.Add(-1) == 0 && t.waited.Load() {
				t.mu.Lock()
				t.none.Raise()
				t.mu.Unlock()
			}
		}()
		f()
	}()
}

// wait waits until there is none, or ctx ends, and returns its cause then.
func (t *tally) wait(ctx context.Context) error {
	t.waited.Store(true) // before n is looked at: who comes to 0 behind that sees it
	for {
		t.mu.Lock()
		none := t.none.Wait()
		t.mu.Unlock()
		if t.n.Load() == 0 {
			return nil
		}
		select {
		case <-none:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
