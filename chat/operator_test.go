package chat

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Who is kept out, by person or by address, is so until the time is over or the
// ban is.
func TestBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		ada := Identity{Person: Person{ID: "ada", Name: "Ada"}, Address: "192.0.2.1"}
		want := func(when string, id Identity, code ErrorCode) {
			t.Helper()
			s, err := h.Admit(id, plain)
			if err == nil {
				s.Close(nil)
			}
			if e, _ := err.(*Error); (code == "") != (err == nil) || code != "" && (e.Code != code || e.Retry <= 0) {
				t.Errorf("%s: %v", when, err)
			}
		}
		h.Ban("", "", time.Now().Add(time.Hour))
		h.Ban("ada", "192.0.2.1", time.Now().Add(time.Hour))
		want("nobody is meant", ada, "")
		want("a guest without an ID", Identity{Person: Person{Name: "Guest"}}, "")
		h.Ban("ada", "", time.Now().Add(time.Minute))
		want("the person", ada, CodeNotAllowed)
		want("from elsewhere", Identity{Person: ada.Person}, CodeNotAllowed)
		want("another person", Identity{Person: Person{ID: "bob", Name: "Bob"}, Address: ada.Address}, "")
		time.Sleep(time.Minute)
		want("a minute later", ada, "")
		h.Ban("", ada.Address, time.Now().Add(time.Hour))
		want("the address", ada, CodeNotAllowed)
		want("from elsewhere, while the address is out", Identity{Person: ada.Person, Address: "192.0.2.2"}, "")
		h.Ban("", ada.Address, time.Time{})
		want("no longer", ada, "")
		h.Ban("ada", "", time.Now().Add(time.Second))
		time.Sleep(time.Second)
		h.Ban("bob", "", time.Now().Add(time.Second))
		if n := len(h.bans.until); n != 1 {
			t.Errorf("%d bans are kept, want those that still count", n)
		}
	})
}

// A room that is closed has nobody in it, not even those who were lost a moment
// ago, and what was said in it stays.
func TestCloseRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{})
		defer h.Close()
		var all []*Session
		for _, name := range []string{"Ada", "Bob", "Eve"} {
			s, err := h.Connect(Person{ID: name, Name: name}, plain)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(nil)
			if err := s.Join("lobby", Cursor{}, ""); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		if err := all[0].Join("other", Cursor{}, ""); err != nil {
			t.Fatal(err)
		}
		m, err := h.Publish("lobby", Person{ID: "p", Name: "P"}, "", "hello")
		if err != nil {
			t.Fatal(err)
		}
		all[2].Close(ErrSlow) // lost, and within the grace
		synctest.Wait()
		if d := cmp.Diff([]RoomInfo{{"lobby", 3, 2}, {"other", 1, 1}}, h.Rooms()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if d := cmp.Diff([]string{"lobby", "other"}, all[0].Rooms()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if n := h.CloseRoom("lobby", "enough"); n != 2 {
			t.Errorf("%d sessions were in it", n)
		}
		if n := h.CloseRoom("nowhere", "enough"); n != 0 {
			t.Errorf("%d sessions were nowhere", n)
		}
		if d := cmp.Diff([]RoomInfo{{"other", 1, 1}}, h.Rooms()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		page, err := h.Messages("lobby", Cursor{}, 10)
		if err != nil || len(page.Messages) != 1 || page.Messages[0].Cursor != m.Cursor {
			t.Errorf("%v, %v", page, err)
		}
		if _, err := h.Messages("", Cursor{}, 10); err == nil {
			t.Error("a room without a name has messages")
		}
		if n := len(h.rooms); n != 1 {
			t.Errorf("%d rooms are held", n)
		}
	})
}

// What an operator reads and deletes is there however a room looks, and however
// many there are.
func TestOperatorGoesIntoAnyRoom(t *testing.T) {
	store := new(Memory)
	msg := &Message{Room: "lоbby", Time: now(), From: Person{ID: "p", Name: "P"}, ID: "1", Text: "hello"} // with a Cyrillic о
	if _, err := store.Append("lоbby", []*Message{msg}); err != nil {
		t.Fatal(err)
	}
	h := New(Options{Store: store, Rooms: []string{"lobby"}, MaxRooms: 1})
	defer h.Close()
	ada := connect(t, h, "Ada")
	if err := ada.Join("the only one", Cursor{}, ""); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ada.Join("another", Cursor{}, ""), CodeTooManyRooms)
	wantCode(t, ada.Join("lоbby", Cursor{}, ""), CodeBadRoom)
	page, err := h.Messages("lоbby", Cursor{}, 10)
	if err != nil || len(page.Messages) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	for _, want := range []bool{true, false} {
		if found, err := h.Delete("lоbby", msg.Cursor); found != want || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	}
	for _, forged := range []Cursor{{}, {1, 1}, {msg.Cursor.Epoch, 0}, {msg.Cursor.Epoch, 99}, {msg.Cursor.Epoch, 1<<64 - 1}, {0, msg.Cursor.Seq}} {
		if found, err := h.Delete("lоbby", forged); found || err != nil {
			t.Errorf("%v: %v, %v", forged, found, err)
		}
	}
	if n := len(h.rooms); n != 1 {
		t.Errorf("%d rooms are held", n)
	}
}
