package fact

import (
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
	"framewright/ws/wstrace"
)

// What a page says of a frame, a terminal says in the same words: the title, and of each
// row the field, the value, the meaning and the section.
func TestSameWords(t *testing.T) {
	for _, e := range []ws.TraceEvent{
		{Wire: wstest.MustHex("81 85 37fa213d"), Payload: []byte("Hello"), Header: ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key, Length: 5}},
		{Role: ws.RoleClient, Sent: true, Wire: wstest.MustHex("02 fe 012c 37fa213d"), Payload: make([]byte, 300), Header: ws.Header{Opcode: ws.OpBinary, Masked: true, Key: wstest.Key, Length: 300}},
		{Sent: true, Wire: wstest.MustHex("88 05"), Payload: []byte("\x03\xe8bye"), Header: ws.Header{Fin: true, Opcode: ws.OpClose, Length: 5}, After: ws.StateClosed},
		{Wire: wstest.MustHex("89 00"), Header: ws.Header{Fin: true, Opcode: ws.OpPing}},
		{Wire: wstest.MustHex("c1 07"), Payload: wstest.MustHex("f2 48 cd c9 c9 07 00"), Compressed: true, Content: []byte("Hello"), ContentLength: 5, Header: ws.Header{Fin: true, RSV: 4, Opcode: ws.OpText, Length: 7}},
		{Wire: wstest.MustHex("83 01"), Payload: []byte("x"), Rule: ws.RuleOpcode, Detail: "reserved opcode 0x3", Header: ws.Header{Fin: true, Opcode: 3, Length: 1}},
	} {
		f := Of(e)
		terminal := string(wstrace.Style{Payload: ws.TracePayload}.Append(nil, e))
		says := func(words string) {
			t.Helper()
			if !strings.Contains(terminal, words) {
				t.Errorf("the page says %q of % x, and the terminal not:\n%s", words, e.Wire, terminal)
			}
		}
		says(f.Title)
		if len(f.Rows) < 5 {
			t.Errorf("%d rows of % x", len(f.Rows), e.Wire)
		}
		for _, r := range f.Rows {
			says(r.Meaning)
			says(r.Section)
			if r.Kind == "bits" {
				says(r.Field + "=" + r.Value)
			}
		}
		if r := f.Rule; r != nil {
			says(r.ID + ": " + r.Text + " (" + r.Section + "), " + r.Cost)
			says(r.Detail)
		}
	}
}
