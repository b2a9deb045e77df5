package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dialogue is some bytes each way, the last longer than a packet.
var dialogue = []Piece{
	{FromClient: true, Data: []byte("GET / HTTP/1.1\r\n\r\n")},
	{At: 2 * time.Millisecond, Data: []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")},
	{FromClient: true, At: 3 * time.Millisecond, Data: []byte{0x81, 0x80, 1, 2, 3, 4}},
	{At: 4 * time.Millisecond, Data: bytes.Repeat([]byte("x"), 4000)},
}

// a packet that the test files are made of, with the link layer in front.
type testPacket struct {
	at   time.Time
	data []byte // from the IP header on
}

// packets takes a pcap of ours apart.
func packets(t *testing.T, pcap []byte) (all []testPacket) {
	t.Helper()
	for b := pcap[24:]; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[8:])
		at := time.Unix(int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))*1000)
		all = append(all, testPacket{at, b[16 : 16+n]})
		b = b[16+n:]
	}
	return all
}

// join is what went each way.
func join(s *Stream) (client, server string) {
	for _, p := range s.Pieces {
		if p.FromClient {
			client += string(p.Data)
		} else {
			server += string(p.Data)
		}
	}
	return client, server
}

func writePcap(order binary.ByteOrder, magic, link uint32, unit time.Duration, frame func([]byte) []byte, all []testPacket) []byte {
	b := make([]byte, 24)
	order.PutUint32(b, magic)
	order.PutUint32(b[20:], link)
	for _, p := range all {
		data, head := frame(p.data), make([]byte, 16)
		order.PutUint32(head, uint32(p.at.Unix()))
		order.PutUint32(head[4:], uint32(p.at.Nanosecond()/int(unit)))
		order.PutUint32(head[8:], uint32(len(data)))
		order.PutUint32(head[12:], uint32(len(data)))
		b = append(append(b, head...), data...)
	}
	return b
}

func writeNG(order binary.ByteOrder, link uint32, kind uint32, frame func([]byte) []byte, all []testPacket) (b []byte) {
	block := func(kind uint32, body []byte) {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		var head [8]byte
		order.PutUint32(head[:], kind)
		order.PutUint32(head[4:], uint32(len(body)+12))
		b = append(append(append(b, head[:]...), body...), head[4:]...)
	}
	section := make([]byte, 16)
	order.PutUint32(section, 0x1A2B3C4D)
	block(ngSection, section)
	desc := make([]byte, 16)
	order.PutUint16(desc, uint16(link))
	order.PutUint16(desc[8:], 9)
	order.PutUint16(desc[10:], 1)
	desc[12] = 9 // nanoseconds
	block(ngDescribes, desc)
	block(0x0BAD, []byte("nobody knows this block"))
	for _, p := range all {
		data := frame(p.data)
		head := make([]byte, 20)
		if kind == ngSimple {
			head = head[:4]
			order.PutUint32(head, uint32(len(data)))
		} else {
			ns := uint64(p.at.UnixNano())
			order.PutUint32(head[4:], uint32(ns>>32))
			order.PutUint32(head[8:], uint32(ns))
			order.PutUint32(head[12:], uint32(len(data)))
			order.PutUint32(head[16:], uint32(len(data)))
		}
		block(kind, append(head, data...))
	}
	return b
}

func prefixed(head ...byte) func([]byte) []byte {
	return func(b []byte) []byte { return append(bytes.Clone(head), b...) }
}

// asIPv6 gives a packet an IPv6 header, with a destination options header behind it.
func asIPv6(b []byte) []byte {
	head := make([]byte, 48)
	head[0], head[6] = 0x60, 60
	binary.BigEndian.PutUint16(head[4:], uint16(len(b)-20+8))
	copy(head[8+12:], b[12:16])
	copy(head[24+12:], b[16:20])
	head[40] = 6
	return append(head, b[20:]...)
}

