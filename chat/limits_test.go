package chat

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var unlimited = Rate{PerSecond: -1}

func retryOf(t *testing.T, err error) time.Duration {
	t.Helper()
	wantCode(t, err, CodeRateLimited)
	e, _ := errors.AsType[*Error](err)
	if e.Retry <= 0 {
		t.Fatalf("%v does not say when", err)
	}
	return e.Retry
}

// Row 86: a flood of messages meets a token bucket, and goes on after the wait
// that it was told.
func TestMessageRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{MessageRate: Rate{PerSecond: 2, Burst: 5}, QueueAge: 2 * time.Hour})
		defer h.Close()
		ada := connect(t, h, "Ada")
		join(t, ada, "lobby", Cursor{})
		id := 0
		post := func() error { id++; return ada.Send("lobby", fmt.Sprint(id), "x") }
		for range 5 {
			if err := post(); err != nil {
				t.Fatal(err)
			}
		}
		if wait := retryOf(t, post()); wait != 500*time.Millisecond {
			t.Errorf("wait %v, want 500ms", wait)
		}
		wantCode(t, ada.Private("id-Ada", "p", "x"), CodeRateLimited)
		time.Sleep(499 * time.Millisecond)
		wait := retryOf(t, post())
		time.Sleep(wait)
		if err := post(); err != nil {
			t.Errorf("after the wait: %v", err)
		}
		time.Sleep(time.Hour) // fills to the burst and no further
		for range 5 {
			if err := post(); err != nil {
				t.Fatal(err)
			}
		}
		retryOf(t, post())
		if got := h.Stats().Messages; got != 11 {
			t.Errorf("%d messages stored, want 11", got)
		}
	})
}

// Row 86: who does not heed the answers is closed.
func TestFloodEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		ada := connect(t, h, "Ada")
		n := 0
		for ; ada.Err() == nil; n++ {
			ada.Request()
			if n > 10_000 {
				t.Fatal("no end")
			}
		}
		if !errors.Is(ada.Err(), ErrFlood) || n != 602 {
			t.Errorf("after %d requests: %v; want ErrFlood after 500, a refusal and 100 more that did not wait", n, ada.Err())
		}
	})
}

func TestPersonRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{PersonRate: Rate{PerSecond: 1, Burst: 3}, PresenceGrace: time.Minute})
		defer h.Close()
		post := func(s *Session, id string) error { return s.Send("lobby", id, "x") }
		tab1, tab2 := connect(t, h, "Ada"), connect(t, h, "Ada")
		join(t, tab1, "lobby", Cursor{})
		join(t, tab2, "lobby", Cursor{})
		for i, s := range []*Session{tab1, tab2, tab1} {
			if err := post(s, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, post(tab2, "x"), CodeRateLimited)
		tab1.Close(nil)
		tab2.Close(nil)
		again := connect(t, h, "Ada") // does not buy anything
		join(t, again, "lobby", Cursor{})
		wantCode(t, post(again, "x"), CodeRateLimited)
		bob := connect(t, h, "Bob")
		join(t, bob, "lobby", Cursor{})
		if err := post(bob, "1"); err != nil {
			t.Errorf("somebody else: %v", err)
		}
	})
}

func TestReadRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{ReadRate: Rate{PerSecond: 1, Burst: 2}})
		defer h.Close()
		ada := connect(t, h, "Ada")
		join(t, ada, "lobby", Cursor{})
		if err := ada.History("lobby", Cursor{}, 1, ""); err != nil {
			t.Fatal(err)
		}
		wantCode(t, ada.History("lobby", Cursor{}, 1, ""), CodeRateLimited)
		wantCode(t, ada.Join("attic", Cursor{}, ""), CodeRateLimited)
	})
}

func TestTypingIsThinnedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		ada, bob := connect(t, h, "Ada"), connect(t, h, "Bob")
		join(t, ada, "lobby", Cursor{})
		join(t, bob, "lobby", Cursor{})
		for range 50 {
			if err := ada.Typing("lobby"); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			wantNext[Typing](t, bob)
		}
		wantIdle(t, bob, "a flood of typing")
	})
}

func TestBucket(t *testing.T) {
	now := time.Unix(0, 0)
	var b bucket
	for range 1000 {
		if _, ok := b.take(unlimited, now); !ok {
			t.Fatal("a negative rate limits")
		}
	}
	r := Rate{PerSecond: 0, Burst: 1} // nothing comes back
	b = bucket{}
	if _, ok := b.take(r, now); !ok {
		t.Error("the first is refused")
	}
	if wait, ok := b.take(r, now.Add(time.Hour)); ok || wait <= 0 {
		t.Error(wait, ok)
	}
	b = bucket{}
	r = Rate{PerSecond: 1000, Burst: 10}
	n := 0
	for i := range 10_000 { // 10 s in steps of a millisecond
		if _, ok := b.take(r, now.Add(time.Duration(i)*time.Millisecond)); ok {
			n++
		}
	}
	if n != 10_000 {
		t.Errorf("%d of 10,000 at exactly the rate", n)
	}
}

