package ws

import "testing"

// A header that is parsed into one that was used has nothing of what was there.
func TestParseIntoAUsedHeader(t *testing.T) {
	used := Header{Fin: true, RSV: 7, Opcode: OpPong, Masked: true, Key: [4]byte{1, 2, 3, 4}, Length: 1 << 40}
	for _, b := range [][]byte{nil, {0x01}, {0x01, 0x00}, {0x01, 0x7d}, {0x01, 0x7e, 0x01, 0x00}, {0x81, 0x80}, {0x81, 0xfe, 0x01}} {
		h := used
		n, err := h.parse(b)
		want, wantN, wantErr := ParseHeader(b)
		if h != want || n != wantN || err != nil || wantErr != nil {
			t.Errorf("% x: %+v, %d, %v; want %+v, %d", b, h, n, err, want, wantN)
		}
	}
}
