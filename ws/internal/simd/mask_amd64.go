//go:build !purego

package simd

import "golang.org/x/sys/cpu"

//go:noescape
func maskAVX2(p *byte, n int, key uint64)

// AVX2 reports whether the processor has it. Tests turn it off.
var AVX2 = cpu.X86.HasAVX2

// Mask XORs as much of a long b with key as it can, a multiple of 8 bytes, and returns
// how much. The loop in ws.Mask does 40 GB/s in the cache, this one 120 and more, where
// a copy does 110 to 230.
func Mask(b []byte, key uint64) int {
	n := len(b) &^ 127
	if n == 0 || !AVX2 {
		return 0
	}
	maskAVX2(&b[0], n, key)
	return n
}
