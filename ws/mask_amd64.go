//go:build !purego

package ws

import "golang.org/x/sys/cpu"

//go:noescape
func maskAVX2(p *byte, n int, key uint64)

var useAVX2 = cpu.X86.HasAVX2

// maskLong masks as much of a long b as it can, a multiple of 8 bytes, and
// returns how much. The loop in Mask does 40 GB/s in the cache, this one 120 and
// more, where a copy does 110 to 230: it is the loop in Mask that says what is
// right.
func maskLong(b []byte, key uint64) int {
	n := len(b) &^ 127
	if n == 0 || !useAVX2 {
		return 0
	}
	maskAVX2(&b[0], n, key)
	return n
}
