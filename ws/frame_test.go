package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// frameHeaders are headers and their one wire form.
var frameHeaders = []struct {
	name string
	wire string
	h    ws.Header
}{
	{"text", "81 05", ws.Header{Fin: true, Opcode: ws.OpText, Length: 5}},
	{"masked text", "81 85 | 37fa213d", ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key, Length: 5}},
	{"first fragment", "01 03", ws.Header{Opcode: ws.OpText, Length: 3}},
	{"last fragment", "80 02", ws.Header{Fin: true, Opcode: ws.OpContinuation, Length: 2}},
	{"fragment in the middle", "00 02", ws.Header{Opcode: ws.OpContinuation, Length: 2}},
	{"ping", "89 05", ws.Header{Fin: true, Opcode: ws.OpPing, Length: 5}},
	{"masked pong", "8a 85 | 37fa213d", ws.Header{Fin: true, Opcode: ws.OpPong, Masked: true, Key: wstest.Key, Length: 5}},
	{"close", "88 02", ws.Header{Fin: true, Opcode: ws.OpClose, Length: 2}},

	{"no payload", "82 00", ws.Header{Fin: true, Opcode: ws.OpBinary}},
	{"no payload, masked", "82 80 | 00000000", ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true}},
	{"longest 7-bit length", "82 7d", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 125}},
	{"shortest 16-bit length", "82 7e | 007e", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 126}},
	{"127, which is no escape here", "82 7e | 007f", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 127}},
	{"256 bytes", "82 7e | 0100", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 256}},
	{"256 bytes, masked", "82 fe | 0100 | 01020304", ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true, Key: [4]byte{1, 2, 3, 4}, Length: 256}},
	{"longest 16-bit length", "82 7e | ffff", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 65535}},
	{"shortest 64-bit length", "82 7f | 0000000000010000", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: 65536}},
	{"longest length", "82 7f | 7fffffffffffffff", ws.Header{Fin: true, Opcode: ws.OpBinary, Length: math.MaxInt64}},
	{"longest header", "82 ff | 7fffffffffffffff | ffffffff", ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true, Key: [4]byte{255, 255, 255, 255}, Length: math.MaxInt64}},

	{"RSV1", "c1 00", ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpText}},
	{"RSV2", "a1 00", ws.Header{Fin: true, RSV: ws.RSV2, Opcode: ws.OpText}},
	{"RSV3", "91 00", ws.Header{Fin: true, RSV: ws.RSV3, Opcode: ws.OpText}},
	{"RSV1 to RSV3", "71 00", ws.Header{RSV: ws.RSV1 | ws.RSV2 | ws.RSV3, Opcode: ws.OpText}},
	{"reserved opcode", "8f 00", ws.Header{Fin: true, Opcode: 0xF}},
	{"long fragmented ping, which Receiver judges", "09 7e | 0100", ws.Header{Opcode: ws.OpPing, Length: 256}},
}

func TestParseHeader(t *testing.T) {
	for _, tt := range frameHeaders {
		t.Run(tt.name, func(t *testing.T) {
			wire := wstest.MustHex(tt.wire)
			first := tt.h // what the first two bytes say
			first.Key = [4]byte{}
			extended := wire[1]&0x7F > 125 // then Length says nothing yet
			if extended {
				first.Length = 0
			}
			for k := range wire {
				want := ws.Header{}
				if k >= 2 {
					want = first
				}
				h, n, err := ws.ParseHeader(wire[:k])
				if n != 0 || err != nil {
					t.Fatalf("%d of %d bytes: n = %d, err = %v, want to be asked for more", k, len(wire), n, err)
				}
				if extended {
					h.Length = 0
				}
				if diff := cmp.Diff(want, h); diff != "" {
					t.Fatalf("%d of %d bytes (-want +got):\n%s", k, len(wire), diff)
				}
			}
			for _, behind := range []string{"", "00", "ff*20"} {
				h, n, err := ws.ParseHeader(append(bytes.Clone(wire), wstest.MustHex(behind)...))
				if n != len(wire) || err != nil {
					t.Fatalf("with %q behind: n = %d, err = %v, want %d", behind, n, err, len(wire))
				}
				if diff := cmp.Diff(tt.h, h); diff != "" {
					t.Fatalf("with %q behind (-want +got):\n%s", behind, diff)
				}
			}
		})
	}
}

