package wsnet

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"framewright/ws"
)

// A lifetime is a connection's context. Most connections never need more of
// it than Err, so what context.WithCancelCause makes is only made when it is
// asked for: a few hundred bytes of each connection that waits.
type lifetime struct {
	end  atomic.Pointer[ws.CloseError] // set once
	base context.Context               // for values

	mu   sync.Mutex
	made *cancelable // nil until somebody asks
}

type cancelable struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// err returns nil while it goes on, and then why it does not.
func (l *lifetime) err() error {
	if e := l.end.Load(); e != nil {
		return e
	}
	return nil
}

// cause says why an operation under ctx did not go on: the connection's end, of
// which the end of a context that was derived from its own is a consequence, or
// else the context's own.
func (l *lifetime) cause(ctx context.Context) error {
	if err := l.err(); err != nil {
		return err
	}
	return ctx.Err()
}

// finish ends the lifetime, for the reason e unless it is over already.
func (l *lifetime) finish(e *ws.CloseError) bool {
	if !l.end.CompareAndSwap(nil, e) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		l.made.cancel(e)
	}
	return true
}

func (l *lifetime) real() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		ctx, cancel := context.WithCancelCause(l.base)
		l.made = &cancelable{ctx, cancel}
	}
	if e := l.end.Load(); e != nil { // finish may be about to
		l.made.cancel(e)
	}
	return l.made.ctx
}

// Deadline implements context.Context.
func (l *lifetime) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (l *lifetime) Done() <-chan struct{} { return l.real().Done() }

// Err implements context.Context.
func (l *lifetime) Err() error {
	if l.end.Load() == nil {
		return nil
	}
	return context.Canceled
}

// Value implements context.Context. It is also how package context finds the
// cause.
func (l *lifetime) Value(key any) any { return l.real().Value(key) }

// An event is a channel that is closed once, made when somebody waits for it.
type event struct {
	mu       sync.Mutex
	happened bool
	c        chan struct{}
}

func (e *event) set() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.happened = true
	if e.c != nil {
		close(e.c)
	}
}

func (e *event) done() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.c == nil {
		e.c = make(chan struct{})
		if e.happened {
			close(e.c)
		}
	}
	return e.c
}
