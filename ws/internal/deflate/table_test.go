package deflate

import "testing"

// tableRoom returns how many entries buildTable can need for a complete set of
// at most syms codes of at most 15 bits, by trying all of them.
//
// A set is chosen length by length. What matters for what follows is how many
// symbols are left, how many codes of the present length are free (open), how
// many of those are in the second level begun last (rem); of all ways to come
// there, the one that has taken the most entries.
func tableRoom(syms, first int) int {
	type state struct{ left, open, rem int }
	now := map[state]int{}
	for n := 1; n <= syms; n++ {
		now[state{n, 2, 0}] = 0
	}
	most := 0
	for length := 1; length <= maxCode; length++ {
		next := map[state]int{}
		size := 0 // of a second level
		if length > first {
			size = 1 << (length - first)
		}
		for s, mem := range now {
			for use := 0; use <= min(s.open, s.left); use++ {
				rem, mem := s.rem, mem
				for more := use; size > 0; {
					n := min(more, rem)
					more, rem = more-n, rem-n
					if more == 0 {
						break
					}
					rem, mem = size, mem+size
				}
				left, open := s.left-use, 2*(s.open-use)
				if left == 0 && open == 0 {
					most = max(most, mem)
				}
				if open == 0 || open > left || open<<(maxCode-length-1) < left {
					continue
				}
				if rem > 0 { // it was begun for longer codes too
					mem += size
				}
				to := state{left, open, 2 * rem}
				next[to] = max(next[to], mem)
			}
		}
		now = next
	}
	return 1<<first + most
}

func TestTableRoom(t *testing.T) {
	if got := tableRoom(numDist, distBits); got != distRoom {
		t.Errorf("distances can need %d entries, distRoom is %d", got, distRoom)
	}
	if testing.Short() || raceEnabled {
		t.Skip("that for 286 symbols takes a second or more")
	}
	if got := tableRoom(numLit, litBits); got != litRoom {
		t.Errorf("literals and lengths can need %d entries, litRoom is %d", got, litRoom)
	}
}
