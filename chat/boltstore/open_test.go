package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/chat"
	"framewright/chat/chattest"
)

// The defaults are those that Options documents; what was set stays, below zero
// too.
func TestOpenDefaults(t *testing.T) {
	set := Options{MaxMessages: -1, MaxAge: time.Hour, MaxBytes: -1, MaxRooms: 7, MaxFile: 1 << 22, LockTimeout: time.Minute}
	for _, tt := range []struct {
		o    *Options
		want Options
	}{
		{nil, Options{MaxMessages: 10_000, MaxBytes: 1 << 30, MaxRooms: 100_000, LockTimeout: time.Second}},
		{&Options{}, Options{MaxMessages: 10_000, MaxBytes: 1 << 30, MaxRooms: 100_000, LockTimeout: time.Second}},
		{&set, set},
	} {
		if d := cmp.Diff(tt.want, open(t, file(t), tt.o).o); d != "" {
			t.Errorf("%+v: (-want +got)\n%s", tt.o, d)
		}
	}
}

// Open leaves nothing in the folder but the file, whether it made it or found
// it.
func TestOpenLeavesNothingElse(t *testing.T) {
	path := file(t)
	for range 2 {
		s, err := Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != filepath.Base(path) {
				t.Errorf("%s is there", e.Name())
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The file has two heads, which change in turn. One that a machine's fall left
// half written is no harm: the other one's state is there.
func TestOpenWithOneHead(t *testing.T) {
	path := file(t)
	s := open(t, path, nil)
	for i := range 20 { // commits, so that each head is written more than once
		if _, err := s.Append("lobby", []*chat.Message{{Room: "lobby", ID: fmt.Sprint(i), Text: fmt.Sprint("text ", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	const checksum = boltPageHead + boltMetaSize - 1
	for _, tt := range []struct {
		name     string
		change   func(b []byte)
		refused  string // "" opens
		messages int    // at least
	}{
		{"both are whole", func(b []byte) {}, "", 20},
		{"the first has a bad checksum", func(b []byte) { b[checksum] ^= 1 }, "", 19},
		{"the second has a bad checksum", func(b []byte) { b[page+checksum] ^= 1 }, "", 19},
		{"the first is empty", func(b []byte) { clear(b[boltPageHead : boltPageHead+boltMetaSize]) }, "", 19},
		{"the second is empty", func(b []byte) { clear(b[page+boltPageHead : page+boltPageHead+boltMetaSize]) }, "", 19},
		{"neither", func(b []byte) { b[checksum] ^= 1; b[page+checksum] ^= 1 }, "neither of its two heads is whole", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := bytes.Clone(good)
			tt.change(data)
			path := file(t)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(path, nil)
			if tt.refused != "" {
				if !errors.Is(err, ErrDamaged) || !strings.Contains(fmt.Sprint(err), tt.refused) {
					t.Errorf("got %v, want ErrDamaged with %q", err, tt.refused)
				}
				if err == nil {
					s.Close()
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			p, err := s.Read("lobby", chat.Query{Limit: 99})
			if err != nil || len(p.Messages) < tt.messages {
				t.Errorf("%d messages (%s), %v; want %d", len(p.Messages), chattest.Texts(p.Messages), err, tt.messages)
			}
		})
	}
}

// The newer of the two heads says how long the file must be, wherever it lies:
// what the older one says was so once.
func TestOpenByTheNewerHead(t *testing.T) {
	path := file(t)
	page := int64(os.Getpagesize())
	newer := map[int64]bool{} // by where it lies
	for i := range 2 {
		s := open(t, path, nil)
		if _, err := s.Append("lobby", []*chat.Message{{Room: "lobby", ID: fmt.Sprint(i), Text: "text"}}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, ok1 := readMeta(bytes.NewReader(good), 0)
		second, ok2 := readMeta(bytes.NewReader(good), page)
		if !ok1 || !ok2 || first.tx == second.tx {
			t.Fatal("the file has not two heads", first, second)
		}
		at, other := int64(0), page
		if second.tx > first.tx {
			at, other = other, at
		}
		newer[at] = true
		for _, tt := range []struct {
			name string
			at   int64
			want error
		}{{"the newer head asks for more than there is", at, ErrDamaged}, {"the older one does", other, nil}} {
			t.Run(fmt.Sprintf("%s, newer at %d", tt.name, at), func(t *testing.T) {
				data := bytes.Clone(good)
				meta := data[tt.at+boltPageHead:][:boltMetaSize]
				binary.NativeEndian.PutUint64(meta[40:], 1<<20)
				sum := fnv.New64a()
				sum.Write(meta[:56])
				binary.NativeEndian.PutUint64(meta[56:], sum.Sum64())
				path := file(t)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := checkFile(path); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			})
		}
	}
	if len(newer) != 2 {
		t.Errorf("the newer head lay at %v only: add commits in between", newer)
	}
}
