// Package admission bounds how many there are of something at one time, in all
// and from each address, for servers whose clients come and go.
package admission

import "sync"

// Counts says how often each key is there. Its memory is that of the keys that
// are: one that is there no more is forgotten. The empty key is nobody's and is
// not counted. The zero Counts is empty; it is not for several goroutines at
// once.
type Counts struct{ n map[string]int }

// Add counts one more.
func (c *Counts) Add(key string) {
	if key == "" {
		return
	}
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[key]++
}

// Remove counts one less. It panics if there is none: the owner's own mistake,
// after which no bound would hold.
func (c *Counts) Remove(key string) {
	switch n := c.n[key]; {
	case key == "":
	case n == 0:
		panic("admission: one is removed that was not there")
	case n == 1:
		delete(c.n, key)
	default:
		c.n[key] = n - 1
	}
}

// Of returns how often key is there.
func (c *Counts) Of(key string) int { return c.n[key] }

// Len returns how many keys are there.
func (c *Counts) Len() int { return len(c.n) }

// Full reports whether key is there as often as it may be. A most of 0 or less is
// no bound.
func (c *Counts) Full(key string, most int) bool { return most > 0 && c.n[key] >= most }

// A Verdict says whether there is room for one more.
type Verdict uint8

// The verdicts, in the order in which they are found: who has too many learns
// that, also while there are too many in all.
const (
	Admitted    Verdict = iota
	Closed              // nobody is let in any more
	AddressFull         // the address has all that it may have
	Full                // there are all that there may be
)

// Control counts who is there. Its methods may be called by several goroutines at
// once. The zero Control has no bounds.
type Control struct {
	// Max bounds all, and PerAddress those of one address; 0 or less is no
	// bound. They must not be changed once somebody was admitted.
	Max        int
	PerAddress int

	mu        sync.Mutex
	total     int
	addresses Counts
	closed    bool
	empty     chan struct{} // closed when nobody is there any more, once closed; nil if nobody waits
}

// Admit counts one more from address, if there is room. One from "" counts in all
// alone.
func (c *Control) Admit(address string) Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return Closed
	case c.addresses.Full(address, c.PerAddress):
		return AddressFull
	case c.Max > 0 && c.total >= c.Max:
		return Full
	}
	c.total++
	c.addresses.Add(address)
	return Admitted
}

// Release counts out one that Admit has admitted from address.
func (c *Control) Release(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addresses.Remove(address)
	c.total--
	if c.total == 0 && c.empty != nil {
		close(c.empty) // once: nobody comes after Close
	}
}

// Count returns how many there are.
func (c *Control) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// IsFull reports whether there are all that there may be.
func (c *Control) IsFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Max > 0 && c.total >= c.Max
}

// Close has Admit let nobody in any more. The channel that it returns is closed
// when everyone that was there is gone. A second Close does the same.
func (c *Control) Close() (empty <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.total == 0 {
		now := make(chan struct{})
		close(now)
		return now
	}
	if c.empty == nil {
		c.empty = make(chan struct{})
	}
	return c.empty
}

// IsClosed reports whether Close was called.
func (c *Control) IsClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
