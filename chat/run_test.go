package chat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Run is Do without a line: a request comes after the hooks of the one before,
// and after what Do was given, and is over when Run returns.
func TestRunWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string // no lock: the race detector would see two at a time
		h := New(Options{QueueAge: time.Hour,
			Message: func(s *Session, m *Message) { time.Sleep(time.Second); log = append(log, "told of "+m.Text) },
		})
		ada := connect(t, h, "Ada")
		join(t, ada, "lobby", Cursor{})
		say := func(text string) func() {
			return func() {
				if err := ada.Send("lobby", text, text); err != nil {
					t.Error(err)
				}
				log = append(log, text)
			}
		}
		began := time.Now()
		run := func(text string, want time.Duration) {
			t.Helper()
			if err := ada.Run(t.Context(), say(text)); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s was said after %v, want %v", text, took, want)
			}
		}
		run("1", 0)
		run("2", time.Second)
		if err := ada.Do(t.Context(), say("3")); err != nil {
			t.Error(err)
		}
		run("4", 3*time.Second)
		h.Close() // waits for the hooks
		want := []string{"1", "told of 1", "2", "told of 2", "3", "told of 3", "4", "told of 4"}
		if d := cmp.Diff(want, log); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if ada.work.running {
			t.Error("something is taken for running")
		}
	})
}

// It waits for a client that does not take its answers, as long as ctx allows.
func TestRunWaitsForAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{QueueBytes: minQueueBytes, QueueAge: time.Hour})
		defer h.Close()
		ada := connect(t, h, "Ada")
		for ada.q.size() <= minQueueBytes/2 {
			ada.Emit(Notice{})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err := ada.Run(ctx, func() { t.Error("more answers than it takes") })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v, want DeadlineExceeded after a minute", err, time.Since(began))
		}
		ran := false
		done := make(chan error)
		go func() { done <- ada.Run(t.Context(), func() { ran = true }) }()
		synctest.Wait()
		wantNext[Notice](t, ada)
		if err := <-done; err != nil || !ran {
			t.Errorf("%v, ran: %v; want it to run when half of the queue is free", err, ran)
		}
		ada.Close(nil)
	})
}

func TestRunOfASessionThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard error
		gate := make(chan struct{})
		h := New(Options{PresenceGrace: -1, Disconnected: func(s *Session, reason error) { heard = reason }})
		ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")

		err := ada.Run(t.Context(), func() { panic("boom") })
		if p, ok := errors.AsType[*PanicError](err); !ok || p.Value != "boom" || !strings.Contains(string(p.Stack), "run_test.go") || !errors.Is(ada.Err(), ErrPanic) {
			t.Errorf("%v, and the session has ended with %v; want the panic", err, ada.Err())
		}
		if err := ada.Run(t.Context(), func() { t.Error("a request after the end") }); !errors.Is(err, ErrPanic) {
			t.Errorf("after the end: %v", err)
		}
		ada.Close(nil)
		synctest.Wait()
		if !errors.Is(heard, ErrPanic) {
			t.Errorf("the Disconnected hook heard %v", heard)
		}

		bob.Do(t.Context(), func() { <-gate })
		done := make(chan error)
		go func() { done <- bob.Run(t.Context(), func() { t.Error("a request after the end") }) }()
		synctest.Wait()
		bob.Kick("")
		if err := <-done; !errors.Is(err, ErrKicked) {
			t.Errorf("%v, want ErrKicked", err)
		}
		close(gate)
		h.Close()
	})
}
