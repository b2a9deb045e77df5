//go:build linux

package traffic

import (
	"math/bits"
	"time"
)

// A Histogram counts durations in buckets that are 1/16 of their value wide, so
// that a quantile is right within 7 %. It takes nothing per message but an
// increment.
type Histogram struct {
	buckets [64 * 16]int64
	n       int64
}

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	h.buckets[bucket(uint64(max(d, 0)))]++
	h.n++
}

// bucket puts values below 16 into buckets of their own; above, the top bit
// chooses 16 buckets and the four bits behind it one of them.
func bucket(v uint64) int {
	if v < 16 {
		return int(v)
	}
	top := bits.Len64(v) - 1
	return (top-3)*16 + int(v>>(top-4)&15)
}

// floor is the smallest value in bucket b.
func floor(b int) uint64 {
	if b < 16 {
		return uint64(b)
	}
	return uint64(16+b%16) << (b/16 - 1)
}

// Quantile returns the duration that q of all durations do not exceed, 0 <= q <= 1.
func (h *Histogram) Quantile(q float64) time.Duration {
	left := int64(q * float64(h.n))
	for b, n := range h.buckets {
		if left -= n; left < 0 || n > 0 && left == 0 {
			return time.Duration(floor(b+1) - 1)
		}
	}
	return 0
}
