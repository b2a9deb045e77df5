package chat

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"framewright/internal/queue"
)

// worker runs a session's requests and hooks one after the other. It has a
// goroutine only while there is something to run.
type worker struct {
	mu      sync.Mutex
	running bool
	hooks   queue.List[func()] // come first: they belong to the request that is just over
	tasks   queue.List[func()]
	room    queue.Signal // tasks is shorter again
	idle    queue.Signal // nothing runs
}

// maxTasks is how many requests of one client wait while one is at work. More
// are not read from its connection.
const maxTasks = 64

// PanicError is why a session ended whose hook panicked. It wraps [ErrPanic].
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrPanic, e.Value) }

func (e *PanicError) Unwrap() error { return ErrPanic }

// Do runs f on the session's own goroutine, after everything that was given to
// Do before and the hooks that followed from it. A transport hands its client's
// requests to Do, so that the goroutine which reads the connection goes on
// reading (a close, a pong) while a request waits for a store or a hook. f is
// run once half of the session's queue is free, so that a client gets no more
// answers than it takes.
//
// Do waits while too many are in line, which holds this one client back. It
// must not be called by f or by a hook. The error is ctx's or the reason for
// which the session is over; then f will not run. It may also not run if the
// session ends later.
func (s *Session) Do(ctx context.Context, f func()) error {
	w := &s.work
	w.mu.Lock()
	for w.tasks.Len() >= maxTasks {
		room := w.room.Wait()
		w.mu.Unlock()
		select {
		case <-room:
		case <-s.ctx.Done():
			return s.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	if err := s.Err(); err != nil {
		return err
	}
	w.tasks.Push(f, 0)
	s.start()
	return nil
}

// Run runs f as Do does, but in the caller's goroutine, and returns when f has:
// for a transport that keeps its client's requests in line by itself, and one at
// a time. It waits for its turn, and until half of the session's queue is free.
// The error is ctx's, or the reason for which the session is over, and f has not
// run; or it is the *[PanicError] with which f has ended the session.
func (s *Session) Run(ctx context.Context, f func()) error {
	w := &s.work
	w.mu.Lock()
	for w.running {
		idle := w.idle.Wait()
		w.mu.Unlock()
		select {
		case <-idle:
		case <-s.ctx.Done():
			return s.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		w.mu.Lock()
	}
	if err := s.Err(); err != nil {
		w.mu.Unlock()
		return err
	}
	w.running = true
	s.hub.workers.add(1)
	w.mu.Unlock()
	defer s.handOver()
	if err := s.q.ready(ctx); err != nil {
		return err
	}
	return s.guard(f)
}

// handOver leaves what follows from f to a goroutine of its own.
func (s *Session) handOver() {
	w := &s.work
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hooks.Len()+w.tasks.Len() > 0 {
		go s.run()
		return
	}
	w.rest()
	s.hub.workers.add(-1)
}

// tell queues a hook. It never waits: hooks follow from requests, whose number
// is bounded, and from calls of the program itself.
func (s *Session) tell(hook func()) {
	s.work.mu.Lock()
	defer s.work.mu.Unlock()
	s.work.hooks.Push(hook, 0)
	s.start()
}

// start makes sure that somebody runs what is in line. The caller holds work.mu.
func (s *Session) start() {
	if !s.work.running {
		s.work.running = true
		s.hub.workers.add(1)
		go s.run()
	}
}

func (s *Session) run() {
	clean := false
	defer func() {
		if !clean { // a hook called runtime.Goexit; the others want to be heard
			go s.run()
		}
	}()
	for {
		f, isTask := s.work.next()
		if f == nil {
			clean = true
			s.hub.workers.add(-1)
			return
		}
		if !isTask || s.q.ready(s.ctx) == nil {
			_ = s.guard(f) // the session has ended by it
		}
	}
}

func (w *worker) next() (f func(), isTask bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, ok := w.hooks.Pop(); ok {
		return f, false
	}
	if f, ok := w.tasks.Pop(); ok {
		w.room.Raise()
		return f, true
	}
	w.rest()
	return nil, false
}

// rest says that nothing runs any more. The caller holds mu.
func (w *worker) rest() {
	w.running = false
	w.idle.Raise()
}

// guard runs f; if it does not return, the session ends, and nothing else.
func (s *Session) guard(f func()) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		if v == nil {
			v = "runtime.Goexit"
		}
		err = &PanicError{Value: v, Stack: debug.Stack()}
		s.end(err)
	}()
	f()
	returned = true
	return nil
}

// group counts the workers. Unlike a sync.WaitGroup it may grow from zero while
// somebody waits, and waits for a limited time.
type group struct {
	mu   sync.Mutex
	n    int
	zero queue.Signal // n is 0
}

func (g *group) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n += n; g.n == 0 {
		g.zero.Raise()
	}
}

func (g *group) wait(limit time.Duration) {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return
	}
	zero := g.zero.Wait()
	g.mu.Unlock()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-zero:
	case <-t.C:
	}
}
