package wsspec

import (
	"slices"
	"time"
)

// A clock has the timers of a tester, which is told what time it is.
type clock struct {
	now    time.Duration // since the connection is open
	timers []*timer
}

// A timer calls a function at a time.
type timer struct {
	at time.Duration
	do func()
}

// after has something done in a while.
func (c *clock) after(d time.Duration, do func()) *timer {
	t := &timer{c.now + d, do}
	c.timers = append(c.timers, t)
	return t
}

func (c *clock) cancel(t *timer) {
	c.timers = slices.DeleteFunc(c.timers, func(x *timer) bool { return x == t })
}

// first is the timer that is due first, nil if there is none. Of two at one time it
// is the one that was set first.
func (c *clock) first() *timer {
	if len(c.timers) == 0 {
		return nil
	}
	return slices.MinFunc(c.timers, func(a, b *timer) int { return int(a.at - b.at) })
}

// tick tells the time, and does what is due by then in its order, until done.
func (c *clock) tick(now time.Duration, done func() bool) {
	for !done() {
		t := c.first()
		if t == nil || t.at > now {
			break
		}
		c.cancel(t)
		c.now = max(c.now, t.at)
		t.do()
	}
	c.now = max(c.now, now)
}
