package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"framewright/chat"
	"framewright/chat/chattest"
	"framewright/ws/wstest"
)

func open(t *testing.T, path string, o *Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "chat.db") }

func TestStore(t *testing.T) {
	chattest.TestStore(t, func(t *testing.T) chat.Store { return open(t, file(t), nil) })
}

func page(t *testing.T, s *Store, room string, q chat.Query) chat.Page {
	t.Helper()
	p, err := s.Read(room, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Everything that a client holds in its hands is good for another process, too.
func TestReopen(t *testing.T) {
	wstest.CheckLeaks(t)
	path := file(t)
	s := open(t, path, nil)
	empty := page(t, s, "empty", chat.Query{}).Head
	ms := chattest.Room(t, s, "a", 10)
	if _, err := s.Delete("a", ms[8].Cursor); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, nil)
	p := page(t, s, "a", chat.Query{Since: ms[4].Cursor, Limit: 9})
	if got := chattest.Texts(p.Messages); got != "5 6 7 9" || !p.Recovered {
		t.Errorf("resume: recovered %v, %q", p.Recovered, got)
	}
	if p := page(t, s, "a", chat.Query{Since: ms[9].Cursor, Limit: 9}); len(p.Deleted) != 1 || p.Deleted[0] != ms[8].Cursor {
		t.Errorf("deleted %v, want %v", p.Deleted, ms[8].Cursor)
	}
	if p := page(t, s, "empty", chat.Query{Since: empty, Limit: 9}); !p.Recovered {
		t.Error("the cursor of a room where nothing was said is foreign after a restart")
	}
	again := *ms[3]
	again.Time = time.Now()
	stored, err := s.Append("a", []*chat.Message{&again})
	if err != nil || !stored[0].Duplicate {
		t.Fatalf("the same send again: %+v, %v", stored, err)
	}
	if first := stored[0].Message; first.Cursor != ms[3].Cursor || !first.Time.Equal(ms[3].Time) {
		t.Errorf("acknowledged with %v %v, the first time with %v %v", first.Cursor, first.Time, ms[3].Cursor, ms[3].Time)
	}
}

func TestRetention(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want func(rooms []string) bool // what is kept of rooms a, b and c
	}{
		{"by number", Options{MaxMessages: 3}, func(r []string) bool { return r[0] == "7 8 9" && r[1] == "7 8 9" && r[2] == "7 8 9" }},
		{"by size", Options{MaxBytes: 12 * int64((&chat.Message{Room: "a", From: chat.Person{ID: "p", Name: "Päivi"}, ID: "1", Text: "text 1"}).Size())},
			func(r []string) bool { return r[0] == "" && r[1] == "8 9" && r[2] == "0 1 2 3 4 5 6 7 8 9" }},
		{"no limit", Options{MaxMessages: -1, MaxBytes: -1}, func(r []string) bool { return r[0] == "0 1 2 3 4 5 6 7 8 9" && r[2] == r[0] }},
		{"by age", Options{MaxAge: time.Nanosecond}, func(r []string) bool { return r[0] == "" && r[1] == "" && len(r[2]) <= 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t)
			s := open(t, path, &tt.o)
			var rooms []string
			start := page(t, s, "a", chat.Query{}).Head
			for _, room := range []string{"a", "b", "c"} {
				chattest.Room(t, s, room, 10)
			}
			for _, room := range []string{"a", "b", "c"} {
				rooms = append(rooms, chattest.Texts(page(t, s, room, chat.Query{Limit: 99}).Messages))
			}
			if !tt.want(rooms) {
				t.Errorf("kept %q", rooms)
			}
			if p := page(t, s, "a", chat.Query{Since: start, Limit: 99}); p.Recovered != strings.HasPrefix(rooms[0], "0") {
				t.Errorf("recovered %v from before what is kept (%q)", p.Recovered, rooms[0])
			}
			s.Close()
			open(t, path, &tt.o) // the indexes agree, or it would be refused
		})
	}
}

// A room that is forgotten and comes back does not count on from where its old
// cursors were.
func TestMaxRooms(t *testing.T) {
	path := file(t)
	s := open(t, path, &Options{MaxRooms: 3})
	old := chattest.Room(t, s, "1", 5)[4].Cursor
	for _, room := range []string{"2", "3", "4", "5"} {
		chattest.Room(t, s, room, 5)
	}
	chattest.Room(t, s, "1", 5)
	if p := page(t, s, "1", chat.Query{Since: old, Limit: 9}); p.Recovered {
		t.Error("a cursor of a forgotten room counts in the new one")
	}
	if p := page(t, s, "5", chat.Query{Limit: 9}); len(p.Messages) != 5 {
		t.Error("the room that was used last is forgotten")
	}
	if n := len(s.rooms); n != 3 {
		t.Errorf("%d rooms, want 3", n)
	}
	s.Close()
	open(t, path, nil)
}

// Sends that come at the same time share a commit.
func TestGroupCommit(t *testing.T) {
	s := open(t, file(t), nil)
	const senders, each = 64, 20
	before := commits(s)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() { chattest.Room(t, s, fmt.Sprint(i), each) })
	}
	wg.Wait()
	if n := commits(s) - before; n > senders*each/4 {
		t.Errorf("%d commits for %d sends of %d senders", n, senders*each, senders)
	}
}

func commits(s *Store) (n int) {
	s.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil })
	return n
}

