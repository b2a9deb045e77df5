package wsnet

import (
	"context"
	"net"
	"time"
)

// A bound limits an opening handshake over a stream that has deadlines: by a
// timeout, and by a context, whose end moves the deadlines into the past.
type bound struct {
	s       stream
	limited bool          // there are deadlines of ours
	stop    func() bool   // nil unless a context is watched
	fired   chan struct{} // closed when its end has moved the deadlines
}

// set begins; a timeout of 0 is none.
func (b *bound) set(ctx context.Context, s stream, timeout time.Duration) {
	*b = bound{s: s}
	if timeout > 0 {
		b.limited = true
		setDeadlines(s, time.Now().Add(timeout))
	}
	if ctx.Done() != nil {
		fired := make(chan struct{})
		b.fired = fired
		b.stop = context.AfterFunc(ctx, func() {
			setDeadlines(s, aLongTimeAgo)
			close(fired)
		})
	}
}

// lift takes the bound off, and says whether the context has ended before. No
// deadline stays behind.
func (b *bound) lift() (ended bool) {
	if b.limited {
		setDeadlines(b.s, time.Time{})
	}
	if ended = b.leave(); ended {
		setDeadlines(b.s, time.Time{})
	}
	return ended
}

// leave stops watching the context, and says whether it has ended before. The
// deadlines stay as they are.
func (b *bound) leave() (ended bool) {
	if b.stop == nil {
		return false
	}
	if ended = !b.stop(); ended {
		<-b.fired
	}
	b.stop = nil
	return ended
}

// setDeadlines sets both of a stream's, at once where that is possible.
func setDeadlines(s stream, t time.Time) {
	if both, ok := s.(net.Conn); ok {
		both.SetDeadline(t)
		return
	}
	s.SetReadDeadline(t)
	s.SetWriteDeadline(t)
}
