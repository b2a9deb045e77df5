package chat

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who takes another name in one tab goes by it in every room until that tab is
// closed, wherever the tab is, and then by the name of the others.
func TestNameOfOneTab(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{PresenceGrace: time.Second})
		defer h.Close()
		session := func(name string) *Session {
			s, err := h.Connect(Person{ID: "grace", Name: name}, plain)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		in := func(s *Session, room string) {
			if err := s.Join(room, Cursor{}, ""); err != nil {
				t.Fatal(err)
			}
		}
		known := func(why, want string) {
			t.Helper()
			synctest.Wait()
			r := h.inUse("den")
			defer h.release(r)
			r.mu.Lock()
			defer r.mu.Unlock()
			if got := r.people["grace"].person.Name; got != want {
				t.Errorf("%s: the room knows %q, want %q", why, got, want)
			}
		}
		old, renamed := session("Grace"), session("Amazing Grace")
		in(old, "den")
		in(renamed, "den")
		known("both are here", "Amazing Grace")
		if err := renamed.Leave("den", ""); err != nil {
			t.Fatal(err)
		}
		known("the tab with the name is in another room", "Amazing Grace")
		renamed.Close(nil)
		time.Sleep(2 * time.Second)
		known("the tab with the name is closed", "Grace")
		old.Close(nil)
	})
}
