package wsspec

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// inboxBytes bounds what is kept of a testee that sends more than the case reads.
const inboxBytes = 64 << 20

// An inbox takes frames off a connection as they come.
type inbox struct {
	mu     sync.Mutex
	on     net.Conn // which is read; nil: none yet
	frames []Event
	held   int
	end    error
	came   chan struct{} // gets a value after each change
	done   chan struct{} // closed when the reader has ended
}

func (in *inbox) start(d *Dialogue) {
	if in.on == d.conn {
		return
	}
	*in = inbox{on: d.conn, came: make(chan struct{}, 1), done: make(chan struct{})}
	rest := d.Rest()
	d.conn.SetReadDeadline(time.Time{})
	go in.read(d.conn, rest, d.Testee == Client, &d.log)
}

func (in *inbox) wait() {
	if in.on != nil {
		<-in.done
		in.on = nil
	}
}

func (in *inbox) put(e Event, end error) (full bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if end != nil {
		in.end = end
	} else {
		in.frames = append(in.frames, e)
		in.held += len(e.Frame.Payload) + 64
	}
	select {
	case in.came <- struct{}{}:
	default:
	}
	return in.held > inboxBytes
}

func (in *inbox) read(conn net.Conn, b []byte, due bool, log *recorder) {
	defer close(in.done)
	for {
		for {
			r := read(b, due)
			if r.broken != "" {
				in.put(Event{}, fmt.Errorf("%w: %s", ErrBroken, r.broken))
				return
			}
			if r.size == 0 {
				break
			}
			b = b[r.size:]
			if in.put(Event{Frame: r.frame, Masked: r.masked, Faults: r.faults}, nil) {
				in.put(Event{}, fmt.Errorf("%w: more than %d bytes that no case asked for", ErrBroken, inboxBytes))
				return
			}
		}
		// A payload is a part of b: what is behind it needs room of its own.
		size := max(64<<10, 2*len(b))
		if cap(b)-len(b) < 4<<10 {
			b = append(make([]byte, 0, size), b...)
		}
		n, err := conn.Read(b[len(b):cap(b)])
		if n > 0 {
			log.bytes(false, b[len(b):len(b)+n])
			b = b[:len(b)+n]
			continue
		}
		if err != nil {
			in.put(Event{}, named(err, 0))
			return
		}
	}
}

func (in *inbox) next(ctx context.Context, wait time.Duration) Event {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		in.mu.Lock()
		if len(in.frames) > 0 {
			e := in.frames[0]
			in.frames[0] = Event{}
			in.frames = in.frames[1:]
			in.held -= len(e.Frame.Payload) + 64
			in.mu.Unlock()
			return e
		}
		end := in.end
		in.mu.Unlock()
		if end != nil {
			return Event{Err: end}
		}
		select {
		case <-in.came:
		case <-timer.C:
			return Event{Err: fmt.Errorf("%w in %v", ErrSilent, wait)}
		case <-ctx.Done():
			return Event{Err: context.Cause(ctx)}
		}
	}
}
