package capture

import (
	"encoding/binary"
	"net/netip"
)

// A segment is what TCP carries in one packet.
type segment struct {
	from, to netip.AddrPort
	seq      uint32
	flags    byte
	data     []byte
	missing  int // bytes that the packet had and the capture has not
}

const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// The link types, https://www.tcpdump.org/linktypes.html, that are read.
const (
	linkNull     = 0 // BSD loopback: the family in the byte order of that machine
	linkEthernet = 1
	linkRaw12    = 12
	linkRaw14    = 14
	linkRaw      = 101
	linkLoop     = 108 // OpenBSD loopback
	linkSLL      = 113 // Linux "cooked", as tcpdump -i any writes it
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

// knownLink reports whether strip knows the type.
func knownLink(link uint32) bool {
	switch link {
	case linkNull, linkEthernet, linkRaw12, linkRaw14, linkRaw, linkLoop, linkSLL, linkIPv4, linkIPv6, linkSLL2:
		return true
	}
	return false
}

// The EtherTypes that are followed.
const (
	etherVLAN = 0x8100
	etherQinQ = 0x88A8
)

// strip takes the link layer off; nil if what is below is too short.
func strip(link uint32, b []byte) []byte {
	head := 0
	switch link {
	case linkNull, linkLoop:
		head = 4 // the IP header says its version itself
	case linkEthernet:
		// destination (48), source (48), then type (16), perhaps behind tags (32 each)
		for head = 12; len(b) >= head+2; head += 4 {
			if t := binary.BigEndian.Uint16(b[head:]); t != etherVLAN && t != etherQinQ {
				break
			}
		}
		head += 2
	case linkSLL:
		head = 16
	case linkSLL2:
		head = 20
	}
	if len(b) < head {
		return nil
	}
	return b[head:]
}

// parseIP reads an IP packet that carries TCP; ok is false for any other. whole says
// that it is not a fragment.
func parseIP(b []byte) (s segment, ok, whole bool) {
	if len(b) < 1 {
		return s, false, true
	}
	var from, to netip.Addr
	var protocol byte
	var length int // of what the IP header announces, as it was sent
	switch b[0] >> 4 {
	case 4:
		// version (4), header length (4), …, total length (16), …, fragment (3, 13), …, protocol (8)
		if len(b) < 20 {
			return s, false, true
		}
		head := int(b[0]&0xF) * 4
		length = int(binary.BigEndian.Uint16(b[2:])) - head
		if binary.BigEndian.Uint16(b[2:]) == 0 { // as segmentation offload leaves it
			length = len(b) - head
		}
		if head < 20 || len(b) < head || length < 0 {
			return s, false, true
		}
		whole = binary.BigEndian.Uint16(b[6:])&0x3FFF == 0
		protocol = b[9]
		from, to = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		b = b[head:]
	case 6:
		// version (4), class (8), flow (20), payload length (16), next header (8), hop limit (8)
		if len(b) < 40 {
			return s, false, true
		}
		length, protocol, whole = int(binary.BigEndian.Uint16(b[4:])), b[6], true
		if length == 0 {
			length = len(b) - 40
		}
		from, to = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		b = b[40:]
		for protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60 { // extension headers
			if len(b) < 8 {
				return s, false, true
			}
			n := 8 + int(b[1])*8
			if protocol == 44 {
				n, whole = 8, binary.BigEndian.Uint16(b[2:])&0xFFF9 == 0
			}
			if len(b) < n || length < n {
				return s, false, true
			}
			protocol, b, length = b[0], b[n:], length-n
		}
	}
	const tcp = 6
	if protocol != tcp || !whole {
		return s, false, protocol != tcp || whole
	}
	s, ok = parseTCP(b, length)
	s.from, s.to = netip.AddrPortFrom(from, s.from.Port()), netip.AddrPortFrom(to, s.to.Port())
	return s, ok, true
}

// parseTCP reads a segment of so many bytes, of which b has all, fewer, or more, as
// Ethernet pads: ports (16, 16), sequence (32), acknowledgement (32), header length (4),
// flags, …
func parseTCP(b []byte, length int) (s segment, ok bool) {
	if len(b) < 20 {
		return s, false
	}
	head := int(b[12]>>4) * 4
	if head < 20 || head > length || head > len(b) {
		return s, false
	}
	s.from = netip.AddrPortFrom(netip.Addr{}, binary.BigEndian.Uint16(b))
	s.to = netip.AddrPortFrom(netip.Addr{}, binary.BigEndian.Uint16(b[2:]))
	s.seq, s.flags = binary.BigEndian.Uint32(b[4:]), b[13]
	s.data = b[head:min(len(b), length)]
	s.missing = length - head - len(s.data)
	return s, true
}
