package capture

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The ends of an exported connection, from the addresses that are kept for
// documentation (RFC 5737). Port 80 lets Wireshark look for HTTP by itself.
var (
	exportClient = netip.MustParseAddrPort("192.0.2.1:49152")
	exportServer = netip.MustParseAddrPort("192.0.2.2:80")
)

// exportSegment is the most that one exported packet carries, in bytes.
const exportSegment = 1460

// AppendPcap appends pieces as a pcap file, with a TCP connection around them that opens
// and closes as one does, in packets of raw IPv4. start is when the first was.
func AppendPcap(dst []byte, pieces []Piece, start time.Time) []byte {
	le := binary.LittleEndian
	// magic (32), version 2.4 (16, 16), reserved (32, 32), snapshot length (32), link type (32)
	dst = le.AppendUint32(dst, 0xA1B2C3D4)
	dst = le.AppendUint16(dst, 2)
	dst = le.AppendUint16(dst, 4)
	dst = append(dst, make([]byte, 8)...)
	dst = le.AppendUint32(dst, 0xFFFF)
	dst = le.AppendUint32(dst, linkIPv4)

	seq := [2]uint32{1000, 2000} // of what the client sends next, and the server
	packet := func(server int, flags byte, data []byte, at time.Duration) {
		t := start.Add(at)
		p := exportPacket(server == 1, seq[server], seq[1-server], flags, data)
		dst = le.AppendUint32(dst, uint32(t.Unix()))
		dst = le.AppendUint32(dst, uint32(t.Nanosecond()/1000))
		dst = le.AppendUint32(dst, uint32(len(p)))
		dst = le.AppendUint32(dst, uint32(len(p)))
		dst = append(dst, p...)
		seq[server] += uint32(len(data))
		if flags&(flagSYN|flagFIN) != 0 {
			seq[server]++
		}
	}
	packet(0, flagSYN, nil, 0)
	packet(1, flagSYN|flagACK, nil, 0)
	packet(0, flagACK, nil, 0)
	var last time.Duration
	for _, p := range pieces {
		server := 1
		if p.FromClient {
			server = 0
		}
		last = max(last, p.At)
		for data := p.Data; len(data) > 0; {
			n := min(len(data), exportSegment)
			packet(server, flagACK|0x08, data[:n], last) // PSH
			data = data[n:]
		}
	}
	packet(1, flagFIN|flagACK, nil, last)
	packet(0, flagFIN|flagACK, nil, last)
	packet(1, flagACK, nil, last)
	return dst
}

// exportPacket is an IPv4 packet with a TCP segment (RFC 791 §3.1, RFC 9293 §3.1).
func exportPacket(fromServer bool, seq, ack uint32, flags byte, data []byte) []byte {
	from, to := exportClient, exportServer
	if fromServer {
		from, to = to, from
	}
	if flags == flagSYN {
		ack = 0
	}
	be := binary.BigEndian
	p := make([]byte, 40, 40+len(data))
	p[0] = 0x45 // version 4, header of 5 words
	be.PutUint16(p[2:], uint16(40+len(data)))
	p[6] = 0x40 // do not fragment
	p[8], p[9] = 64, 6
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	be.PutUint16(p[10:], checksum(0, p[:20]))
	be.PutUint16(p[20:], from.Port())
	be.PutUint16(p[22:], to.Port())
	be.PutUint32(p[24:], seq)
	be.PutUint32(p[28:], ack)
	p[32], p[33] = 5<<4, flags
	be.PutUint16(p[34:], 0xFFFF)
	p = append(p, data...)
	pseudo := uint32(6) + uint32(20+len(data))
	for i := 12; i < 20; i += 2 {
		pseudo += uint32(be.Uint16(p[i:]))
	}
	be.PutUint16(p[36:], checksum(pseudo, p[20:]))
	return p
}

// checksum is that of RFC 1071, of b and what sum already has.
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xFFFF + sum>>16
	}
	return ^uint16(sum)
}
