package ws_test

import (
	"bytes"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"
)

// A key in a header that says Masked: false is not used, as AppendHeader does
// not write it.
func TestAppendFrameUnmaskedWithAKey(t *testing.T) {
	got := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText, Key: wstest.Key}, []byte("Hello"))
	if want := wstest.MustHex("81 05 | 48 65 6c 6c 6f"); !bytes.Equal(got, want) {
		t.Errorf("got % x\nwant % x", got, want)
	}
}
