//go:build linux

package traffic

import (
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	last := -1
	for v := uint64(0); v < 1<<40; v = v*9/8 + 1 {
		b := bucket(v)
		if b < last || floor(b) > v || floor(b+1) <= v {
			t.Fatalf("%d is in bucket %d, which is %d up to %d; the value before it was in %d", v, b, floor(b), floor(b+1), last)
		}
		last = b
	}
}

func TestQuantile(t *testing.T) {
	var h Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Microsecond)
	}
	for _, test := range []struct {
		q    float64
		want time.Duration
	}{{0.5, 500 * time.Microsecond}, {0.99, 990 * time.Microsecond}, {1, time.Millisecond}} {
		got := h.Quantile(test.q)
		if got < test.want*99/100 || got > test.want*107/100 {
			t.Errorf("quantile %v is %v, expected about %v", test.q, got, test.want)
		}
	}
}
