package ending

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever watches the context hears of its end, however it watches.
func TestContext(t *testing.T) {
	for _, tt := range []struct {
		name  string
		watch func(ctx context.Context, ended func())
	}{
		{"Done", func(ctx context.Context, ended func()) { <-ctx.Done(); ended() }},
		{"AfterFunc", func(ctx context.Context, ended func()) { context.AfterFunc(ctx, ended) }},
		{"a context that was derived", func(ctx context.Context, ended func()) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-ctx.Done()
			if errors.Is(ctx.Err(), context.Canceled) {
				ended()
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c Context
				before, after := false, false
				go tt.watch(&c, func() { before = true })
				synctest.Wait()
				if before || c.Err() != nil {
					t.Errorf("ended from the start: %v, %v", before, c.Err())
				}
				c.End()
				c.End()
				synctest.Wait()
				go tt.watch(&c, func() { after = true })
				synctest.Wait()
				if !before || !after || c.Err() != context.Canceled {
					t.Errorf("who watched hears of the end: %v, who came later: %v; the error is %v", before, after, c.Err())
				}
			})
		})
	}
}

// Who does not want to hear of it any more does not, and leaves nothing behind.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Context
		heard := 0
		first := c.AfterFunc(func() { heard++ })
		second := c.AfterFunc(func() { heard += 10 })
		if !first() || first() {
			t.Error("stop says the first time that it has kept the function from being called, and then that it has not")
		}
		c.End()
		synctest.Wait()
		if heard != 10 || second() {
			t.Errorf("heard %d, want 10; stopped too late: %v", heard, !second())
		}
		if c.after != nil {
			t.Errorf("%d functions are kept", len(c.after))
		}
	})
}

// A context that nobody waits for makes nothing.
func TestCostsNothing(t *testing.T) {
	c := new(Context)
	if n := testing.AllocsPerRun(100, func() { _ = c.Err(); _ = c.Value(0) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if c.End(); c.done != nil {
		t.Error("a channel was made that nobody has asked for")
	}
}
