package admission

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A script is read from left to right: "+a" is admitted from a, "-a" released,
// "full:+a" and so on refused; "+" alone comes from nobody's address.
func TestControl(t *testing.T) {
	verdicts := map[string]Verdict{"": Admitted, "closed": Closed, "address": AddressFull, "full": Full}
	for _, tt := range []struct {
		name            string
		max, perAddress int
		script          string
		count           int
	}{
		{"no bounds", 0, 0, "+a +a +a +b -a +a", 4},
		{"below 0 is no bound", -1, -1, "+a +a +a", 3},
		{"in all", 2, 0, "+a +b full:+a full:+c -b +c full:+c", 2},
		{"of an address", 0, 2, "+a +a address:+a +b +b address:+b -a +a address:+a", 4},
		{"both, and who has too many learns that", 2, 1, "+a +b address:+a full:+c -b +c address:+a address:+c", 2},
		{"one and none other", 1, 1, "+a address:+a full:+b -a +b", 1},
		{"nobody's address counts in all alone", 3, 1, "+ + +a address:+a full:+ -a +", 3},
		{"a refusal counts nothing", 2, 1, "+a address:+a address:+a address:+a +b -a +a", 2},
		{"closed", 0, 1, "+a close closed:+a closed:+b closed:+ -a closed:+a", 0},
		{"closed and full", 1, 1, "+a close closed:+a", 1},
		{"closed twice", 0, 0, "close close closed:+a", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Control{Max: tt.max, PerAddress: tt.perAddress}
			for n, step := range strings.Fields(tt.script) {
				if step == "close" {
					c.Close()
					continue
				}
				before, step, refused := strings.Cut(step, ":")
				if !refused {
					before, step = "", before
				}
				if address, out := strings.CutPrefix(step, "-"); out {
					c.Release(address)
					continue
				}
				if got := c.Admit(step[1:]); got != verdicts[before] {
					t.Errorf("step %d, %s: verdict %d, want %d", n+1, step, got, verdicts[before])
				}
			}
			if got := c.Count(); got != tt.count {
				t.Errorf("%d are there, want %d", got, tt.count)
			}
			if got, want := c.IsFull(), tt.max > 0 && tt.count >= tt.max; got != want {
				t.Errorf("full: %v, want %v", got, want)
			}
			if got, want := c.IsClosed(), strings.Contains(tt.script, "close"); got != want {
				t.Errorf("closed: %v, want %v", got, want)
			}
		})
	}
}

// Who closes hears when the last one is gone.
func TestClose(t *testing.T) {
	isClosed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	var c Control
	if !isClosed(new(Control).Close()) {
		t.Error("nobody was ever there")
	}
	c.Admit("a")
	if isClosed(c.Close()) {
		t.Error("one is there")
	}
	c.closed = false
	c.Admit("b")
	first, second := c.Close(), c.Close()
	c.Release("a")
	if isClosed(first) || isClosed(second) {
		t.Error("one is still there")
	}
	c.Release("b")
	if !isClosed(first) || !isClosed(second) {
		t.Error("all are gone, and nobody was told")
	}
	if !c.IsClosed() || !isClosed(c.Close()) {
		t.Error("nobody was there when it was closed again")
	}
}

func TestCounts(t *testing.T) {
	var c Counts
	for n := range 3 {
		if got := c.Of("a"); got != n {
			t.Errorf("a is there %d times, want %d", got, n)
		}
		c.Add("a")
	}
	c.Add("b")
	c.Add("")
	for _, tt := range []struct {
		key  string
		most int
		want bool
	}{{"a", 2, true}, {"a", 3, true}, {"a", 4, false}, {"a", 0, false}, {"a", -1, false}, {"b", 1, true}, {"c", 1, false}, {"", 1, false}} {
		if got := c.Full(tt.key, tt.most); got != tt.want {
			t.Errorf("%q of %d is full: %v, want %v", tt.key, tt.most, got, tt.want)
		}
	}
	if n := c.Len(); n != 2 {
		t.Errorf("%d keys are there, want 2", n)
	}
	for range 3 {
		c.Remove("a")
	}
	c.Remove("b")
	c.Remove("")
	if c.Len() != 0 {
		t.Errorf("%v is remembered of those that are gone", c.n)
	}
	defer func() {
		if recover() == nil {
			t.Error("one was removed that was not there")
		}
	}()
	c.Remove("a")
}

// Run with -race: never more than there may be, and all are counted out.
func TestControlUnderLoad(t *testing.T) {
	const max, perAddress = 5, 2
	c := Control{Max: max, PerAddress: perAddress}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			address := fmt.Sprint(n % 4)
			for range 1000 {
				if c.Admit(address) == Admitted {
					if got := c.Count(); got < 1 || got > max {
						t.Errorf("%d are there", got)
					}
					c.Release(address)
				}
			}
		})
	}
	wg.Wait()
	if c.Count() != 0 || c.addresses.Len() != 0 {
		t.Errorf("%d are left, %v", c.Count(), c.addresses.n)
	}
}
