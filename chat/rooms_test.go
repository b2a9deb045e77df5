package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/chat"
	"framewright/chat/plain"
)

// One address cannot hold all rooms, and the rooms that there always are let
// everyone in even when nothing else is left.
func TestOneAddressHasAShareOfTheRooms(t *testing.T) {
	h := chat.New(chat.Options{MaxRooms: 20, MaxRoomsPerAddress: 5, Rooms: []string{"lobby"}})
	defer h.Close()
	join := func(s *chat.Session, room string, want bool) {
		t.Helper()
		err := s.Join(room, chat.Cursor{}, "")
		if e, ok := errors.AsType[*chat.Error](err); want != (err == nil) || err != nil && (!ok || e.Code != chat.CodeTooManyRooms) {
			t.Errorf("joining %s: %v", room, err)
		}
	}
	admit := func(name, address string) *chat.Session {
		s, err := h.Admit(chat.Identity{Person: chat.Person{Name: name}, Address: address}, plain.Codec{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var greedy [4]*chat.Session
	for a := range greedy {
		greedy[a] = admit(fmt.Sprint("greedy", a), fmt.Sprint("192.0.2.", a))
		for n := range 10 {
			join(greedy[a], fmt.Sprintf("r%d-%d", a, n), n < 5)
		}
	}
	other := admit("newcomer", "198.51.100.1")
	join(other, "lobby", true)
	join(other, "new", false) // the server's rooms are all in use
	join(other, "r0-0", true)
	if err := greedy[0].Leave("r0-0", ""); err != nil {
		t.Fatal(err)
	}
	join(greedy[0], "r0-6", false) // r0-0 is in use still
	if err := other.Leave("r0-0", ""); err != nil {
		t.Fatal(err)
	}
	join(greedy[0], "r0-6", true)
}

func admitAt(t *testing.T, h *chat.Hub, name, address string) (*chat.Session, error) {
	t.Helper()
	return h.Admit(chat.Identity{Person: chat.Person{ID: "id of " + name, Name: name}, Address: address}, plain.Codec{})
}

func wantCode(t *testing.T, what string, err error, code chat.ErrorCode) {
	t.Helper()
	e, ok := errors.AsType[*chat.Error](err)
	if code == "" && err != nil || code != "" && (!ok || e.Code != code) {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

// A room that is in use only because somebody may come back makes room for who is
// here, in all and for its address.
func TestVacantRoomsAreGivenUpFirst(t *testing.T) {
	for _, o := range []chat.Options{{MaxRooms: 3, MaxRoomsPerAddress: -1}, {MaxRoomsPerAddress: 3}} {
		synctest.Test(t, func(t *testing.T) {
			h := chat.New(o)
			defer h.Close()
			gone, _ := admitAt(t, h, "Ada", "192.0.2.1")
			here, _ := admitAt(t, h, "Bob", "192.0.2.1")
			wantCode(t, "a", gone.Join("a", chat.Cursor{}, ""), "")
			wantCode(t, "b", gone.Join("b", chat.Cursor{}, ""), "")
			wantCode(t, "c", here.Join("c", chat.Cursor{}, ""), "")
			wantCode(t, "d, when all are in use", here.Join("d", chat.Cursor{}, ""), chat.CodeTooManyRooms)
			if o.MaxRooms > 0 && !h.Full() {
				t.Error("not full")
			}
			gone.Close(nil) // a and b are held for the grace
			if _, rooms := h.Count(); rooms != 3 || h.Full() {
				t.Errorf("%d rooms in use, full %v", rooms, h.Full())
			}
			wantCode(t, "d", here.Join("d", chat.Cursor{}, ""), "")
			wantCode(t, "e", here.Join("e", chat.Cursor{}, ""), "")
			wantCode(t, "f", here.Join("f", chat.Cursor{}, ""), chat.CodeTooManyRooms)
			time.Sleep(time.Minute)
			here.Close(nil)
			time.Sleep(time.Minute)
			synctest.Wait()
			if _, rooms := h.Count(); rooms != 0 {
				t.Errorf("%d rooms in use in the end", rooms)
			}
		})
	}
}

// To open rooms one after the other pushes others' out of the store, so one
// address has a rate for it; rooms in use, and those that there always are, are
// not opened.
func TestOpeningRoomsHasARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := chat.New(chat.Options{RoomRate: chat.Rate{PerSecond: 1, Burst: 3}, Rooms: []string{"lobby"}})
		defer h.Close()
		a, _ := admitAt(t, h, "Ada", "192.0.2.1")
		b, _ := admitAt(t, h, "Bob", "192.0.2.1")
		c, _ := admitAt(t, h, "Cleo", "192.0.2.2")
		open := func(s *chat.Session, room string, code chat.ErrorCode) {
			t.Helper()
			wantCode(t, room, s.Join(room, chat.Cursor{}, ""), code)
		}
		for n := range 3 {
			open([]*chat.Session{a, b}[n%2], fmt.Sprint(n), "")
		}
		open(a, "3", chat.CodeRateLimited)
		open(b, "3", chat.CodeRateLimited)
		open(a, "1", "")
		open(b, "lobby", "")
		open(c, "3", "")
		time.Sleep(time.Second)
		open(b, "4", "")
		open(b, "5", chat.CodeRateLimited)
	})
}

// An address has as many names within the grace as it may have sessions.
func TestNamesWithinTheGraceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := chat.New(chat.Options{MaxSessionsPerAddress: 2})
		defer h.Close()
		for n := range 10 {
			s, err := admitAt(t, h, fmt.Sprint("n", n), "192.0.2.1")
			if err != nil {
				t.Fatal(err)
			}
			s.Close(nil)
		}
		if people := h.Stats().People; people != 2 {
			t.Errorf("%d people within the grace, want 2", people)
		}
		_, err := h.Admit(chat.Identity{Person: chat.Person{Name: "n0"}}, plain.Codec{})
		wantCode(t, "a name within the grace", err, chat.CodeNameTaken)
		_, err = h.Admit(chat.Identity{Person: chat.Person{Name: "n9"}}, plain.Codec{})
		wantCode(t, "one beyond", err, "")
		time.Sleep(time.Minute)
		synctest.Wait()
		s, _ := admitAt(t, h, "n0", "192.0.2.1")
		s.Close(nil)
		if people := h.Stats().People; people != 2 {
			t.Errorf("%d people a minute later, want the newcomer and one within the grace", people)
		}
	})
}

// Who fills one room pushes out what is in it, and not what is in the others.
func TestAFullRoomMakesWayItself(t *testing.T) {
	m := &chat.Memory{MaxBytes: 100_000, MaxMessages: -1}
	send := func(room string, n int) {
		for range n {
			if _, err := m.Append(room, []*chat.Message{{Room: room, Text: strings.Repeat("x", 1000)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept := func(room string) int {
		p, err := m.Read(room, chat.Query{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return len(p.Messages)
	}
	send("small", 10)
	send("large", 500)
	if small, large := kept("small"), kept("large"); small != 10 || large < 50 || large > 90 {
		t.Errorf("%d kept of the small room, want 10, and %d of the large one", small, large)
	}
}
