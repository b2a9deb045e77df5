package wsnet

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"framewright/ws"
)

// A link is what both directions of a connection share: the stream, its deadlines, the
// protocol, and the one reason for which it ends.
type link struct {
	stream stream
	socket syscall.RawConn // nil unless the stream is nothing but a socket
	set    *group
	ep     ws.Endpoint // In belongs to the reader, Out to the writer, Pings to pings
	pings  sync.Mutex
	life   lifetime
	stats  counters
	id     uint64
	owner  owner
}

// An owner is the connection, as far as its parts need it when it ends: see close.go.
type owner interface {
	ending()                         // the connection is over: no more pings
	sayGoodbye(frame *ws.CloseError) // and a Close frame is owed, after which the stream is closed
	hangUp(gently bool)              // or nothing is
}

// end makes e the reason for which the connection is over, if it is the first. The caller
// then sees to the stream.
func (l *link) end(e *ws.CloseError) bool {
	if !l.life.finish(e) {
		return false
	}
	l.owner.ending()
	return true
}

// fail ends the connection with a Close frame that says why (RFC 6455 §7.1.7), if one can
// still be sent; nothing more is read. It returns the reason of the end.
func (l *link) fail(e *ws.CloseError) error {
	if l.end(e) {
		l.owner.sayGoodbye(e)
	}
	return l.life.err()
}

// cut ends the connection without another frame.
func (l *link) cut(e *ws.CloseError) error {
	if l.end(e) {
		go l.owner.hangUp(false)
	}
	return l.life.err()
}

// lost is cut for a stream that has ended or broken.
func (l *link) lost(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return l.cut(ws.EndByLoss(err, true, nil))
}

// aLongTimeAgo is a deadline that has passed: it wakes a blocked operation.
var aLongTimeAgo = time.Unix(1, 0)

// An interrupter makes one direction of a stream wake up when a context ends:
// it then moves that direction's deadline into the past. A context stays
// watched from one operation to the next, so that a loop of reads with the
// same context does not pay for each.
type interrupter struct {
	link *link
	seen <-chan struct{} // of the last operation's context; belongs to the operation

	mu       sync.Mutex
	write    bool            // which direction
	fired    bool            // ctx ended and the deadline is in the past
	stopped  bool            // the connection is over: the deadline stays in the past
	done     <-chan struct{} // of the context that is watched, nil if none is
	stop     func() bool
	deadline ws.Moment // what the operation itself wants
}

// setDeadline sets the stream's.
func (i *interrupter) setDeadline(t time.Time) {
	if i.write {
		i.link.stream.SetWriteDeadline(t)
	} else {
		i.link.stream.SetReadDeadline(t)
	}
}

// watch begins an operation under ctx. The connection's own context needs no
// watching: the connection's end closes the stream. Contexts are told apart by
// their Done channels, since not every Context can be compared.
func (i *interrupter) watch(ctx context.Context) {
	var done <-chan struct{}
	if l, ok := ctx.(*lifetime); !ok || l != &i.link.life {
		done = ctx.Done()
	}
	if done != i.seen {
		i.change(ctx, done)
	}
}

func (i *interrupter) change(ctx context.Context, done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen = done
	if i.stopped {
		return
	}
	if i.stop != nil {
		i.stop()
	}
	i.done, i.stop = nil, nil
	if i.fired {
		i.fired = false
		i.setDeadline(timeOf(i.deadline))
	}
	if done == nil {
		return
	}
	i.done = done
	i.stop = context.AfterFunc(ctx, func() { i.fire(done) })
}

func (i *interrupter) fire(done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.done == done && !i.stopped {
		i.fired, i.stop = true, nil // the context is needed no longer
		i.setDeadline(aLongTimeAgo)
	}
}

// limit sets the operation's own deadline; 0 is none.
func (i *interrupter) limit(t ws.Moment) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.deadline = t
	if !i.fired && !i.stopped {
		i.setDeadline(timeOf(t))
	}
}

// shut wakes the direction for good.
func (i *interrupter) shut() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop != nil {
		i.stop()
	}
	i.done, i.stop, i.stopped = nil, nil, true
	i.setDeadline(aLongTimeAgo)
}

// reopen lets the closing goroutine use the direction until t.
func (i *interrupter) reopen(t time.Time) { i.setDeadline(t) }

// isTimeout reports whether err came from a deadline.
func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

type counters struct {
	messagesIn, messagesOut, framesIn, framesOut, bytesIn, bytesOut atomic.Uint64
	pingsIn, pongsOut, pingsOut, pongsIn, unsolicited               atomic.Uint64
	rtt                                                             atomic.Int64
}

func (s *counters) snapshot() Stats {
	return Stats{
		MessagesIn: s.messagesIn.Load(), MessagesOut: s.messagesOut.Load(),
		FramesIn: s.framesIn.Load(), FramesOut: s.framesOut.Load(),
		BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(),
		PingsIn: s.pingsIn.Load(), PongsOut: s.pongsOut.Load(),
		PingsOut: s.pingsOut.Load(), PongsIn: s.pongsIn.Load(),
		Unsolicited: s.unsolicited.Load(), RTT: time.Duration(s.rtt.Load()),
	}
}

// Stats counts what went over a connection. Bytes are those on the wire,
// frame headers included, without the opening handshake and TLS.
type Stats struct {
	MessagesIn, MessagesOut uint64
	FramesIn, FramesOut     uint64
	BytesIn, BytesOut       uint64
	PingsIn, PongsOut       uint64
	PingsOut, PongsIn       uint64        // PongsIn are answers to our pings
	Unsolicited             uint64        // pongs that answer none (§5.5.3)
	RTT                     time.Duration // of the last ping that was answered, 0 before
}
