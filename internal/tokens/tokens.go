// Package tokens has the bucket by which what a peer does is held against a rate,
// and a table of them for peers that are told apart by a key.
package tokens

import (
	"context"
	"sync"
	"time"

	"framewright/internal/bucket"
)

// A Rate is so many tokens a second in the long run, and so many at once. A
// PerSecond below 0 is no limit; with 0, what is spent does not come back.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// PerSecond is a rate of n a second, ten seconds' worth of it at once. 0 and less
// is no limit.
func PerSecond(n int) Rate {
	if n <= 0 {
		return Rate{PerSecond: -1}
	}
	return Rate{float64(n), 10 * float64(n)}
}

// never is how long the wait is for what does not come.
const never = time.Hour

// after is how long n tokens take to come.
func (r Rate) after(n float64) time.Duration {
	switch {
	case n <= 0:
		return 0
	case n/r.PerSecond > 1e9: // some thirty years, or for ever
		return never
	}
	return time.Duration(n / r.PerSecond * float64(time.Second))
}

// A Bucket begins full. It is not for several goroutines at once.
type Bucket struct{ b bucket.Bucket }

// began is what times are counted from: by a difference they go by the clock that is
// never set.
var began = time.Now()

func (b *Bucket) left(r Rate, now time.Time) float64 {
	return b.b.Left(r.PerSecond, r.Burst, int64(now.Sub(began)))
}

// Take takes n tokens at the time now or, if there are not so many, none, and
// says how long it is until there are. Who wants more than a full bucket holds
// gets them when it is full.
func (b *Bucket) Take(r Rate, n float64, now time.Time) (wait time.Duration, ok bool) {
	if r.PerSecond < 0 {
		return 0, true
	}
	if short := min(n, r.Burst) - b.left(r, now); short > 0 {
		return max(1, r.after(short)), false
	}
	b.b.Spend(n)
	return 0, true
}

// Spend takes n tokens, whether they are there or not, and returns how long it
// takes until they would have been.
func (b *Bucket) Spend(r Rate, n float64, now time.Time) (wait time.Duration) {
	if r.PerSecond < 0 {
		return 0
	}
	left := b.left(r, now)
	b.b.Spend(n)
	return r.after(n - left)
}

// Wait says how long it is until there are n tokens, and takes none.
func (b Bucket) Wait(r Rate, n float64, now time.Time) time.Duration {
	wait, _ := b.Take(r, n, now) // of a copy
	return wait
}

// Sleep returns nil after d, or earlier the reason for which ctx has ended.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A Table has a bucket for each key that was used lately, all with one rate. Its
// methods may be called by several goroutines at once. Its memory is bounded: of
// more than Max keys at once, some are forgotten, which makes their buckets full
// and is kinder than refusing strangers.
type Table[K comparable] struct {
	Rate Rate
	Max  int // 0 is 100,000

	mu      sync.Mutex
	buckets map[K]Bucket
	swept   time.Time
}

// Take is [Bucket.Take].
func (t *Table[K]) Take(key K, n float64, now time.Time) (wait time.Duration, ok bool) {
	if t == nil || t.Rate.PerSecond < 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.get(key, now)
	wait, ok = b.Take(t.Rate, n, now)
	t.buckets[key] = b
	return wait, ok
}

// Spend is [Bucket.Spend].
func (t *Table[K]) Spend(key K, n float64, now time.Time) time.Duration {
	if t == nil || t.Rate.PerSecond < 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.get(key, now)
	wait := b.Spend(t.Rate, n, now)
	t.buckets[key] = b
	return wait
}

// Wait is [Bucket.Wait].
func (t *Table[K]) Wait(key K, n float64, now time.Time) time.Duration {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buckets[key].Wait(t.Rate, n, now)
}

// Len is how many keys are remembered.
func (t *Table[K]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.buckets)
}

// get returns the bucket of a key, with room for it in the table.
func (t *Table[K]) get(key K, now time.Time) Bucket {
	if t.buckets == nil {
		t.buckets = make(map[K]Bucket)
		t.swept = now
	}
	if now.Sub(t.swept) > max(time.Second, t.Rate.after(t.Rate.Burst)) {
		for k, b := range t.buckets {
			if b.left(t.Rate, now) >= t.Rate.Burst {
				delete(t.buckets, k)
			}
		}
		t.swept = now
	}
	b, known := t.buckets[key]
	most := t.Max
	if most <= 0 {
		most = 100_000
	}
	if !known && len(t.buckets) >= most {
		for other := range t.buckets { // any
			delete(t.buckets, other)
			break
		}
	}
	return b
}
