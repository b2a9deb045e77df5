// Package ending has a context that takes next to no memory until somebody waits for
// its end: for what ten thousand connections have one of each, and seldom need.
package ending

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Context is a [context.Context] without values and without a deadline that ends when
// End is called. The zero Context goes on. It must not be copied.
type Context struct {
	mu    sync.Mutex
	over  bool
	done  chan struct{} // nil until somebody asks
	after []*func()     // to be called at the end
}

// End ends the context. A second End does nothing.
func (c *Context) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.over = true
	if c.done != nil {
		close(c.done)
	}
	for _, f := range c.after {
		go (*f)()
	}
	c.after = nil
}

// Done implements [context.Context].
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.over {
			close(c.done)
		}
	}
	return c.done
}

// Err implements [context.Context]: nil, or context.Canceled.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return context.Canceled
	}
	return nil
}

// Deadline and Value implement [context.Context]: there is none.
func (c *Context) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *Context) Value(any) any               { return nil }

// AfterFunc has f called, in a goroutine of its own, when the context has ended. stop
// reports whether it keeps f from being called. It is what package context looks for,
// so that who watches this context needs no goroutine for it.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		go f()
		return func() bool { return false }
	}
	entry := &f
	c.after = append(c.after, entry)
	return func() bool { return c.drop(entry) }
}

func (c *Context) drop(entry *func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.after, entry)
	if i < 0 {
		return false
	}
	c.after = slices.Delete(c.after, i, i+1)
	return true
}
