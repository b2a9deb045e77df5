package chat

import "sync"

// A Writer brings what a session has for its client on its way: see [Session.Attend].
type Writer interface {
	// Write writes packets, at least one, in their order, and may wait for the client.
	// The slice is the writer's until Write returns. An error is the last word:
	// nothing more is written.
	Write(batch []Packet) error

	// Over says that the session has ended for this reason, also while Write is at
	// work: how long that may still take, and what waits behind it, is for the writer
	// to say. Nothing waits after [ErrSlow]. Over is called once, must not wait and
	// must not call the session.
	Over(reason error)

	// End comes after the last Write, once: with that one's error, or, when all that
	// was queued is written, with the reason for which the session is over.
	End(err error)
}

// Attend has w write what the session has for its client, from here on, in batches of
// at most so many bytes, but of one packet at the least. It is in place of
// [Session.Next], which must not be called any more, and returns at once: Write and End
// are called by a goroutine that there is only while something waits. Most sessions wait
// most of the time, and the goroutine would be a good part of what each of them takes.
func (s *Session) Attend(w Writer, batchBytes int) { s.q.attend(w, batchBytes) }

// attended is who writes what an outbox holds.
type attended struct {
	writer     Writer // nil: who calls take
	batchBytes int
	writing    bool // its goroutine is there, or its End was called
}

func (q *outbox) attend(w Writer, batchBytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.by.writer, q.by.batchBytes = w, batchBytes
	q.wake = nil
	if q.err != nil {
		w.Over(q.err)
	}
	if q.err != nil || q.items.Len() > 0 {
		q.rouse()
	}
}

// batches are what writers are given. Each is there for as long as somebody writes, and
// a burst may make it long, so no session has its own.
var batches = sync.Pool{New: func() any { return new([]Packet) }}

// write has the writer write what waits until nothing does.
func (q *outbox) write() {
	batch := batches.Get().(*[]Packet)
	defer batches.Put(batch)
	for {
		var err error
		if *batch, err = q.takeOrRest((*batch)[:0]); err == nil && len(*batch) == 0 {
			return
		}
		if err == nil {
			err = q.by.writer.Write(*batch)
			clear(*batch)
		}
		if err != nil {
			q.by.writer.End(err)
			return
		}
	}
}

// takeOrRest is take for who does not wait: if there is nothing, the goroutine of
// write is over.
func (q *outbox) takeOrRest(dst []Packet) ([]Packet, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items.Len() > 0 {
		return q.takeBatch(dst, maxBatch, q.by.batchBytes), nil
	}
	if q.err == nil {
		q.by.writing = false
	}
	return dst, q.err
}

// maxBatch is how many packets a writer gets at once.
const maxBatch = 256
