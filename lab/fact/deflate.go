package fact

import "framewright/ws"

// A Deflater compresses messages as a connection of package ws does, each with the
// context of those before.
type Deflater struct{ e *ws.Endpoint }

// NewDeflater returns one with a window of 2^bits bytes, 8 to 15.
func NewDeflater(bits int) *Deflater {
	return &Deflater{ws.NewEndpoint(ws.Setup{Role: ws.RoleServer, Deflate: &ws.DeflateParams{ServerBits: bits}, Threshold: -1})}
}

// Message returns the payload of the compressed message that text becomes (RFC 7692
// §7.2.1).
func (d *Deflater) Message(text []byte) []byte {
	frame, err := d.e.AppendMessage(nil, ws.OpBinary, text)
	if err != nil {
		panic(err) // a binary message on a connection that is open: there is no reason
	}
	_, n, err := ws.ParseHeader(frame)
	if err != nil {
		panic(err)
	}
	return frame[n:]
}
