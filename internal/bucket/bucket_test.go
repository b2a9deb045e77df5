package bucket

import "testing"

func TestBucket(t *testing.T) {
	const second = 1_000_000_000
	var b Bucket
	for _, step := range []struct {
		now   int64
		left  float64 // of 10, when 2 come a second
		spend float64
	}{
		{-5 * second, 10, 4},
		{-5 * second, 6, 0},
		{-4 * second, 8, 0},
		{-2 * second, 10, 10},
		{-2 * second, 0, 3},
		{-1 * second, -1, 0},
		{-3 * second, -1, 0}, // a clock that goes back brings nothing
		{-2 * second, 1, 1e300},
		{1 << 62, -1e300, 0},
	} {
		if left := b.Left(2, 10, step.now); left != step.left {
			t.Errorf("at %d: %v left, want %v", step.now, left, step.left)
		}
		b.Spend(step.spend)
	}
	var once Bucket
	once.Spend(1)
	if left := once.Left(0, 1, 1<<62); left != 0 {
		t.Errorf("%v came back where nothing comes", left)
	}
}