// TestPcapForms writes one conversation in every form that is read.
func TestPcapForms(t *testing.T) {
	start := time.Unix(1700000000, 123456000)
	all := packets(t, AppendPcap(nil, dialogue, start))
	wantClient, wantServer := join(&Stream{Pieces: dialogue})
	mac := make([]byte, 12)
	le, be := binary.LittleEndian, binary.BigEndian
	same := prefixed()
	padded := func(b []byte) []byte {
		return append(append(bytes.Clone(mac), append([]byte{8, 0}, b...)...), 0, 0, 0, 0, 0, 0)
	}
	for name, b := range map[string][]byte{
		"ours":                  AppendPcap(nil, dialogue, start),
		"raw, big endian, nano": writePcap(be, 0xA1B23C4D, linkRaw, 1, same, all),
		"Ethernet, padded":      writePcap(le, 0xA1B2C3D4, linkEthernet, time.Microsecond, padded, all),
		"Ethernet, two VLANs":   writePcap(le, 0xA1B2C3D4, linkEthernet, time.Microsecond, prefixed(append(bytes.Clone(mac), 0x88, 0xA8, 0, 1, 0x81, 0, 0, 2, 8, 0)...), all),
		"loopback of BSD":       writePcap(le, 0xA1B2C3D4, linkNull, time.Microsecond, prefixed(2, 0, 0, 0), all),
		"cooked":                writePcap(le, 0xA1B2C3D4, linkSLL, time.Microsecond, prefixed(make([]byte, 16)...), all),
		"cooked 2":              writePcap(le, 0xA1B2C3D4, linkSLL2, time.Microsecond, prefixed(make([]byte, 20)...), all),
		"IPv6":                  writePcap(le, 0xA1B2C3D4, linkIPv6, time.Microsecond, asIPv6, all),
		"pcapng":                writeNG(le, linkIPv4, ngEnhanced, same, all),
		"pcapng, big endian":    writeNG(be, linkEthernet, ngEnhanced, prefixed(append(bytes.Clone(mac), 8, 0)...), all),
		"pcapng, simple":        writeNG(le, linkIPv4, ngSimple, same, all),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(b, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Streams) != 1 || len(c.Notes) > 0 || len(c.Streams[0].Notes) > 0 {
				t.Fatalf("%d streams, notes %q", len(c.Streams), c.Notes)
			}
			s := c.Streams[0]
			client, server := join(s)
			if client != wantClient || server != wantServer {
				t.Errorf("client %q, server %q", client, server)
			}
			if at := s.Pieces[2].At; name != "pcapng, simple" && at != 3*time.Millisecond {
				t.Errorf("the third piece was at %v, want 3ms", at)
			}
		})
	}
}

