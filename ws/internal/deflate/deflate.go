package deflate

// A Compressor compresses the messages of one direction of one connection (RFC
// 7692 §7.2.1).
type Compressor struct {
	bits uint8
	keep bool
}

// NewCompressor returns a Compressor with a window of 2^bits bytes, 8 <= bits
// <= 15; it panics outside of that. No distance in its output is larger than
// that. With keep, a message may refer to the ones before it.
func NewCompressor(bits int, keep bool) *Compressor {
	checkBits(bits)
	return &Compressor{bits: uint8(bits), keep: keep}
}

// Append appends message, compressed, to dst and returns it: what the payload
// of a message with RSV1 set is to be.
func (c *Compressor) Append(dst, message []byte) []byte {
	return c.AppendPart(dst, message, true)
}

// AppendPart appends the next part of a message, flushed to a byte boundary:
// all that has been given so far can be inflated from what has been returned
// so far. last ends the message; its last part may be empty.
func (c *Compressor) AppendPart(dst, part []byte, last bool) []byte {
	for len(part) > 0 {
		n := min(len(part), maxStored)
		dst = append(dst, 0, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		dst = append(dst, part[:n]...)
		part = part[n:]
	}
	dst = append(dst, 0)
	if !last {
		dst = append(dst, tail...)
	}
	return dst
}

// Release gives everything back, whatever has been going on; after it the
// Compressor is as new.
func (c *Compressor) Release() {}
