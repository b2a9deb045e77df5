package deflate

import (
	"encoding/binary"
	"slices"
)

// A bitWriter appends bits to bytes, least significant first (RFC 1951
// §3.1.1).
type bitWriter struct {
	dst []byte
	b   uint64 // bits not yet in dst
	nb  uint   // how many; below 32 between two calls
}

// put writes the n low bits of v, the others being 0. n <= 32.
func (w *bitWriter) put(v uint64, n uint) {
	w.b |= v << (w.nb & 63)
	w.nb += n
	if w.nb >= 32 {
		w.dst = binary.LittleEndian.AppendUint32(w.dst, uint32(w.b))
		w.b >>= 32
		w.nb -= 32
	}
}

// align fills the last byte up with zeros and puts all bytes into dst.
func (w *bitWriter) align() {
	for n := w.nb; n > 0; n -= min(n, 8) {
		w.dst = append(w.dst, byte(w.b))
		w.b >>= 8
	}
	w.b, w.nb = 0, 0
}

// stored writes p as stored blocks (§3.2.4).
func (w *bitWriter) stored(p []byte) {
	for {
		part := p[:min(len(p), maxStored)]
		p = p[len(part):]
		w.put(0, 3) // BFINAL 0, BTYPE 00
		w.align()
		w.dst = binary.LittleEndian.AppendUint16(w.dst, uint16(len(part)))
		w.dst = binary.LittleEndian.AppendUint16(w.dst, ^uint16(len(part)))
		w.dst = append(w.dst, part...)
		if len(p) == 0 {
			return
		}
	}
}

// A run of bytes that are sent as they are, and a match after it.
type sequence struct {
	lits   uint32
	length uint16 // of the match less 3; noMatch in the last one
	dist   uint16 // less 1
}

const noMatch = 1<<16 - 1

// sequences writes a compressed block's contents: src as seqs describes it,
// and the end of the block (§3.2.3). size is how many bits that takes.
func (w *bitWriter) sequences(src []byte, seqs []sequence, c *codes, size int) {
	start := len(w.dst)
	w.dst = slices.Grow(w.dst, size/8+24)
	out, p, b, nb := w.dst[start:cap(w.dst)], 0, w.b, w.nb
	for _, s := range seqs {
		run := src[:s.lits]
		for _, x := range run {
			// Four codes of 15 bits would not do for 63-7.
			if nb > 63-maxCode {
				binary.LittleEndian.PutUint64(out[p:], b)
				p += int(nb >> 3)
				b >>= nb &^ 7
				nb &= 7
			}
			e := c.lit[x]
			b |= uint64(e>>8) << (nb & 63)
			nb += uint(e & 0xff)
		}
		if s.length == noMatch {
			src = src[len(run):]
			continue
		}
		// At most 15+5+15+13 bits.
		binary.LittleEndian.PutUint64(out[p:], b)
		p += int(nb >> 3)
		b >>= nb &^ 7
		nb &= 7
		length, dist := uint(s.length&0xff), uint(s.dist)
		e, sym := c.len[length], distCode(dist)%numDist
		v, n := uint64(e>>8), uint(e&0xff)
		e = c.dist[sym]
		v |= (uint64(e>>8) | uint64(dist-uint(distBase[sym])+1)<<(e&0xff)) << (n & 63)
		b |= v << nb
		nb += n + uint(e&0xff) + uint(distExtra[sym])
		src = src[int(s.lits)+int(length)+minMatch:]
	}
	binary.LittleEndian.PutUint64(out[p:], b)
	p += int(nb >> 3)
	b >>= nb &^ 7
	nb &= 7
	w.dst, w.b, w.nb = w.dst[:start+p], b, nb
	e := c.lit[endOfBlock]
	w.put(uint64(e>>8), uint(e&0xff))
}
