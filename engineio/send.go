package engineio

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"

	"framewright/ws/wsnet"
)

// Send queues messages for the client: in order, and with nothing between
// them. It does not wait and does not keep the messages' data. The error is
// [ErrNotUTF8], [ErrSeparator] or [ErrTooLarge], with which nothing was queued
// and the session goes on, or the session's end; a client that lets too much
// wait ends it with [SlowClient].
func (s *Socket) Send(messages ...Message) error {
	var one [1]packet
	batch := one[:0]
	size := 0
	for _, m := range messages {
		if !m.Binary {
			if !utf8.Valid(m.Data) {
				return ErrNotUTF8
			}
			if s.server.polls && bytes.IndexByte(m.Data, separator) >= 0 {
				return ErrSeparator
			}
		}
		p := messagePacket(m)
		size += p.size()
		batch = append(batch, p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enqueue(batch, size)
}

// SendPrepared is [Socket.Send] for what goes to many sessions.
func (s *Socket) SendPrepared(p *Prepared) error {
	if p.separator && s.server.polls {
		return ErrSeparator
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enqueue(p.packets, p.size)
}

// SendVolatile sends p if the client can take it now: nothing waits to be
// sent, and a request to answer is there if the client is polling. Otherwise
// p is dropped. It reports whether p was sent.
func (s *Socket) SendVolatile(p *Prepared) bool {
	if p.separator && s.server.polls {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.outBytes > 0 || s.conn == nil && s.poll == nil {
		return false
	}
	return s.enqueue(p.packets, p.size) == nil
}

// Gather has f send to this session, by Send and its like, and lets nothing of that go
// to a WebSocket before f returns: several messages take one system call then, where they
// are short. f must not wait.
func (s *Socket) Gather(f func()) {
	s.mu.Lock()
	conn := s.conn
	mine := conn != nil && !s.writing && s.err == nil
	if mine {
		s.writing = true // as if write were at work, so that nobody else begins it
	}
	s.mu.Unlock()
	if mine {
		defer func() { go s.write(conn) }() // also when f panics
	}
	f()
}

// Ready waits until at least half of the session's queue is free. Who sends
// a lot to one client, such as a history, waits for it in between.
func (s *Socket) Ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && s.outBytes > s.server.o.QueueBytes/2 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		room := s.outRoom.Wait()
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
	if s.err != nil {
		return s.err
	}
	return nil
}

// enqueue adds a batch to the queue. The caller holds s.mu; batch is not kept.
func (s *Socket) enqueue(batch []packet, size int) error {
	limit := s.server.o.QueueBytes
	switch {
	case s.err != nil:
		return s.err
	case size > limit:
		return fmt.Errorf("%w: %d bytes of %d", ErrTooLarge, size, limit)
	case s.outBytes+size > limit:
		s.endLocked(&CloseError{SlowClient, fmt.Errorf("%d bytes wait for it, and Options.QueueBytes allows %d", s.outBytes+size, limit)}, false)
		return s.err
	}
	s.out = append(s.out, batch...)
	s.outBytes += size
	s.flush()
	return nil
}

// flush sets in motion whatever can take the queue. The caller holds s.mu.
func (s *Socket) flush() {
	switch {
	case len(s.out) == 0:
	case s.conn != nil:
		if !s.writing {
			s.writing = true
			go s.write(s.conn)
		}
	case s.poll != nil:
		s.answerPoll(s.takeQueue())
	}
}

// takeQueue empties the queue. The caller holds s.mu.
func (s *Socket) takeQueue() []packet {
	batch := s.out
	s.out, s.outBytes = nil, 0
	s.outRoom.Raise()
	return batch
}

// What write sends with one system call, where it can: so many packets, or a few
// more bytes than these.
const (
	gathered      = 16
	gatheredBytes = 32 << 10
)

// write sends the queue over the WebSocket and ends when it is empty, so that
// an idle session has no goroutine for it.
func (s *Socket) write(conn *wsnet.Conn) {
	var spare []packet
	for {
		s.mu.Lock()
		batch := s.out
		if len(batch) == 0 {
			s.writing = false
			over := s.err
			s.mu.Unlock()
			if over != nil {
				s.shut(conn, over)
			}
			return
		}
		s.out = spare
		s.mu.Unlock()
		var frames [gathered]*wsnet.Prepared
		for rest := batch; len(rest) > 0; {
			var err error
			n, size := 1, rest[0].size()
			if rest[0].frame == nil {
				err = conn.Write(context.Background(), rest[0].opcode(), rest[0].wire)
			} else {
				frames[0] = rest[0].frame
				for n < min(gathered, len(rest)) && rest[n].frame != nil && size < gatheredBytes {
					frames[n] = rest[n].frame
					size += rest[n].size()
					n++
				}
				err = conn.WritePrepared(context.Background(), frames[:n]...)
			}
			if err != nil {
				s.end(lost(err), false)
				break
			}
			rest = rest[n:]
			s.mu.Lock()
			// An end that was not orderly has emptied the queue meanwhile.
			s.outBytes = max(0, s.outBytes-size)
			if s.outBytes <= s.server.o.QueueBytes/2 {
				s.outRoom.Raise()
			}
			s.mu.Unlock()
		}
		if spare = nil; cap(batch) <= 16 { // a burst is over; keep little
			clear(batch)
			spare = batch[:0]
		}
	}
}
