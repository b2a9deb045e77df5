package chat

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"framewright/internal/lookalike"
)

func account(t *testing.T, h *Hub, id, name string) *Session {
	t.Helper()
	s, err := h.Connect(Person{ID: id, Name: name, Account: true}, plain)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An account gets its name from whoever has it; who had it is told, and so are
// the rooms; what was said before stays as it was, what comes after has the new
// name, and the person stays the same.
func TestAccountTakesItsName(t *testing.T) {
	for _, name := range []string{"Ada", "ada", "Аda", "ＡＤＡ", "A.D.A"} {
		t.Run(name, func(t *testing.T) {
			h := New(Options{})
			defer h.Close()
			var heard atomic.Int32
			h.o.Renamed = func(s *Session, was string) {
				if was == name && s.Person().Name == name+"-2" {
					heard.Add(1)
				}
			}
			guest := Person{ID: "guest", Name: name}
			one, err := h.Connect(guest, plain)
			if err != nil {
				t.Fatal(err)
			}
			two, err := h.Connect(guest, plain)
			if err != nil {
				t.Fatal(err)
			}
			bob := connect(t, h, "Bob")
			for _, s := range []*Session{one, two, bob} {
				for _, room := range []string{"lobby", "attic"} {
					if err := s.Join(room, Cursor{}, ""); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := one.Send("lobby", "1", "before"); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*Session{one, two, bob} {
				drain(s)
			}
			ada := account(t, h, "u17", "Ada")
			if w := wantNext[Welcome](t, ada); w.You != (Person{"u17", "Ada", true}) {
				t.Errorf("%+v", w)
			}
			now := Person{ID: "guest", Name: name + "-2"}
			for _, s := range []*Session{one, two} {
				if r := wantNext[Renamed](t, s); r.You != now || r.Was != name || s.Person() != now {
					t.Errorf("%+v, %+v", r, s.Person())
				}
			}
			var rooms []string
			for range 2 {
				p := wantNext[Presence](t, bob)
				if p.Who != now || p.Was != name || !p.Here || p.People != 2 {
					t.Errorf("%+v", p)
				}
				rooms = append(rooms, p.Room)
			}
			if slices.Sort(rooms); !slices.Equal(rooms, []string{"attic", "lobby"}) {
				t.Error(rooms)
			}
			// What follows is under the new name, and by the same person.
			if err := two.Send("lobby", "2", "after"); err != nil {
				t.Fatal(err)
			}
			if m := wantNext[Posted](t, bob).Message; m.From != now {
				t.Errorf("%+v", m.From)
			}
			if err := one.Private(bob.Person().ID, "p", "psst"); err != nil {
				t.Fatal(err)
			}
			if p := wantNext[Private](t, bob); p.From != now {
				t.Errorf("%+v", p)
			}
			if err := one.Send("lobby", "1", "before"); err != nil { // a repetition is one still
				t.Fatal(err)
			}
			if err := ada.Join("lobby", Cursor{}, ""); err != nil {
				t.Fatal(err)
			}
			j := wantNext[Joined](t, ada)
			if len(j.Messages) != 2 || j.Messages[0].From != guest || j.Messages[1].From != now || !slices.Contains(j.Members, now) || slices.Contains(j.Members, guest) {
				t.Errorf("%+v", j)
			}
			// Its old name is not the guest's any more, on no other tab either,
			// which is told so, and nobody else's.
			third, err := h.Connect(guest, plain)
			if err != nil {
				t.Fatal(err)
			}
			w, r := wantNext[Welcome](t, third), wantNext[Renamed](t, third)
			if w.You != now || r.You != now || r.Was != name || third.Person() != now {
				t.Errorf("%+v, %+v, %+v", w, r, third.Person())
			}
			_, err = h.Connect(Person{ID: "another", Name: name}, plain)
			wantCode(t, err, CodeNameTaken)
			if _, err = h.Connect(now, plain); err != nil {
				t.Errorf("a third tab by the new name: %v", err)
			}
			// The account's second tab takes nothing from anybody.
			account(t, h, "u17", "Ada")
			if one.Person() != now {
				t.Error(one.Person())
			}
			h.workers.wait(time.Second)
			if n := heard.Load(); n != 2 {
				t.Errorf("the hook heard of it %d times", n)
			}
		})
	}
}

func drain(s *Session) {
	s.q.mu.Lock()
	defer s.q.mu.Unlock()
	s.q.items.Clear()
}

// A person within the grace has no connection, but is still in the room.
func TestAccountTakesTheNameOfWhoIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		guest, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
		who := guest.Person()
		for _, s := range []*Session{guest, bob} {
			if err := s.Join("lobby", Cursor{}, ""); err != nil {
				t.Fatal(err)
			}
		}
		guest.Close(nil)
		drain(bob)
		account(t, h, "u17", "Ada")
		if p := wantNext[Presence](t, bob); p.Who.Name != "Ada-2" || p.Was != "Ada" || !p.Here {
			t.Errorf("%+v", p)
		}
		// It resumes by the name that it knows, and is there by the new one.
		back, err := h.Connect(who, plain)
		if err != nil {
			t.Fatal(err)
		}
		if w, r := wantNext[Welcome](t, back), wantNext[Renamed](t, back); w.You.Name != "Ada-2" || r.Was != "Ada" || r.You != w.You || back.Person() != w.You {
			t.Errorf("%+v, %+v", w, r)
		}
		if err := back.Join("lobby", Cursor{}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		back.Close(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := wantNext[Presence](t, bob); p.Who.Name != "Ada-2" || p.Here {
			t.Errorf("%+v", p)
		}
		if o := h.people[who.ID]; o != nil {
			t.Errorf("%+v is left", o)
		}
	})
}

// Two accounts of one name are both let in, and told apart; which is which does
// not change for either's second tab.
func TestTwoAccountsOfOneName(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	first := account(t, h, "u1", "Ada")
	second := account(t, h, "u2", "Аda") // with a Cyrillic А
	third := account(t, h, "u3", "ADA")
	for s, want := range map[*Session]string{first: "Ada", second: "Аda-2", third: "ADA-3"} {
		if p := s.Person(); p.Name != want || !p.Account {
			t.Errorf("%+v, want %s", p, want)
		}
		if w := wantNext[Welcome](t, s); w.You != s.Person() || !strings.Contains(w.Text, want) {
			t.Errorf("%+v", w)
		}
	}
	again := account(t, h, "u2", "Аda")
	if again.Person() != second.Person() {
		t.Errorf("a second tab is %+v, the first %+v", again.Person(), second.Person())
	}
	// A guest's number yields, too.
	guest, err := h.Connect(Person{Name: "Eve-2"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	account(t, h, "u4", "Eve")
	account(t, h, "u5", "Eve-2")
	if n := guest.Person().Name; n != "Eve-2-2" {
		t.Error(n)
	}
}

// What is long or full of numbers already finds a name, too.
func TestSubstitute(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	for i, name := range []string{strings.Repeat("x", 32), "a b " + strings.Repeat("c", 25) + " de", strings.Repeat("🙂", 32), "e" + strings.Repeat("\u0301", 3)} {
		guest := connect(t, h, name)
		account(t, h, fmt.Sprint("account ", i), name)
		if now := guest.Person().Name; now == name || CheckName(now) != nil || lookalike.Of(now, true).Alike(lookalike.Of(name, true)) {
			t.Errorf("%q became %q", name, now)
		}
	}
	for i := range 12 { // all the numbers that are tried
		if _, err := h.Connect(Person{Name: fmt.Sprint("Ann-", i)}, plain); err != nil {
			t.Fatal(err)
		}
	}
	guest := connect(t, h, "Ann")
	account(t, h, "ann", "Ann")
	if n := guest.Person().Name; !strings.HasPrefix(n, "guest ") {
		t.Error(n)
	}
}

// An account that is refused for another reason takes nothing from anybody.
func TestRefusedAccountTakesNothing(t *testing.T) {
	h := New(Options{MaxSessionsPerAddress: 1})
	defer h.Close()
	guest := connect(t, h, "Ada")
	if _, err := h.Admit(Identity{Person: Person{ID: "u1", Name: "Zoe", Account: true}, Address: "192.0.2.1"}, plain); err != nil {
		t.Fatal(err)
	}
	_, err := h.Admit(Identity{Person: Person{ID: "u2", Name: "Ada", Account: true}, Address: "192.0.2.1"}, plain)
	wantCode(t, err, CodeTooManySessions)
	if n := guest.Person().Name; n != "Ada" {
		t.Error(n)
	}
}

// Guests and accounts come, join, write and go, all at once and all by names
// that look alike. At no time do two people have one, and every room ends with
// the names that its members have.
func TestNamesUnderContention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{PresenceGrace: time.Second, QueueBytes: 16 << 20, ReadRate: Rate{PerSecond: -1}, MessageRate: Rate{PerSecond: -1}})
		forms := []string{"Ada", "ada", "Аda", "ADA", "A-d-a", "Ada-2", "ada-3"}
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				for n := range 20 {
					who := Person{ID: fmt.Sprint("guest ", i), Name: forms[(i+n)%len(forms)]}
					if i%4 == 0 {
						who = Person{ID: fmt.Sprint("account ", i), Name: forms[n%3], Account: true}
					}
					s, err := h.Connect(who, plain)
					if err != nil {
						wantCode(t, err, CodeNameTaken)
						if who.Account {
							t.Errorf("an account is refused: %v", err)
						}
						continue
					}
					if err := s.Join([]string{"lobby", "attic"}[n%2], Cursor{}, ""); err != nil {
						t.Error(err)
					}
					if err := s.Send([]string{"lobby", "attic"}[n%2], fmt.Sprint(i, n), "x"); err != nil {
						t.Error(err)
					}
					if s.Person().ID != who.ID || s.Person().Account != who.Account {
						t.Errorf("%+v is %+v now", who, s.Person())
					}
					checkNames(t, h)
					if n%5 != 0 || n == 0 {
						s.Close(nil)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		checkNames(t, h)
		for _, r := range h.rooms {
			for s := range r.place {
				if p := r.people[s.Person().ID]; p == nil || !slices.ContainsFunc(s.owner.claims, func(c *claim) bool { return c.name == p.person.Name }) {
					t.Errorf("%s knows %+v as %+v", r.name, s.Person(), p)
				}
			}
		}
		for _, s := range h.Sessions() {
			s.Close(nil)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if h.names.Len() != New(Options{}).names.Len() || len(h.people) != 0 || h.roomNames.Len() != 0 {
			t.Errorf("%d names, %d people, %d rooms' names are left", h.names.Len(), len(h.people), h.roomNames.Len())
		}
		h.Close()
	})
}

func checkNames(t *testing.T, h *Hub) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range h.people {
		for _, c := range o.claims {
			if len(h.others(c.key, o)) > 0 {
				t.Errorf("%q and %q are two people's", c.name, h.others(c.key, o)[0].name)
			}
			for s := range c.sessions {
				if s.Person().Name != c.name || s.Person().Account != c.account {
					t.Errorf("%+v, whose claim is %q", s.Person(), c.name)
				}
			}
		}
	}
}
