package inflate

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"framewright/ws"
)

// receive inflates a message as a connection does: behind one that came to context, with
// a window of 2^bits bytes.
func receive(context, payload []byte, bits int) (content []byte, err error) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 64 << 20, Fragments: -1, InflateRate: -1, EmptyRate: -1})
	defer r.Release()
	r.AllowDeflate(ws.DeflateParams{ServerBits: bits})
	for _, p := range [][]byte{storedMessage(context), payload} {
		content = nil
		frame := ws.AppendFrame(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary}, p)
		for len(frame) > 0 {
			ev, n, err := r.Next(frame)
			if err != nil {
				return nil, err
			}
			frame = frame[n:]
			if content, err = inflateAll(&r, content, ev); err != nil {
				return content, err
			}
		}
	}
	return content, nil
}

func inflateAll(r *ws.Receiver, content []byte, ev ws.Event) ([]byte, error) {
	room := make([]byte, 4096)
	for src, more := ev.Payload, false; len(src) > 0 || more; {
		n, used, err := r.Inflate(room, src)
		content = append(content, room[:n]...)
		if err != nil {
			return content, err
		}
		src, more = src[used:], n == len(room)
	}
	for ev.Fin {
		n, done, err := r.InflateEnd(room, 0)
		content = append(content, room[:n]...)
		if err != nil || done {
			return content, err
		}
	}
	return content, nil
}

// storedMessage is a message that comes to p, at most 65535 bytes, without codes.
func storedMessage(p []byte) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{0}, uint16(len(p)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(p)))
	return append(append(b, p...), 0)
}

// FuzzExplain: a connection's inflater comes to the same bytes and refuses the same
// messages, and compress/flate does where it reads what RFC 7692 says; and what is listed
// covers every bit, and comes to the content.
func FuzzExplain(f *testing.F) {
	for _, text := range []string{"", "Hello", strings.Repeat("never say never, ", 50), "\x00\xff\x80" + strings.Repeat("z", 700)} {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.BestCompression} {
			f.Add([]byte("say what you will"), deflated(text, level), uint8(level))
		}
	}
	f.Add([]byte{}, unhex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"), uint8(15)) // two blocks, of RFC 7692 §7.2.3.5
	f.Add([]byte{}, unhex("31"), uint8(0))                                      // BFINAL, in the block that the tail ends
	f.Add([]byte{}, unhex("01 0100 feff 61 01 0100 feff 62"), uint8(15))
	f.Add([]byte{}, unhex("07"), uint8(8))
	for _, lengths := range dynamicLengths {
		f.Add([]byte{}, dynamicBlock(lengths.literals, lengths.distances, lengths.data), uint8(15))
	}
	f.Fuzz(func(t *testing.T, context, payload []byte, bits uint8) {
		if len(payload) > 4000 || len(context) > 1<<15 {
			return
		}
		bits = 8 + bits%8
		m, err := Explain(payload, Options{Context: context, Bits: int(bits), MaxContent: 64 << 20, MaxTokens: 1 << 30, MaxBlocks: 1 << 30})
		if m.Stop != "" {
			t.Fatalf("stopped: %s", m.Stop)
		}
		checkCover(t, m, payload, err)

		got, wsErr := receive(context, payload, int(bits))
		if pe, ok := errors.AsType[*ws.ProtocolError](wsErr); ok && pe.Rule == ws.RuleEmptyBlocks {
			return // a limit of ours
		}
		if (err == nil) != (wsErr == nil) || !bytes.Equal(m.Content, got) && err == nil {
			t.Fatalf("%d bytes, %v; a connection: %d, %v", len(m.Content), err, len(got), wsErr)
		}
		againstFlate(t, m, err, context, payload, int(bits))

		half, err := Explain(payload[:len(payload)/2], Options{Context: context, Bits: int(bits), Partial: true, MaxContent: 64 << 20})
		if err == nil && !bytes.HasPrefix(m.Content, half.Content) {
			t.Fatalf("half of the payload comes to something else")
		}
		few, _ := Explain(payload, Options{Context: context, Bits: int(bits), MaxContent: 100, MaxTokens: 3, MaxBlocks: 2})
		if len(few.Content) > 100 || len(few.Blocks) > 2 || !bytes.HasPrefix(m.Content, few.Content) {
			t.Fatalf("%d bytes and %d blocks, beyond the bounds", len(few.Content), len(few.Blocks))
		}
	})
}

// checkCover wants blocks to follow each other, and tokens to in each, from the first bit
// to the last, and from the first byte of content to the last.
func checkCover(t *testing.T, m *Message, payload []byte, err error) {
	t.Helper()
	at, content := 0, make([]byte, 0, len(m.Content))
	for i, b := range m.Blocks {
		if b.Bit != at || b.At != len(content) {
			t.Fatalf("block %d begins at bit %d and byte %d, want %d and %d", i, b.Bit, b.At, at, len(content))
		}
		bit := b.Bit + b.Head
		for j, k := range b.Tokens {
			if k.Bit != bit || k.At != len(content) {
				t.Fatalf("token %d of block %d stands at bit %d and byte %d, want %d and %d", j, i, k.Bit, k.At, bit, len(content))
			}
			if k.Kind == Match && k.Distance <= k.At {
				for range k.Length {
					content = append(content, content[len(content)-k.Distance])
				}
			} else {
				content = append(content, m.Content[k.At:k.At+k.Length]...)
			}
			if len(Code(payload, k.Bit, k.Bits())) != k.Bits() {
				t.Fatalf("the code of token %d", j)
			}
			bit += k.Bits()
		}
		at = b.Bit + b.Bits
		if err == nil && (bit > at || at-bit > 7) {
			t.Fatalf("block %d has bits up to %d, its tokens up to %d", i, at, bit)
		}
	}
	if !bytes.Equal(content, m.Content) {
		t.Fatalf("the tokens come to %q, want %q", content, m.Content)
	}
	if err == nil && at < 8*len(payload) {
		t.Fatalf("%d bits of %d are in blocks", at, 8*len(payload))
	}
}

// againstFlate holds a message against compress/flate, which does not go on behind BFINAL,
// and takes two sets of codes that RFC 1951 does not have.
func againstFlate(t *testing.T, m *Message, err error, context, payload []byte, bits int) {
	t.Helper()
	for _, b := range m.Blocks {
		if b.Final {
			return
		}
	}
	read := func(end string) ([]byte, error) {
		stream := append(append(bytes.Clone(payload), tail...), end...)
		return io.ReadAll(flate.NewReaderDict(bytes.NewReader(stream), context))
	}
	bad, _ := errors.AsType[*Error](err)
	switch {
	case len(payload) == 0:
	case bad == nil:
		if got, err := read("\x01\x00\x00\xff\xff"); err != nil || !bytes.Equal(got, m.Content) {
			t.Fatalf("%d bytes; compress/flate: %d, %v", len(m.Content), len(got), err)
		}
	case strings.Contains(bad.What, "the end of the block") || strings.Contains(bad.What, "codes for code lengths"):
	case bad.Section == "RFC 7692 §7.1.2" && (bits < 15 || len(context) > 0): // its windows are as large as they are
	default:
		if _, err := read(""); err == nil {
			t.Fatalf("%v; compress/flate takes it", bad)
		}
	}
}
