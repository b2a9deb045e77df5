// Package chattest has what a [chat.Store] must pass.
package chattest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"framewright/chat"
)

// Room appends n messages to a room, one by one, and returns them.
func Room(t *testing.T, s chat.Store, room string, n int) []*chat.Message {
	t.Helper()
	var out []*chat.Message
	for i := range n {
		m := message(room, fmt.Sprint(i))
		if _, err := s.Append(room, []*chat.Message{m}); err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func message(room, id string) *chat.Message {
	return &chat.Message{Room: room, Time: time.Now().UTC().Truncate(time.Millisecond),
		From: chat.Person{ID: "p", Name: "Päivi", Account: true}, ID: id, Text: "text " + id}
}

// Texts are the messages' texts, as one line.
func Texts(ms []*chat.Message) string {
	var out []string
	for _, m := range ms {
		out = append(out, strings.TrimPrefix(m.Text, "text "))
	}
	return strings.Join(out, " ")
}

// TestStore runs the tests that every store must pass. Each gets a store of its
// own from open, which keeps at least 100 messages in each of at least 10
// rooms.
func TestStore(t *testing.T, open func(t *testing.T) chat.Store) {
	for _, tt := range []struct {
		name string
		f    func(t *testing.T, s chat.Store)
	}{
		{"messages are numbered", testNumbers},
		{"resume", testResume},
		{"an empty room has a place", testEmptyRoom},
		{"backwards", testBackwards},
		{"the same id again", testDuplicates},
		{"bounded in bytes", testBytes},
		{"a message larger than the bound", testLargerThanTheBound},
		{"delete", testDelete},
		{"rooms", testRooms},
		{"many rooms at the same time", testParallel},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.f(t, open(t)) })
	}
}

func read(t *testing.T, s chat.Store, room string, q chat.Query) chat.Page {
	t.Helper()
	p, err := s.Read(room, q)
	if err != nil {
		t.Fatal(err)
	}
	if p.Head.IsZero() {
		t.Fatal("the room has no place")
	}
	return p
}

func testNumbers(t *testing.T, s chat.Store) {
	before := read(t, s, "a", chat.Query{}).Head
	batch := []*chat.Message{message("a", "1"), message("a", "2"), message("a", "3")}
	stored, err := s.Append("a", batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range batch {
		if want := (chat.Cursor{Epoch: before.Epoch, Seq: before.Seq + uint64(i) + 1}); m.Cursor != want {
			t.Errorf("message %d has the cursor %v, want %v", i, m.Cursor, want)
		}
		if stored[i].Message != m || stored[i].Duplicate {
			t.Errorf("message %d: %+v", i, stored[i])
		}
	}
	p := read(t, s, "a", chat.Query{Limit: 10})
	if d := cmp.Diff(batch, p.Messages); d != "" {
		t.Errorf("(-stored +read):\n%s", d)
	}
	if p.Head != batch[2].Cursor || p.Recovered || p.More {
		t.Errorf("%+v", p)
	}
	if p := read(t, s, "b", chat.Query{Limit: 10}); len(p.Messages) != 0 {
		t.Error("another room has them, too")
	}
}

func testResume(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 20)
	head := ms[19].Cursor
	for _, tt := range []struct {
		name      string
		since     chat.Cursor
		limit     int
		recovered bool
		want      string
	}{
		{"nothing missed", head, 5, true, ""},
		{"one", ms[18].Cursor, 5, true, "19"},
		{"as many as may be", ms[14].Cursor, 5, true, "15 16 17 18 19"},
		{"more than may be", ms[13].Cursor, 5, false, ""},
		{"ahead", chat.Cursor{Epoch: head.Epoch, Seq: head.Seq + 1}, 5, false, ""},
		{"far ahead", chat.Cursor{Epoch: head.Epoch, Seq: 1<<64 - 1}, 5, false, ""},
		{"of another epoch", chat.Cursor{Epoch: head.Epoch + 1, Seq: head.Seq}, 5, false, ""},
		{"foreign", chat.ForeignCursor, 5, false, ""},
	} {
		p := read(t, s, "a", chat.Query{Since: tt.since, Limit: tt.limit})
		if got := Texts(p.Messages); p.Recovered != tt.recovered || got != tt.want || p.Head != head {
			t.Errorf("%s: recovered %v, %q, head %v; want %v, %q, %v", tt.name, p.Recovered, got, p.Head, tt.recovered, tt.want, head)
		}
	}
}

func testEmptyRoom(t *testing.T, s chat.Store) {
	start := read(t, s, "a", chat.Query{}).Head
	if again := read(t, s, "a", chat.Query{}).Head; again != start {
		t.Fatalf("the place moved from %v to %v", start, again)
	}
	if p := read(t, s, "a", chat.Query{Since: start, Limit: 5}); !p.Recovered {
		t.Error("not recovered, though nothing was missed")
	}
	Room(t, s, "b", 3)
	Room(t, s, "a", 2)
	if p := read(t, s, "a", chat.Query{Since: start, Limit: 5}); !p.Recovered || Texts(p.Messages) != "0 1" {
		t.Errorf("recovered %v, %q; want what was said since the room was empty", p.Recovered, Texts(p.Messages))
	}
}