func TestAppendHeader(t *testing.T) {
	for _, tt := range frameHeaders {
		t.Run(tt.name, func(t *testing.T) {
			want := wstest.MustHex(tt.wire)
			if got := ws.AppendHeader(nil, tt.h); !bytes.Equal(got, want) {
				t.Errorf("got % x, want % x", got, want)
			}
			if got := ws.AppendHeader([]byte("before"), tt.h); !bytes.Equal(got, append([]byte("before"), want...)) {
				t.Errorf("behind other bytes: got % x, want % x", got, want)
			}
			if len(want) > ws.MaxHeaderSize {
				t.Errorf("%d bytes, MaxHeaderSize is %d", len(want), ws.MaxHeaderSize)
			}
		})
	}
}

// A header that is built wrongly still has the form of one.
func TestAppendHeaderOfNonsense(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    ws.Header
		want string
	}{
		{"negative length", ws.Header{Opcode: ws.OpText, Length: -1}, "01 00"},
		{"RSV beyond its three bits", ws.Header{RSV: 0xFF, Opcode: ws.OpText}, "71 00"},
		{"opcode beyond its four bits", ws.Header{Opcode: 0xF1}, "01 00"},
		{"key without mask", ws.Header{Opcode: ws.OpText, Key: wstest.Key}, "01 00"},
	} {
		if got := ws.AppendHeader(nil, tt.h); !bytes.Equal(got, wstest.MustHex(tt.want)) {
			t.Errorf("%s: got % x, want %s", tt.name, got, tt.want)
		}
	}
}

// Each wire is as long as it takes to know: with a byte less, ParseHeader
// must ask for more.
func TestParseHeaderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire string
		rule ws.RuleID
		text string
	}{
		{"16 bits for 0", "82 7e | 0000", ws.RuleMinimalLength, "ws: length 0 takes 16 bits, but fits 7 (§5.2)"},
		{"16 bits for 125", "82 7e | 007d", ws.RuleMinimalLength, "ws: length 125 takes 16 bits, but fits 7 (§5.2)"},
		{"16 bits for 125, masked: without waiting for the key", "82 fe | 007d", ws.RuleMinimalLength, "ws: length 125 takes 16 bits, but fits 7 (§5.2)"},
		{"64 bits for 0", "82 7f | 0000000000000000", ws.RuleMinimalLength, "ws: length 0 takes 64 bits, but fits 7 (§5.2)"},
		{"64 bits for 125", "82 7f | 000000000000007d", ws.RuleMinimalLength, "ws: length 125 takes 64 bits, but fits 7 (§5.2)"},
		{"64 bits for 126", "82 7f | 000000000000007e", ws.RuleMinimalLength, "ws: length 126 takes 64 bits, but fits 16 (§5.2)"},
		{"64 bits for 65535", "82 7f | 000000000000ffff", ws.RuleMinimalLength, "ws: length 65535 takes 64 bits, but fits 16 (§5.2)"},
		{"64 bits for 65535, masked: without waiting for the key", "82 ff | 000000000000ffff", ws.RuleMinimalLength, "ws: length 65535 takes 64 bits, but fits 16 (§5.2)"},
		{"top bit set", "82 7f | 8000000000000000", ws.RuleLengthTopBit, "ws: 64-bit length with the top bit set (§5.2)"},
		{"all bits set", "82 ff | ffffffffffffffff", ws.RuleLengthTopBit, "ws: 64-bit length with the top bit set (§5.2)"},
		{"top bit set on a short length", "82 7f | 8000000000000001", ws.RuleLengthTopBit, "ws: 64-bit length with the top bit set (§5.2)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := wstest.MustHex(tt.wire)
			for k := range wire {
				if _, n, err := ws.ParseHeader(wire[:k]); n != 0 || err != nil {
					t.Fatalf("%d of %d bytes: n = %d, err = %v, want to be asked for more", k, len(wire), n, err)
				}
			}
			for _, behind := range []string{"", "00*20"} {
				_, _, err := ws.ParseHeader(append(bytes.Clone(wire), wstest.MustHex(behind)...))
				pe, ok := errors.AsType[*ws.ProtocolError](err)
				if !ok || pe.Rule != tt.rule || pe.Code != ws.CodeProtocolError {
					t.Fatalf("with %q behind: got %#v, want rule %s with 1002", behind, err, tt.rule)
				}
				if err.Error() != tt.text {
					t.Errorf("got  %s\nwant %s", err, tt.text)
				}
			}
		})
	}
}

