package wsnet

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"framewright/ws/internal/deflate"

	"framewright/ws"
)

// startDeflate gives the connection a compressor and a decompressor. Neither
// holds memory until it is used.
func (c *Conn) startDeflate(p ws.DeflateParams) {
	c.outcome().deflate = &p
	sendBits, sendKeep := p.ServerBits, !p.ServerNoContext
	receiveBits, receiveKeep := p.ClientBits, !p.ClientNoContext
	if c.Role() == ws.RoleClient {
		sendBits, receiveBits = receiveBits, sendBits
		sendKeep, receiveKeep = receiveKeep, sendKeep
	}
	c.in.rx.AllowDeflate(p)
	c.in.z = &inflater{d: deflate.NewDecompressor(receiveBits, receiveKeep)}
	c.out.z = &deflater{c: deflate.NewCompressor(sendBits, sendKeep), bits: sendBits, keep: sendKeep}
}

// Deflate returns what the handshake settled on for permessage-deflate, or
// nil if messages are not compressed.
func (c *Conn) Deflate() *ws.DeflateParams {
	if c.settled == nil {
		return nil
	}
	return c.settled.deflate
}

// maxEmptyBlocks is how many blocks a compressed message may have beyond one
// for every byte of content: a sender may flush often, but a stream of blocks
// without content is work for nothing.
const maxEmptyBlocks = 1024

// An inflater is the decompressing part of incoming.
type inflater struct {
	d      *deflate.Decompressor
	src    []byte // compressed bytes, unmasked, in the read buffer
	full   bool   // the last call filled what it was given: there may be more
	in     int64  // compressed bytes of the message
	out    int64  // what they inflated to
	beyond bucket // what messages inflate to beyond inflateRatio times their size
	whole  bool   // the message is collected, so what inflates has to be held
	own    bool   // src is not in the read buffer
}

// aheadOf is how far a message that is collected inflates ahead of inflateRatio
// times what came of it. A bomb that stops short of its end stays compressed:
// a hundred of them wait in a few KiB each, not in the limit of a message.
const aheadOf = 64 << 10

// tooFar reports whether the rest of the message is to come before more of it
// is inflated.
func (in *incoming) tooFar() bool {
	z := in.z
	ends := in.rx.Remaining() == 0 && in.rx.State() == ws.StateReady
	return z.whole && !ends && z.out >= aheadOf+inflateRatio*z.in
}

// await adds the next compressed bytes to those that wait.
func (in *incoming) await(ctx context.Context) error {
	z := in.z
	if !z.own {
		z.src, z.own = slices.Clone(z.src), true
	}
	if end, err := in.next(ctx); err != nil || end {
		return err
	}
	before := z.src
	if err := in.compressed(ctx); err != nil {
		z.src, z.own = before, true
		return err
	}
	z.src, z.own = append(before, z.src...), true
	return nil
}

// inflating reports whether a compressed message is under way. What waits to be
// inflated may lie in the buffer, so it is inflate that decides when to read on.
func (in *incoming) inflating() bool { return in.inMessage && in.rx.Compressed() }

// inflateRatio is what honest content hardly exceeds: JSON compresses to a
// tenth, logs to a thirtieth.
const inflateRatio = 32

// inflate reads what the current, compressed message inflates to into p. It
// returns done, with n == 0, at the message's end.
func (in *incoming) inflate(ctx context.Context, p []byte) (n int, done bool, err error) {
	z := in.z
	for {
		var end, over bool
		if (len(z.src) > 0 || z.full) && in.tooFar() {
			if err = in.await(ctx); err != nil {
				return 0, false, err
			}
			continue
		}
		if len(z.src) > 0 || z.full {
			var used int
			n, used, err = z.d.Inflate(p, z.src)
			z.src = z.src[used:]
			z.full = n == len(p)
		} else if end, err = in.next(ctx); err != nil {
			return 0, false, err
		} else if end {
			n, over, err = z.d.End(p)
		} else if err = in.compressed(ctx); err != nil {
			return 0, false, err
		}
		z.out += int64(n)
		if verr := in.content(p[:n], err, over && n == 0); verr != nil {
			return 0, false, verr
		}
		if over && n == 0 {
			z.in, z.out = 0, 0
			return 0, true, nil
		}
		if n > 0 {
			return n, false, nil
		}
	}
}