func testBackwards(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 8)
	Room(t, s, "b", 8)
	for _, tt := range []struct {
		name   string
		before chat.Cursor
		want   string
		more   bool
	}{
		{"the latest", chat.Cursor{}, "5 6 7", true},
		{"before one", ms[5].Cursor, "2 3 4", true},
		{"up to the first", ms[3].Cursor, "0 1 2", false},
		{"what is left", ms[2].Cursor, "0 1", false},
		{"before the first", ms[0].Cursor, "", false},
		{"after the last", chat.Cursor{Epoch: ms[7].Cursor.Epoch, Seq: ms[7].Cursor.Seq + 1}, "5 6 7", true},
		{"ahead", chat.Cursor{Epoch: ms[7].Cursor.Epoch, Seq: 99}, "", false},
		{"foreign", chat.ForeignCursor, "", false},
	} {
		p := read(t, s, "a", chat.Query{Before: tt.before, Limit: 3})
		if got := Texts(p.Messages); got != tt.want || p.More != tt.more {
			t.Errorf("%s: %q, more %v; want %q, %v", tt.name, got, p.More, tt.want, tt.more)
		}
	}
}

func testDuplicates(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 3)
	other := message("a", "1")
	other.From.ID = "q"
	again := message("a", "1")
	again.Text = "another text"
	batch := []*chat.Message{again, other, message("a", "new"), message("a", "new"), message("a", ""), message("a", "")}
	stored, err := s.Append("a", batch)
	if err != nil {
		t.Fatal(err)
	}
	var dup []bool
	for _, one := range stored {
		dup = append(dup, one.Duplicate)
	}
	if d := cmp.Diff([]bool{true, false, false, true, false, false}, dup); d != "" {
		t.Errorf("duplicates (-want +got):\n%s", d)
	}
	if d := cmp.Diff(ms[1], stored[0].Message); d != "" {
		t.Errorf("the first send (-want +got):\n%s", d)
	}
	if d := cmp.Diff(stored[2].Message, stored[3].Message); d != "" {
		t.Errorf("twice in a batch (-first +second):\n%s", d)
	}
	if p := read(t, s, "a", chat.Query{Limit: 99}); len(p.Messages) != 7 || p.Head.Seq != ms[2].Cursor.Seq+4 {
		t.Errorf("%d messages up to %v, want 7", len(p.Messages), p.Head)
	}
	if elsewhere, err := s.Append("b", []*chat.Message{message("b", "1")}); err != nil || elsewhere[0].Duplicate {
		t.Error("the same id in another room is taken for a repetition: ", err)
	}
}

func testBytes(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 10)
	three := 3 * ms[0].Size()
	if p := read(t, s, "a", chat.Query{Limit: 9, MaxBytes: three}); len(p.Messages) != 3 || !p.More {
		t.Errorf("%d messages, want 3", len(p.Messages))
	}
	if p := read(t, s, "a", chat.Query{Since: ms[6].Cursor, Limit: 9, MaxBytes: three}); !p.Recovered {
		t.Error("three messages fit, and were not given")
	}
	if p := read(t, s, "a", chat.Query{Since: ms[5].Cursor, Limit: 9, MaxBytes: three}); p.Recovered || len(p.Messages) != 0 {
		t.Error("four messages do not fit, and part of them were given")
	}
}

// A message that is larger than the bound in bytes is given alone. If it were
// not, nobody would get past it: neither on the way back nor when resuming.
func testLargerThanTheBound(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 3)
	for _, tt := range []struct {
		name            string
		q               chat.Query
		want            string
		recovered, more bool
	}{
		{"the latest", chat.Query{Limit: 5, MaxBytes: 1}, "2", false, true},
		{"before that", chat.Query{Before: ms[2].Cursor, Limit: 5, MaxBytes: 1}, "1", false, true},
		{"the first", chat.Query{Before: ms[1].Cursor, Limit: 5, MaxBytes: 1}, "0", false, false},
		{"one missed", chat.Query{Since: ms[1].Cursor, Limit: 5, MaxBytes: 1}, "2", true, false},
		{"two missed", chat.Query{Since: ms[0].Cursor, Limit: 5, MaxBytes: 1}, "", false, false},
		{"none wanted", chat.Query{Limit: 0, MaxBytes: 1}, "", false, true},
	} {
		p := read(t, s, "a", tt.q)
		if got := Texts(p.Messages); got != tt.want || p.Recovered != tt.recovered || p.More != tt.more {
			t.Errorf("%s: %q, recovered %t, more %t; want %q, %t, %t", tt.name, got, p.Recovered, p.More, tt.want, tt.recovered, tt.more)
		}
	}
}

