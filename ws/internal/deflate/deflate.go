package deflate

import "sync"

// A Compressor compresses the messages of one direction of one connection (RFC
// 7692 §7.2.1).
type Compressor struct {
	hist history // the context, where it is kept; the message's, between parts
	bits uint8
	keep bool
}

// NewCompressor returns a Compressor with a window of 2^bits bytes, 8 <= bits
// <= 15; it panics outside of that. No distance in its output is larger than
// that. With keep, a message may refer to the ones before it. It holds no
// buffers until they are needed.
func NewCompressor(bits int, keep bool) *Compressor {
	checkBits(bits)
	return &Compressor{bits: uint8(bits), keep: keep}
}

// A deflater is the state that is needed inside a call.
type deflater struct {
	short  matcher
	long   quickMatcher
	seqs   []sequence
	enc    encoder
	joined []byte // the context and the beginning of the message
}

var deflaters = sync.Pool{New: func() any {
	w := new(deflater)
	w.seqs = make([]sequence, 0, maxShort/4+1)
	w.enc.lensSyms = make([]uint16, 0, numLit+numDist)
	w.long.next = 1 << 16
	return w
}}

// Append appends message, compressed, to dst and returns it: what the payload
// of a message with RSV1 set is to be.
func (c *Compressor) Append(dst, message []byte) []byte {
	return c.AppendPart(dst, message, true)
}

// AppendPart appends the next part of a message, flushed to a byte boundary:
// all that has been given so far can be inflated from what has been returned
// so far. last ends the message; its last part may be empty. Between the parts
// of a message the window is held even where no context is kept.
func (c *Compressor) AppendPart(dst, part []byte, last bool) []byte {
	if len(part) > 0 {
		w := deflaters.Get().(*deflater)
		w.enc.out = bitWriter{dst: dst}
		w.deflate(&c.hist, part, 1<<c.bits)
		w.enc.out.put(0, 3) // an empty stored block, but for its LEN and NLEN
		w.enc.out.align()
		dst = w.enc.out.dst
		w.enc.out.dst = nil
		deflaters.Put(w)
	} else {
		dst = append(dst, 0)
	}
	if !last {
		dst = append(dst, tail...)
	}
	switch {
	case c.keep, !last:
		c.hist.write(part, 1<<c.bits)
	case c.hist.buf != nil:
		c.hist = history{}
	}
	return dst
}

// Release gives everything back, whatever has been going on; after it the
// Compressor is as new.
func (c *Compressor) Release() { c.hist = history{} }

// deflate writes p as blocks.
func (w *deflater) deflate(hist *history, p []byte, window int) {
	if len(p) < maxShort {
		n := int(hist.n)
		buf := p
		if n > 0 {
			buf = w.join(hist, p)
		}
		how := planFor(len(p))
		w.short.remember(buf, n, how)
		w.seqs = w.short.find(w.seqs[:0], buf, n, window, how)
		w.enc.block(p, w.seqs)
		return
	}
	base := w.long.next
	n := int(hist.n)
	w.long.next += uint32(n + len(p) + 1<<(maxBits+1))
	if n > 0 {
		// The first of it stands behind the context, the rest by itself.
		first := len(p)
		if first > maxEnd {
			first = maxRun
		}
		buf := w.join(hist, p[:first])
		w.long.remember(buf, n, base)
		w.blocks(buf, n, base, window)
		if first == len(p) {
			return
		}
		w.blocks(p, first, base+uint32(n), window)
		return
	}
	w.blocks(p, 0, base, window)
}

// join returns the context with p behind it.
func (w *deflater) join(hist *history, p []byte) []byte {
	n := int(hist.n)
	if cap(w.joined) < n+len(p) {
		room := 1<<maxBits + maxShort
		if len(p) >= maxShort {
			room = 1<<maxBits + maxEnd
		}
		w.joined = make([]byte, room)
	}
	w.joined = w.joined[:n+len(p)]
	hist.copyTo(w.joined)
	copy(w.joined[n:], p)
	return w.joined
}

// blocks writes buf[from:] as blocks.
func (w *deflater) blocks(buf []byte, from int, base uint32, window int) {
	for from < len(buf) {
		var to int
		w.seqs, to = w.long.find(w.seqs[:0], buf, from, base, window)
		w.enc.block(buf[from:to], w.seqs)
		from = to
	}
}
