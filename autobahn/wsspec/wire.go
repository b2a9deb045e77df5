package wsspec

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// The opcodes of RFC 6455 §5.2.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// The reserved bits as they stand in Frame.RSV.
const (
	RSV1 = 4
	RSV2 = 2
	RSV3 = 1
)

// A Frame is one to send, right or wrong, or one that came. The zero values of its
// last four fields send what the RFC wants of the sender's role.
type Frame struct {
	Fin     bool
	RSV     byte // the three bits, RSV1 the highest
	Opcode  byte // the lower four bits
	Payload []byte

	Masking  Masking
	Key      *[4]byte // the masking key; nil is a random one, to be sent
	Form     LengthForm
	Declared *uint64 // the length to state, if it is another than that of Payload
}

// Masking says whether a frame is masked.
type Masking byte

const (
	MaskAsDue Masking = iota // as the sender's role wants it (§5.1)
	MaskNever
	MaskAlways
)

// A LengthForm is how many bits a payload's length is written with.
type LengthForm byte

const (
	Shortest LengthForm = 0 // as §5.2 wants it
	Length7  LengthForm = 7
	Length16 LengthForm = 16
	Length64 LengthForm = 64
)

// Text, Binary, Ping, Pong and CloseFrame return whole frames with what their
// names say.
func Text(s string) Frame   { return Frame{Fin: true, Opcode: OpText, Payload: []byte(s)} }
func Binary(b []byte) Frame { return Frame{Fin: true, Opcode: OpBinary, Payload: b} }
func Ping(s string) Frame   { return Frame{Fin: true, Opcode: OpPing, Payload: []byte(s)} }
func Pong(s string) Frame   { return Frame{Fin: true, Opcode: OpPong, Payload: []byte(s)} }

// CloseFrame returns a Close frame with a code and a reason, whatever they are; a
// code of 0 and no reason give an empty payload.
func CloseFrame(code int, reason string) Frame {
	f := Frame{Fin: true, Opcode: OpClose}
	if code != 0 || reason != "" {
		f.Payload = append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	return f
}

// CloseCode is the code in a Close frame's payload, 0 if there is none.
func (f Frame) CloseCode() int {
	if f.Opcode != OpClose || len(f.Payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(f.Payload))
}

// IsControl reports whether the opcode is one of §5.5's.
func (f Frame) IsControl() bool { return f.Opcode >= OpClose }

// Append appends the frame's bytes. due says whether frames of the sender's role
// are masked; the key is random.
func (f Frame) Append(dst []byte, due bool) []byte {
	b := f.RSV<<4 | f.Opcode&0xF
	if f.Fin {
		b |= 0x80
	}
	dst = append(dst, b)
	masked := f.Masking == MaskAlways || f.Masking == MaskAsDue && due
	var bit byte
	if masked {
		bit = 0x80
	}
	n := uint64(len(f.Payload))
	if f.Declared != nil {
		n = *f.Declared
	}
	form := f.Form
	if form == Shortest {
		switch {
		case n < 126:
			form = Length7
		case n < 1<<16:
			form = Length16
		default:
			form = Length64
		}
	}
	switch form {
	case Length7:
		dst = append(dst, bit|byte(n)&0x7F)
	case Length16:
		dst = binary.BigEndian.AppendUint16(append(dst, bit|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, bit|127), n)
	}
	if !masked {
		return append(dst, f.Payload...)
	}
	var key [4]byte
	binary.BigEndian.PutUint32(key[:], rand.Uint32())
	if f.Key != nil {
		key = *f.Key
	}
	dst = append(dst, key[:]...)
	start := len(dst)
	dst = append(dst, f.Payload...)
	mask(dst[start:], key)
	return dst
}

// mask is §5.3's, eight bytes at a time.
func mask(b []byte, key [4]byte) {
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// maxRead is the longest payload in bytes that is read as one frame.
const maxRead = 32 << 20

// A reading is what the bytes of a stream begin with.
type reading struct {
	frame  Frame // unmasked
	masked bool
	size   int      // bytes of it on the wire; 0: more are needed
	faults []string // rules of §5.1 and §5.2 that the frame itself breaks, in words
	broken string   // not empty: there is no reading on, and why
}

// read takes the first frame off b; its payload is a part of b, unmasked in place.
// masked says whether the sender has to mask.
func read(b []byte, due bool) reading {
	if len(b) < 2 {
		return reading{}
	}
	r := reading{masked: b[1]&0x80 != 0}
	r.frame = Frame{Fin: b[0]&0x80 != 0, RSV: b[0] >> 4 & 7, Opcode: b[0] & 0xF}
	n, head := uint64(b[1]&0x7F), 2
	switch n {
	case 126:
		if head = 4; len(b) < head {
			return reading{}
		}
		if n = uint64(binary.BigEndian.Uint16(b[2:])); n < 126 {
			r.faults = append(r.faults, fmt.Sprintf("a length of %d is written with 16 bits (§5.2)", n))
		}
		r.frame.Form = Length16
	case 127:
		if head = 10; len(b) < head {
			return reading{}
		}
		if n = binary.BigEndian.Uint64(b[2:]); n < 1<<16 {
			r.faults = append(r.faults, fmt.Sprintf("a length of %d is written with 64 bits (§5.2)", n))
		}
		r.frame.Form = Length64
	}
	if n > maxRead {
		r.broken = fmt.Sprintf("a frame states %d bytes of payload; at most %d are read", n, maxRead)
		return r
	}
	var key [4]byte
	if r.masked {
		if len(b) < head+4 {
			return reading{}
		}
		copy(key[:], b[head:])
		head += 4
	}
	if uint64(len(b)-head) < n {
		return reading{}
	}
	r.size = head + int(n)
	r.frame.Payload = b[head:r.size:r.size]
	if r.masked {
		mask(r.frame.Payload, key)
		k := key // a copy, so that frames without a key cost nothing
		r.frame.Key = &k
	}
	switch {
	case r.masked && !due:
		r.faults = append(r.faults, "a server's frame is masked (§5.1)")
	case !r.masked && due:
		r.faults = append(r.faults, "a client's frame is not masked (§5.1)")
	}
	if r.frame.IsControl() && (n > 125 || !r.frame.Fin) {
		r.faults = append(r.faults, "a control frame is fragmented or longer than 125 bytes (§5.5)")
	}
	return r
}

var opcodeNames = map[byte]string{
	OpContinuation: "continuation", OpText: "text", OpBinary: "binary", OpClose: "close", OpPing: "ping", OpPong: "pong",
}

// String is the frame in words, with the beginning of its payload.
func (f Frame) String() string {
	name := opcodeNames[f.Opcode]
	if name == "" {
		name = fmt.Sprintf("opcode %d", f.Opcode)
	}
	var b strings.Builder
	b.WriteString(name)
	if !f.Fin {
		b.WriteString(" fin=0")
	}
	if f.RSV != 0 {
		fmt.Fprintf(&b, " rsv=%d", f.RSV)
	}
	if f.Opcode == OpClose && len(f.Payload) >= 2 {
		fmt.Fprintf(&b, " %d %q", f.CloseCode(), f.Payload[2:])
		return b.String()
	}
	const shown = 40
	if len(f.Payload) > shown {
		fmt.Fprintf(&b, " %d bytes %q…", len(f.Payload), f.Payload[:shown])
	} else {
		fmt.Fprintf(&b, " %q", f.Payload)
	}
	return b.String()
}