func TestAppendAfterClose(t *testing.T) {
	s := open(t, file(t), nil)
	s.Close()
	if _, err := s.Append("a", []*chat.Message{{Text: "x"}}); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if _, err := s.Read("a", chat.Query{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Read: %v", err)
	}
}

func TestLocked(t *testing.T) {
	path := file(t)
	open(t, path, nil)
	_, err := Open(path, &Options{LockTimeout: 10 * time.Millisecond})
	if !errors.Is(err, ErrLocked) || !strings.Contains(fmt.Sprint(err), path) {
		t.Errorf("a second Open: %v; want ErrLocked and the file's name", err)
	}
}

// A file that is not a store, or not a whole one, is refused by a clear error
// and not touched.
func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "good.db")
	s := open(t, path, nil)
	for i := range 20 {
		chattest.Room(t, s, fmt.Sprint(i), 20)
	}
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(good)) }
	replace := func(old, new string) []byte { // everywhere: the file has old versions of its pages, too
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("%q is not in the file", old)
		}
		return bytes.ReplaceAll(good, []byte(old), []byte(new))
	}
	other := filepath.Join(dir, "other.db")
	db, err := bbolt.Open(other, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	db.Close()
	foreign, _ := os.ReadFile(other)

	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"text", []byte(strings.Repeat("Dear diary, \n", 4000)), ErrForeign},
		{"a few bytes", []byte("x"), ErrForeign},
		{"zeros", make([]byte, 64<<10), ErrForeign},
		{"a bbolt file of another program", foreign, ErrForeign},
		{"cut in half", good[:len(good)/2], ErrDamaged},
		{"cut in the head", good[:100], ErrDamaged},
		{"both heads overwritten", with(func(b []byte) []byte { b[40] ^= 1; b[os.Getpagesize()+40] ^= 1; return b }), ErrDamaged},
		{"all but the heads zero", with(func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b }), ErrDamaged},
		{"a letter of a message", replace("text 19", "text 91"), ErrDamaged},
		{"a name of a bucket", replace("messages", "massages"), ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "chat.db")
			if err := os.WriteFile(path, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, &Options{LockTimeout: time.Second})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("error %v, want %v and the file's name", err, tt.want)
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, tt.data) {
				t.Error("the file was changed")
			}
			if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
				t.Errorf("%v was left behind", left)
			}
		})
	}
}

// Every page of the file, overwritten in turn: refused or harmless, and never a
// crash.
func TestEveryPageDamaged(t *testing.T) {
	path := file(t)
	s := open(t, path, nil)
	for i := range 10 {
		chattest.Room(t, s, fmt.Sprint(i), 30)
	}
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, fill := range []byte{0x00, 0xFF, 0x41} {
		for at := 0; at+os.Getpagesize() <= len(good); at += os.Getpagesize() {
			bad := bytes.Clone(good)
			copy(bad[at:], bytes.Repeat([]byte{fill}, os.Getpagesize()))
			path := file(t)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, nil)
			if err != nil {
				refused++
				if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
					t.Errorf("page at %#x of %#x: %v", at, fill, err)
				}
				continue
			}
			for i := range 10 {
				if p := page(t, s, fmt.Sprint(i), chat.Query{Limit: 99}); len(p.Messages) != 30 && at >= 2*os.Getpagesize() {
					t.Errorf("page at %#x of %#x: accepted with %d of 30 messages", at, fill, len(p.Messages))
				}
			}
			s.Close()
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

func TestMaxFile(t *testing.T) { fill(t, file(t), &Options{MaxFile: 1 << 20}, nil) }

// fill appends until the store refuses, makes room if it can, and looks what is
// there.
func fill(t *testing.T, path string, o *Options, makeRoom func()) {
	s := open(t, path, o)
	text := strings.Repeat("x", 8<<10)
	acknowledged, failed := 0, error(nil)
	send := func() error {
		m := &chat.Message{Room: "a", ID: fmt.Sprint(acknowledged), Text: text, Time: time.Now()}
		_, err := s.Append("a", []*chat.Message{m})
		return err
	}
	for failed == nil && acknowledged < 10_000 {
		if failed = send(); failed == nil {
			acknowledged++
		}
	}
	if failed == nil || acknowledged == 0 {
		t.Fatalf("%d messages, then %v", acknowledged, failed)
	}
	if errors.Is(failed, ErrDamaged) {
		t.Errorf("a full disk is taken for damage: %v", failed)
	}
	if err := s.TryWrite(); err == nil {
		t.Error("there is no room, and yet a trial succeeds")
	}
	if send() == nil {
		t.Log("a second try found room")
		acknowledged++
	}
	if makeRoom != nil {
		makeRoom()
		for range 3 {
			if err := s.TryWrite(); err != nil {
				t.Errorf("there is room again, and yet a trial: %v", err)
			}
		}
		if err := send(); err != nil {
			t.Fatalf("there is room again, and yet: %v", err)
		}
		acknowledged++
	}
	check := func(s *Store) {
		t.Helper()
		ms := page(t, s, "a", chat.Query{Limit: 1 << 20}).Messages
		if len(ms) != acknowledged || ms[len(ms)-1].ID != fmt.Sprint(acknowledged-1) {
			t.Errorf("%d messages, %d were acknowledged", len(ms), acknowledged)
		}
	}
	check(s)
	s.Close()
	check(open(t, path, o))
	t.Logf("%d messages, then: %v", acknowledged, failed)
}

// Connections are cut at random places, and the server restarts, each time with
// the file opened anew.
func TestLosesNothing(t *testing.T) {
	path := file(t)
	chattest.Loss{
		Clients: 6, Rooms: 2, Cuts: 600, Restarts: 60, Seed: 2,
		Open: func(func() bool) chat.Store {
			s, err := Open(path, &Options{MaxMessages: -1})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}.Run(t)
}
