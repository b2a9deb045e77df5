package plain

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"framewright/chat"
)

// The smallest queue takes what a join gives, however many people are in the
// room: who could not join would come back for ever.
func TestAJoinFitsTheQueue(t *testing.T) {
	none := chat.Rate{PerSecond: -1}
	h := chat.New(chat.Options{QueueBytes: 16 << 10, MaxPresence: 1, MaxSessionsPerAddress: -1, MessageRate: none, PersonRate: none})
	defer h.Close()
	const people = 400
	for i := range people {
		s, err := h.Connect(chat.Person{ID: fmt.Sprintf("%024d", i), Name: fmt.Sprintf("%s %d", strings.Repeat("é", 28), i)}, Codec{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(nil)
		if err := s.Join("lobby", chat.Cursor{}, ""); err != nil {
			t.Fatal(err)
		}
		if err := s.Err(); err != nil {
			t.Fatalf("number %d of the room: %v", i+1, err)
		}
	}
}

// The same for what was deleted meanwhile.
func TestAResumeFitsTheQueue(t *testing.T) {
	h := chat.New(chat.Options{QueueBytes: 16 << 10})
	defer h.Close()
	var seen chat.Cursor
	for i := range 1000 {
		m, err := h.Publish("lobby", chat.Person{ID: "p", Name: "P"}, "", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		seen = m.Cursor
	}
	for i := range seen.Seq {
		if found, err := h.Delete("lobby", chat.Cursor{Epoch: seen.Epoch, Seq: i + 1}); !found || err != nil {
			t.Fatal(found, err)
		}
	}
	s, err := h.Connect(chat.Person{ID: "a", Name: "Ada"}, Codec{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(nil)
	if err := errors.Join(s.Join("lobby", seen, ""), s.Err()); err != nil {
		t.Fatal(err)
	}
}
