package ws

import (
	"encoding/binary"
	"math"
	"strconv"
)

// An Opcode says how to interpret a frame's payload (RFC 6455 §5.2). Opcodes
// below 8 belong to data frames, those from 8 on to control frames (§5.5).
type Opcode uint8

// The opcodes that RFC 6455 §11.8 registers. The others are reserved.
const (
	OpContinuation Opcode = 0x0
	OpText         Opcode = 0x1
	OpBinary       Opcode = 0x2
	OpClose        Opcode = 0x8
	OpPing         Opcode = 0x9
	OpPong         Opcode = 0xA
)

// IsControl reports whether o is a control opcode: its most significant bit
// is 1 (§5.5).
func (o Opcode) IsControl() bool { return o&0x8 != 0 }

// IsReserved reports whether o is one of 3-7 and B-F, which no endpoint may
// send unless an extension defined it (§5.2).
func (o Opcode) IsReserved() bool { return o&0x7 > 2 }

// String returns the RFC's name of o.
func (o Opcode) String() string {
	switch o {
	case OpContinuation:
		return "continuation"
	case OpText:
		return "text"
	case OpBinary:
		return "binary"
	case OpClose:
		return "close"
	case OpPing:
		return "ping"
	case OpPong:
		return "pong"
	}
	return "reserved opcode 0x" + strconv.FormatUint(uint64(o), 16)
}

// The three reserved bits, as they stand in Header.RSV. They are 0 unless an
// extension that defines them was negotiated (§5.2).
const (
	RSV1 uint8 = 1 << 2 // RFC 7692: the first frame of a compressed message
	RSV2 uint8 = 1 << 1
	RSV3 uint8 = 1 << 0
)

const (
	// MaxHeaderSize is the longest frame header in bytes: two, an eight-byte
	// extended payload length, and a masking key (§5.2).
	MaxHeaderSize = 2 + 8 + 4

	// MaxControlPayload is the longest payload of a control frame, in bytes
	// (§5.5).
	MaxControlPayload = 125
)

// A Header is everything in a frame before its payload (§5.2):
//
//	 0               1               2               3
//	 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
//	+-+-+-+-+-------+-+-------------+-------------------------------+
//	|F|R|R|R|opcode |M| length      | extended payload length       |
//	|I|S|S|S|       |A|             | 16 bits, if length is 126     |
//	|N|V|V|V|  (4)  |S|    (7)      | 64 bits, if length is 127     |
//	| |1|2|3|       |K|             |                               |
//	+-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//	|                               | masking key, if MASK is 1     |
//	+-------------------------------+-------------------------------+
//	| masking key, continued        | payload ...                   |
//	+-------------------------------+-------------------------------+
//
// All numbers are in network byte order.
type Header struct {
	Fin    bool    // the last fragment of a message
	RSV    uint8   // RSV1, RSV2, RSV3, or-ed
	Opcode Opcode  // 4 bits
	Masked bool    // a masking key follows and the payload is masked
	Key    [4]byte // the masking key, if Masked (§5.3)
	Length int64   // of the payload in bytes; 0 to 2^63-1
}

// ParseHeader reads the frame header that b begins with and returns it with
// the number of bytes that it takes. n == 0 with a nil error means that b
// ends before the header does; the first two bytes, once they are there, are
// in h all the same (all but Key and an extended Length), so that a caller
// can refuse a frame on their strength.
//
// A header whose length breaks §5.2 gives a *ProtocolError. Rules that depend
// on who sends and on what came before are not checked here: see Receiver.
func ParseHeader(b []byte) (h Header, n int, err error) {
	n, err = h.parse(b)
	return h, n, err
}

// parse is ParseHeader, where h is to be. A Header does not fit the registers,
// and to copy one right after it was written takes longer than to parse it: so
// inside of the package it stays where it is.
func (h *Header) parse(b []byte) (n int, err error) {
	*h = Header{}
	if len(b) < 2 {
		return 0, nil
	}

	// FIN (1), RSV1-3 (3), opcode (4)
	h.Fin = b[0]&0x80 != 0
	h.RSV = b[0] >> 4 & 0x7
	h.Opcode = Opcode(b[0] & 0xF)

	// MASK (1), payload length (7)
	h.Masked = b[1]&0x80 != 0
	h.Length = int64(b[1] & 0x7F)
	n = 2

	// extended payload length (0, 16 or 64)
	switch h.Length {
	case 126:
		if len(b) < n+2 {
			return 0, nil
		}
		h.Length = int64(binary.BigEndian.Uint16(b[n:]))
		n += 2
		// "the minimal number of bytes MUST be used to encode the length"
		if h.Length < 126 {
			return n, RuleMinimalLength.Violation("length " + itoa(h.Length) + " takes 16 bits, but fits 7")
		}
	case 127:
		if len(b) < n+8 {
			return 0, nil
		}
		length := binary.BigEndian.Uint64(b[n:])
		n += 8
		// "the most significant bit MUST be 0"
		if length > math.MaxInt64 {
			return n, RuleLengthTopBit.Violation("64-bit length with the top bit set")
		}
		h.Length = int64(length)
		if h.Length < 1<<16 {
			return n, RuleMinimalLength.Violation("length " + itoa(h.Length) + " takes 64 bits, but fits " + fits(h.Length))
		}
	}

	// masking key (0 or 32)
	if h.Masked {
		if len(b) < n+4 {
			return 0, nil
		}
		h.Key = [4]byte(b[n:])
		n += 4
	}
	return n, nil
}

// AppendHeader appends the wire form of h to dst, its length in the fewest
// bytes (§5.2). It does not judge h: tests and tools build forbidden frames
// with it too. A negative Length is written as 0.
func AppendHeader(dst []byte, h Header) []byte { return h.Append(dst) }

// Append is AppendHeader without a copy of h: see parse.
func (h *Header) Append(dst []byte) []byte {
	// FIN (1), RSV1-3 (3), opcode (4)
	b0 := h.RSV&0x7<<4 | byte(h.Opcode)&0xF
	if h.Fin {
		b0 |= 0x80
	}

	// MASK (1), payload length (7), extended payload length (0, 16 or 64)
	var b1 byte
	if h.Masked {
		b1 = 0x80
	}
	switch length := max(h.Length, 0); {
	case length < 126:
		dst = append(dst, b0, b1|byte(length))
	case length < 1<<16:
		dst = append(dst, b0, b1|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(length))
	default:
		dst = append(dst, b0, b1|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(length))
	}

	// masking key (0 or 32)
	if h.Masked {
		dst = append(dst, h.Key[:]...)
	}
	return dst
}

// AppendFrame appends a whole frame to dst: h with its Length set to that of
// payload, and payload, masked with h.Key if h.Masked. payload itself is left
// as it is; it must not overlap the free capacity of dst.
func AppendFrame(dst []byte, h Header, payload []byte) []byte {
	h.Length = int64(len(payload))
	dst = AppendHeader(dst, h)
	start := len(dst)
	dst = append(dst, payload...)
	if h.Masked {
		Mask(dst[start:], h.Key, 0)
	}
	return dst
}

// Size returns the number of bytes that AppendHeader writes for h.
func (h *Header) Size() int {
	n := 2
	switch {
	case h.Length >= 1<<16:
		n += 8
	case h.Length >= 126:
		n += 2
	}
	if h.Masked {
		n += 4
	}
	return n
}

func fits(length int64) string {
	if length < 126 {
		return "7"
	}
	return "16"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
