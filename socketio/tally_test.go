package socketio

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A tally may be waited for while goroutines begin, and given up.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running tally
		if err := running.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			running.Go(func() { time.Sleep(time.Duration(i) * time.Second) })
			running.Go(func() {})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := running.wait(ctx); i > 0 && !errors.Is(err, context.Canceled) {
				t.Fatalf("%v while %d are running", err, i)
			}
		}
		began := time.Now()
		if err := running.wait(t.Context()); err != nil || time.Since(began) != 99*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
