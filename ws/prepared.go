package ws

import "context"

// A Prepared message is checked and encoded once and can be sent over any
// number of connections, in a broadcast. It must not be changed once it is
// made, and neither must the bytes it was made of.
type Prepared struct {
	op   Opcode
	data []byte
	wire []byte // the frame as a server sends it, the data at its end
}

// Prepare returns data as a message of type op, OpText or OpBinary. It copies
// data. The errors are ErrOpcode and ErrNotUTF8.
func Prepare(op Opcode, data []byte) (*Prepared, error) {
	if err := checkMessage(op, data); err != nil {
		return nil, wrapOp("prepare", err)
	}
	wire := make([]byte, 0, headerSize(int64(len(data)), false)+len(data))
	wire = AppendFrame(wire, Header{Fin: true, Opcode: op}, data)
	return &Prepared{op, wire[len(wire)-len(data):], wire}, nil
}

// Opcode returns the message's type.
func (p *Prepared) Opcode() Opcode { return p.op }

// Data returns the message's content, which must not be changed.
func (p *Prepared) Data() []byte { return p.data }

// WritePrepared sends p as Write sends its message. A server sends the very
// bytes that were prepared; a client masks a copy of them, with a new key for
// every connection (RFC 6455 §5.3).
func (c *Conn) WritePrepared(ctx context.Context, p *Prepared) error {
	if c.role == RoleClient {
		return wrapOp("write", c.out.message(ctx, p.op, p.data, nil))
	}
	return wrapOp("write", c.out.message(ctx, p.op, p.data, p.wire))
}
