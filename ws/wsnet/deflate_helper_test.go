package wsnet_test

import (
	"bytes"
	"compress/flate"
	"io"
	"testing"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// deflateRaw returns the payload of one compressed message (RFC 7692 §7.2.1).
func deflateRaw(t testing.TB, bits int, content string) []byte {
	t.Helper()
	return deflate.NewCompressor(bits, false).Append(nil, []byte(content))
}

// inflateRaw inflates a payload with the standard library, which knows a
// window of 32 KiB only, of which history is the content.
func inflateRaw(t testing.TB, payload, history []byte) []byte {
	t.Helper()
	const tail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff" // §7.2.2, and an end for the reader
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), bytes.NewReader([]byte(tail))), history)
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("compress/flate: %v", err)
	}
	return got
}

// zParams are all four parameters in one line: do both ends keep their
// context, and with which window.
func zParams(keep bool, bits int) ws.DeflateParams {
	return ws.DeflateParams{ServerNoContext: !keep, ClientNoContext: !keep, ServerBits: bits, ClientBits: bits}
}

// zConn is ctConn where permessage-deflate was negotiated.
func zConn(t *testing.T, role ws.Role, o *wsnet.Options, p ws.DeflateParams) (*wsnet.Conn, *wstest.Peer) {
	t.Helper()
	a, b := wstest.PipeSize(4 << 20)
	c := wsnet.NewDeflateConn(b, role, o, p)
	t.Cleanup(func() { c.CloseNow() })
	return c, wstest.NewPeer(t, a)
}

// zPair is ctPair where permessage-deflate was negotiated.
func zPair(t *testing.T, o *wsnet.Options, p ws.DeflateParams) (s, c *wsnet.Conn) {
	t.Helper()
	a, b := wstest.PipeSize(4 << 20)
	s, c = wsnet.NewDeflateConn(a, ws.RoleServer, o, p), wsnet.NewDeflateConn(b, ws.RoleClient, o, p)
	t.Cleanup(func() { s.CloseNow(); c.CloseNow() })
	return s, c
}

// zFrame returns the bytes of a frame to role.
func zFrame(to ws.Role, fin bool, rsv uint8, op ws.Opcode, payload []byte) []byte {
	return ws.AppendFrame(nil, ws.Header{Fin: fin, RSV: rsv, Opcode: op, Masked: to == ws.RoleServer, Key: wstest.Key}, bytes.Clone(payload))
}
