package ws

import (
	"math"
	"testing"
)

func TestHeaderSize(t *testing.T) {
	for _, length := range []int64{0, 1, 125, 126, 127, 65535, 65536, math.MaxInt64} {
		for _, masked := range []bool{false, true} {
			want := len(AppendHeader(nil, Header{Opcode: OpBinary, Masked: masked, Length: length}))
			if got := headerSize(length, masked); got != want {
				t.Errorf("headerSize(%d, %v) = %d, AppendHeader writes %d bytes", length, masked, got, want)
			}
		}
	}
}
