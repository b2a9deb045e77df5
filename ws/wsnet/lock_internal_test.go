package wsnet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"framewright/ws"
)

// lockState wants l to be as it says, and nobody else in line than those of the turns.
func lockState(t *testing.T, why string, l *lock, want uint32, turns int) {
	t.Helper()
	got := 0
	if w := l.wait.Load(); w != nil {
		got = len(w.turns)
	}
	if l.Load() != want || got != turns {
		t.Fatalf("%s: the state is %d with %d in line, want %d with %d", why, l.Load(), got, want, turns)
	}
}

func isTurn(turn <-chan struct{}) bool {
	select {
	case <-turn:
		return true
	default:
		return false
	}
}

// Whose turn it is, in order, with those who leave before it and those who leave when it
// has come.
func TestLockInLine(t *testing.T) {
	for _, tt := range []struct {
		name  string
		leave int // of four in line
	}{{"the first leaves", 0}, {"one in the middle leaves", 1}, {"the last leaves", 3}} {
		var l lock
		if !l.try() || l.try() {
			t.Fatal("a free lock is taken once")
		}
		lockState(t, "taken", &l, locked, 0)
		var turns []chan struct{}
		for range 4 {
			turn, ok := l.enqueue()
			if ok || turn == nil {
				t.Fatal("the lock is taken already")
			}
			turns = append(turns, turn)
		}
		lockState(t, "four in line", &l, contended, 4)
		l.leave(turns[tt.leave])
		lockState(t, tt.name, &l, contended, 3)
		for i, turn := range turns {
			if i == tt.leave {
				continue
			}
			if isTurn(turn) {
				t.Fatalf("%s: the turn of %d has come too soon", tt.name, i)
			}
			l.release()
			if !isTurn(turn) {
				t.Fatalf("%s: the turn of %d has not come", tt.name, i)
			}
		}
		if isTurn(turns[tt.leave]) {
			t.Errorf("%s: who has left got a turn", tt.name)
		}
		l.release()
		lockState(t, "free", &l, unlocked, 0)
		if turn, ok := l.enqueue(); !ok || turn != nil {
			t.Error("a free lock is not taken by who comes late to the line")
		}
		l.release()
		lockState(t, "free again", &l, unlocked, 0)
	}
}

// Whose turn has come, and who leaves all the same, hands it on.
func TestLockLeaveInTurn(t *testing.T) {
	var l lock
	l.try()
	a, _ := l.enqueue()
	b, _ := l.enqueue()
	l.release()
	l.leave(a)
	if !isTurn(b) {
		t.Error("the next has no turn")
	}
	l.leave(b)
	lockState(t, "all have left", &l, unlocked, 0)
}

// Waiting ends with the context, with the connection, or with the turn.
func TestLockAcquire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lock
		life := &lifetime{base: context.Background()}
		background := context.Background()
		if err := l.acquire(background, life); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error)
		go func() { got <- l.acquire(ctx, life) }()
		synctest.Wait()
		cancel()
		if err := <-got; err != context.Canceled {
			t.Errorf("the context has ended: %v", err)
		}
		lockState(t, "who gave up has left the line", &l, contended, 0)
		l.release()
		if err := l.standInLine(ctx, life); err != nil { // free since it was tried
			t.Errorf("there was no need to wait: %v", err)
		}

		go func() { got <- l.acquire(background, life) }()
		synctest.Wait()
		l.release()
		if err := <-got; err != nil {
			t.Errorf("the turn has come: %v", err)
		}

		took, stop := make(chan bool), make(chan struct{})
		go func() { took <- l.acquireAfter(stop) }()
		synctest.Wait()
		close(stop)
		if <-took {
			t.Error("taken after stop")
		}
		lockState(t, "who was stopped has left the line", &l, contended, 0)
		go func() { took <- l.acquireAfter(nil) }()
		synctest.Wait()
		l.release()
		if !<-took {
			t.Error("not taken in turn")
		}

		go func() { got <- l.acquire(background, life) }()
		synctest.Wait()
		end := &ws.CloseError{Code: ws.CodeGoingAway}
		life.finish(end)
		if err := <-got; err != error(end) {
			t.Errorf("the connection has ended: %v", err)
		}
		l.release()
		lockState(t, "free", &l, unlocked, 0)
		if !l.acquireAfter(nil) {
			t.Error("a free lock is not taken")
		}
	})
}

// A connection's context: made late or not, it ends with the connection, for its reason.
func TestLifetime(t *testing.T) {
	type key struct{}
	for _, early := range []bool{false, true} {
		l := &lifetime{base: context.WithValue(context.Background(), key{}, "of the request")}
		var done <-chan struct{}
		if early {
			done = l.Done()
		}
		if _, ok := l.Deadline(); ok {
			t.Error("it has a deadline")
		}
		if l.Err() != nil || l.err() != nil || early && isTurn(l.Done()) {
			t.Error("it has ended before the end")
		}
		if err := l.cause(t.Context()); err != nil {
			t.Errorf("nothing has ended: %v", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.cause(ended); err != context.Canceled {
			t.Errorf("the context of an operation has ended: %v", err)
		}
		end := &ws.CloseError{Code: ws.CodeGoingAway}
		if !l.finish(end) || l.finish(&ws.CloseError{}) {
			t.Error("it does not end once")
		}
		if l.Err() != context.Canceled || l.err() != error(end) || l.cause(ended) != error(end) || !isTurn(l.Done()) || context.Cause(l) != error(end) {
			t.Errorf("it ended for %v: %v, %v", end, l.Err(), l.err())
		}
		if early && done != l.Done() {
			t.Error("there are two channels")
		}
		if l.Value(key{}) != "of the request" {
			t.Error("its values are gone")
		}
	}
}

// A context of a connection's is one that others are made of.
func TestLifetimeIsAContext(t *testing.T) {
	l := &lifetime{base: context.Background()}
	child, cancel := context.WithCancel(l)
	defer cancel()
	end := &ws.CloseError{Code: ws.CodeGoingAway}
	l.finish(end)
	<-child.Done()
	if !errors.Is(context.Cause(child), end) {
		t.Errorf("the cause is %v", context.Cause(child))
	}
}

func TestEvent(t *testing.T) {
	var waited, late event
	c := waited.done()
	if isTurn(c) || waited.done() != c {
		t.Error("it has not happened yet, and there is one channel")
	}
	waited.set()
	late.set()
	for _, e := range []*event{&waited, &late} {
		for range 2 {
			if !isTurn(e.done()) {
				t.Error("it has happened")
			}
		}
	}
}
