package deflate

// A history is the window: the last bytes of a stream, at most max of them, in
// a ring that grows as it is used (RFC 1951 §2; RFC 7692 §7.1.2).
type history struct {
	buf []byte // the ring; its length is a power of two, at most max
	at  int32  // where the next byte goes
	n   int32  // how many bytes there are
}

const firstRing = 1 << 10 // where a ring starts, if it may be so large

// reset empties the ring and keeps its memory.
func (h *history) reset() { h.at, h.n = 0, 0 }

// grow makes the ring large enough for more bytes, or as large as it may be.
func (h *history) grow(more, max int) {
	size := len(h.buf)
	if size > max { // a pooled ring, last used with a larger window
		size = max
		h.buf = h.buf[:size]
	}
	want := min(int(h.n)+more, max)
	if want <= size {
		return
	}
	if size == 0 {
		size = min(firstRing, max)
	}
	for size < want {
		size *= 2
	}
	if size <= cap(h.buf) && h.n == 0 {
		h.buf = h.buf[:size]
		return
	}
	buf := make([]byte, size)
	h.copyTo(buf)
	h.buf, h.at = buf, h.n // it was not full, or it would not have grown
}

// write appends p, forgetting all but the last max bytes.
func (h *history) write(p []byte, max int) {
	if len(p) == 0 {
		return
	}
	h.grow(len(p), max)
	size := len(h.buf)
	if len(p) >= size {
		copy(h.buf, p[len(p)-size:])
		h.at, h.n = 0, int32(size)
		return
	}
	n := copy(h.buf[h.at:], p)
	copy(h.buf, p[n:])
	h.at = int32((int(h.at) + len(p)) & (size - 1))
	h.n = int32(min(int(h.n)+len(p), size))
}

// copyTo writes the h.n bytes, oldest first, and returns their number.
func (h *history) copyTo(dst []byte) int {
	from := int(h.at - h.n)
	if from < 0 {
		n := copy(dst, h.buf[len(h.buf)+from:])
		return n + copy(dst[n:], h.buf[:h.at])
	}
	return copy(dst, h.buf[from:h.at])
}

// copyBack writes to dst as much of it as lies back bytes before the end, at
// most to the end, and returns how much that is. 1 <= back <= h.n.
func (h *history) copyBack(dst []byte, back int) int {
	dst = dst[:min(len(dst), back)]
	from := int(h.at) - back
	if from < 0 {
		n := copy(dst, h.buf[len(h.buf)+from:])
		return n + copy(dst[n:], h.buf[:h.at])
	}
	return copy(dst, h.buf[from:h.at])
}
