//go:build !amd64 || purego

package simd

// AVX2: there is none.
var AVX2 = false

// Mask does nothing.
func Mask([]byte, uint64) int { return 0 }

// utf8Blocks judges nothing.
func utf8Blocks([]byte) (n int, ok bool) { return 0, true }
