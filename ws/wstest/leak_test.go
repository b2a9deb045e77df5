package wstest_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"framewright/ws/wstest"
)

// cleaner is a recorder whose cleanups run when the test says so.
type cleaner struct {
	recorder
	cleanups []func()
}

func (c *cleaner) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }
func (c *cleaner) Failed() bool     { return false }

func TestCheckLeaks(t *testing.T) {
	before, after := make(chan bool), make(chan bool)
	go leaky(before) // there already: no leak
	defer close(before)

	c := &cleaner{recorder: recorder{TB: t}}
	wstest.CheckLeaks(c)
	ends := make(chan bool)
	go leaky(ends)
	close(ends)
	for _, f := range c.cleanups {
		f()
	}
	if c.failure != "" {
		t.Fatalf("a goroutine that ends: %s", c.failure)
	}

	if testing.Short() {
		t.Skip("a goroutine that stays takes the whole wait of some seconds to be called a leak")
	}
	go leaky(after)
	defer close(after)
	c.cleanups[0]()
	if !strings.HasPrefix(c.failure, "1 goroutines left behind:") || !strings.Contains(c.failure, "wstest_test.leaky") {
		t.Errorf("a goroutine that stays: %q", c.failure)
	}
}

func leaky(c chan bool) { <-c }

func TestCheckLeaksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cleaner{recorder: recorder{TB: t}}
		wstest.CheckLeaks(c)
		if len(c.cleanups) > 0 {
			t.Error("the bubble would be checked twice")
		}
	})
}
