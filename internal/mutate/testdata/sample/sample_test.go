package sample

import "testing"

func TestSample(t *testing.T) {
	for n, want := range map[int]int{-1: -1, 2: 2, 3: 3, 4: 3, 5: 3} {
		if got := Clamp(n); got != want {
			t.Errorf("Clamp(%d) = %d, want %d", n, got, want)
		}
	}
	for s, want := range map[string]int{"": 0, "a": 1, "ba": 1, "aba": 2} {
		if got := Count(s, 'a'); got != want {
			t.Errorf("Count(%q) = %d, want %d", s, got, want)
		}
	}
	if Max(1, 2) != 2 || Max(2, 1) != 2 || Max(3, 3) != 3 {
		t.Error("Max")
	}
}
