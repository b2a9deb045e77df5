package ws

import "testing"

// How many looks a timeout takes, and how long the last span is.
func TestSpansLooks(t *testing.T) {
	for _, tt := range []struct {
		spans Spans
		n     uint32
		last  int64
	}{
		{Spans{20, 5}, 1, 5},
		{Spans{20, 20}, 1, 20},
		{Spans{20, 21}, 2, 1},
		{Spans{20, 40}, 2, 20},
		{Spans{1, 1<<32 - 1}, 1<<32 - 1, 1},
		{Spans{1, 1 << 32}, 1<<32 - 1, 1},
		{Spans{2, 1<<33 - 3}, 1<<32 - 1, 1},
		{Spans{2, 1<<33 - 1}, 1<<32 - 1, 1},
		{Spans{2, 1<<62 - 1}, 1<<32 - 1, 1},
	} {
		if n, last := tt.spans.looks(); n != tt.n || last != tt.last {
			t.Errorf("%+v: %d looks, the last after %d; want %d, %d", tt.spans, n, last, tt.n, tt.last)
		}
	}
}
