//go:build !purego

package ws

import (
	"bytes"
	"testing"

	"framewright/ws/internal/simd"
)

// The loop in Mask is what says what package simd must do, so both run here on any
// processor that can.
func TestMaskBothWays(t *testing.T) {
	if !simd.AVX2 {
		t.Skip("this processor has no AVX2")
	}
	defer func() { simd.AVX2 = true }()
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for size := 250; size < 1500; size++ {
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(i * 7)
		}
		fast := bytes.Clone(plain)
		simd.AVX2 = false
		next := Mask(plain, key, size)
		simd.AVX2 = true
		if got := Mask(fast, key, size); got != next || !bytes.Equal(fast, plain) {
			t.Fatalf("%d bytes: the two ways differ", size)
		}
	}
}
