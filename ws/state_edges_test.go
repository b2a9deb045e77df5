package ws_test

import (
	"bytes"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

// What is no state of ours lets nothing through, and stays what it is.
func TestStateUnknown(t *testing.T) {
	for _, s := range []ws.State{4, 5, 8, 255} {
		for _, op := range []ws.Opcode{ws.OpText, ws.OpContinuation, ws.OpPing, ws.OpClose} {
			if next, rule := s.After(ws.Header{Fin: true, Opcode: op}); next != s || rule != ws.RuleAfterClose {
				t.Errorf("%d after %v: %d, %s", s, op, next, rule)
			}
		}
	}
}

// FIN of a control frame is no matter of the state: another rule demands it.
func TestStateControlWithoutFin(t *testing.T) {
	for _, s := range []ws.State{ws.StateReady, ws.StateInText, ws.StateInBinary} {
		for op, want := range map[ws.Opcode]ws.State{ws.OpPing: s, ws.OpPong: s, ws.OpClose: ws.StateClosed} {
			if next, rule := s.After(ws.Header{Opcode: op}); next != want || rule != "" {
				t.Errorf("%v after %v: %v, %s; want %v", s, op, next, rule, want)
			}
		}
	}
}

// The number of fragments that a message may have, for each way to set it.
func TestReceiverFragmentsByDefault(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits ws.Limits
		want   int // frames that pass; 0: more than a test sends
	}{
		{"defaults", ws.Limits{}, 1024},
		{"a small message", ws.Limits{MessageSize: 10}, 1024},
		{"one for each KiB", ws.Limits{MessageSize: 3 << 20}, 3072},
		{"and not for what is beyond", ws.Limits{MessageSize: 3<<20 + 1023}, 3072},
		{"set", ws.Limits{Fragments: 2}, 2},
		{"one", ws.Limits{Fragments: 1}, 1},
		{"set, with long messages", ws.Limits{MessageSize: 3 << 20, Fragments: 5}, 5},
		{"none", ws.Limits{Fragments: -1}, 0},
		{"messages without limit", ws.Limits{MessageSize: -1}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(ws.RoleClient, tt.limits)
			const most = 5000
			for i := range most {
				b := []byte{0x00, 0x00}
				if i == 0 {
					b[0] = 0x02
				}
				if _, err := r.Header(b); err != nil {
					pe, ok := err.(*ws.ProtocolError)
					if !ok || pe.Rule != ws.RuleFragments || i != tt.want {
						t.Errorf("frame %d: %v; want %d to pass", i+1, err, tt.want)
					}
					return
				}
			}
			if tt.want != 0 {
				t.Errorf("%d frames pass, want %d", most, tt.want)
			}
		})
	}
}

// The size that a message may have, at the limit and one beyond, whole and in
// fragments, with limits that are left out or taken away.
func TestReceiverSizeLimits(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name   string
		limit  int64
		frames []int64 // their lengths; all but the last pass
		passes bool    // the last
	}{
		{"the default", 0, []int64{mib}, true},
		{"one more", 0, []int64{mib + 1}, false},
		{"in two", 0, []int64{1, mib - 1}, true},
		{"in two, and one more", 0, []int64{1, mib}, false},
		{"in three, and one more", 0, []int64{2, 2, mib - 3}, false},
		{"a byte", 1, []int64{1}, true},
		{"two", 1, []int64{2}, false},
		{"no limit", -1, []int64{1<<63 - 1}, true},
		{"no limit, and one more than can be counted", -1, []int64{1, 1<<63 - 1}, false},
		{"no limit, but all that can be counted", -1, []int64{1, 1<<63 - 2}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: tt.limit})
			for i, n := range tt.frames {
				h := ws.Header{Opcode: ws.OpBinary, Length: n}
				if i > 0 {
					h.Opcode = ws.OpContinuation
				}
				_, err := r.Header(ws.AppendHeader(nil, h))
				last := i == len(tt.frames)-1
				if (err == nil) != (!last || tt.passes) {
					t.Fatalf("frame %d: %v", i+1, err)
				}
				if err != nil {
					pe, ok := err.(*ws.ProtocolError)
					if !ok || pe.Rule != ws.RuleMessageSize {
						t.Fatalf("frame %d: %v, want rule %s", i+1, err, ws.RuleMessageSize)
					}
				}
				if !last {
					if err := r.Payload(make([]byte, n)); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// How much longer than its content a compressed message may be.
func TestReceiverCompressedLength(t *testing.T) {
	for _, tt := range []struct{ limit, most int64 }{
		{8000, 8000 + 1000 + 1024},
		{1, 1 + 1024},
		{-1, 1<<63 - 1},
	} {
		for _, over := range []int64{0, 1} {
			if tt.most+over < 0 {
				continue
			}
			r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: tt.limit})
			r.AllowDeflate(ws.DeflateParams{})
			_, err := r.Header(ws.AppendHeader(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary, Length: tt.most + over}))
			if (err == nil) != (over == 0) {
				t.Errorf("limit %d, %d bytes: %v", tt.limit, tt.most+over, err)
			}
			if err == nil && !r.Compressed() {
				t.Error("it is not compressed")
			}
		}
	}
}