func TestSessionsPerPersonAndAddress(t *testing.T) {
	h := New(Options{MaxSessionsPerPerson: 2, MaxSessionsPerAddress: 3, PresenceGrace: time.Hour})
	admit := func(name, address string) (*Session, error) {
		return h.Admit(Identity{Person: Person{ID: "id-" + name, Name: name}, Address: address}, plain)
	}
	a1, err1 := admit("Ada", "1.2.3.4")
	_, err2 := admit("Ada", "1.2.3.4")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	_, err := admit("Ada", "5.6.7.8")
	wantCode(t, err, CodeTooManySessions)
	b, err := admit("Bob", "1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	_, err = admit("Cleo", "1.2.3.4")
	wantCode(t, err, CodeTooManySessions)
	if _, err := admit("Cleo", ""); err != nil {
		t.Errorf("no address: %v", err)
	}
	b.Close(nil)
	a1.Close(nil) // the grace holds names, not places
	if _, err := admit("Ada", "1.2.3.4"); err != nil {
		t.Error(err)
	}
	if _, err := admit("Dora", "1.2.3.4"); err != nil {
		t.Error(err)
	}
	if n := h.addresses.Len(); n != 1 {
		t.Errorf("%d addresses are kept, want 1", n)
	}
	for _, s := range h.Sessions() {
		s.Close(nil)
	}
	if n := h.addresses.Len(); n != 0 {
		t.Errorf("%d addresses are kept after all have gone", n)
	}
}

// Rows 87 and 88, and scrolling up.
func TestHistory(t *testing.T) {
	h := New(Options{Store: &Memory{MaxMessages: 250}, MessageRate: unlimited, PersonRate: unlimited, History: 100,
		AllowHistory: func(s *Session, room string) error {
			if room == "closed" {
				return errors.New("members of the board only")
			}
			return nil
		}})
	ada := connect(t, h, "Ada")
	join(t, ada, "lobby", Cursor{})
	for i := range 300 {
		send(t, ada, "lobby", fmt.Sprint(i), fmt.Sprint(i))
		wantNext[Posted](t, ada)
	}
	history := func(before Cursor, limit int) History {
		t.Helper()
		if err := ada.History("lobby", before, limit, "r"); err != nil {
			t.Fatal(err)
		}
		return wantNext[History](t, ada)
	}
	// Page by page to the oldest that is kept.
	var seen []string
	before := Cursor{}
	for pages := 0; ; pages++ {
		p := history(before, 60)
		seen = append(texts(p.Messages), seen...)
		if !p.More {
			break
		}
		if before = p.Messages[0].Cursor; pages > 9 {
			t.Fatal("no end")
		}
	}
	var want []string
	for i := 50; i < 300; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, limit := range []int{0, -1, 101, 1e9} {
		if n := len(history(Cursor{}, limit).Messages); n != 100 {
			t.Errorf("limit %d gives %d messages, want 100", limit, n)
		}
	}
	if p := history(ForeignCursor, 5); len(p.Messages) != 0 || p.More {
		t.Errorf("before a foreign cursor: %d messages, more %v", len(p.Messages), p.More)
	}
	wantCode(t, ada.History("attic", Cursor{}, 5, ""), CodeNotJoined)

	bob := connect(t, h, "Bob")
	first := join(t, ada, "closed", Cursor{}).Cursor
	send(t, ada, "closed", "1", "secret")
	for _, since := range []Cursor{{}, first} {
		if j := join(t, bob, "closed", since); len(j.Messages) != 0 || j.Recovered {
			t.Errorf("who may not read history gets %q by a join", texts(j.Messages))
		}
	}
	wantCode(t, bob.History("closed", Cursor{}, 5, ""), CodeNotAllowed)
}

func TestPrivate(t *testing.T) {
	h := New(Options{AllowPrivate: func(s *Session, to Person, text string) error {
		if text == "spam" {
			return errors.New("no spam")
		}
		return nil
	}})
	ada, tab, eve := connect(t, h, "Ada"), connect(t, h, "Ada"), connect(t, h, "Eve")
	bob1, bob2 := connect(t, h, "Bob"), connect(t, h, "Bob")
	if err := ada.Private("id-Bob", "1", "psst"); err != nil {
		t.Fatal(err)
	}
	ack := wantNext[Ack](t, ada)
	want := Private{From: ada.Person(), To: bob1.Person(), ID: "1", Text: "psst", Time: ack.Time}
	for _, s := range []*Session{ada, tab, bob1, bob2} {
		if d := cmp.Diff(want, wantNext[Private](t, s)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	if d := cmp.Diff(Ack{ID: "1", Time: ack.Time}, ack); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// Again, on another connection.
	if err := tab.Private("id-Bob", "1", "psst"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(ack, wantNext[Ack](t, tab)); d != "" {
		t.Errorf("(-first +again):\n%s", d)
	}
	wantCode(t, ada.Private("nobody", "2", "x"), CodeNotHere)
	wantCode(t, ada.Private("id-Bob", "3", "spam"), CodeNotAllowed)
	wantCode(t, ada.Private("id-Bob", "", "x"), CodeBadID)
	wantCode(t, ada.Private("id-Bob", "4", ""), CodeBadMessage)
	bob1.Close(nil)
	bob2.Close(nil) // within the grace: here for the others, but nobody reads
	wantCode(t, ada.Private("id-Bob", "5", "x"), CodeNotHere)
	for _, s := range []*Session{ada, tab, eve} {
		wantIdle(t, s, "nobody else's business, and once")
	}
}

func TestRecentForgets(t *testing.T) {
	var r recent
	for i := range recentMax + 10 {
		r.put(sendKey{"p", fmt.Sprint(i)}, time.Now())
	}
	if len(r.at) != recentMax || len(r.ring) != recentMax {
		t.Errorf("%d and %d entries", len(r.at), len(r.ring))
	}
	if _, ok := r.get(sendKey{"p", "9"}); ok {
		t.Error("the oldest is kept")
	}
	if _, ok := r.get(sendKey{"p", "10"}); !ok {
		t.Error("a newer one is forgotten")
	}
}
