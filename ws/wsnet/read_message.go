package wsnet

import (
	"context"
	"slices"
	"sync"
	"time"

	"framewright/ws"
)

const (
	// growStep is how far ahead of the bytes that have come a message's
	// buffer grows, at least: memory follows what arrives, not what a header
	// announces.
	growStep = 32 << 10

	// aheadOfCome is how much more than what has come a buffer may be that
	// need not be made: see loan.grow.
	aheadOfCome = 8
)

// collect appends the message that has begun to dst, which is l's if there is one. What
// an interruption leaves is kept for the next read.
func (in *inbox) collect(ctx context.Context, dst []byte, l *loan) (_ []byte, err error) {
	begin := len(dst)
	if in.streaming != asWhole {
		err = in.skip(ctx)
	}
	if err == nil && !in.inMessage {
		err = in.nextEvent(ctx)
	}
	if err != nil {
		return dst, err
	}
	if in.partial != nil {
		dst = append(dst, *in.partial...)
	}
	dst, err = in.message(ctx, dst, begin, l)
	if err != nil && in.link.life.err() == nil {
		partial := slices.Clone(dst[begin:])
		in.partial = &partial
	}
	return dst, err
}

// message appends what is left of the current message to dst. The message itself begins
// at dst[begin].
func (in *inbox) message(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
	rx := &in.link.ep.In
	for {
		if in.compressed {
			return in.inflateMessage(ctx, dst, begin, l)
		}
		if n := len(in.piece); n > 0 {
			if cap(dst)-len(dst) < n {
				dst = l.grow(dst, n, int64(n)+rx.Remaining(), begin)
			}
			dst = append(dst, in.piece...)
			in.piece = nil
		}
		if in.fin {
			return dst, in.delivered(len(dst) == begin)
		}
		var err error
		if left := rx.Remaining(); in.r == in.w && left >= readBufferSize { // straight into dst
			var n int
			dst = l.grow(dst, 0, left, begin)
			n, err = in.payload(ctx, dst[len(dst):cap(dst)])
			dst = dst[:len(dst)+n]
		} else {
			err = in.nextEvent(ctx)
		}
		if err != nil {
			return dst, err
		}
	}
}

// readPiece reads the next piece of the current message into p. It returns done,
// with n == 0, at the message's end.
func (in *inbox) readPiece(ctx context.Context, p []byte) (n int, done bool, err error) {
	if in.partial != nil && len(*in.partial) > 0 { // of a whole-message read that was interrupted
		n = copy(p, *in.partial)
		*in.partial = (*in.partial)[n:]
		return n, false, nil
	}
	for {
		switch {
		case !in.inMessage: // while messages are thrown away
			err = in.nextEvent(ctx)
		case in.compressed:
			return in.inflate(ctx, p)
		case len(in.piece) > 0:
			n = copy(p, in.piece)
			in.piece = in.piece[n:]
			in.whole = false
			return n, false, nil
		case in.fin:
			return 0, true, nil
		case in.r == in.w && len(p) >= readBufferSize && in.link.ep.In.Remaining() > 0:
			n, err = in.payload(ctx, p)
			return n, false, err
		default:
			err = in.nextEvent(ctx)
		}
		if err != nil {
			return 0, false, err
		}
	}
}

// payload reads payload of the current frame straight into p. The buffer is empty.
func (in *inbox) payload(ctx context.Context, p []byte) (n int, err error) {
	rx := &in.link.ep.In
	p = p[:min(int64(len(p)), rx.Remaining())]
	if in.link.socket != nil {
		in.giveBuffer() // it is not needed until there is more than p takes
	}
	in.nhead = 0
	in.beforeReading()
	if n, err = in.readStream(ctx, p); err != nil {
		return 0, err
	}
	err = rx.Payload(p[:n])
	in.trace.payload(p[:n])
	if err != nil {
		return 0, in.violation(err)
	}
	if rx.Remaining() == 0 {
		in.trace.end(rx.State())
		in.fin = rx.State() == ws.StateReady
	}
	return n, nil
}

