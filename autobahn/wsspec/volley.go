package wsspec

import (
	"fmt"
	"strings"
	"time"
)

// A volley is what group 9 sends: messages of one type and length, the next when the
// last has come back. Only the type and the length of those are looked at.
type volley struct {
	kind  eventKind
	size  int
	count int // of messages
	piece int // bytes to a frame; 0: one frame
	chop  int // bytes to a write; 0: many
}

func (v *volley) String() string {
	return fmt.Sprintf("%d times %s of %d bytes back", v.count, eventNames[v.kind], v.size)
}

// stall is how long nothing may move: what is long or comes in many pieces may keep a
// testee busy.
func (v *volley) stall() time.Duration {
	if v.size > 1<<20 || v.chop > 0 {
		return 3 * stallTime
	}
	return stallTime
}

// volleyed is how far a tester has come with a volley.
type volleyed struct {
	sent, back int
	echoed     string // the verdict

	stall *timer // moves on with everything that is sent or received
}

// send sends the next message.
func (v *volley) send(t *tester) {
	t.sent++
	t.write(outgoing{make: v.writer(t.client), apart: v.chop > 0})
}

// heard is told of a message. A wrong one ends the case; what is right is not undone
// by what comes behind it, except where many are sent.
func (v *volley) heard(t *tester, kind eventKind, size int) {
	if kind != v.kind || size != v.size {
		if v.count > 1 {
			t.echoed = vFailed
		}
		t.close(1000, "")
		return
	}
	t.back++
	if t.sent < v.count {
		v.send(t)
		return
	}
	t.echoed = vOK
	t.close(1000, "")
}

// blockSize is how many bytes of a long message are made at a time.
const blockSize = 64 << 10

// patterns are what messages are made of: a text and a binary one, longer than a
// block by their period.
var patterns = [...]string{
	aText:   strings.Repeat("BAsd7&jh23", blockSize/10+2),
	aBinary: strings.Repeat("\x00\xfe\x23\xfa\xf0", blockSize/5+2),
}

// writer makes one message, a block at a time.
func (v *volley) writer(masked bool) func(write func([]byte) bool) {
	return func(write func([]byte) bool) {
		size := blockSize
		if v.chop > 0 {
			size = v.chop
		}
		w := blocks{buf: make([]byte, 0, size), write: write}
		piece := v.size
		if v.piece > 0 && v.size > v.piece {
			piece = v.piece
		}
		f := Frame{Opcode: OpText}
		if v.kind == aBinary {
			f.Opcode = OpBinary
		}
		// Where the pieces come out even, the last frame is an empty one.
		for at := 0; !f.Fin && w.write != nil; at += piece {
			n := min(piece, v.size-at)
			f.Fin = piece == v.size || n < piece
			w.frame(f, patterns[v.kind], at, n, masked)
			f.Opcode = OpContinuation
		}
		w.flush()
	}
}

// blocks gathers bytes for writes of one size.
type blocks struct {
	buf   []byte
	write func([]byte) bool // nil once it has refused
}

func (w *blocks) flush() {
	if len(w.buf) > 0 && w.write != nil && !w.write(w.buf) {
		w.write = nil
	}
	w.buf = w.buf[:0]
}

// frame adds a frame with the n bytes of a payload that begin at an offset in it.
func (w *blocks) frame(f Frame, pattern string, at, n int, masked bool) {
	size := uint64(n)
	f.Declared = &size
	head := f.Append(nil, masked)
	var key [4]byte
	if masked {
		copy(key[:], head[len(head)-4:])
	}
	w.add(head)
	for done := 0; done < n && w.write != nil; {
		room := cap(w.buf) - len(w.buf)
		if room == 0 {
			w.flush()
			continue
		}
		from := len(w.buf)
		start := (at + done) % 10 // a multiple of both periods
		w.buf = append(w.buf, pattern[start:start+min(room, n-done)]...)
		if masked {
			mask(w.buf[from:], [4]byte{key[done&3], key[(done+1)&3], key[(done+2)&3], key[(done+3)&3]})
		}
		done += len(w.buf) - from
	}
}

func (w *blocks) add(b []byte) {
	for len(b) > 0 {
		if len(w.buf) == cap(w.buf) {
			w.flush()
		}
		n := min(len(b), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, b[:n]...)
		b = b[n:]
	}
}
