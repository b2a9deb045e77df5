package ws

import (
	"encoding/binary"
	"math/bits"

	"framewright/ws/internal/simd"
)

// Mask applies the masking key to b in place (RFC 6455 §5.3): byte i of the
// payload is XORed with byte i mod 4 of the key. offset is the position of
// b[0] in the payload, so that a payload can be masked in pieces; the return
// value, 0 to 3, is the offset to go on with. Masking twice restores b.
//
// Why a client masks (§10.3): a page chooses what its browser sends. Without a mask, it
// could put bytes on the wire that a proxy which knows nothing of WebSocket takes for a
// second HTTP request, and remember the answer of the attacker's server for everybody
// behind that proxy. With a key that is new for each frame and that the page can neither
// choose nor foresee, no bytes of the page's choice reach the wire. The key stands in
// the frame: masking hides nothing from anybody, and a server, whose bytes no page
// chooses for a client's network, does not mask.
//
//	payload   48 65 6c 6c 6f          "Hello"
//	key       37 fa 21 3d 37 …
//	on wire   7f 9f 4d 51 58
func Mask(b []byte, key [4]byte, offset int) int {
	// The key rotated so that it begins where b does, and doubled to a word.
	// A little-endian load puts the first byte lowest, so rotating right by
	// 8 bits a byte brings byte offset of the key to the front.
	offset &= 3
	next := (offset + len(b)) & 3
	k32 := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*offset)
	k64 := uint64(k32)<<32 | uint64(k32)

	if len(b) >= 256 {
		b = b[simd.Mask(b, k64):]
	}
	for len(b) >= 64 {
		c := b[:64:64] // one bounds check for eight words
		binary.LittleEndian.PutUint64(c[0:], binary.LittleEndian.Uint64(c[0:])^k64)
		binary.LittleEndian.PutUint64(c[8:], binary.LittleEndian.Uint64(c[8:])^k64)
		binary.LittleEndian.PutUint64(c[16:], binary.LittleEndian.Uint64(c[16:])^k64)
		binary.LittleEndian.PutUint64(c[24:], binary.LittleEndian.Uint64(c[24:])^k64)
		binary.LittleEndian.PutUint64(c[32:], binary.LittleEndian.Uint64(c[32:])^k64)
		binary.LittleEndian.PutUint64(c[40:], binary.LittleEndian.Uint64(c[40:])^k64)
		binary.LittleEndian.PutUint64(c[48:], binary.LittleEndian.Uint64(c[48:])^k64)
		binary.LittleEndian.PutUint64(c[56:], binary.LittleEndian.Uint64(c[56:])^k64)
		b = b[64:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k64)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(k64 >> (8 * i))
	}
	return next
}
