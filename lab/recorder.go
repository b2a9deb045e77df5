package lab

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"framewright/lab/fact"
	"framewright/ws"
)

// Bounds of what is remembered. A page that watches costs maxBytes at the most; what is
// older is forgotten, and a page that was too slow for it is told how much it has missed.
const (
	maxWatches        = 96      // pages that watch at one time, and those whose stream has just ended
	watchesPerAddress = 48      // of those, from one address
	readersPerWatch   = 2       // streams of one page: a new one may come before the old has gone
	maxFacts          = 2000    // of one page
	maxBytes          = 1 << 20 // of one page's facts as JSON
	forgetting        = time.Minute
	maxFollowed       = 4 // connections of one page whose compressed messages are explained: the last ones
)

// A recorder has what pages see of their own connections. A page is known by a secret
// that it has made, which its connections name: nobody else can ask for what they say.
type recorder struct {
	now func() time.Time

	mu      sync.Mutex
	watches map[string]*watch // by secret
}

// A watch is what one page sees.
type watch struct {
	mu      sync.Mutex
	began   time.Time
	seq     uint64   // of the last fact
	facts   [][]byte // the last ones, as JSON
	bytes   int      // of facts
	changed chan struct{}

	followed []*fact.Tracker // of the last connections

	gone bool          // forgotten: what its connections still do is not recorded
	over chan struct{} // closed then

	address string    // these belong to recorder.mu
	readers int       //
	left    time.Time // when the last reader went
}

func newRecorder() *recorder {
	return &recorder{now: time.Now, watches: make(map[string]*watch)}
}

// open begins to watch, or goes on, for a page at an address with that secret; close ends
// it. The error says for what there is no room.
func (r *recorder) open(secret, address string) (*watch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.watches[secret]
	if w == nil {
		r.forget()
		if err := r.room(address); err != nil {
			return nil, err
		}
		w = &watch{began: r.now(), changed: make(chan struct{}), over: make(chan struct{}), address: address}
		r.watches[secret] = w
	}
	if w.readers >= readersPerWatch {
		return nil, fmt.Errorf("this page has %d streams already", w.readers)
	}
	w.readers++
	return w, nil
}

// room has it that there is a place for one more watch of an address. Pages that nobody
// looks at give way, the one first whose stream ended first: so who goes from page to page
// does not fill the places with those that are behind. Its caller has mu.
func (r *recorder) room(address string) error {
	for {
		mine, oldest, oldestOfMine := 0, "", ""
		for secret, w := range r.watches {
			gone := w.readers == 0
			if gone && (oldest == "" || w.left.Before(r.watches[oldest].left)) {
				oldest = secret
			}
			if w.address != address {
				continue
			}
			mine++
			if gone && (oldestOfMine == "" || w.left.Before(r.watches[oldestOfMine].left)) {
				oldestOfMine = secret
			}
		}
		switch {
		case len(r.watches) >= maxWatches && oldest == "":
			return fmt.Errorf("%d pages watch already; there is no room for another", maxWatches)
		case mine >= watchesPerAddress && oldestOfMine == "":
			return fmt.Errorf("%d pages of this address watch already; there is no room for another", mine)
		case mine >= watchesPerAddress:
			r.drop(oldestOfMine)
		case len(r.watches) >= maxWatches:
			r.drop(oldest)
		default:
			return nil
		}
	}
}

// drop forgets a page. Its caller has mu.
func (r *recorder) drop(secret string) {
	w := r.watches[secret]
	delete(r.watches, secret)
	w.forget()
}

// leave forgets a page that says itself that it goes, and ends its streams.
func (r *recorder) leave(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watches[secret] != nil {
		r.drop(secret)
	}
}

func (r *recorder) close(w *watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.readers--; w.readers == 0 {
		w.left = r.now()
	}
}

// find is the watch of a page, if there is one.
func (r *recorder) find(secret string) (*watch, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.watches[secret]
	return w, ok
}

// forget drops what no page has come back to. Its caller has mu.
func (r *recorder) forget() {
	for secret, w := range r.watches {
		if w.readers == 0 && r.now().Sub(w.left) > forgetting {
			r.drop(secret)
		}
	}
}

// trace is what sees the events of a connection that names a secret; nil if that is none.
func (r *recorder) trace(secret string) func(ws.TraceEvent) {
	if !goodSecret.MatchString(secret) {
		return nil
	}
	return (&tracer{recorder: r, secret: secret}).report
}

// follow returns what explains the events of a connection. So that a page with many of
// them costs no more windows than maxFollowed connections have, one that came before does
// not have its compressed messages explained any more.
func (w *watch) follow() *fact.Tracker {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := new(fact.Tracker)
	if w.gone {
		t.Forget()
		return t
	}
	if len(w.followed) == maxFollowed {
		w.followed[0].Forget()
		w.followed = append(w.followed[:0], w.followed[1:]...)
	}
	w.followed = append(w.followed, t)
	return t
}

// forget frees what is remembered; connections that are still there add nothing more.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone, w.facts, w.bytes = true, nil, 0
	close(w.over)
	for _, t := range w.followed {
		t.Forget()
	}
	w.followed = nil
}

func (w *watch) add(f fact.Fact, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return
	}
	w.seq++
	f.Seq, f.Ms = w.seq, float64(now.Sub(w.began).Microseconds())/1000
	b, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	w.facts, w.bytes = append(w.facts, b), w.bytes+len(b)
	for len(w.facts) > maxFacts || w.bytes > maxBytes && len(w.facts) > 1 {
		w.bytes -= len(w.facts[0])
		w.facts[0] = nil
		w.facts = w.facts[1:]
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// after returns the facts behind the one with that number, how many of those are
// forgotten, and what is closed when there are more.
func (w *watch) after(seq uint64) (facts [][]byte, missed int, more <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.seq - uint64(len(w.facts)) + 1 // the number of facts[0]
	switch {
	case seq > w.seq: // of another time of the server
		seq = first - 1
	case seq+1 < first:
		missed, seq = int(first-1-seq), first-1
	}
	return append([][]byte(nil), w.facts[seq+1-first:]...), missed, w.changed
}
