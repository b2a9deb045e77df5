package ws_test

import (
	"bytes"
	"testing"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wstest"
)

// deflateRaw returns the payload of one compressed message (RFC 7692 §7.2.1).
func deflateRaw(t testing.TB, bits int, content string) []byte {
	t.Helper()
	return deflate.NewCompressor(bits, false).Append(nil, []byte(content))
}

// zFrame returns the bytes of a frame to role.
func zFrame(to ws.Role, fin bool, rsv uint8, op ws.Opcode, payload []byte) []byte {
	return ws.AppendFrame(nil, ws.Header{Fin: fin, RSV: rsv, Opcode: op, Masked: to == ws.RoleServer, Key: wstest.Key}, bytes.Clone(payload))
}
