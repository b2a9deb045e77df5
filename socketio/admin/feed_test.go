package admin

import "testing"

// What a page must not miss is kept up to a bound, past which nothing is; events are left
// out long before.
func TestFeedIsBounded(t *testing.T) {
	f := newFeed(1e9)
	for range 2 * maxEvents {
		f.maybe(func() note { return note{} })
	}
	if len(f.list) != maxEvents {
		t.Errorf("%d events wait, want %d", len(f.list), maxEvents)
	}
	for range maxNotes - maxEvents {
		f.add(note{})
	}
	if list, ok := f.take(); !ok || len(list) != maxNotes {
		t.Errorf("got %d notes, %t; want %d", len(list), ok, maxNotes)
	}
	for range maxNotes + 1 {
		f.add(note{})
	}
	f.maybe(func() note { return note{} })
	if list, ok := f.take(); ok || len(list) != 0 {
		t.Errorf("got %d notes, %t; want none, and that there were too many", len(list), ok)
	}
}