func testDelete(t *testing.T, s chat.Store) {
	ms := Room(t, s, "a", 6)
	for _, tt := range []struct {
		name string
		c    chat.Cursor
		want bool
	}{
		{"one", ms[2].Cursor, true},
		{"again", ms[2].Cursor, false},
		{"the last", ms[5].Cursor, true},
		{"ahead", chat.Cursor{Epoch: ms[0].Cursor.Epoch, Seq: 99}, false},
		{"foreign", chat.ForeignCursor, false},
		{"no place", chat.Cursor{}, false},
	} {
		if found, err := s.Delete("a", tt.c); err != nil || found != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.name, found, err, tt.want)
		}
	}
	if found, err := s.Delete("nowhere", ms[0].Cursor); err != nil || found {
		t.Errorf("in another room: %v, %v", found, err)
	}
	p := read(t, s, "a", chat.Query{Limit: 9})
	if got := Texts(p.Messages); got != "0 1 3 4" || p.Head != ms[5].Cursor {
		t.Errorf("%q up to %v; want \"0 1 3 4\" up to %v", got, p.Head, ms[5].Cursor)
	}
	if p := read(t, s, "a", chat.Query{Limit: 3, Before: ms[4].Cursor}); Texts(p.Messages) != "0 1 3" || p.More {
		t.Errorf("before a message: %q, more %v", Texts(p.Messages), p.More)
	}
	// Who stopped listening before a deletion learns of it.
	p = read(t, s, "a", chat.Query{Since: ms[5].Cursor, Limit: 9})
	if d := cmp.Diff([]chat.Cursor{ms[2].Cursor, ms[5].Cursor}, p.Deleted); d != "" || !p.Recovered {
		t.Errorf("recovered %v, deleted (-want +got):\n%s", p.Recovered, d)
	}
	p = read(t, s, "a", chat.Query{Since: ms[1].Cursor, Limit: 9})
	if Texts(p.Messages) != "3 4" || len(p.Deleted) != 0 || !p.Recovered {
		t.Errorf("since before them: %q, deleted %v, recovered %v", Texts(p.Messages), p.Deleted, p.Recovered)
	}
	later := Room(t, s, "a", 1) // id 0 again: none
	if later[0].Text != "text 0" || read(t, s, "a", chat.Query{}).Head != ms[5].Cursor {
		t.Error("a repeated send was stored")
	}
	if _, err := s.Append("a", []*chat.Message{message("a", "7")}); err != nil {
		t.Fatal(err)
	}
	p = read(t, s, "a", chat.Query{Since: chat.Cursor{Epoch: ms[5].Cursor.Epoch, Seq: ms[5].Cursor.Seq + 1}, Limit: 9})
	if len(p.Deleted) != 0 {
		t.Errorf("deleted %v, before since", p.Deleted)
	}
	// The id of a deleted message is still known.
	stored, err := s.Append("a", []*chat.Message{message("a", "2")})
	if err != nil || !stored[0].Duplicate || stored[0].Message.Cursor != ms[2].Cursor {
		t.Errorf("%+v, %v: a deleted message was stored again", stored, err)
	}
}

func testParallel(t *testing.T, s chat.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			room := fmt.Sprint("room ", i)
			for n := range 50 {
				if _, err := s.Append(room, []*chat.Message{message(room, fmt.Sprint(n))}); err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Read(room, chat.Query{Limit: 3}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		p := read(t, s, fmt.Sprint("room ", i), chat.Query{Limit: 99})
		if len(p.Messages) != 50 {
			t.Fatalf("%d messages in room %d", len(p.Messages), i)
		}
		for n, m := range p.Messages {
			if m.ID != fmt.Sprint(n) {
				t.Fatalf("room %d: message %d is %s", i, n, m.ID)
			}
		}
	}
}

// testRooms is for a store that can list its rooms.
func testRooms(t *testing.T, s chat.Store) {
	l, ok := s.(chat.RoomLister)
	if !ok {
		t.Skip("the store does not say which rooms it keeps")
	}
	want := func(limit int, names ...string) {
		t.Helper()
		got, err := l.Rooms(limit)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(names, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("at most %d (-want +got):\n%s", limit, d)
		}
	}
	want(10)
	read(t, s, "nobody has written here", chat.Query{Limit: 1})
	want(10)
	for _, room := range []string{"b", "a", "ш"} {
		Room(t, s, room, 2)
	}
	want(10, "ш", "a", "b")
	if _, err := s.Append("b", []*chat.Message{message("b", "more")}); err != nil {
		t.Fatal(err)
	}
	want(3, "b", "ш", "a")
	want(2, "b", "ш")
	want(0)
	want(-1)
}
