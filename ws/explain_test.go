package ws_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// What a frame says, with the place of its bytes, the bits, and the section. The words are
// held by the tests of wstrace, which writes them.
func TestExplain(t *testing.T) {
	hex := wstest.MustHex
	for _, tt := range []struct {
		name string
		e    ws.TraceEvent
		show int
		want []ws.Row
	}{
		{"a masked text", ws.TraceEvent{
			Wire: hex("81 85 37fa213d"), Header: ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key, Length: 5}, Payload: []byte("Hello"),
		}, 32, []ws.Row{
			{ws.RowBits, 0, hex("81"), 0x80, "FIN", "1", "a whole message", "§5.4"},
			{ws.RowBits, 0, hex("81"), 0x70, "RSV1-3", "0", "reserved for extensions", "§5.2"},
			{ws.RowBits, 0, hex("81"), 0x0F, "opcode", "1", "text", "§5.6"},
			{ws.RowBits, 1, hex("85"), 0x80, "MASK", "1", "a masking key follows", "§5.1"},
			{ws.RowBits, 1, hex("85"), 0x7F, "length", "5", "bytes of payload", "§5.2"},
			{ws.RowNumber, 2, hex("37fa213d"), 0, "masking key", "", "masking key", "§5.3"},
			{ws.RowMasked, 6, hex("7f9f4d5158"), 0, "payload", "", "payload, masked", "§5.3"},
			{ws.RowText, 6, []byte("Hello"), 0, "payload", "", "", ""},
		}},
		{"one byte of 65536, of the middle of a text", ws.TraceEvent{
			Wire: hex("00 7f 0000000000010000"), Header: ws.Header{Length: 65536}, Payload: []byte("xyz"), Before: ws.StateInText,
		}, 1, []ws.Row{
			{ws.RowBits, 0, hex("00"), 0x80, "FIN", "0", "more fragments follow", "§5.4"},
			{ws.RowBits, 0, hex("00"), 0x70, "RSV1-3", "0", "reserved for extensions", "§5.2"},
			{ws.RowBits, 0, hex("00"), 0x0F, "opcode", "0", "continuation", "§5.4"},
			{ws.RowBits, 1, hex("7f"), 0x80, "MASK", "0", "not masked", "§5.1"},
			{ws.RowBits, 1, hex("7f"), 0x7F, "length", "127", "the length takes 64 bits more", "§5.2"},
			{ws.RowNumber, 2, hex("0000000000010000"), 0, "extended length", "", "65536 bytes of payload", "§5.2"},
			{ws.RowText, 10, []byte("x"), 0, "payload", "", "", ""},
			{ws.RowNote, 11, nil, 0, "cut", "", "1 of 65536 bytes", ""},
		}},
		{"a close, of which all is shown", ws.TraceEvent{
			Wire: hex("88 05"), Header: ws.Header{Fin: true, Opcode: ws.OpClose, Length: 5}, Payload: []byte("\x03\xe9bye"),
		}, 1, []ws.Row{
			{ws.RowBits, 0, hex("88"), 0x80, "FIN", "1", "not fragmented", "§5.5"},
			{ws.RowBits, 0, hex("88"), 0x70, "RSV1-3", "0", "reserved for extensions", "§5.2"},
			{ws.RowBits, 0, hex("88"), 0x0F, "opcode", "8", "close", "§5.5.1"},
			{ws.RowBits, 1, hex("05"), 0x80, "MASK", "0", "not masked", "§5.1"},
			{ws.RowBits, 1, hex("05"), 0x7F, "length", "5", "bytes of payload", "§5.2"},
			{ws.RowCode, 2, hex("03e9"), 0, "code", "1001", "code 1001 (going away)", "§7.4"},
			{ws.RowText, 4, []byte("bye"), 0, "payload", "", "", ""},
		}},
		{"a compressed binary message", ws.TraceEvent{
			Wire: hex("c2 03"), Header: ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpBinary, Length: 3}, Payload: hex("4a0500"), Compressed: true, Content: []byte("a"), ContentLength: 1,
		}, 32, []ws.Row{
			{ws.RowBits, 0, hex("c2"), 0x80, "FIN", "1", "a whole message", "§5.4"},
			{ws.RowBits, 0, hex("c2"), 0x70, "RSV1-3", "4", "RSV1: a compressed message", "RFC 7692 §6"},
			{ws.RowBits, 0, hex("c2"), 0x0F, "opcode", "2", "binary", "§5.6"},
			{ws.RowBits, 1, hex("03"), 0x80, "MASK", "0", "not masked", "§5.1"},
			{ws.RowBits, 1, hex("03"), 0x7F, "length", "3", "bytes of payload", "§5.2"},
			{ws.RowCompressed, 2, hex("4a0500"), 0, "payload", "", "compressed", "RFC 7692 §7.2.1"},
			{ws.RowNote, 2, nil, 0, "inflated", "", "1 bytes inflated", "RFC 7692 §7.2.2"},
			{ws.RowData, 2, []byte("a"), 0, "payload", "", "", ""},
		}},
		{"nothing but a breach", ws.TraceEvent{Rule: ws.RulePingRate}, 32, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, ws.Explain(tt.e, tt.show)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A length has a row of its own from 126 bytes on (§5.2).
func TestExplainLength(t *testing.T) {
	for wire, want := range map[string]string{"82 7d": "", "82 7e 007e": "126 bytes of payload", "82 7f 0000000000010000": "65536 bytes of payload"} {
		b := wstest.MustHex(wire)
		h, _, err := ws.ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range ws.Explain(ws.TraceEvent{Wire: b, Header: h}, 32) {
			if r.Field == "extended length" {
				got = r.Meaning
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", wire, got, want)
		}
	}
}

// What it costs to break a rule is said of every one.
func TestRuleCost(t *testing.T) {
	for id, want := range map[ws.RuleID]string{
		ws.RuleRSV: "close with 1002 (protocol error)", ws.RuleMethod: "answer with HTTP 405",
		ws.RuleAfterClose: "which is ignored", ws.RuleAccept: "the dial fails",
	} {
		if got := id.Rule().Cost(); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}