// spillAt is from what size on a message is collected in pieces. Until a
// message is whole it costs its receiver no more than the pieces, which go
// back to a pool, and it is only then that a buffer of its size is made: a
// hundred that inflate to the limit and break it leave nothing behind.
const spillAt = 16 << 10

// leastRoom is how much room the decompressor is given; a message that leaves
// less costs another step.
const leastRoom = 16

type spill [32 << 10]byte

var spills = sync.Pool{New: func() any { return new(spill) }}

// inflateMessage appends what is left of the current, compressed message to
// dst. The message itself begins at dst[begin].
func (in *incoming) inflateMessage(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
	in.z.whole = true
	defer func() { in.z.whole = false }()
	for {
		if cap(dst)-len(dst) < leastRoom {
			if len(dst)-begin >= spillAt {
				return in.inflateLong(ctx, dst, begin, l)
			}
			// The first guess is what JSON comes to; then it doubles.
			guess := min(max(3*in.rx.Remaining()+64, 512), 4<<10)
			dst = l.room(dst, max(int(guess), len(dst)-begin))
		}
		n, done, err := in.inflate(ctx, dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err != nil {
			return dst, err
		}
		if done {
			return dst, in.delivered(len(dst) == begin)
		}
	}
}

// inflateLong is inflateMessage for a message that dst has no room for.
func (in *incoming) inflateLong(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
	var pieces []*spill
	last := len(spill{}) // bytes in the last piece
	defer func() {
		for _, p := range pieces {
			spills.Put(p)
		}
	}()
	for {
		if last == len(spill{}) {
			pieces, last = append(pieces, spills.Get().(*spill)), 0
		}
		n, done, err := in.inflate(ctx, pieces[len(pieces)-1][last:])
		last += n
		if err != nil && in.c.Err() != nil {
			return dst, err
		}
		if err == nil && !done {
			continue
		}
		// The end, or an interruption, which keeps what has come.
		dst = l.room(dst, (len(pieces)-1)*len(spill{})+last)
		for i, p := range pieces {
			if i == len(pieces)-1 {
				dst = append(dst, p[:last]...)
			} else {
				dst = append(dst, p[:]...)
			}
		}
		if err != nil {
			return dst, err
		}
		return dst, in.delivered(len(dst) == begin)
	}
}

// compressed makes the next bytes of the payload the inflater's.
func (in *incoming) compressed(ctx context.Context) error {
	p, err := in.take(ctx)
	if err != nil {
		return err
	}
	in.z.src, in.z.own = p, false
	in.z.in += int64(len(p))
	return in.judge(p)
}

// content judges what came out of the decompressor: p, and err.
func (in *incoming) content(p []byte, err error, over bool) error {
	z := in.z
	in.trace.inflated(p)
	if verr := in.rx.Content(p); verr != nil { // what was written before an error is good
		return in.violation(verr)
	}
	switch {
	case err != nil:
		return in.violation(ws.RuleDeflate.Violation(err.Error()))
	case int64(z.d.Blocks()) > z.out+maxEmptyBlocks:
		return in.violation(ws.RuleEmptyBlocks.Violation("compressed message of " + strconv.Itoa(z.d.Blocks()) + " blocks and " + strconv.FormatInt(z.out, 10) + " bytes"))
	}
	if !over {
		return nil
	}
	if verr := in.rx.ContentEnd(); verr != nil {
		return in.violation(verr)
	}
	if beyond := z.out - inflateRatio*z.in; beyond > 0 && !z.beyond.take(in.c.set.inflateRate, float64(beyond)) {
		return in.violation(ws.RuleInflateRate.Violation("compressed messages inflate to more than InflateRate allows, " + strconv.Itoa(in.c.set.inflateRate) + " bytes a second beyond " + strconv.Itoa(inflateRatio) + " times their size"))
	}
	in.trace.flush()
	return nil
}

// A deflater is the compressing part of outgoing. It belongs to whoever has
// messages.
type deflater struct {
	c    *deflate.Compressor
	bits int
	keep bool
}

// compressBuffers hold one message's compressed form while it is written.
var compressBuffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 256 << 10

// compress returns the payload for p, and the buffer to give back. A message
// that does not become smaller goes out as it is; but where the context is
// kept the peer's is only like ours if it sees every message in its compressed
// form.
func (z *deflater) compress(h *ws.Header, p []byte) ([]byte, *[]byte) {
	buf := compressBuffers.Get().(*[]byte)
	*buf = z.c.Append((*buf)[:0], p)
	if len(*buf) >= len(p) && !z.keep {
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
