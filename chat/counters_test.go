package chat

import (
	"errors"
	"testing"
	"time"
)

// failingStore fails what it is told to.
type failingStore struct {
	Memory
	append, read, delete bool
}

var errDisk = errors.New("the disk is on fire")

func (s *failingStore) Append(room string, ms []*Message) ([]Stored, error) {
	if s.append {
		return nil, errDisk
	}
	return s.Memory.Append(room, ms)
}

func (s *failingStore) Read(room string, q Query) (Page, error) {
	if s.read {
		return Page{}, errDisk
	}
	return s.Memory.Read(room, q)
}

func (s *failingStore) Delete(room string, c Cursor) (bool, error) {
	if s.delete {
		return false, errDisk
	}
	return s.Memory.Delete(room, c)
}

// Every failure of the store is counted once, whoever had asked for what.
func TestStoreFailuresAreCounted(t *testing.T) {
	store := &failingStore{}
	h := New(Options{Store: store})
	defer h.Close()
	ada := connect(t, h, "Ada")
	join(t, ada, "lobby", Cursor{})
	c := send(t, ada, "lobby", "1", "hello")
	for _, tt := range []struct {
		name string
		part *bool
		ask  func() error
	}{
		{"a send", &store.append, func() error { return ada.Send("lobby", "2", "hello") }},
		{"a message of the house", &store.append, func() error { _, err := h.Publish("lobby", ada.Person(), "", "x"); return err }},
		{"a join", &store.read, func() error { return ada.Join("attic", Cursor{}, "") }},
		{"the history", &store.read, func() error { return ada.History("lobby", Cursor{}, 10, "") }},
		{"a deletion", &store.delete, func() error { _, err := h.Delete("lobby", c); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := h.Stats().StoreFailures
			*tt.part = true
			err := tt.ask()
			*tt.part = false
			wantCode(t, err, CodeUnavailable)
			if n := h.Stats().StoreFailures - before; n != 1 {
				t.Errorf("counted %d times", n)
			}
			if tt.name != "a deletion" {
				if err := tt.ask(); err != nil {
					t.Errorf("the same again, once it works: %v", err)
				}
			}
			if n := h.Stats().StoreFailures - before; n != 1 {
				t.Errorf("counted %d times after what succeeded", n)
			}
		})
	}
}

// What may be dropped is counted wherever it is: at the door when the queue is
// half full, and when something that may not be dropped takes its place.
func TestDroppedPacketsAreCounted(t *testing.T) {
	const size, half = 100, 5
	now := time.Now()
	h := New(Options{})
	defer h.Close()
	s := &Session{hub: h}
	s.q.init(2*half*(size+packetOverhead), time.Hour)
	put := func(volatile bool) { s.put(Packet{Size: size}, volatile, now) }
	wants := func(why string, dropped uint64, waiting int) {
		t.Helper()
		if got := h.Stats().Dropped; got != dropped {
			t.Errorf("%s: %d dropped, want %d", why, got, dropped)
		}
		if got := s.q.items.Len(); got != waiting {
			t.Errorf("%s: %d wait, want %d", why, got, waiting)
		}
	}
	for range half {
		put(true)
	}
	wants("as many as have room", 0, half)
	put(true)
	put(true)
	wants("two more", 2, half)
	for range half {
		put(false)
	}
	wants("the other half", 2, 2*half)
	put(false)
	wants("one more that may not be dropped", 2+half, half+1)
	put(true)
	wants("one that may, when the queue is more than half full", 3+half, half+1)
}
