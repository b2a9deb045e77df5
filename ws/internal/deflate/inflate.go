package deflate

import (
	"errors"
	"fmt"
	"sync"
)

// A Decompressor inflates the messages of one direction of one connection (RFC
// 7692 §7.2.2). The compressed bytes of a message are handed to it as they
// come; it produces no more than it is given room for and can be stopped and
// resumed between any two bytes of either side.
//
//	for each piece src of the message's payload:
//		repeat
//			n, used, err := d.Inflate(dst, src)
//			src = src[used:]
//		while n == len(dst)      // full: there may be more
//	then
//		repeat
//			n, done, err := d.End(dst)
//		until done
//
// A peer that sends nothing but empty blocks gets work done for no output; how
// many blocks there were is what Blocks says.
type Decompressor struct {
	w      *inflater // from the first byte of a message to its End
	hist   history   // the context, where it is kept
	err    error
	blocks int
	bits   uint8
	keep   bool
}

// NewDecompressor returns a Decompressor for a peer whose window has 2^bits
// bytes, 8 <= bits <= 15; it panics outside of that. A stream that reaches
// further back is refused. With keep, a message may refer to the ones before
// it; without, a message that does is refused. It holds no buffers until they
// are needed.
func NewDecompressor(bits int, keep bool) *Decompressor {
	checkBits(bits)
	return &Decompressor{bits: uint8(bits), keep: keep}
}

func checkBits(bits int) {
	if bits < minBits || bits > maxBits {
		panic(fmt.Sprintf("deflate: a window of 2^%d bytes; RFC 7692 has 2^8 to 2^15", bits))
	}
}

// What can be wrong with a stream. Errors from Inflate and End wrap one of
// them and say what was found.
var (
	ErrBlockType = errors.New("deflate: reserved block type (RFC 1951 §3.2.3)")
	ErrStored    = errors.New("deflate: stored block whose length and its complement disagree (RFC 1951 §3.2.4)")
	ErrLengths   = errors.New("deflate: bad code lengths (RFC 1951 §3.2.7)")
	ErrSymbol    = errors.New("deflate: bits that stand for no symbol (RFC 1951 §3.2.5)")
	ErrDistance  = errors.New("deflate: distance too far back (RFC 7692 §7.1.2)")
	ErrTruncated = errors.New("deflate: the message ends inside a block (RFC 7692 §7.2.2)")
)

// tail is what the sender took off and the receiver appends (RFC 7692 §7.2.2).
const tail = "\x00\x00\xff\xff"

var tailBytes = []byte(tail)

// The states of an inflater: what the next bits are.
const (
	atHeader    = iota // a block header, or nothing
	atStoredLen        // LEN and NLEN
	inStored           // bytes of a stored block
	atCounts           // HLIT, HDIST, HCLEN
	inLensLens         // lengths of the code length code
	inLens             // lengths of the two codes
	atLiteral          // a literal, a length, or the end of the block
	atDistance         // a distance
	inMatch            // nothing: a match is not all written yet
)

// An inflater is the state that is needed inside a message.
type inflater struct {
	b  uint64 // the next bits, least significant first
	nb uint   // how many there are; those above are 0

	window  int
	hist    *history // what was produced before this call
	own     history  // what hist points to where no context is kept
	state   uint8
	final   bool // the last block had BFINAL set
	tail    uint8
	blocks  int
	length  int // bytes of a match or stored block that are still to come
	dist    int
	numLit  int // of a dynamic block's header
	numDist int
	numLens int
	have    int // code lengths read so far
	lens    [numLit + numDist]uint8
	litT    *[litRoom]entry // own or fixed tables
	distT   *[distRoom]entry
	ownLit  [litRoom]entry
	ownDist [distRoom]entry
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func (d *Decompressor) begin() *inflater {
	w := inflaters.Get().(*inflater)
	w.b, w.nb, w.state, w.final, w.tail, w.blocks, w.length = 0, 0, atHeader, false, 0, 0, 0
	w.window = 1 << d.bits
	w.hist = &w.own
	w.own.reset()
	if d.keep {
		w.hist = &d.hist
	}
	d.w, d.blocks = w, 0
	return w
}

// release gives the working state back.
func (d *Decompressor) release() {
	if w := d.w; w != nil {
		d.w, w.hist = nil, nil
		inflaters.Put(w)
	}
}

// Inflate consumes bytes of a message from the front of src and writes what
// they stand for to the front of dst. It returns when dst is full, ndst ==
// len(dst), and may have more even if nsrc == len(src); or when it has nothing
// more to say without more input, nsrc == len(src) and ndst < len(dst). An
// error is final: every later call returns it. What was written before it is
// good. The rest of dst may have been used as scratch memory. An empty dst is
// always full.
func (d *Decompressor) Inflate(dst, src []byte) (ndst, nsrc int, err error) {
	if d.err != nil {
		return 0, 0, d.err
	}
	w := d.w
	if w == nil {
		if len(src) == 0 {
			return 0, 0, nil
		}
		w = d.begin()
	}
	ndst, nsrc, err = w.run(dst, src)
	d.after(dst[:ndst], err)
	return ndst, nsrc, err
}

// after keeps what a call to run has left behind.
func (d *Decompressor) after(out []byte, err error) {
	d.blocks = d.w.blocks
	if err != nil {
		d.err = err
		d.release()
		d.hist = history{}
		return
	}
	d.w.hist.write(out, d.w.window)
}

// End says that the message's bytes have all been consumed by Inflate. It
// writes what output they still have, and is called again, with more room,
// until done is true; then the next message may begin. A message that does not
// end at the end of a block once 00 00 ff ff is appended is refused; so short
// of a block with BFINAL set, whether or not padding or further blocks follow
// it (RFC 7692 §7.2.3.4–5). A message of no bytes at all is taken for an empty
// one.
func (d *Decompressor) End(dst []byte) (ndst int, done bool, err error) {
	w := d.w
	switch {
	case d.err != nil:
		return 0, false, d.err
	case w == nil:
		d.blocks = 0
		return 0, true, nil
	}
	var nsrc int
	if !w.atEnd() {
		ndst, nsrc, err = w.run(dst, tailBytes[w.tail:])
		w.tail += uint8(nsrc)
		if err == nil && ndst < len(dst) && !w.atEnd() {
			err = fmt.Errorf("%w, in %s", ErrTruncated, w.where())
		}
		d.after(dst[:ndst], err)
		if err != nil {
			return ndst, false, err
		}
	}
	if !w.atEnd() {
		return ndst, false, nil
	}
	d.release()
	return ndst, true, nil
}

// atEnd reports whether a message may end here: after the tail, or after a
// block with BFINAL set.
func (w *inflater) atEnd() bool {
	return w.state == atHeader && w.nb == 0 && (w.final || int(w.tail) == len(tail))
}

// where names what is not finished.
func (w *inflater) where() string {
	switch w.state {
	case atHeader:
		return "a block header"
	case atStoredLen, inStored:
		return "a stored block"
	case atCounts, inLensLens, inLens:
		return "a dynamic block's header"
	}
	return "a compressed block"
}

// Blocks returns how many block headers the message has had so far, or had, if
// no next one has begun.
func (d *Decompressor) Blocks() int { return d.blocks }

// Release gives everything back, whatever has been going on; after it the
// Decompressor is as new.
func (d *Decompressor) Release() {
	d.release()
	d.hist, d.err, d.blocks = history{}, nil, 0
}
