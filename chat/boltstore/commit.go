package boltstore

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"framewright/chat"
)

// request is one call of Append, Delete or TryWrite on its way into a commit.
type request struct {
	room     string
	messages []*chat.Message
	remove   chat.Cursor // not zero: a Delete
	trial    bool        // a TryWrite

	done   chan struct{} // closed when what follows is set
	stored []chat.Stored
	found  bool
	err    error
}

// Append implements [chat.Store]. It returns once the messages are on the disk.
func (s *Store) Append(room string, messages []*chat.Message) ([]chat.Stored, error) {
	r := &request{room: room, messages: messages, done: make(chan struct{})}
	s.ask(r)
	return r.stored, r.err
}

// Delete implements [chat.Store].
func (s *Store) Delete(room string, c chat.Cursor) (bool, error) {
	if c.IsZero() {
		return false, nil
	}
	r := &request{room: room, remove: c, done: make(chan struct{})}
	s.ask(r)
	return r.found, r.err
}

// trialBytes is more than most messages need.
const trialBytes = 64 << 10

// TryWrite writes something of no meaning, to find out whether the store can
// write again after an Append has failed. It returns once that is on the disk,
// or why it is not.
func (s *Store) TryWrite() error {
	r := &request{trial: true, done: make(chan struct{})}
	s.ask(r)
	return r.err
}

func (s *Store) ask(r *request) {
	s.mu.Lock()
	switch {
	case s.closed:
		r.err = ErrClosed
	case s.broken != nil:
		r.err = s.broken
	}
	if r.err != nil {
		s.mu.Unlock()
		return
	}
	s.waiting = append(s.waiting, r)
	s.mu.Unlock()
	s.rouse()
	<-r.done
}

const (
	maxBatch   = 4096        // messages of one commit: bounds how long the first of them waits
	purgeEvery = time.Minute // of what has become too old
	purgeBatch = 1000        // messages: bounds how long a purge holds up the others
)

// commit is the one goroutine that writes.
func (s *Store) commit() {
	defer close(s.over)
	purge := time.NewTimer(0)
	defer purge.Stop()
	for {
		select {
		case <-s.wake:
		case <-purge.C:
			if s.purge() {
				purge.Reset(time.Millisecond)
			} else if s.o.MaxAge > 0 {
				purge.Reset(min(purgeEvery, s.o.MaxAge/10+time.Millisecond))
			}
		}
		for {
			batch, last := s.gather()
			if len(batch) == 0 {
				if last {
					return
				}
				break
			}
			err := s.write(batch)
			for _, r := range batch {
				if err != nil {
					r.stored, r.found, r.err = nil, false, err
				}
				close(r.done)
			}
		}
	}
}

// gather takes the requests that wait. Those who were answered a moment ago are
// about to ask again, all of them: to let them get so far makes one commit out
// of two, and costs a microsecond when there are none.
func (s *Store) gather() (batch []*request, closed bool) {
	for seen := -1; ; {
		s.mu.Lock()
		n := len(s.waiting)
		if n == seen || n >= maxBatch || n == 0 {
			break
		}
		s.mu.Unlock()
		seen = n
		runtime.Gosched()
	}
	defer s.mu.Unlock()
	messages, n := 0, 0
	for n < len(s.waiting) && messages < maxBatch {
		messages += len(s.waiting[n].messages)
		n++
	}
	batch = s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	if len(s.waiting) == 0 {
		s.waiting = nil
	}
	return batch, s.closed
}

// write commits a batch, all or nothing.
func (s *Store) write(batch []*request) error {
	var w *writer
	err := s.update(func(tx *bbolt.Tx) error {
		w = newWriter(s, tx)
		for _, r := range batch {
			if err := w.serve(r); err != nil {
				return err
			}
		}
		return w.finish()
	})
	if err != nil {
		return err
	}
	w.committed()
	return nil
}

// purge drops what is too old or too much, and reports whether there may be
// more of it.
func (s *Store) purge() (more bool) {
	var w *writer
	err := s.update(func(tx *bbolt.Tx) (err error) {
		w = newWriter(s, tx)
		n, err := w.retain(purgeBatch)
		more = n == purgeBatch
		if err == nil && n == 0 {
			return errNothing
		}
		if err != nil {
			return err
		}
		return w.finish()
	})
	if err != nil {
		return false // the next append will say why, if it cannot write either
	}
	w.committed()
	return more
}

var errNothing = errors.New("nothing to write")

// update runs a transaction. A panic of bbolt, or a fault in its memory map,
// means that the file is damaged; an error of the disk that what it holds is
// unknown. Neither is written to any more.
func (s *Store) update(f func(tx *bbolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w (%v)", ErrDamaged, v)
		}
		if errors.Is(err, ErrDamaged) || errors.Is(err, syscall.EIO) {
			s.mu.Lock()
			s.broken = err
			s.mu.Unlock()
		}
	}()
	if s.broken != nil { // only this goroutine sets it
		return s.broken
	}
	err = s.db.Update(f)
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		err = fmt.Errorf("boltstore: the file has grown to its limit of %d bytes (option MaxFile): %w", s.o.MaxFile, err)
	}
	return err
}
