package admin

import (
	"sync"
	"time"

	"framewright/internal/tokens"
)

// A feed is what waits to be told to one page. Who adds to it holds a namespace's lock, so
// that is quick.
type feed struct {
	rate tokens.Rate   // of events
	wake chan struct{} // has a value if there is something to do

	mu     sync.Mutex
	list   []note
	events int // of list, those that may be left out
	bucket tokens.Bucket
	over   bool // there was too much
}

// A note is one event for the page.
type note struct {
	name   string
	args   []any
	extra  bool // it was one that may be left out
	opened *described
}

// Both bound what waits. Of events the page has seen enough before.
const (
	maxNotes  = 8192
	maxEvents = 512
)

func newFeed(eventRate int) *feed {
	f := &feed{rate: tokens.Rate{PerSecond: float64(eventRate), Burst: float64(eventRate)}, wake: make(chan struct{}, 1)}
	return f
}

// add adds what a page must not miss.
func (f *feed) add(n note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over = f.over || len(f.list) >= maxNotes; f.over {
		f.list = nil
	} else {
		f.list = append(f.list, n)
	}
	f.raise()
}

// maybe adds what make returns, if there is room for one more event now.
func (f *feed) maybe(make func() note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || f.events >= maxEvents || len(f.list) >= maxNotes/2 {
		return
	}
	if _, ok := f.bucket.Take(f.rate, 1, time.Now()); !ok {
		return
	}
	n := make()
	n.extra = true
	f.list = append(f.list, n)
	f.events++
	f.raise()
}

func (f *feed) raise() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what waits; ok is false if there was too much.
func (f *feed) take() (list []note, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list, f.list, f.events = f.list, nil, 0
	return list, !f.over
}
