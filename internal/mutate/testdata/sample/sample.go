// Package sample has something for each kind of mutant.
package sample

import "errors"

const limit = 3

var errNegative = errors.New("negative")

// Clamp is tested well.
func Clamp(n int) int {
	if n > limit {
		return limit
	}
	return n
}

// Count has a loop that a mutant makes endless.
func Count(s string, c byte) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] == c {
			n++
		}
		i++
	}
	return n
}

// Double is not tested.
func Double(n int) (int, error) {
	if n < 0 {
		return 0, errNegative
	}
	return n * 2, nil
}

// Max has a mutant that nothing can tell from it.
func Max(a, b int) int {
	if a > b {
		return a
	}
	return b
}
