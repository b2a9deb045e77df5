package boltstore

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are those of a folder's files.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// A process that was killed while it made the store leaves a file, which the
// next one removes once it has the store, and nothing besides.
func TestWhatAKilledProcessLeaves(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "chat.db")
	others := []string{"chat.db.new-", "chat.db.new-7x", "chat.db.new-note", "chat.db.newer", "other.db.new-12", "x-chat.db.new-12"}
	for _, name := range append(others, "chat.db.new-1234", "chat.db.new-0") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "chat.db.new-77"), 0o700) // a folder is somebody's
	s, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := append(others, "chat.db", "chat.db.new-77")
	slices.Sort(want)
	if d := cmp.Diff(want, names(t, dir)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	// While somebody has the store, what is there stays: it may be at work.
	if err := os.WriteFile(path+".new-5", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, &Options{LockTimeout: 1}); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".new-5"); err != nil {
		t.Error(err)
	}
}

// Of several that make the store at the same time one gets it, and the others
// learn that it has it.
func TestCreatedAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	for range 10 {
		path := filepath.Join(dir, "chat.db")
		var wg sync.WaitGroup
		stores := make(chan *Store, 4)
		for range cap(stores) {
			wg.Go(func() {
				s, err := Open(path, &Options{LockTimeout: 1})
				if err == nil {
					stores <- s
				} else if !errors.Is(err, ErrLocked) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(stores) != 1 {
			t.Errorf("%d have the store", len(stores))
		}
		for range len(stores) {
			(<-stores).Close()
		}
		if d := cmp.Diff([]string{"chat.db"}, names(t, dir)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		os.Remove(path)
	}
}