// skip reads what is left of a message that was given out as a Reader. One of
// which nothing was read, and nothing is left, counts as empty.
func (in *inbox) skip(ctx context.Context) error {
	if in.streaming == asWhole {
		return nil
	}
	if in.partial != nil && len(*in.partial) > 0 {
		in.streaming = asReaderRun
	}
	in.partial = nil
	scratch := make([]byte, 512)
	for in.inMessage {
		_, done, err := in.readPiece(ctx, scratch)
		switch {
		case err != nil:
			return err
		case !done:
			in.streaming = asReaderRun
		default:
			if err := in.delivered(in.streaming == asReader); err != nil {
				return err
			}
		}
	}
	return nil
}

// control deals with a control frame.
func (in *inbox) control(ev ws.Event) error {
	l := in.link
	in.count()
	if in.timed && !in.inMessage {
		in.untime()
	}
	if f := l.set.onControl; f != nil && ev.Opcode != ws.OpClose {
		f(l.id, ev.Opcode, ev.Payload)
	}
	at, answered := now(), false
	l.pings.Lock()
	duty, err := l.ep.Control(ev, at, in.out.closeSent.Load(), func(p ws.Ping) {
		answered = true
		rtt := time.Duration(at - p.Sent)
		l.stats.rtt.Store(int64(rtt))
		if done, ok := p.For.(chan<- time.Duration); ok {
			done <- rtt
		}
	})
	l.pings.Unlock()
	switch {
	case ev.Opcode == ws.OpPing:
		l.stats.pingsIn.Add(1)
	case answered:
		l.stats.pongsIn.Add(1)
	case ev.Opcode == ws.OpPong:
		l.stats.unsolicited.Add(1)
	}
	if err != nil {
		return in.violation(err)
	}
	if duty.Owed == ws.OpPong {
		in.out.answer(duty.Pong)
	}
	if duty.End != nil {
		if l.end(duty.End) {
			l.owner.sayGoodbye(duty.Close)
		}
		return l.life.err()
	}
	return nil
}

// inflating is where the inbox stands inside a compressed message (RFC 7692 §7.2.2).
type inflating struct {
	src   []byte // compressed bytes, in the read buffer unless own
	own   bool
	full  bool // the last call filled what it was given: there may be more
	whole bool // the message is collected, so what inflates has to be held
}

// inflate reads what the current, compressed message inflates to into p. It
// returns done, with n == 0, at the message's end.
func (in *inbox) inflate(ctx context.Context, p []byte) (n int, done bool, err error) {
	z, rx := in.z, &in.link.ep.In
	for {
		if len(in.piece) > 0 {
			z.src, z.own, in.piece = in.piece, false, nil
		}
		switch {
		case len(z.src) == 0 && !z.full && !in.fin:
			if err = in.nextEvent(ctx); err != nil {
				return 0, false, err
			}
			continue
		case len(z.src) > 0 || z.full:
			if z.whole && rx.InflatesAhead() {
				if err = in.awaitMore(ctx); err != nil {
					return 0, false, err
				}
				continue
			}
			var used int
			n, used, err = rx.Inflate(p, z.src)
			z.src, z.full = z.src[used:], n == len(p)
		default:
			n, done, err = rx.InflateEnd(p, now())
		}
		in.trace.inflated(p[:n])
		switch {
		case err != nil:
			return 0, false, in.violation(err)
		case done:
			in.trace.flush()
			return 0, true, nil
		case n > 0:
			return n, false, nil
		}
	}
}

// awaitMore adds the next compressed bytes to those that wait: a message inflates only
// so far ahead of what has come of it.
func (in *inbox) awaitMore(ctx context.Context) error {
	z := in.z
	if !z.own {
		z.src, z.own = slices.Clone(z.src), true
	}
	if err := in.nextEvent(ctx); err != nil {
		return err
	}
	z.src, in.piece = append(z.src, in.piece...), nil
	return nil
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
func (in *inbox) inflateMessage(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
	in.z.whole = true
	defer func() { in.z.whole = false }()
	for {
		if cap(dst)-len(dst) < leastRoom {
			if len(dst)-begin >= spillAt {
				return in.inflateLong(ctx, dst, begin, l)
			}
			// The first guess is what JSON comes to; then it doubles.
			come := int64(len(in.piece)+len(in.z.src)) + in.link.ep.In.Remaining()
			guess := min(max(3*come+64, 512), 4<<10)
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
func (in *inbox) inflateLong(ctx context.Context, dst []byte, begin int, l *loan) ([]byte, error) {
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
		if err != nil && in.link.life.err() != nil {
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
