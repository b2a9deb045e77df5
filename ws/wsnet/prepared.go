package wsnet

import (
	"sync"

	"framewright/ws/internal/deflate"

	"framewright/ws"
)

// A Prepared message is checked and encoded once, and compressed once for
// each window size that its receivers have, and can be sent over any number of
// connections, in a broadcast.
type Prepared struct {
	op   ws.Opcode
	data []byte
	wire []byte // the frame as a server sends it, the data at its end

	mu         sync.Mutex
	compressed [16]*preparedDeflate // by window bits
}

// A preparedDeflate is a Prepared message compressed without context.
type preparedDeflate struct {
	payload []byte // nil if it would not be smaller
	wire    []byte // the frame, the payload at its end
}

// Prepare returns data as a message of type op, OpText or OpBinary. It copies
// data. The errors are ErrOpcode and ErrNotUTF8.
func Prepare(op ws.Opcode, data []byte) (*Prepared, error) {
	if err := ws.CheckMessage(op, data); err != nil {
		return nil, wrapOp("prepare", err)
	}
	wire, data := serverFrame(ws.Header{Fin: true, Opcode: op}, data)
	return &Prepared{op: op, data: data, wire: wire}, nil
}

// serverFrame returns an unmasked frame, and its payload in it.
func serverFrame(h ws.Header, p []byte) (wire, payload []byte) {
	wire = make([]byte, 0, (&ws.Header{Length: int64(len(p))}).Size()+len(p))
	wire = ws.AppendFrame(wire, h, p)
	return wire, wire[len(wire)-len(p):]
}

// Opcode returns the message's type.
func (p *Prepared) Opcode() ws.Opcode { return p.op }

// Data returns the message's content, which must not be changed.
func (p *Prepared) Data() []byte { return p.data }

// form returns the payload and, for a server, the whole frame that p has on a
// connection, and completes the header.
func (p *Prepared) form(h *ws.Header, z *deflater, compress bool) (payload, wire []byte) {
	payload, wire = p.data, p.wire
	if compress {
		if d := p.deflated(z.bits); d.payload != nil {
			h.RSV |= ws.RSV1
			payload, wire = d.payload, d.wire
			z.forget() // the peer's context has the message, ours does not
		}
	}
	if h.Masked {
		wire = nil
	}
	return payload, wire
}

// deflated returns p compressed for a window of 2^bits bytes.
func (p *Prepared) deflated(bits int) *preparedDeflate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if z := p.compressed[bits]; z != nil {
		return z
	}
	z := &preparedDeflate{}
	if payload := deflate.NewCompressor(bits, false).Append(nil, p.data); ws.Compressed(len(p.data), len(payload), false) {
		z.wire, z.payload = serverFrame(ws.Header{Fin: true, RSV: ws.RSV1, Opcode: p.op}, payload)
	}
	p.compressed[bits] = z
	return z
}