// rfcFrames are the examples of RFC 6455 §5.7, in its order. The last two are
// given there by their headers.
var rfcFrames = []struct {
	name    string
	wire    string
	h       ws.Header // Length aside
	payload string
}{
	{"single-frame unmasked text", "81 05 | 48 65 6c 6c 6f", ws.Header{Fin: true, Opcode: ws.OpText}, "'Hello'"},
	{"single-frame masked text", "81 85 | 37 fa 21 3d | 7f 9f 4d 51 58", ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key}, "'Hello'"},
	{"fragmented unmasked text, first", "01 03 | 48 65 6c", ws.Header{Opcode: ws.OpText}, "'Hel'"},
	{"fragmented unmasked text, last", "80 02 | 6c 6f", ws.Header{Fin: true, Opcode: ws.OpContinuation}, "'lo'"},
	{"unmasked ping", "89 05 | 48 65 6c 6c 6f", ws.Header{Fin: true, Opcode: ws.OpPing}, "'Hello'"},
	{"masked pong", "8a 85 | 37 fa 21 3d | 7f 9f 4d 51 58", ws.Header{Fin: true, Opcode: ws.OpPong, Masked: true, Key: wstest.Key}, "'Hello'"},
	{"256 bytes of binary", "82 7e 01 00 | ab*256", ws.Header{Fin: true, Opcode: ws.OpBinary}, "ab*256"},
	{"64 KiB of binary", "82 7f 00 00 00 00 00 01 00 00 | ab*65536", ws.Header{Fin: true, Opcode: ws.OpBinary}, "ab*65536"},
}

func TestAppendFrame(t *testing.T) {
	for _, tt := range rfcFrames {
		t.Run(tt.name, func(t *testing.T) {
			payload := wstest.MustHex(tt.payload)
			before := bytes.Clone(payload)
			tt.h.Length = 7 // is not taken from here
			got := ws.AppendFrame([]byte("x"), tt.h, payload)
			if want := append([]byte("x"), wstest.MustHex(tt.wire)...); !bytes.Equal(got, want) {
				t.Errorf("got % x\nwant % x", got[:min(len(got), 40)], want[:min(len(want), 40)])
			}
			if !bytes.Equal(payload, before) {
				t.Error("the payload was changed")
			}
		})
	}
}

// Every header that AppendHeader writes is read back as it was, and no
// shorter form would have held its length.
func TestHeaderRoundTrip(t *testing.T) {
	lengths := []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt32, math.MaxUint32}
	for _, edge := range []int64{0, 125, 126, 127, 255, 256, 65535, 65536, 1 << 24, 1 << 32, 1 << 40, 1 << 48, 1 << 56} {
		lengths = append(lengths, max(edge-1, 0), edge, edge+1)
	}
	for _, length := range lengths {
		for b0 := range 256 {
			for _, masked := range []bool{false, true} {
				want := ws.Header{Fin: b0&0x80 != 0, RSV: uint8(b0 >> 4 & 7), Opcode: ws.Opcode(b0 & 0xF), Masked: masked, Length: length}
				size := 2
				if length > 65535 {
					size = 10
				} else if length > 125 {
					size = 4
				}
				if masked {
					want.Key = wstest.Key
					size += 4
				}
				wire := ws.AppendHeader(nil, want)
				got, n, err := ws.ParseHeader(wire)
				if err != nil || n != len(wire) || n != size || got != want {
					t.Fatalf("%+v became % x, then %+v, n = %d (want %d), err = %v", want, wire, got, n, size, err)
				}
				if int(wire[0]) != b0 {
					t.Fatalf("first byte %#x, want %#x", wire[0], b0)
				}
			}
		}
	}
}

func TestOpcode(t *testing.T) {
	const (
		data = iota
		control
		reserved
		reservedControl
	)
	for o, want := range []struct {
		kind int
		name string
	}{
		0x0: {data, "continuation"},
		0x1: {data, "text"},
		0x2: {data, "binary"},
		0x3: {reserved, "reserved opcode 0x3"},
		0x4: {reserved, "reserved opcode 0x4"},
		0x5: {reserved, "reserved opcode 0x5"},
		0x6: {reserved, "reserved opcode 0x6"},
		0x7: {reserved, "reserved opcode 0x7"},
		0x8: {control, "close"},
		0x9: {control, "ping"},
		0xA: {control, "pong"},
		0xB: {reservedControl, "reserved opcode 0xb"},
		0xC: {reservedControl, "reserved opcode 0xc"},
		0xD: {reservedControl, "reserved opcode 0xd"},
		0xE: {reservedControl, "reserved opcode 0xe"},
		0xF: {reservedControl, "reserved opcode 0xf"},
	} {
		o := ws.Opcode(o)
		if got := o.IsControl(); got != (want.kind == control || want.kind == reservedControl) {
			t.Errorf("%#x: IsControl is %v", uint8(o), got)
		}
		if got := o.IsReserved(); got != (want.kind == reserved || want.kind == reservedControl) {
			t.Errorf("%#x: IsReserved is %v", uint8(o), got)
		}
		if got := fmt.Sprint(o); got != want.name {
			t.Errorf("%#x: %s, want %s", uint8(o), got, want.name)
		}
	}
}
