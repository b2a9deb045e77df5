package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A packet is what a capture file has of one.
type packet struct {
	link uint32 // LINKTYPE_…
	at   time.Time
	data []byte
	cut  bool // the capture kept only the beginning
}

// pcapOrder returns the byte order of a pcap file, nil if b is none. The magic number is
// that of microseconds or of nanoseconds.
func pcapOrder(b []byte) binary.ByteOrder {
	if len(b) < 4 {
		return nil
	}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := o.Uint32(b); m == 0xA1B2C3D4 || m == 0xA1B23C4D {
			return o
		}
	}
	return nil
}

// parsePcap reads a file of the classic format:
//
//	magic (32), version (16, 16), reserved (32, 32), snapshot length (32), link type (32)
//	packets: seconds (32), fraction (32), captured (32), length (32), bytes
func parsePcap(b []byte, l Limits) (*Capture, error) {
	order := pcapOrder(b)
	if len(b) < 24 {
		return nil, fmt.Errorf("the pcap file ends inside its header: %d bytes of 24", len(b))
	}
	fraction := time.Microsecond
	if order.Uint32(b) == 0xA1B23C4D {
		fraction = time.Nanosecond
	}
	r := newReassembler(Pcap, l)
	link := order.Uint32(b[20:]) & 0xFFFF // above are bits about a frame check sequence
	for at := 24; at < len(b); {
		if len(b)-at < 16 {
			r.c.note("the file ends inside the header of a packet, at byte %d", at)
			break
		}
		seconds, rest := order.Uint32(b[at:]), order.Uint32(b[at+4:])
		captured, length := order.Uint32(b[at+8:]), order.Uint32(b[at+12:])
		at += 16
		if uint64(captured) > uint64(len(b)-at) {
			r.c.note("the file ends inside a packet: %d bytes of %d, at byte %d", len(b)-at, captured, at)
			break
		}
		when := time.Unix(int64(seconds), int64(rest)*int64(fraction))
		r.packet(packet{link, when, b[at : at+int(captured)], captured < length})
		at += int(captured)
	}
	return r.finish()
}

// An ngInterface is what a pcapng file says of one: its link type, and how long a unit of
// its times is.
type ngInterface struct {
	link  uint32
	units uint64 // in a second
}

// The blocks of a pcapng file that are read; others are skipped.
const (
	ngSection   = 0x0A0D0D0A
	ngDescribes = 1
	ngOldPacket = 2
	ngSimple    = 3
	ngEnhanced  = 6

	maxInterfaces = 256
)

// parsePcapNG reads a file of blocks: type (32), length (32), body, length (32).
func parsePcapNG(b []byte, l Limits) (*Capture, error) {
	r := newReassembler(PcapNG, l)
	var order binary.ByteOrder
	var interfaces []ngInterface
	for at := 0; at < len(b); {
		if len(b)-at < 12 {
			r.c.note("the file ends inside the header of a block, at byte %d", at)
			break
		}
		if binary.LittleEndian.Uint32(b[at:]) == ngSection { // the same either way
			switch {
			case binary.LittleEndian.Uint32(b[at+8:]) == 0x1A2B3C4D:
				order = binary.LittleEndian
			case binary.BigEndian.Uint32(b[at+8:]) == 0x1A2B3C4D:
				order = binary.BigEndian
			default:
				return nil, fmt.Errorf("the pcapng section at byte %d has no byte-order mark 1a2b3c4d", at)
			}
			interfaces = nil
		}
		kind, size := order.Uint32(b[at:]), order.Uint32(b[at+4:])
		if size < 12 || size%4 != 0 {
			return nil, fmt.Errorf("the pcapng block at byte %d says that it has %d bytes: a multiple of 4 from 12 on is expected", at, size)
		}
		if uint64(size) > uint64(len(b)-at) {
			r.c.note("the file ends inside a block: %d bytes of %d, at byte %d", len(b)-at, size, at)
			break
		}
		body := b[at+8 : at+int(size)-4]
		at += int(size)
		if kind == ngDescribes {
			if len(interfaces) == maxInterfaces {
				return nil, fmt.Errorf("more than %d interfaces in a pcapng section", maxInterfaces)
			}
			i, err := describes(body, order)
			if err != nil {
				return nil, err
			}
			interfaces = append(interfaces, i)
		} else if p, ok := ngPacket(kind, body, order, interfaces); ok {
			r.packet(p)
		}
	}
	return r.finish()
}

// describes reads an interface description: link type (16), reserved (16), snapshot
// length (32), options. Option 9 is the resolution of times.
func describes(body []byte, order binary.ByteOrder) (i ngInterface, err error) {
	if len(body) < 8 {
		return i, errors.New("an interface description of a pcapng file has less than 8 bytes")
	}
	i = ngInterface{uint32(order.Uint16(body)), 1e6}
	for o := body[8:]; len(o) >= 4; {
		code, n := order.Uint16(o), int(order.Uint16(o[2:]))
		if o = o[4:]; code == 0 || n > len(o) {
			break
		}
		if code == 9 && n >= 1 {
			exponent := o[0] & 0x7F
			if o[0]&0x80 != 0 && exponent < 63 {
				i.units = 1 << exponent
			} else if o[0]&0x80 == 0 && exponent <= 18 {
				i.units = 1
				for range exponent {
					i.units *= 10
				}
			}
		}
		o = o[min(len(o), (n+3)&^3):]
	}
	return i, nil
}

// ngPacket reads a packet's block; ok is false for other blocks, and for those of
// interfaces that nothing describes.
func ngPacket(kind uint32, body []byte, order binary.ByteOrder, interfaces []ngInterface) (p packet, ok bool) {
	var index, captured, length, head int
	var when uint64
	switch {
	case kind == ngEnhanced && len(body) >= 20, kind == ngOldPacket && len(body) >= 20:
		// interface (32; in the old block 16, and drops 16), time (32, 32), captured (32), length (32)
		index = int(order.Uint32(body))
		if kind == ngOldPacket {
			index = int(order.Uint16(body))
		}
		when = uint64(order.Uint32(body[4:]))<<32 | uint64(order.Uint32(body[8:]))
		captured, length, head = int(order.Uint32(body[12:])), int(order.Uint32(body[16:])), 20
	case kind == ngSimple && len(body) >= 4:
		length, head = int(order.Uint32(body)), 4
		captured = min(length, len(body)-head)
	default:
		return p, false
	}
	if index >= len(interfaces) || captured < 0 || captured > len(body)-head {
		return p, false
	}
	i := interfaces[index]
	at := time.Unix(int64(when/i.units), int64(float64(when%i.units)/float64(i.units)*1e9))
	return packet{i.link, at, body[head : head+captured], captured < length}, true
}
