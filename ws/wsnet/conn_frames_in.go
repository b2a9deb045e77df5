package wsnet

import (
	"context"
	"strconv"
	"time"

	"framewright/ws"
)

// piece reads the next piece of the current message into p. It returns done,
// with n == 0, at the message's end.
func (in *incoming) piece(ctx context.Context, p []byte) (n int, done bool, err error) {
	if !in.inflating() {
		if done, err = in.next(ctx); err != nil {
			return 0, false, err
		}
	}
	if in.rx.Compressed() {
		return in.inflate(ctx, p)
	}
	if !done {
		n, err = in.payload(ctx, p)
	}
	return n, done, err
}

// next goes on until payload of a message comes next, or, with done, until
// the message is complete. It deals with the control frames in between. It may
// read, so nothing must be left in the buffer that is still needed: see
// inflating.
func (in *incoming) next(ctx context.Context) (done bool, err error) {
	for {
		if in.atPayload() {
			return false, nil
		}
		if in.inMessage && in.rx.Remaining() == 0 && in.rx.State() == ws.StateReady {
			return true, nil
		}
		if err := in.step(ctx); err != nil {
			return false, err
		}
	}
}

// atPayload reports whether payload of a message comes next.
func (in *incoming) atPayload() bool {
	return in.rx.Remaining() > 0 && !in.rx.Frame().Opcode.IsControl()
}

// step takes a frame's header, or payload of a control frame, out of the buffer,
// and deals with the control frame if that was all of it.
func (in *incoming) step(ctx context.Context) error {
	var p []byte
	var err error
	if in.rx.Remaining() == 0 {
		err = in.header(ctx)
	} else if p, err = in.take(ctx); err == nil {
		err = in.judge(p)
	}
	if err != nil || in.rx.Remaining() > 0 || !in.rx.Frame().Opcode.IsControl() {
		return err
	}
	if err := in.control(); err != nil {
		return err
	}
	in.c.out.flush(ctx)
	return nil
}

// take takes payload of the current frame out of the buffer, reading if need be.
func (in *incoming) take(ctx context.Context) ([]byte, error) {
	if in.r == in.w {
		if err := in.fill(ctx); err != nil {
			return nil, err
		}
	}
	p := in.buf[in.r:in.w]
	if int64(len(p)) > in.rx.Remaining() {
		p = p[:in.rx.Remaining()]
	}
	in.used(len(p))
	return p, nil
}

// header reads one frame header.
func (in *incoming) header(ctx context.Context) error {
	for {
		b := in.buf[in.r:in.w]
		before := in.rx.State()
		n, err := in.rx.ReadHeader(b)
		h := in.rx.Frame()
		if n > 0 || err != nil {
			in.trace.begin(before, h, b[:max(n, min(2, len(b)))])
		}
		if err != nil {
			return in.violation(err)
		}
		if n == 0 {
			if err := in.fill(ctx); err != nil {
				return err
			}
			continue
		}
		in.used(n)
		in.frames++
		if !h.Opcode.IsControl() {
			in.inMessage = true
		}
		if h.Length == 0 {
			in.trace.end(in.rx.State())
		}
		return nil
	}
}

// payload reads payload of the current frame into p: what is buffered, or
// else straight from the stream. Remaining is not 0.
func (in *incoming) payload(ctx context.Context, p []byte) (n int, err error) {
	if int64(len(p)) > in.rx.Remaining() {
		p = p[:in.rx.Remaining()]
	}
	if in.r == in.w && len(p) < readBufferSize {
		if err := in.fill(ctx); err != nil {
			return 0, err
		}
	}
	if in.r < in.w {
		n = copy(p, in.buf[in.r:in.w])
		in.used(n)
	} else {
		if in.c.socket != nil {
			in.let() // it is not needed until there is more than p takes
		}
		if n, err = in.read(ctx, p); err != nil {
			return 0, err
		}
	}
	return n, in.judge(p[:n])
}

// judge lets the Receiver see payload.
func (in *incoming) judge(p []byte) error {
	err := in.rx.Payload(p)
	in.trace.payload(p)
	if err != nil {
		return in.violation(err)
	}
	if in.rx.Remaining() == 0 {
		in.trace.end(in.rx.State())
	}
	return nil
}

// violation fails the connection for what the peer did.
func (in *incoming) violation(err error) error {
	pe := err.(*ws.ProtocolError)
	in.trace.violation(pe)
	return in.c.fail(pe.Code, pe.Reason(), pe)
}

// delivered notes that the application has the message, or its end. It holds
// the rate of messages without content, which cost as much as others but
// count nothing against any limit in bytes.
func (in *incoming) delivered(empty bool) error {
	in.inMessage, in.streaming, in.partial = false, asWhole, nil
	in.unlimit()
	in.stale++
	in.messages++
	if in.r < in.w {
		in.setMore(true)
	} else {
		in.setMore(false)
		in.count()
	}
	if empty && !in.empties.take(in.c.set.emptyRate, 1) {
		return in.violation(ws.RuleEmptyRate.Violation("more empty messages than EmptyRate allows, " + strconv.Itoa(in.c.set.emptyRate) + " a second"))
	}
	return nil
}

func (in *incoming) used(n int) {
	in.r += n
}

// count adds to the Stats what was counted: not each frame of a buffer by
// itself, since an atomic addition takes a good part of the time that a short
// message takes.
func (in *incoming) count() {
	if in.frames > 0 {
		in.c.stats.framesIn.Add(uint64(in.frames))
		in.frames = 0
	}
	if in.messages > 0 {
		in.c.stats.messagesIn.Add(uint64(in.messages))
		in.messages = 0
	}
}

// A bucket holds ten seconds' worth of tokens and takes in rate a second
// (0: it is bottomless). It starts full. All that it must know is when it is
// full again.
type bucket struct{ full moment }

func (b *bucket) take(rate int, n float64) bool {
	if rate == 0 {
		return true
	}
	const holds = 10 * time.Second
	now := now()
	full := max(b.full, now).add(time.Duration(n / float64(rate) * float64(time.Second)))
	if full.sub(now) > holds {
		return false
	}
	b.full = full
	return true
}
