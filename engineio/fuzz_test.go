package engineio

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzPacket: whatever a packet is, parsing it gives an error or a packet that
// means the same when it is sent again.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "2probe", "3", "4", "4hello €", "4\xff", "5", "6", "7", "b", "bAQIDBA==", "bAR==", "bAQ", "b\n", "4a\x1eb", "\"4"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kept := bytes.Clone(b)
		kind, m, err := parsePacket(b)
		if !bytes.Equal(b, kept) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if kind < typeOpen || kind > typeNoop {
			t.Fatalf("kind %q", kind)
		}
		if !m.Binary && !utf8.Valid(m.Data) {
			t.Fatalf("text %q", m.Data)
		}
		if len(m.Data) > len(b) {
			t.Fatalf("%d bytes from %d", len(m.Data), len(b))
		}
		again := packet{wire: append([]byte{kind}, m.Data...)}
		if m.Binary {
			again = messagePacket(m)
		}
		if wire := appendPayload(nil, []packet{again}); !bytes.Equal(wire, b) {
			t.Fatalf("%q came, and %q would go", b, wire)
		}
	})
}

// FuzzPayload: messages that are sent in one payload come out of it as they
// were, whatever they are; data says where one ends and what it is.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("hello\x00world\x01\x02\x03\x00"))
	f.Add([]byte{})
	f.Add([]byte{0, 0, 1, 1, 0x1e, 0, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []Message
		var packets []packet
		for i, part := range bytes.Split(data, []byte{0}) {
			m := Message{i%2 == 1, part}
			if !m.Binary && (!utf8.Valid(part) || bytes.IndexByte(part, separator) >= 0) {
				m.Binary = true // what Send refuses
			}
			want = append(want, m)
			packets = append(packets, messagePacket(m))
		}
		body := appendPayload(nil, packets)
		if len(body) != payloadSize(packets) {
			t.Fatalf("%d bytes, announced as %d", len(body), payloadSize(packets))
		}
		for b := range bytes.SplitSeq(body, []byte{separator}) {
			kind, m, err := parsePacket(b)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) == 0 || kind != typeMessage || m.Binary != want[0].Binary || !bytes.Equal(m.Data, want[0].Data) {
				t.Fatalf("got %c %v, want %v", kind, m, want)
			}
			want = want[1:]
		}
		if len(want) > 0 {
			t.Fatalf("%d messages are missing", len(want))
		}
	})
}
