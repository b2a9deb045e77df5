package wstest

import (
	"testing"
	"testing/synctest"
	"time"
)

// Waits get shorter only when some were in vain, never below a floor, and a wait
// that is short by itself stays as it is.
func TestPatience(t *testing.T) {
	defer ranOut.Store(ranOut.Load())
	ranOut.Store(0)
	total := time.Duration(0)
	for i, want := range []time.Duration{10 * time.Second, 5 * time.Second, 2500 * time.Millisecond} {
		got := Patience(10 * time.Second)
		if got != want {
			t.Errorf("wait %d: got %v, want %v", i, got, want)
		}
		total += got
		RanOut()
	}
	for range 1000 {
		total += Patience(10 * time.Second)
		RanOut()
	}
	if total > 31*time.Second {
		t.Errorf("a thousand waits in vain take %v", total)
	}
	if got := Patience(time.Nanosecond); got != time.Nanosecond {
		t.Errorf("a nanosecond became %v", got)
	}
}

func TestAwait(t *testing.T) {
	defer ranOut.Store(ranOut.Load())
	never, closed := make(chan struct{}), make(chan struct{})
	close(closed)
	ranOut.Store(5)
	if !Await(closed, time.Hour) || ranOut.Load() != 5 {
		t.Error("what has come was not seen, or counts as a wait in vain")
	}
	if Await(never, time.Millisecond) || ranOut.Load() != 6 {
		t.Error("a wait in vain does not count")
	}
	synctest.Test(t, func(t *testing.T) {
		start, never := time.Now(), make(chan struct{})
		if Await(never, time.Hour) || time.Since(start) != time.Hour || ranOut.Load() != 6 {
			t.Error("a bubble's wait is not what was asked for")
		}
	})
}
