// Package tokens has the bucket by which what a peer sends is held against a
// rate.
package tokens

import "time"

// Holds is how much a full bucket has: what its rate brings in that time.
const Holds = 10 * time.Second

// A Bucket gets so many tokens a second and holds ten seconds' worth. It begins
// full. All that it must know is when it will be full again. It is not for
// several goroutines at once.
type Bucket struct{ full time.Time }

// Take takes n tokens at the time now, or reports that there are not so many. A
// rate of 0 or less is no limit.
func (b *Bucket) Take(perSecond int, n float64, now time.Time) bool {
	full := b.after(perSecond, n, now)
	if full.Sub(now) > Holds {
		return false
	}
	b.full = full
	return true
}

// Wait takes n tokens, whether they are there or not, and returns how long it
// takes until they would have been.
func (b *Bucket) Wait(perSecond int, n float64, now time.Time) time.Duration {
	b.full = b.after(perSecond, n, now)
	return max(0, b.full.Sub(now)-Holds)
}

func (b *Bucket) after(perSecond int, n float64, now time.Time) time.Time {
	full := b.full
	if full.Before(now) {
		full = now
	}
	if perSecond <= 0 {
		return full
	}
	return full.Add(time.Duration(n / float64(perSecond) * float64(time.Second)))
}
