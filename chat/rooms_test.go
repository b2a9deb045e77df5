package chat_test

import (
	"errors"
	"fmt"
	"testing"

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