// What a message without RSV1 has to do with compression: nothing, though it was
// agreed, and though the one before was compressed.
func TestReceiverCompressedOrNot(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 4})
	r.AllowDeflate(ws.DeflateParams{})
	frames := func(h ws.Header, payload string) error {
		h.Length = int64(len(payload))
		if _, err := r.Header(ws.AppendHeader(nil, h)); err != nil || h.Length == 0 {
			return err
		}
		return r.Payload([]byte(payload))
	}
	for i, tt := range []struct {
		h          ws.Header
		payload    string
		compressed bool
		rule       ws.RuleID
	}{
		{ws.Header{RSV: ws.RSV1, Opcode: ws.OpText}, "\xff\xff\xff\xff\xff", true, ""},
		{ws.Header{Fin: true, Opcode: ws.OpPing}, "p", true, ""},
		{ws.Header{Fin: true, Opcode: ws.OpContinuation}, "\xff", true, ""},
		{ws.Header{Fin: true, Opcode: ws.OpText}, "abcd", false, ""},
		{ws.Header{Fin: true, Opcode: ws.OpText}, "abcde", false, ws.RuleMessageSize},
	} {
		err := frames(tt.h, tt.payload)
		if pe, _ := err.(*ws.ProtocolError); (pe == nil) != (tt.rule == "") || pe != nil && pe.Rule != tt.rule {
			t.Errorf("frame %d: %v, want %q", i+1, err, tt.rule)
		}
		if tt.rule == "" && r.Compressed() != tt.compressed {
			t.Errorf("frame %d: compressed %v", i+1, r.Compressed())
		}
	}
	r = ws.NewReceiver(ws.RoleClient, ws.Limits{})
	r.AllowDeflate(ws.DeflateParams{})
	if err := frames(ws.Header{Fin: true, Opcode: ws.OpText}, "\xff"); err == nil {
		t.Error("text that is not UTF-8 and not compressed passes")
	}
}

// Content holds the limit and UTF-8 over all pieces, whichever is broken first,
// and begins anew with each message.
func TestReceiverContent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		op     ws.Opcode
		pieces []string // the last of which is judged
		end    bool     // or the end is
		rule   ws.RuleID
	}{
		{"as much as fits", ws.OpText, []string{"ab", "cd"}, false, ""},
		{"one more", ws.OpText, []string{"ab", "cde"}, false, ws.RuleMessageSize},
		{"one more, in a piece of its own", ws.OpBinary, []string{"abcd", "e"}, false, ws.RuleMessageSize},
		{"nothing more", ws.OpBinary, []string{"abcd", ""}, false, ""},
		{"bad text within", ws.OpText, []string{"ab\xff", "c"}, false, ws.RuleTextUTF8},
		{"bad text, then too much", ws.OpText, []string{"ab\xffcdef"}, false, ws.RuleTextUTF8},
		{"too much, then bad text", ws.OpText, []string{"abcdef\xff"}, false, ws.RuleMessageSize},
		{"no text", ws.OpBinary, []string{"\xff\xfe"}, false, ""},
		{"half a code point", ws.OpText, []string{"a\xc3"}, true, ws.RuleTextUTF8},
		{"both halves", ws.OpText, []string{"a\xc3", "\xa9"}, true, ""},
		{"half a code point in what is no text", ws.OpBinary, []string{"a\xc3"}, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 4})
			r.AllowDeflate(ws.DeflateParams{})
			for message := range 2 {
				if _, err := r.Header(ws.AppendHeader(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: tt.op, Length: 1})); err != nil {
					t.Fatal(err)
				}
				if err := r.Payload([]byte{0}); err != nil {
					t.Fatal(err)
				}
				if message == 0 { // as much as may be
					if err := r.Content([]byte("1234")); err != nil {
						t.Fatal(err)
					}
					continue
				}
				var err error
				for _, p := range tt.pieces {
					err = r.Content([]byte(p))
					if pe, _ := err.(*ws.ProtocolError); pe != nil {
						break
					}
				}
				if tt.end && err == nil {
					err = r.ContentEnd()
				}
				if pe, _ := err.(*ws.ProtocolError); (pe == nil) != (tt.rule == "") || pe != nil && pe.Rule != tt.rule {
					t.Errorf("%v, want %q", err, tt.rule)
				}
				if tt.end && err != nil && !strings.Contains(err.Error(), "of 2 bytes ends inside") {
					t.Errorf("%v does not say how long the content is", err)
				}
			}
		})
	}
}

