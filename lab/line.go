package lab

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"framewright/lab/capture"
)

// lineBytes bounds what an endpoint may write over a line, in bytes.
const lineBytes = 2 << 20

var errLineFull = errors.New("lab: the experiment's answers are more than its limit")

// A line is a connection in memory between a raw peer, which holds it by its own
// methods, and an endpoint of wsnet, to which it is an io.ReadWriteCloser. It keeps what
// went over it, and knows when the endpoint has nothing more to say: then it waits for
// bytes, and there are none. So nobody has to guess how long an answer takes.
type line struct {
	start time.Time
	calls bool // the endpoint is the client, and the raw peer a server

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, with every change
	in      []byte        // was sent to the endpoint, which has not read it
	reading bool          // it waits for more
	owes    bool          // a pong, which does not wait for the reader nor hold it up
	eof     bool          // the peer has gone
	closed  bool          // the endpoint has
	written int
	pieces  []capture.Piece
}

func newLine() *line { return &line{start: time.Now(), changed: make(chan struct{})} }

// change tells those who wait; l.mu is held.
func (l *line) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Read is the endpoint's.
func (l *line) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return 0, io.ErrClosedPipe
		case len(l.in) > 0:
			n := copy(p, l.in)
			l.in = l.in[n:]
			return n, nil
		case l.eof:
			return 0, io.EOF
		}
		l.reading = true
		l.change()
		changed := l.changed
		l.mu.Unlock()
		<-changed
		l.mu.Lock()
		l.reading = false
	}
}

// Write is the endpoint's.
func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return 0, io.ErrClosedPipe
	case l.written+len(p) > lineBytes:
		return 0, errLineFull
	}
	l.written += len(p)
	l.pieces = append(l.pieces, capture.Piece{FromClient: l.calls, At: time.Since(l.start), Data: bytes.Clone(p)})
	return len(p), nil
}

// Close is the endpoint's.
func (l *line) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		l.change()
	}
	return nil
}

// send gives bytes to the endpoint. It reports false if that has closed the line.
func (l *line) send(p []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.eof {
		return false
	}
	l.in = append(l.in, p...)
	l.pieces = append(l.pieces, capture.Piece{FromClient: !l.calls, At: time.Since(l.start), Data: bytes.Clone(p)})
	l.reading = false
	l.change()
	return true
}

// leave ends what the peer sends.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.eof = true
	l.change()
}

// owe says whether the endpoint owes a pong.
func (l *line) owe(owes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owes = owes
	l.change()
}

// settle waits until the endpoint waits for more and owes nothing, or has closed. It returns ctx's error
// if that ends first.
func (l *line) settle(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && (!l.reading || l.owes || len(l.in) > 0) {
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			l.mu.Lock()
			return context.Cause(ctx)
		}
		l.mu.Lock()
	}
	return nil
}

// seen is what went over the line.
func (l *line) seen() (pieces []capture.Piece, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pieces, l.closed
}
