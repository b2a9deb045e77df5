package chat

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A hook that takes its time holds back its own session and nobody else.
func TestASlowHookDelaysItsOwnSessionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var heard []string
		h := New(Options{QueueAge: time.Hour, Message: func(s *Session, m *Message) {
			if m.From.Name == "Slow" {
				time.Sleep(time.Minute)
			}
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, m.Text)
		}})
		defer h.Close()
		slow, ada := connect(t, h, "Slow"), connect(t, h, "Ada")
		join(t, slow, "lobby", Cursor{})
		join(t, ada, "lobby", Cursor{})
		do := func(s *Session, f func() error) {
			if err := s.Do(t.Context(), func() {
				if err := f(); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Error(err)
			}
		}
		for _, text := range []string{"s1", "s2", "s3"} {
			do(slow, func() error { return slow.Send("lobby", text, text) })
		}
		for _, text := range []string{"a1", "a2"} {
			do(ada, func() error { return ada.Send("lobby", text, text) })
		}
		synctest.Wait()
		check := func(want ...string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if d := cmp.Diff(want, heard); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
		check("a1", "a2")
		if n := h.Stats().Messages; n != 3 { // s2 waits for the hook of s1
			t.Errorf("%d messages are stored, want 3", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		check("a1", "a2", "s1")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		check("a1", "a2", "s1", "s2", "s3")
	})
}

// While a hook is at work, the goroutine that reads the connection goes on,
// until so many requests wait.
func TestTheBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		ada := connect(t, h, "Ada")
		gate := make(chan struct{})
		taken, ran := 0, 0
		done := make(chan error)
		go func() {
			for {
				if err := ada.Do(t.Context(), func() { <-gate; ran++ }); err != nil {
					done <- err
					return
				}
				taken++
			}
		}()
		synctest.Wait()
		if taken != maxTasks+1 {
			t.Errorf("%d requests were taken, want %d and the one at work", taken, maxTasks)
		}
		gate <- struct{}{}
		synctest.Wait()
		if taken != maxTasks+2 {
			t.Errorf("%d requests were taken, want one more", taken)
		}
		ada.Kick("")
		if err := <-done; !errors.Is(err, ErrKicked) {
			t.Errorf("%v, want ErrKicked", err)
		}
		close(gate)
		synctest.Wait()
		if ran > maxTasks+2 {
			t.Error(ran)
		}
		h.Close()
	})
}

func TestAPanickingHookEndsItsOwnSession(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"told of a message", Options{Message: func(s *Session, m *Message) { panic("boom") }}, "boom"},
		{"asked for leave", Options{AllowSend: func(s *Session, room, text string) error { panic("boom") }}, "boom"},
		{"Goexit", Options{Message: func(s *Session, m *Message) { runtime.Goexit() }}, "Goexit"},
		{"nil", Options{Message: func(s *Session, m *Message) { var p *Session; p.id = "" }}, "nil pointer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reasons []error
				tt.o.Disconnected = func(s *Session, reason error) { reasons = append(reasons, reason) }
				tt.o.PresenceGrace = -1
				h := New(tt.o)
				ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
				join(t, bob, "lobby", Cursor{})
				join(t, ada, "lobby", Cursor{})
				if err := ada.Do(t.Context(), func() { ada.Send("lobby", "1", "x") }); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if !errors.Is(ada.Err(), ErrPanic) || !strings.Contains(ada.Err().Error(), tt.want) {
					t.Fatalf("ended with %v, want ErrPanic and the reason", ada.Err())
				}
				p, ok := errors.AsType[*PanicError](ada.Err())
				if !ok || !strings.Contains(string(p.Stack), "handlers_test.go") {
					t.Errorf("no stack: %+v", p)
				}
				if err := ada.Do(t.Context(), func() { t.Error("a request after the end") }); err == nil {
					t.Error("a request is taken after the end")
				}
				ada.Close(errors.New("later"))
				synctest.Wait()
				if len(reasons) != 1 || !errors.Is(reasons[0], ErrPanic) {
					t.Errorf("the Disconnected hook heard %v", reasons)
				}
				if bob.Err() != nil {
					t.Errorf("somebody else ended, too: %v", bob.Err())
				}
				h.Close()
			})
		})
	}
}

// Hooks come one at a time and in the order of what happened, also when the
// program's own calls mix in.
func TestHooksComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string // no lock: the race detector would see two at a time
		h := New(Options{
			Connected:    func(s *Session) { log = append(log, "connected") },
			Joined:       func(s *Session, room string) { time.Sleep(time.Second); log = append(log, "joined "+room) },
			Message:      func(s *Session, m *Message) { time.Sleep(time.Second); log = append(log, "message "+m.Text) },
			Left:         func(s *Session, room string) { log = append(log, "left "+room) },
			Disconnected: func(s *Session, reason error) { log = append(log, "disconnected") },
		})
		ada := connect(t, h, "Ada")
		ada.Do(t.Context(), func() { ada.Join("lobby", Cursor{}, "") })
		ada.Do(t.Context(), func() { ada.Send("lobby", "1", "1") })
		ada.Do(t.Context(), func() { ada.Send("lobby", "2", "2") })
		time.Sleep(1500 * time.Millisecond)
		h.Kick("lobby", "id-Ada", "")
		synctest.Wait()
		ada.Close(nil)
		h.Close() // waits for them
		want := []string{"connected", "joined lobby", "message 1", "left lobby", "disconnected"}
		if d := cmp.Diff(want, log); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if ada.work.running {
			t.Error("a goroutine is left")
		}
	})
}

// A hook that hangs does not hang the hub.
func TestCloseWaitsForHooksForALimitedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		h := New(Options{Connected: func(s *Session) { <-gate }})
		connect(t, h, "Ada")
		start := time.Now()
		h.Close()
		if d := time.Since(start); d != hookTimeout {
			t.Errorf("closed after %v, want %v", d, hookTimeout)
		}
		close(gate)
	})
}

func TestPresenceGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{PresenceGrace: 10 * time.Second})
		defer h.Close()
		bob := connect(t, h, "Bob")
		join(t, bob, "lobby", Cursor{})
		ada := connect(t, h, "Ada")
		join(t, ada, "lobby", Cursor{})
		wantNext[Presence](t, bob)

		// A reload is no coming and going.
		for range 3 {
			ada.Close(errors.New("reload"))
			time.Sleep(9 * time.Second)
			if j := join(t, bob, "lobby", Cursor{}); j.People != 2 || !slices.Contains(j.Members, ada.Person()) {
				t.Errorf("within the grace: %+v", j)
			}
			ada = connect(t, h, "Ada")
			join(t, ada, "lobby", Cursor{})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		wantIdle(t, bob, "who came back in time did not go")

		// The name is held, too.
		ada.Close(nil)
		_, err := h.Connect(Person{ID: "other", Name: "Ada"}, plain)
		wantCode(t, err, CodeNameTaken)
		time.Sleep(10*time.Second - 1)
		synctest.Wait()
		wantIdle(t, bob, "the grace is not over")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if p := wantNext[Presence](t, bob); p.Here || p.People != 1 {
			t.Errorf("%+v", p)
		}
		other, err := h.Connect(Person{ID: "other", Name: "Ada"}, plain)
		if err != nil {
			t.Error("the name is still taken: ", err)
		}
		other.Close(nil)

		// Who says goodbye to a room goes at once, and so does who cannot come back.
		ada = connect(t, h, "Eda")
		join(t, ada, "lobby", Cursor{})
		wantNext[Presence](t, bob)
		ada.Leave("lobby", "")
		if p := wantNext[Presence](t, bob); p.Here {
			t.Errorf("%+v", p)
		}
		guest, err := h.Connect(Person{Name: "Guest"}, plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := guest.Join("lobby", Cursor{}, ""); err != nil {
			t.Fatal(err)
		}
		wantNext[Presence](t, bob)
		guest.Close(nil)
		if p := wantNext[Presence](t, bob); p.Here {
			t.Errorf("%+v", p)
		}

		bob.Close(nil)
		ada.Close(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := h.Stats(); s.Rooms != 0 || s.People != 0 || h.names.Len() != New(Options{}).names.Len() {
			t.Errorf("%d rooms, %d people and %d names are left", s.Rooms, s.People, h.names.Len())
		}
	})
}

// Whoever comes back under another name is announced under it.
func TestANewNameWithinTheGrace(t *testing.T) {
	h := New(Options{})
	ada, bob := adaAndBob(t, h)
	ada.Close(nil)
	s, err := h.Connect(Person{ID: "id-Ada", Name: "Countess"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Join("lobby", Cursor{}, ""); err != nil {
		t.Fatal(err)
	}
	if p := wantNext[Presence](t, bob); !p.Here || p.Who.Name != "Countess" || p.People != 2 {
		t.Errorf("%+v", p)
	}
}

func TestPresenceInACrowdIsNotTold(t *testing.T) {
	h := New(Options{MaxPresence: 2, PresenceGrace: -1})
	ada, bob, eve := connect(t, h, "Ada"), connect(t, h, "Bob"), connect(t, h, "Eve")
	join(t, ada, "lobby", Cursor{})
	join(t, bob, "lobby", Cursor{})
	wantNext[Presence](t, ada)
	if j := join(t, eve, "lobby", Cursor{}); j.People != 3 {
		t.Errorf("%d people", j.People)
	}
	wantIdle(t, ada, "a crowd")
	eve.Close(nil) // no crowd any more
	if p := wantNext[Presence](t, ada); p.Here || p.People != 2 {
		t.Errorf("%+v", p)
	}
}

func TestStats(t *testing.T) {
	var fanOuts, stored int
	h := New(Options{PresenceGrace: -1, QueueBytes: minQueueBytes, Observer: Observer{
		FanOut: func(n int, took time.Duration) { fanOuts += n },
		Stored: func(n int, took time.Duration, err error) { stored += n },
	}})
	ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
	c := join(t, ada, "lobby", Cursor{}).Cursor
	join(t, bob, "lobby", Cursor{})
	join(t, bob, "lobby", c)
	join(t, bob, "lobby", ForeignCursor)
	ada.Send("lobby", "1", "hello")
	ada.Send("lobby", "1", "hello")
	ada.Private("id-Bob", "2", "psst")
	h.Refusal("", &Error{Code: CodeNotJoined})
	h.Refusal("", errors.New("no refusal"))
	bob.Typing("lobby")
	s := h.Stats()
	if s.QueueBytes == 0 {
		t.Error("nothing waits")
	}
	for bob.Err() == nil {
		h.Broadcast(Notice{Text: "x"}, ada)
	}
	ada.Close(nil)
	bob.Close(nil)
	got := h.Stats()
	want := Stats{Connected: 2, Messages: 1, MessageBytes: 5, Duplicates: 1, Privates: 1, Joins: 2, Recovered: 1, NotRecovered: 1,
		Ended: map[string]uint64{"gone": 1, "slow": 1}, Refused: map[ErrorCode]uint64{CodeNotJoined: 1},
		Delivered: got.Delivered, DeliveredSize: got.DeliveredSize}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got.Delivered < 10 || got.DeliveredSize != 100*got.Delivered || fanOuts == 0 || stored != 2 {
		t.Errorf("%d packets of %d bytes, %d in fan-outs; %d given to the store", got.Delivered, got.DeliveredSize, fanOuts, stored)
	}
}
