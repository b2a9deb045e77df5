//go:build linux

// Package traffic is the client of the benchmarks: one thread around epoll, the
// same for every server. It sends frames that were made beforehand and compares
// every byte that comes back with what has to come back.
package traffic

import "encoding/binary"

const (
	fin     = 0x80
	textMsg = 0x1
	binMsg  = 0x2 // a binary message's first frame; its others are continuations, 0
)

// appendFrame appends one frame, masked if key is not nil (RFC 6455 §5.2).
func appendFrame(dst []byte, first byte, payload []byte, key *[4]byte) []byte {
	mask := byte(0)
	if key != nil {
		mask = 0x80
	}
	dst = append(dst, first)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, mask|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n))
	}
	if key == nil {
		return append(dst, payload...)
	}
	dst = append(dst, key[:]...)
	begin := len(dst)
	dst = append(dst, payload...)
	for i := range payload {
		dst[begin+i] ^= key[i&3]
	}
	return dst
}

// appendReply appends a message as the server sends it.
func appendReply(dst, payload []byte, fragment int) []byte {
	first := byte(binMsg)
	for fragment > 0 && len(payload) > fragment {
		dst = appendFrame(dst, first, payload[:fragment], nil)
		first, payload = 0, payload[fragment:]
	}
	return appendFrame(dst, fin|first, payload, nil)
}
