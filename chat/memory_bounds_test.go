package chat

import (
	"fmt"
	"strings"
	"testing"
)

// Memory's zero value has the bounds that its documentation names, to the unit.
func TestMemoryDefaults(t *testing.T) {
	m := new(Memory)
	fill(t, m, "lobby", 1000)
	if p, _ := m.Read("lobby", Query{Limit: 2000}); len(p.Messages) != 1000 {
		t.Errorf("%d of 1,000 messages are kept", len(p.Messages))
	}
	fill(t, m, "lobby", 1)
	if p, _ := m.Read("lobby", Query{Limit: 2000}); len(p.Messages) != 1000 {
		t.Errorf("%d of 1,001 messages are kept", len(p.Messages))
	}

	m = new(Memory)
	first := fill(t, m, "room 1", 1)[0].Cursor
	kept := func() bool {
		r := m.rooms["room 1"]
		return r != nil && r.Value.(*memoryRoom).epoch == first.Epoch
	}
	for i := range 9_999 {
		m.Append(fmt.Sprint("room ", i+2), []*Message{{Text: "x"}})
	}
	if len(m.rooms) != 10_000 || !kept() {
		t.Errorf("%d of 10,000 rooms are remembered, the first: %v", len(m.rooms), kept())
	}
	m.Append("room 10001", []*Message{{Text: "x"}})
	if len(m.rooms) != 10_000 || kept() {
		t.Errorf("%d of 10,001 rooms are remembered, the first: %v", len(m.rooms), kept())
	}

	m = new(Memory)
	message := Message{Text: strings.Repeat("x", 1<<20)}
	for range 64 {
		one := message
		m.Append("lobby", []*Message{&one})
	}
	if n := len(m.rooms["lobby"].Value.(*memoryRoom).messages); n != 63 || m.bytes > 64<<20 { // each has something around its text
		t.Errorf("%d messages of 1 MiB are kept, %d bytes", n, m.bytes)
	}
}

// One room is remembered however small the bound is.
func TestMemoryOfOneRoom(t *testing.T) {
	m := &Memory{MaxRooms: 1}
	for _, room := range []string{"a", "b", "c"} {
		fill(t, m, room, 2)
		if p, _ := m.Read(room, Query{Limit: 9}); len(p.Messages) != 2 || len(m.rooms) != 1 {
			t.Errorf("%s has %d messages, of %d rooms", room, len(p.Messages), len(m.rooms))
		}
	}
}

// What a deletion frees, others can use: the text, and not what stays to know a
// repeated send by.
func TestMemoryDeletionFreesBytes(t *testing.T) {
	text := strings.Repeat("x", 1000)
	size := (&Message{Room: "lobby", Text: text}).Size()
	m := &Memory{MaxBytes: 10 * size}
	send := func(text string) Cursor {
		t.Helper()
		stored, err := m.Append("lobby", []*Message{{Room: "lobby", Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		return stored[0].Message.Cursor
	}
	sum := func() (n int) {
		for _, msg := range m.rooms["lobby"].Value.(*memoryRoom).messages {
			n += msg.Size()
		}
		return n
	}
	for round := range 5 {
		for range 10 {
			c := send(text)
			if found, err := m.Delete("lobby", c); !found || err != nil {
				t.Fatal(found, err)
			}
			if found, _ := m.Delete("lobby", c); found {
				t.Fatal("deleted twice")
			}
		}
		if m.bytes != sum() || m.bytes >= m.MaxBytes {
			t.Errorf("round %d: %d bytes are counted, %d held, %d allowed", round, m.bytes, sum(), m.MaxBytes)
		}
	}
	deleted := len(m.rooms["lobby"].Value.(*memoryRoom).messages)
	if deleted != 50 {
		t.Errorf("%d of 50 deleted messages are known: their texts still took room", deleted)
	}
}
