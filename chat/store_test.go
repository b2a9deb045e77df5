package chat

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func fill(t *testing.T, s Store, room string, n int) []*Message {
	t.Helper()
	var ms []*Message
	for i := range n {
		ms = append(ms, &Message{Room: room, ID: fmt.Sprint(i), Text: fmt.Sprint(i)})
	}
	if _, err := s.Append(room, ms); err != nil {
		t.Fatal(err)
	}
	return ms
}

func TestMemoryKeepsSoManyMessages(t *testing.T) {
	m := &Memory{MaxMessages: 3}
	ms := fill(t, m, "lobby", 5)
	p, _ := m.Read("lobby", Query{Limit: 10})
	if d := cmp.Diff([]string{"2", "3", "4"}, texts(p.Messages)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// An id is remembered as long as its message is.
	again, _ := m.Append("lobby", []*Message{{ID: "4"}, {ID: "0"}, {ID: ""}, {ID: ""}})
	var dup []bool
	for _, s := range again {
		dup = append(dup, s.Duplicate)
	}
	if d := cmp.Diff([]bool{true, false, false, false}, dup); d != "" {
		t.Errorf("duplicates (-want +got):\n%s", d)
	}
	if again[0].Message != ms[4] {
		t.Error("a repeated message is not the one that was stored")
	}
}

func TestMemoryReadsBackwards(t *testing.T) {
	m := &Memory{MaxMessages: 6}
	ms := fill(t, m, "lobby", 8)
	for _, tt := range []struct {
		name   string
		before Cursor
		want   []string
	}{
		{"the latest", Cursor{}, []string{"5", "6", "7"}},
		{"before one", ms[5].Cursor, []string{"2", "3", "4"}},
		{"up to the oldest kept", ms[4].Cursor, []string{"2", "3"}},
		{"before the oldest kept", ms[2].Cursor, []string{}},
		{"before one that is gone", ms[0].Cursor, []string{}},
		{"ahead", Cursor{ms[0].Cursor.Epoch, 99}, []string{}},
		{"foreign", ForeignCursor, []string{}},
	} {
		p, err := m.Read("lobby", Query{Before: tt.before, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, texts(p.Messages)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestMemoryForgetsTheLongestUnusedRoom(t *testing.T) {
	m := &Memory{MaxRooms: 2}
	old := fill(t, m, "1", 3)[2].Cursor
	fill(t, m, "2", 1)
	m.Read("1", Query{})
	fill(t, m, "3", 1) // 2 goes, 1 was used since
	if p, _ := m.Read("1", Query{Since: old, Limit: 9}); !p.Recovered {
		t.Error("room 1 was forgotten")
	}
	fill(t, m, "4", 1)
	fill(t, m, "5", 1)
	fill(t, m, "1", 3)
	if p, _ := m.Read("1", Query{Since: old, Limit: 9}); p.Recovered {
		t.Error("a cursor of a forgotten room counts in the new one")
	}
	if len(m.rooms) != 2 || m.used.Len() != 2 {
		t.Errorf("%d rooms", len(m.rooms))
	}
}

// Who looks into rooms that nobody has written to, a thousand of them, makes
// nothing be forgotten; and what such a room's place is stays.
func TestMemoryKeepsWhatWasWritten(t *testing.T) {
	m := &Memory{MaxRooms: 10}
	ms := fill(t, m, "written", 3)
	first, _ := m.Read("empty", Query{})
	for i := range 1000 {
		m.Read(fmt.Sprint(i), Query{Limit: 1})
		m.Delete(fmt.Sprint(i), ms[0].Cursor)
	}
	if p, _ := m.Read("written", Query{Limit: 9}); len(p.Messages) != 3 {
		t.Errorf("%d of 3 messages are left", len(p.Messages))
	}
	fill(t, m, "empty", 1)
	if p, _ := m.Read("empty", Query{Since: first.Head, Limit: 9}); !p.Recovered || len(p.Messages) != 1 {
		t.Errorf("since the room was empty: %+v", p)
	}
}

func TestMemoryBytes(t *testing.T) {
	m := &Memory{MaxBytes: 30_000} // a room has less than a quarter
	text := strings.Repeat("x", 1000)
	for room := range 10 {
		for range 5 {
			m.Append(fmt.Sprint(room), []*Message{{Text: text}})
		}
	}
	sum := 0
	for e := m.used.Front(); e != nil; e = e.Next() {
		for _, msg := range e.Value.(*memoryRoom).messages {
			sum += msg.Size()
		}
	}
	if sum != m.bytes || sum > m.MaxBytes || sum < m.MaxBytes/2 {
		t.Errorf("%d bytes, counted as %d, limit %d", sum, m.bytes, m.MaxBytes)
	}
	if p, _ := m.Read("9", Query{Limit: 9}); len(p.Messages) != 5 {
		t.Errorf("the room used last has %d of 5 messages", len(p.Messages))
	}
	m.Append("9", []*Message{{Text: strings.Repeat("x", 60_000)}})
	if p, _ := m.Read("9", Query{Limit: 9}); len(p.Messages) != 1 {
		t.Errorf("%d messages are left; want the last one, though it is over the limit", len(p.Messages))
	}
}

// As in a boltstore, a negative bound is none.
func TestMemoryWithoutBounds(t *testing.T) {
	m := &Memory{MaxMessages: -1, MaxRooms: -1, MaxBytes: -1}
	for _, room := range []string{"a", "b"} {
		fill(t, m, room, 1100)
	}
	for _, room := range []string{"a", "b"} {
		p, err := m.Read(room, Query{Limit: 2000})
		if err != nil || len(p.Messages) != 1100 {
			t.Errorf("%s has %d messages, %v; want 1100", room, len(p.Messages), err)
		}
	}
}

func TestReadIsBoundedInBytes(t *testing.T) {
	m := new(Memory)
	ms := fill(t, m, "lobby", 10)
	three := 3 * ms[0].Size()
	if p, _ := m.Read("lobby", Query{Limit: 9, MaxBytes: three}); len(p.Messages) != 3 {
		t.Errorf("%d messages, want 3", len(p.Messages))
	}
	if p, _ := m.Read("lobby", Query{Since: ms[6].Cursor, Limit: 9, MaxBytes: three}); !p.Recovered {
		t.Error("three messages fit, and were not given")
	}
	if p, _ := m.Read("lobby", Query{Since: ms[5].Cursor, Limit: 9, MaxBytes: three}); p.Recovered || len(p.Messages) != 0 {
		t.Error("four messages do not fit, and part of them were given")
	}
}

func TestCursorText(t *testing.T) {
	for _, c := range []Cursor{{}, {1, 0}, {1, 1}, {NewEpoch(), 12345}, {1<<64 - 1, 1<<64 - 1}, ForeignCursor} {
		got, err := ParseCursor(c.String())
		if err != nil || got != c {
			t.Errorf("%v: %q, %v, %v", c, c.String(), got, err)
		}
	}
	for _, s := range []string{"-", "1", "1-", "-1", "01-1", "1-01", "1--1", "A-1", " 1-1", "1-1 ", "0-0", "1-1-1", "+1-1",
		"zzzzzzzzzzzzzz-1", strings.Repeat("1", 1<<16), "1-\x00"} {
		if c, err := ParseCursor(s); err == nil {
			t.Errorf("%.20q is taken for %v", s, c)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"Ada", "Ève", "e\u0301", "李", "مرحبا", "נועה", "किरण", "O'Neil-Smith", "a b", "✌️", "🙂", "a<b>",
		strings.Repeat("𝄞", 32), "#1"} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for what, name := range map[string]string{
		"empty":               "",
		"33 characters":       strings.Repeat("x", 33),
		"a megabyte":          strings.Repeat("x", 1<<20),
		"not UTF-8":           "\xff",
		"newline":             "a\nb",
		"NUL":                 "a\x00",
		"escape":              "\x1b[31m",
		"C1 control":          "a\u0085b",
		"zero-width space":    "a\u200bb",
		"zero-width joiner":   "a\u200db",
		"right-to-left mark":  "a\u200f",
		"override":            "a\u202eb",
		"isolate":             "a\u2066b",
		"byte order mark":     "\ufeffa",
		"soft hyphen":         "a\u00adb",
		"no-break space":      "a\u00a0b",
		"line separator":      "a\u2028b",
		"Hangul filler":       "\u3164",
		"Braille blank":       "\u2800",
		"grapheme joiner":     "a\u034fb",
		"tag character":       "a\U000e0041",
		"private use":         "\ue000",
		"unassigned":          "\u0378",
		"variation selector":  "a\ufe00",
		"leading mark":        "\u0301a",
		"tower of marks":      "a\u0301\u0301\u0301\u0301",
		"only a space":        " ",
		"leading space":       " a",
		"trailing space":      "a ",
		"two spaces in a row": "a  b",
	} {
		wantCode(t, CheckName(name), CodeBadName)
		if err := CheckRoom(name); err == nil {
			t.Errorf("%s: taken for a room", what)
		}
	}
	wantCode(t, CheckRoom("a*"), CodeBadRoom)
	wantCode(t, CheckRoom(">"), CodeBadRoom)
}

// panicStore panics once, while others wait for it.
type panicStore struct {
	Memory
	gate chan struct{}
	once sync.Once
}

func (s *panicStore) Append(room string, ms []*Message) ([]Stored, error) {
	s.once.Do(func() {
		<-s.gate
		panic("out of ideas")
	})
	return s.Memory.Append(room, ms)
}

// A store that panics harms who was asking, and nobody waits for ever.
func TestAStoreThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &panicStore{gate: make(chan struct{})}
		h := New(Options{Store: store})
		defer h.Close()
		ada := connect(t, h, "Ada")
		join(t, ada, "lobby", Cursor{})
		if err := ada.Do(t.Context(), func() { ada.Send("lobby", "1", "x") }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := h.Publish("lobby", Person{ID: "p", Name: "P"}, "", "x"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(store.gate)
		wg.Wait()
		synctest.Wait()
		if !errors.Is(ada.Err(), ErrPanic) {
			t.Errorf("who asked ended with %v, want ErrPanic", ada.Err())
		}
		if p, _ := store.Read("lobby", Query{Limit: 9}); len(p.Messages) != 5 {
			t.Errorf("%d of the others' messages are stored, want 5", len(p.Messages))
		}
		ada.Close(nil)
	})
}
