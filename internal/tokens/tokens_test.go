package tokens_test

import (
	"testing"
	"time"

	"framewright/internal/tokens"
)

func TestBucket(t *testing.T) {
	now, rate := time.Now(), tokens.PerSecond(2)
	var b tokens.Bucket
	take := func(n float64, want bool) {
		t.Helper()
		wait, ok := b.Take(rate, n, now)
		if ok != want || ok != (wait == 0) {
			t.Errorf("%v tokens: %v, wait %v", n, ok, wait)
		}
		if next := b.Wait(rate, n, now); !ok && next != wait {
			t.Errorf("wait %v, and asked again %v", wait, next)
		}
	}
	for range 20 { // ten seconds' worth
		take(1, true)
	}
	take(1, false)
	now = now.Add(time.Second / 2)
	take(1, true)
	take(1, false)
	if wait := b.Spend(rate, 4, now); wait != 2*time.Second {
		t.Errorf("four more take %v, want 2 s", wait)
	}
	now = now.Add(2 * time.Second) // what was taken ahead counts, and no more
	take(1, false)
	now = now.Add(11 * time.Second)
	take(20, true)
	take(1, false)
	now = now.Add(11 * time.Second)
	take(50, true) // more than it ever holds
	now = now.Add(14 * time.Second)
	take(1, false)
	now = now.Add(time.Hour)
	now = now.Add(-2 * time.Hour) // a clock that goes back brings nothing and takes nothing
	take(1, false)
}

func TestNoLimitAndNoReturn(t *testing.T) {
	now := time.Now()
	var b tokens.Bucket
	for _, n := range []int{0, -1} {
		if _, ok := b.Take(tokens.PerSecond(n), 1e300, now); !ok || b.Spend(tokens.PerSecond(n), 1e300, now) != 0 {
			t.Errorf("%d a second is a limit", n)
		}
	}
	once := tokens.Rate{Burst: 1}
	if _, ok := b.Take(once, 1, now); !ok {
		t.Error("the one there is")
	}
	if wait, ok := b.Take(once, 1, now.Add(1000*time.Hour)); ok || wait != time.Hour {
		t.Errorf("it came back: %v %v", wait, ok)
	}
	slow := tokens.Rate{PerSecond: 1e-6, Burst: 1e6}
	var s tokens.Bucket
	if wait := s.Spend(slow, 1e300, now); wait <= 0 {
		t.Errorf("wait %v", wait)
	}
}

func TestTable(t *testing.T) {
	now := time.Now()
	table := tokens.Table[int]{Rate: tokens.Rate{PerSecond: 1, Burst: 3}, Max: 10}
	for range 3 {
		if _, ok := table.Take(1, 1, now); !ok {
			t.Fatal("refused within the burst")
		}
	}
	if wait, ok := table.Take(1, 1, now); ok || wait != time.Second || table.Wait(1, 2, now) != 2*time.Second {
		t.Errorf("one more: %v %v", wait, ok)
	}
	if wait := table.Spend(2, 5, now); wait != 2*time.Second {
		t.Errorf("another key, ahead: %v", wait)
	}
	if wait := table.Wait(3, 3, now); wait != 0 || table.Len() != 2 {
		t.Errorf("who asks only is remembered, or has to wait %v", wait)
	}
	for k := range 1000 {
		table.Take(100+k, 1, now)
	}
	if n := table.Len(); n != 10 {
		t.Errorf("%d keys, want 10", n)
	}
	if table.Take(5000, 1, now.Add(5*time.Second)); table.Len() != 1 {
		t.Errorf("%d keys when all but one are full again", table.Len())
	}
	var none *tokens.Table[int]
	if _, ok := none.Take(1, 1e9, now); !ok || none.Spend(1, 1e9, now) != 0 || none.Wait(1, 1, now) != 0 {
		t.Error("no table is a limit")
	}
}
