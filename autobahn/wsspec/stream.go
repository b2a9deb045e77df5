package wsspec

import (
	"encoding/binary"
	"fmt"
)

// A stream is what a tester has read of the testee's frames. It reads byte by byte
// and not frame by frame: the testsuite looks for faults in what it has, not in what
// is whole.
type stream struct {
	keep bool   // the payloads of messages; else only their sizes
	head []byte // of a frame, and not whole

	inFrame bool
	opcode  byte
	fin     bool
	key     [4]byte
	masked  bool
	left    uint64 // of its payload
	at      int    // in the payload, modulo 4

	control []byte // the payload of a control frame

	inMessage bool
	binary    bool
	checked   bool // it is text
	check     textCheck
	payload   []byte
	size      int
}

// receive takes bytes off the connection; they are overwritten.
func (t *tester) receive(b []byte) {
	if len(t.head) > 0 {
		b = append(t.head, b...)
		t.head = nil
	}
	for t.phase != phaseOver {
		if !t.inFrame {
			n := t.frameHead(b)
			if n == 0 {
				t.head = append([]byte(nil), b...)
				return
			}
			b = b[n:]
			if len(b) == 0 && t.left > 0 || t.phase == phaseOver {
				return
			}
		}
		n := min(uint64(len(b)), t.left)
		t.frameData(b[:n])
		b = b[n:]
		if t.left == 0 {
			t.frameEnd()
		}
		if len(b) == 0 {
			return
		}
	}
}

// frameHead reads a frame's head, whose length it returns, 0 if it is not all there.
// A head that comes in two parts is looked at twice, and its fault counts twice.
func (t *tester) frameHead(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	t.fin, t.opcode, t.masked = b[0]&0x80 != 0, b[0]&0x0F, b[1]&0x80 != 0
	short := int(b[1] & 0x7F)
	t.judgeHead(b[0]>>4&7, short)
	n := 2
	switch short {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	keyAt := n
	if t.masked {
		n += 4
	}
	if len(b) < n {
		return 0
	}
	t.left = uint64(short)
	switch short {
	case 126:
		if t.left = uint64(binary.BigEndian.Uint16(b[2:])); t.left < 126 {
			t.fail(1002, "the length is not in its shortest form")
		}
	case 127:
		switch t.left = binary.BigEndian.Uint64(b[2:]); {
		case t.left >= 1<<63:
			t.fail(1002, "the length has its highest bit set")
		case t.left < 1<<16:
			t.fail(1002, "the length is not in its shortest form")
		}
	}
	copy(t.key[:], b[keyAt:n])
	t.inFrame, t.at = true, 0
	t.begin()
	return n
}

// judgeHead fails the connection for what is wrong in a head's first two bytes; for
// two faults it does so twice.
func (t *tester) judgeHead(rsv byte, short int) {
	fault := func(format string, args ...any) { t.fail(1002, fmt.Sprintf(format, args...)) }
	if rsv != 0 {
		fault("reserved bits %03b without an extension", rsv)
	}
	if t.masked == t.client {
		if t.client {
			fault("a masked frame of a server")
		} else {
			fault("an unmasked frame of a client")
		}
	}
	if t.opcode >= OpClose {
		if !t.fin {
			fault("a fragmented control frame")
		}
		if short > 125 {
			fault("a control frame of more than 125 bytes")
		}
		if t.opcode > OpPong {
			fault("reserved opcode %d", t.opcode)
		}
		if t.opcode == OpClose && short == 1 {
			fault("a Close with half a code")
		}
		return
	}
	if t.opcode > OpBinary {
		fault("reserved opcode %d", t.opcode)
	}
	if !t.inMessage && t.opcode == OpContinuation {
		fault("a continuation without a message")
	}
	if t.inMessage && t.opcode != OpContinuation {
		fault("a new message inside another")
	}
}

// begin is told of a head, right or wrong: a wrong frame is read like the right one
// that it is closest to.
func (t *tester) begin() {
	if t.opcode >= OpClose {
		t.control = t.control[:0]
		return
	}
	if t.inMessage {
		return
	}
	t.inMessage, t.binary, t.checked = true, t.opcode == OpBinary, t.opcode == OpText
	t.check = textCheck{}
	t.payload, t.size = t.payload[:0], 0
}

// frameData is told of payload, a part at a time.
func (t *tester) frameData(b []byte) {
	if t.masked {
		mask(b, [4]byte{t.key[t.at&3], t.key[(t.at+1)&3], t.key[(t.at+2)&3], t.key[(t.at+3)&3]})
	}
	t.at = (t.at + len(b)) & 3
	t.left -= uint64(len(b))
	switch {
	case t.opcode >= OpClose:
		t.control = t.hold(t.control, b)
	default:
		if t.checked && len(b) > 0 && !t.check.add(b) {
			t.fail(1007, "a text that is not UTF-8")
		}
		t.size += len(b)
		if t.keep && !t.failedByUs {
			t.payload = t.hold(t.payload, b)
		}
	}
}

// hold appends to what is kept, which has a bound.
func (t *tester) hold(to, b []byte) []byte {
	if len(to)+len(b) > inboxBytes {
		t.tooMuch()
		return nil
	}
	return append(to, b...)
}

// frameEnd is told that a frame is whole.
func (t *tester) frameEnd() {
	t.inFrame = false
	switch t.opcode {
	case OpClose:
		t.closeFrame(t.control)
		return
	case OpPing:
		t.ping(t.control)
		return
	case OpPong:
		t.hear(event{aPong, string(t.control)})
		return
	}
	if t.opcode > OpClose || !t.fin {
		return
	}
	if t.checked && !t.check.ended() {
		t.fail(1007, "a text that ends inside a character")
	}
	kind := aText
	if t.binary {
		kind = aBinary
	}
	t.inMessage = false
	t.message(kind, t.payload, t.size)
}
