package ws

import (
	"math"
	"testing"
)

func TestHeaderSize(t *testing.T) {
	for _, length := range []int64{0, 1, 125, 126, 127, 65535, 65536, math.MaxInt64} {
		for _, masked := range []bool{false, true} {
			h := Header{Opcode: OpBinary, Masked: masked, Length: length}
			want := len(AppendHeader(nil, h))
			if got := h.Size(); got != want {
				t.Errorf("%d bytes, masked %v: size %d, AppendHeader writes %d bytes", length, masked, got, want)
			}
		}
	}
}