// Which byte of a text is wrong, by its offset in the message.
func TestReceiverNamesTheBadByte(t *testing.T) {
	for text, want := range map[string]string{
		"\x7f\x80": "byte 0x80 at offset 1", "\x00\x7f\xff": "byte 0xff at offset 2", "\u00e9\xc3a": "byte 0x61 at offset 3", "\xc0": "byte 0xc0 at offset 0",
	} {
		r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
		if _, err := r.Header([]byte{0x81, byte(len(text))}); err != nil {
			t.Fatal(err)
		}
		if err := r.Payload([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// What an error of a frame's first bytes says, word by word.
func TestReceiverSays(t *testing.T) {
	for _, tt := range []struct {
		name    string
		role    ws.Role
		deflate bool
		wire    []string // the last is wrong
		want    string
	}{
		{"RSV1", ws.RoleClient, false, []string{"c1 00"}, "RSV1 set on a text frame, but no extension was negotiated"},
		{"RSV2 and 3", ws.RoleClient, false, []string{"b2 00"}, "RSV2, RSV3 set on a binary frame, but no extension was negotiated"},
		{"all", ws.RoleClient, false, []string{"f9 00"}, "RSV1, RSV2, RSV3 set on a ping frame, but no extension was negotiated"},
		{"RSV1 and 2 with compression", ws.RoleClient, true, []string{"e1 00"}, "RSV2 set on a text frame, but no extension that uses it was negotiated"},
		{"RSV1 on a ping", ws.RoleClient, true, []string{"c9 00"}, "RSV1 set on a ping frame"},
		{"RSV1 on a continuation", ws.RoleClient, true, []string{"41 00", "c0 00"}, "RSV1 set on a continuation frame"},
		{"an opcode of nobody's, unmasked", ws.RoleServer, false, []string{"83 00"}, "reserved"},
		{"unmasked", ws.RoleServer, false, []string{"81 00"}, "unmasked text frame from a client"},
		{"masked", ws.RoleClient, false, []string{"81 80"}, "masked text frame from a server"},
		{"a ping in fragments", ws.RoleClient, false, []string{"09 00"}, "fragmented ping frame"},
		{"a long ping", ws.RoleClient, false, []string{"89 7e"}, "ping frame with a payload over 125 bytes"},
		{"nothing to continue", ws.RoleClient, false, []string{"80 00"}, "continuation without a message"},
		{"interleaved", ws.RoleClient, false, []string{"02 00", "81 00"}, "text frame inside a binary message"},
		{"an opcode of nobody's", ws.RoleClient, false, []string{"83 00"}, "reserved"},
		{"after a Close frame", ws.RoleClient, false, []string{"88 00", "89 00"}, "ping frame after a Close frame"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(tt.role, ws.Limits{})
			if tt.deflate {
				r.AllowDeflate(ws.DeflateParams{})
			}
			var err error
			for i, wire := range tt.wire {
				b := wstest.MustHex(wire)
				var n int
				if n, err = r.Header(b); err != nil && i < len(tt.wire)-1 {
					t.Fatal(err)
				}
				if _, want, _ := ws.ParseHeader(b); n != want {
					t.Errorf("the header is %d bytes long, want %d", n, want)
				}
			}
			if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "ws: "), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

// Next takes no more than a frame, whatever follows, and reports each piece.
func TestReceiverNext(t *testing.T) {
	type event struct {
		op      ws.Opcode
		payload string
		fin     bool
		n       int
	}
	for _, tt := range []struct {
		name, wire string
		want       []event
	}{
		{"two frames at once", "81 01 61 | 82 01 62", []event{{ws.OpText, "a", true, 3}, {ws.OpBinary, "b", true, 3}}},
		{"an empty message", "81 00 | 8a 00", []event{{ws.OpText, "", true, 2}, {ws.OpPong, "", true, 2}}},
		{"an empty fragment is nothing", "01 00 | 80 01 61", []event{{ws.OpText, "", false, 2}, {ws.OpText, "a", true, 3}}},
		{"and an empty end is one", "01 01 61 | 80 00", []event{{ws.OpText, "a", false, 3}, {ws.OpText, "", true, 2}}},
		{"a ping inside", "02 01 61 | 89 01 70 | 80 01 62",
			[]event{{ws.OpBinary, "a", false, 3}, {ws.OpPing, "p", true, 3}, {ws.OpBinary, "b", true, 3}}},
		{"half a payload", "81 02 61", []event{{ws.OpText, "a", false, 3}}},
		{"half a ping", "89 02 61", []event{{ws.OpContinuation, "", false, 3}}},
		{"only a header", "82 02", []event{{ws.OpBinary, "", false, 2}}},
		{"nothing after a Close frame", "88 00 | 81 01 61", []event{{ws.OpClose, "", true, 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
			b := wstest.MustHex(tt.wire)
			for i, want := range tt.want {
				e, n, err := r.Next(b)
				if err != nil {
					t.Fatal(err)
				}
				if got := (event{e.Opcode, string(e.Payload), e.Fin, n}); got != want {
					t.Fatalf("event %d: %+v, want %+v", i+1, got, want)
				}
				if e.Compressed {
					t.Errorf("event %d is said to be compressed", i+1)
				}
				if want.op < ws.OpClose && cap(e.Payload) != len(e.Payload) {
					t.Errorf("event %d: what follows can be written to", i+1)
				}
				b = b[n:]
			}
			for _, b := range [][]byte{b, {0x81}, {0x81, 0x7E}, {0x81, 0x7E, 0}} {
				if r.Remaining() > 0 {
					break
				}
				ignored := 0
				if r.State() == ws.StateClosed { // what follows a Close frame
					ignored = len(b)
				}
				if e, n, err := r.Next(b); n != ignored || err != nil || e.Opcode != ws.OpContinuation || len(e.Payload) > 0 || e.Fin {
					t.Errorf("at the end: %+v, %d, %v", e, n, err)
				}
			}
		})
	}
	for wire, taken := range map[string]int{"83 00": 2, "81 02 ff 61": 4, "01 01 61 | 81 01 61": 2} {
		r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
		b := wstest.MustHex(wire)
		var n int
		var err error
		for err == nil {
			b = b[n:]
			_, n, err = r.Next(b)
			if n == 0 && err == nil {
				t.Fatalf("%s passes", wire)
			}
		}
		if n != taken {
			t.Errorf("%s: %v after %d bytes, want %d", wire, err, n, taken)
		}
	}
}

// The limit on messages is none on control frames, and its error says how long the
// header was.
func TestReceiverSizeAndControl(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 1})
	if _, err := r.Header([]byte{0x89, 125}); err != nil {
		t.Errorf("a ping: %v", err)
	}
	if err := r.Payload(make([]byte, 125)); err != nil {
		t.Error(err)
	}
	if n, err := r.Header([]byte{0x82, 126, 0, 200, 'x'}); n != 4 || err == nil {
		t.Errorf("a message: %d, %v", n, err)
	}
}

// A control frame's payload is kept whole, however it comes, and whatever the one
// before was.
func TestReceiverControl(t *testing.T) {
	r := ws.NewReceiver(ws.RoleClient, ws.Limits{})
	for _, n := range []int{1, 125, 0, 3, 124} {
		payload := bytes.Repeat([]byte{'x'}, n)
		if _, err := r.Header(ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: ws.OpPing, Length: int64(n)})); err != nil {
			t.Fatal(err)
		}
		for i := range payload {
			if err := r.Payload(payload[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		got := r.Control()
		if !bytes.Equal(got, payload) || cap(got) != len(got) {
			t.Errorf("%d bytes came as %d, with room for %d", n, len(got), cap(got))
		}
	}
}
