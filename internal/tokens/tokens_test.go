package tokens_test

import (
	"testing"
	"time"

	"framewright/internal/tokens"
)

func TestBucket(t *testing.T) {
	now := time.Now()
	var b tokens.Bucket
	for n := range 20 {
		if !b.Take(2, 1, now) {
			t.Fatalf("token %d of the first ten seconds' worth is not there", n+1)
		}
	}
	if b.Take(2, 1, now) {
		t.Error("a token more than ten seconds' worth")
	}
	if now = now.Add(time.Second / 2); !b.Take(2, 1, now) || b.Take(2, 1, now) {
		t.Error("want one token after half a second, and one only")
	}
	if wait := b.Wait(2, 4, now); wait != 2*time.Second {
		t.Errorf("four more take %v, want 2 s", wait)
	}
	if b.Take(2, 1, now.Add(2*time.Second)) || !b.Take(2, 20, now.Add(13*time.Second)) {
		t.Error("want what was taken ahead to count, and no more than that")
	}
	if b.Take(2, 1, now.Add(13*time.Second)) {
		t.Error("a bucket holds more than ten seconds' worth")
	}
	var none tokens.Bucket
	if !none.Take(-1, 1e12, now) || none.Wait(0, 1e12, now) != 0 {
		t.Error("no rate is no limit")
	}
}
