package ws_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// What a Receiver says of itself, frame by frame.
func TestReceiverTells(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		if r := ws.NewReceiver(role, ws.Limits{}); r.Role() != role || r.Frames() != 0 {
			t.Errorf("%v: %v, %d frames", role, r.Role(), r.Frames())
		}
	}
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
	for i, tt := range []struct {
		wire   string
		h      ws.Header
		frames uint64
	}{
		{"02 01 61", ws.Header{Opcode: ws.OpBinary, Length: 1}, 1},
		{"89 00", ws.Header{Fin: true, Opcode: ws.OpPing}, 2},
		{"80 02 6263", ws.Header{Fin: true, Opcode: ws.OpContinuation, Length: 2}, 3},
		{"81 02 ff00", ws.Header{Fin: true, Opcode: ws.OpText, Length: 2}, 4}, // broken by its payload
	} {
		_, _, err := r.Next(wstest.MustHex(tt.wire))
		if (err != nil) != (i == 3) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.h, *r.Frame()); diff != "" || r.Frames() != tt.frames {
			t.Errorf("%s: %d frames (-want +got):\n%s", tt.wire, r.Frames(), diff)
		}
	}
	r = ws.NewReceiver(ws.RoleClient, ws.Limits{})
	if _, _, err := r.Next(wstest.MustHex("80 01 61")); err == nil || r.Frames() != 0 {
		t.Errorf("a frame that its header breaks has begun: %v, %d frames", err, r.Frames())
	}
}

// With an error comes how long the header is, as far as that matters to who shows it.
func TestReceiverHeaderLengths(t *testing.T) {
	for _, tt := range []struct {
		first, wire string
		n           int
	}{
		{"", "82 7e 0005 | 61", 4},
		{"", "82 7f 0000000000000005", 10},
		{"", "82 7e 00c8", 4},
		{"02 01 61", "80 7e 00c8", 4},
		{"", "80 7e 00c8", 4},
		{"", "80 7e 00", 0}, // it is not all there, and condemned
	} {
		r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 100})
		if tt.first != "" {
			if _, _, err := r.Next(wstest.MustHex(tt.first)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := r.Header(wstest.MustHex(tt.wire)); n != tt.n || err == nil {
			t.Errorf("%s: %d, %v; want %d", tt.wire, n, err, tt.n)
		}
	}
}

// New limits are filled in when they are set, and taken as they are when they are shared.
func TestReceiverNewLimits(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 5})
	r.SetLimits(ws.Limits{PingRate: 3})
	if diff := cmp.Diff(ws.Limits{PingRate: 3}.Filled(), r.Limits()); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	shared := ws.Limits{MessageSize: 7}.Filled()
	r.ShareLimits(&shared)
	if diff := cmp.Diff(shared, r.Limits()); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}
	if _, _, err := r.Next(wstest.MustHex("82 08 | '12345678'")); ruleOf(err) != ws.RuleMessageSize {
		t.Errorf("8 bytes where 7 may be: %v", err)
	}
}

// A Close frame ends nothing of the message that it comes into, nor what is left open of
// its text.
func TestReceiverCloseInsideACodePoint(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
	for _, wire := range []string{"01 01 e2", "89 00", "88 00"} {
		if _, _, err := r.Next(wstest.MustHex(wire)); err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
	}
	if r.State() != ws.StateClosed {
		t.Errorf("state %v", r.State())
	}
}

// A compressed message may be longer than the limit on its content, whatever the message
// before was.
func TestReceiverCompressedLengthAnew(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 8000})
	r.AllowDeflate(ws.DeflateParams{})
	for i := range 3 {
		h := ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary, Length: 8000 + 1000 + 1024}
		if _, err := r.Header(ws.AppendHeader(nil, h)); err != nil {
			t.Fatalf("message %d: %v", i+1, err)
		}
		if err := r.Payload(make([]byte, h.Length)); err != nil {
			t.Fatal(err)
		}
	}
}

// An opcode of more than four bits is none, in any state.
func TestStateOpcodeTooBig(t *testing.T) {
	for _, s := range []ws.State{ws.StateReady, ws.StateInText, ws.StateInBinary, ws.StateClosed} {
		for _, op := range []ws.Opcode{0xF, 0x10, 0x11, 0x19, 0xFF} {
			if next, rule := s.After(ws.Header{Fin: true, Opcode: op}); next != s || rule != ws.RuleOpcode {
				t.Errorf("%#x in %v: %v, %q", op, s, next, rule)
			}
		}
	}
}
