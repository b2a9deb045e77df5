package chat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKickFromARoom(t *testing.T) {
	left := make(chan string, 9)
	h := New(Options{Left: func(s *Session, room string) { left <- room }})
	defer h.Close()
	bob := connect(t, h, "Bob")
	join(t, bob, "lobby", Cursor{})
	tab1, tab2, tab3 := connect(t, h, "Ada"), connect(t, h, "Ada"), connect(t, h, "Ada")
	join(t, tab1, "lobby", Cursor{})
	join(t, tab2, "lobby", Cursor{})
	join(t, tab3, "attic", Cursor{})
	wantNext[Presence](t, bob)
	if n := h.Kick("lobby", "id-Ada", "spam"); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	for _, s := range []*Session{tab1, tab2} {
		if d := cmp.Diff(Left{Room: "lobby", Reason: "spam"}, wantNext[Left](t, s)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		wantCode(t, s.Send("lobby", "1", "x"), CodeNotJoined)
		if s.Err() != nil {
			t.Errorf("the session ended: %v", s.Err())
		}
	}
	if p := wantNext[Presence](t, bob); p.Here || p.People != 1 {
		t.Errorf("%+v", p)
	}
	wantIdle(t, tab3, "a kick from another room")
	<-left
	<-left
	if n := h.Kick("lobby", "id-Ada", "") + h.Kick("nowhere", "id-Ada", "") + h.Kick("lobby", "nobody", ""); n != 0 {
		t.Errorf("%d sessions that were not there", n)
	}
	join(t, tab1, "lobby", Cursor{}) // nothing keeps it out
}

func TestKickFromTheHub(t *testing.T) {
	h := New(Options{})
	tab1, tab2 := connect(t, h, "Ada"), connect(t, h, "Ada")
	if n := h.Kick("", "id-Ada", "spam"); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	for _, s := range []*Session{tab1, tab2} {
		if !errors.Is(s.Err(), ErrKicked) {
			t.Errorf("ended with %v", s.Err())
		}
	}
}

// Who lost the connection and counts as here for a while goes at once when
// kicked.
func TestKickWithinTheGrace(t *testing.T) {
	h := New(Options{})
	ada, bob := adaAndBob(t, h)
	ada.Close(errors.New("cut"))
	wantIdle(t, bob, "within the grace")
	h.Kick("lobby", "id-Ada", "")
	if p := wantNext[Presence](t, bob); p.Here {
		t.Errorf("%+v", p)
	}
}

func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
		for _, room := range []string{"lobby", "attic"} {
			join(t, bob, room, Cursor{})
			join(t, ada, room, Cursor{})
			wantNext[Presence](t, bob)
		}
		until := time.Now().Add(time.Minute)
		h.Mute("lobby", "id-Ada", until)
		if d := cmp.Diff(Muted{Room: "lobby", Until: until}, wantNext[Muted](t, ada)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		err := ada.Send("lobby", "1", "x")
		wantCode(t, err, CodeMuted)
		if e, _ := errors.AsType[*Error](err); e.Retry != time.Minute {
			t.Errorf("retry after %v, want 1m", e.Retry)
		}
		if err := ada.Typing("lobby"); err != nil {
			t.Error(err)
		}
		wantIdle(t, bob, "a muted person is silent")
		send(t, ada, "attic", "1", "x")
		wantNext[Posted](t, ada)
		wantNext[Posted](t, bob)
		h.Mute("", "id-Ada", until)
		wantNext[Muted](t, ada)
		wantCode(t, ada.Send("attic", "2", "x"), CodeMuted)
		wantCode(t, ada.Private("id-Bob", "3", "x"), CodeMuted)
		h.Mute("", "id-Ada", time.Time{})
		wantNext[Muted](t, ada)
		send(t, ada, "attic", "2", "x")
		wantNext[Posted](t, ada)
		time.Sleep(time.Minute)
		send(t, ada, "lobby", "1", "x")
	})
}

func TestDelete(t *testing.T) {
	h := New(Options{})
	ada, bob := adaAndBob(t, h)
	var cs []Cursor
	for _, id := range []string{"1", "2", "3"} {
		cs = append(cs, send(t, ada, "lobby", id, id))
		wantNext[Posted](t, ada)
		wantNext[Posted](t, bob)
	}
	bob.Close(errors.New("cut"))
	if found, err := h.Delete("lobby", cs[1]); !found || err != nil {
		t.Fatal(found, err)
	}
	if d := cmp.Diff(Deleted{Room: "lobby", Cursor: cs[1]}, wantNext[Deleted](t, ada)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if found, err := h.Delete("lobby", cs[1]); found || err != nil {
		t.Error("again: ", found, err)
	}
	wantIdle(t, ada, "nothing was deleted")
	bob = connect(t, h, "Bob")
	j := join(t, bob, "lobby", cs[2])
	if d := cmp.Diff([]Cursor{cs[1]}, j.Deleted); d != "" || !j.Recovered {
		t.Errorf("recovered %v, deleted (-want +got):\n%s", j.Recovered, d)
	}
	if j := join(t, bob, "lobby", Cursor{}); len(texts(j.Messages)) != 2 {
		t.Errorf("history %v", texts(j.Messages))
	}
	// Sent again by somebody who has not heard of it: acknowledged, and no more.
	if c := send(t, ada, "lobby", "2", "2"); c != cs[1] {
		t.Errorf("acknowledged with %v, want %v", c, cs[1])
	}
	wantIdle(t, bob, "a deleted message does not come back")
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		const n = 10
		var all []*Session
		for i := range n {
			all = append(all, connect(t, h, string(rune('A'+2*i))))
		}
		start := time.Now()
		go h.Drain(t.Context(), 9*time.Second, 4*time.Second)
		over := map[time.Duration]int{}
		hints := map[time.Duration]int{}
		for range n {
			synctest.Wait()
			for i, s := range all {
				if s == nil || s.Err() == nil {
					continue
				}
				if !errors.Is(s.Err(), ErrRestart) {
					t.Errorf("ended with %v", s.Err())
				}
				hint := wantNext[Restart](t, s).Retry
				if hint < 2*time.Second || hint > 4*time.Second {
					t.Errorf("a hint of %v, want 2s to 4s", hint)
				}
				hints[hint]++
				over[time.Since(start)]++
				all[i] = nil
			}
			if _, err := h.Connect(Person{Name: "Late"}, plain); err == nil {
				t.Error("a new session is admitted")
			}
			time.Sleep(900 * time.Millisecond)
		}
		if len(over) != n || len(hints) < n/2 {
			t.Errorf("ends at %v, hints %v: not spread", over, hints)
		}
	})
}

func TestDrainInAHurry(t *testing.T) {
	h := New(Options{})
	all := []*Session{connect(t, h, "Ada"), connect(t, h, "Bob")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.Drain(ctx, time.Hour, 0)
	for _, s := range all {
		if !errors.Is(s.Err(), ErrRestart) {
			t.Errorf("ended with %v", s.Err())
		}
	}
	New(Options{}).Drain(t.Context(), time.Hour, 0) // nobody is there
}
