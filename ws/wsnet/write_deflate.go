package wsnet

import (
	"sync"

	"framewright/ws"
	"framewright/ws/internal/deflate"
)

// A deflater is the compressing part of an outbox. It belongs to whoever has
// messages.
type deflater struct {
	c    *deflate.Compressor
	bits int
	keep bool
}

// newDeflater returns the compressing part for an endpoint with the given role.
func newDeflater(agreed *ws.DeflateParams, role ws.Role) *deflater {
	bits, keep := agreed.Sending(role)
	return &deflater{c: deflate.NewCompressor(bits, keep), bits: bits, keep: keep}
}

// compressBuffers hold one message's compressed form while it is written.
var compressBuffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 256 << 10

// compress returns the payload for p, see ws.Compressed, and the buffer to give back.
func (z *deflater) compress(h *ws.Header, p []byte) ([]byte, *[]byte) {
	buf := compressBuffers.Get().(*[]byte)
	*buf = z.c.Append((*buf)[:0], p)
	if !ws.Compressed(len(p), len(*buf), z.keep) {
		return p, buf
	}
	h.RSV |= ws.RSV1
	return *buf, buf
}

func giveBack(buf *[]byte) {
	if buf != nil && cap(*buf) <= keepBuffer {
		compressBuffers.Put(buf)
	}
}

// forget is called when a message that was compressed was not sent after all:
// the peer's context is without it, so ours begins anew. A compressor need not
// refer to what the peer has.
func (z *deflater) forget() {
	if z.keep {
		z.c.Release()
	}
}