// TestReassembly shuffles, doubles, overlaps and loses segments.
func TestReassembly(t *testing.T) {
	all := packets(t, AppendPcap(nil, dialogue, time.Unix(1, 0)))
	write := func(order ...int) []byte {
		var some []testPacket
		for _, i := range order {
			some = append(some, all[i])
		}
		return writePcap(binary.LittleEndian, 0xA1B2C3D4, linkRaw, time.Microsecond, prefixed(), some)
	}
	// 0-2 opening, 3 request, 4 answer, 5 frame, 6-8 the long piece, 9-11 closing
	wantClient, wantServer := join(&Stream{Pieces: dialogue})
	for _, order := range [][]int{
		{0, 1, 2, 3, 4, 5, 8, 7, 6, 9, 10, 11},
		{0, 1, 2, 5, 3, 3, 4, 8, 4, 6, 6, 7, 8, 7},
		{3, 4, 5, 6, 7, 8},
		{4, 3, 5, 6, 7, 8}, // the answer first: the client is who has the higher port
	} {
		c, err := Parse(write(order...), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		client, server := join(c.Streams[0])
		if client != wantClient || server != wantServer || len(c.Streams[0].Notes) > 0 {
			t.Errorf("%v: client %q, server of %d bytes, notes %q", order, client, len(server), c.Streams[0].Notes)
		}
	}
	c, err := Parse(write(0, 1, 2, 3, 4, 5, 6, 8), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1460 bytes of the server are missing in the capture, and what follows them is not read"}; !cmp.Equal(want, c.Streams[0].Notes) {
		t.Error(cmp.Diff(want, c.Streams[0].Notes))
	}
}

// TestReassemblyOverlap has a segment that begins within the one before, as a peer sends
// that has put two together.
func TestReassemblyOverlap(t *testing.T) {
	all := packets(t, AppendPcap(nil, dialogue[:2], time.Unix(1, 0)))
	seq := uint32(2001 + len(dialogue[1].Data))
	for i, data := range []string{"abcdef", "defghi", "ab"} {
		all = append(all, testPacket{time.Unix(2, 0), exportPacket(true, seq+[]uint32{0, 3, 0}[i], 1, flagACK, []byte(data))})
	}
	c, err := Parse(writePcap(binary.LittleEndian, 0xA1B2C3D4, linkRaw, time.Microsecond, prefixed(), all), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, server := join(c.Streams[0]); server != string(dialogue[1].Data)+"abcdefghi" {
		t.Errorf("server %q", server)
	}
}

func TestReassemblyIsBounded(t *testing.T) {
	all := packets(t, AppendPcap(nil, []Piece{{FromClient: true, Data: make([]byte, 1<<20)}}, time.Unix(1, 0)))
	b := writePcap(binary.LittleEndian, 0xA1B2C3D4, linkRaw, time.Microsecond, prefixed(), append(all[:3:3], all[4:]...))
	c, err := Parse(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Streams[0]; s.size != 0 || len(s.Notes) != 1 {
		t.Errorf("%d bytes, notes %q", s.size, s.Notes)
	}
}

func TestLimits(t *testing.T) {
	if _, err := Parse(make([]byte, 11), Limits{Input: 10}); err == nil || !strings.Contains(err.Error(), "the limit is 10") {
		t.Errorf("input: %v", err)
	}
	var all []testPacket
	for i := range 5 {
		for _, p := range packets(t, AppendPcap(nil, dialogue, time.Unix(1, 0))) {
			p.data[21-1] = byte(i) + 1 // the client's port, or the server's, is another
			all = append(all, p)
		}
	}
	b := writePcap(binary.LittleEndian, 0xA1B2C3D4, linkRaw, time.Microsecond, prefixed(), all)
	c, err := Parse(b, Limits{Streams: 2, Bytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Streams) != 2 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "first 2 connections") {
		t.Errorf("%d streams, notes %q", len(c.Streams), c.Notes)
	}
	if s := c.Streams[0]; s.size > 100 {
		t.Errorf("%d bytes of a connection, notes %q", s.size, s.Notes)
	}
}

func TestHAR(t *testing.T) {
	const entry = `{"log":{"entries":[{"request":{"url":"http://a/"}},{"request":{"url":"ws://a/ws"},"_webSocketMessages":[
		{"type":"send","time":10,"opcode":1,"data":"hé"},
		{"type":"receive","time":10.5,"opcode":2,"data":"AQID"}%s]}]}}`
	c, err := Parse([]byte(fmt.Sprintf(entry, "")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Piece{
		{FromClient: true, Data: []byte("\x81\x83\x00\x00\x00\x00hé")},
		{At: 500 * time.Millisecond, Data: []byte{0x82, 3, 1, 2, 3}},
	}
	if diff := cmp.Diff(want, c.Streams[0].Pieces); diff != "" || c.Streams[0].Rebuilt == "" || c.Streams[0].Name != "ws://a/ws" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for more, note := range map[string]string{
		`,{"type":"send","opcode":2,"data":"?"}`:   "base64",
		`,{"type":"send","opcode":77,"data":""}`:   "opcode 77",
		`,{"type":"error","opcode":-1,"data":"x"}`: `"error"`,
	} {
		c, err := Parse([]byte(fmt.Sprintf(entry, more)), Limits{})
		if err != nil || len(c.Streams[0].Notes) != 1 || !strings.Contains(c.Streams[0].Notes[0], note) || len(c.Streams[0].Pieces) != 2 {
			t.Errorf("%s: %v, notes %q", more, err, c.Streams[0].Notes)
		}
	}
}

const netConstants = `{"constants":{"logEventTypes":{"SOCKET_BYTES_SENT":1,"SOCKET_BYTES_RECEIVED":2,"SSL_SOCKET_BYTES_SENT":3,"WEBSOCKET_SENT_FRAME_HEADER":4,"WEBSOCKET_RECV_FRAME_HEADER":5,"URL_REQUEST_START_JOB":6,"HTTP_TRANSACTION_READ_RESPONSE_HEADERS":7}},"events":[`

func TestNetLogBytes(t *testing.T) {
	// "GET / HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n", then a frame
	log := netConstants + `
		{"type":1,"time":"100","source":{"id":7},"params":{"byte_count":1,"bytes":"R0VUIC8gSFRUUC8xLjENClNlYy1XZWJTb2NrZXQtS2V5OiB4DQoNCg=="}},
		{"type":1,"time":"100","source":{"id":8},"params":{"byte_count":1,"bytes":"R0VUIC8gSFRUUC8xLjENCg0K"}},
		{"type":2,"time":"105","source":{"id":7},"params":{"byte_count":2,"bytes":"iQA="}}`
	for name, end := range map[string]string{"whole": "]}", "cut": `,{"type":2,"time":"10`, "cut at a comma": ","} {
		c, err := Parse([]byte(log+end), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(c.Streams) != 1 || c.Streams[0].Rebuilt != "" {
			t.Fatalf("%s: %d streams", name, len(c.Streams))
		}
		p := c.Streams[0].Pieces
		if len(p) != 2 || !p[0].FromClient || !cmp.Equal(p[1], Piece{At: 5 * time.Millisecond, Data: []byte{0x89, 0}}) {
			t.Errorf("%s: %+v", name, p)
		}
		if (name != "whole") != (len(c.Notes) == 1) {
			t.Errorf("%s: notes %q", name, c.Notes)
		}
	}
}

func TestNetLogHeaders(t *testing.T) {
	c, err := Parse([]byte(netConstants+`
		{"type":6,"time":"100","source":{"id":7},"params":{"url":"ws://a/ws"}},
		{"type":7,"time":"100","source":{"id":7},"params":{"headers":["HTTP/1.1 101 Switching Protocols","sec-websocket-extensions: permessage-deflate"]}},
		{"type":4,"time":"101","source":{"id":7},"params":{"final":true,"reserved1":true,"opcode":1,"masked":true,"payload_length":5}},
		{"type":5,"time":"102","source":{"id":7},"params":{"final":true,"opcode":10,"masked":false,"payload_length":0}}]}`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Piece{
		{FromClient: true, At: time.Millisecond, Data: []byte{0xC1, 0x85, 0, 0, 0, 0}, HeaderOnly: true},
		{At: 2 * time.Millisecond, Data: []byte{0x8A, 0}, HeaderOnly: true},
	}
	if diff := cmp.Diff(want, c.Streams[0].Pieces); diff != "" || c.Streams[0].Rebuilt == "" || c.Streams[0].Name != "ws://a/ws" || c.Streams[0].Extensions != "permessage-deflate" {
		t.Errorf("(-want +got)\n%s\n%+v", diff, c.Streams[0])
	}
}

func TestParseErrors(t *testing.T) {
	le := binary.LittleEndian
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":            {" \r\n ", "there is nothing to read"},
		"gzip":               {"\x1f\x8b\x08", "unpack it"},
		"other JSON":         {`{"a":1}`, "neither"},
		"broken JSON":        {`{"a":`, "begins as JSON"},
		"HAR without any":    {`{"log":{"entries":[{}]}}`, "no WebSocket among the 1 requests"},
		"HAR cut":            {`{"log":{"entries":[{}`, "begins as JSON"},
		"NetLog without any": {netConstants + "]}", "no WebSocket in the 0 events"},
		"events first":       {`{"events":[]}`, "before"},
		"no names":           {`{"constants":{},"events":[]}`, "logEventTypes"},
		"pcap cut":           {"\xd4\xc3\xb2\xa1", "ends inside its header"},
		"pcap without TCP":   {string(writePcap(le, 0xA1B2C3D4, linkRaw, 1, prefixed(), []testPacket{{data: []byte{0x45}}})), "no TCP connection with data in 1 packets"},
		"unknown link":       {string(writePcap(le, 0xA1B2C3D4, 147, 1, prefixed(), []testPacket{{data: []byte{0x45}}})), "link type 147"},
		"pcapng size":        {"\x0a\x0d\x0d\x0a\x00\x00\x00\x00\x4d\x3c\x2b\x1a", "has 0 bytes"},
		"pcapng order":       {"\x0a\x0d\x0d\x0a\x0c\x00\x00\x00\x00\x00\x00\x00", "byte-order mark"},
	} {
		if _, err := Parse([]byte(tc.in), Limits{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, tc.want)
		}
	}
}
