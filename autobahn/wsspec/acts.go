package wsspec

import (
	"slices"
	"time"
)

// An act is something that the suite does.
type act func(*tester)

// acts are done one after the other. A trial's begin with first: the value that has
// none yet.
type acts []act

var first acts

func (a acts) then(next act) acts { return append(slices.Clip(a), next) }

// send sends frames in one write.
func (a acts) send(frames ...Frame) acts { return a.chop(0, frames...) }

// sendEach sends frames each in a write of its own.
func (a acts) sendEach(frames ...Frame) acts {
	for _, f := range frames {
		a = a.chop(maxRead, f)
	}
	return a
}

// chop sends the bytes of frames so many at a time; 0 means all at once.
func (a acts) chop(size int, frames ...Frame) acts {
	return a.then(func(t *tester) { t.write(outgoing{bytes: t.encode(frames...), chop: size, apart: size > 0}) })
}

// sendHead sends a frame's head and so many bytes of its payload; sendRest sends that
// many more of it, or all for -1.
//
// The key is that of §5.7: a Close that has to go out in the middle of such a frame is
// masked once more by it, and no key by chance may make text of that.
func (a acts) sendHead(f Frame, n int) acts {
	f.Key = &[4]byte{0x37, 0xfa, 0x21, 0x3d}
	return a.then(func(t *tester) {
		b := t.encode(f)
		n := len(b) - len(f.Payload) + n
		t.write(outgoing{bytes: b[:n]})
		t.rest = b[n:]
	})
}

func (a acts) sendRest(n int) acts {
	return a.then(func(t *tester) {
		n := n
		if n < 0 {
			n = len(t.rest)
		}
		t.write(outgoing{bytes: t.rest[:n]})
		t.rest = t.rest[n:]
	})
}

// close sends a Close with a code and a reason, right or wrong. From there on the
// suite is closing, whatever it still sends.
func (a acts) close(code int, reason string) acts { return a.closeWith(CloseFrame(code, reason)) }

func (a acts) closeWith(f Frame) acts {
	return a.then(func(t *tester) { t.sendClose(f, false) })
}

// kill ends the case after so many seconds, at first by failing the connection: the
// K of the table.
func (a acts) kill(seconds float64) acts {
	return a.then(func(t *tester) { t.after(t.wait(duration(seconds)), t.kill) })
}

// closeIn ends the case after so many seconds by a Close without a code: C.
func (a acts) closeIn(seconds float64) acts {
	return a.then(func(t *tester) { t.after(t.wait(duration(seconds)), func() { t.close(0, "") }) })
}

// pause lets a second pass, which is what the case is about, and goes on.
func (a acts) pause(next acts) acts {
	return a.then(func(t *tester) { t.after(time.Second, func() { t.run(next) }) })
}

// linger is a pause in which the testee may fail the connection. If it does not,
// that is an event and the case goes on; if it does, the case waits for the end. A
// long one is for what a testee should do in it, and takes its time only where that
// is not done.
func (a acts) linger(name string, long bool, next acts) acts {
	return a.then(func(t *tester) {
		d := time.Second
		if long {
			d = t.wait(d)
		}
		t.after(d, func() {
			if t.phase == phaseOpen {
				t.heard = append(t.heard, event{aPause, name})
				t.run(next)
			}
		})
	})
}

// volley sends the first message of the trial's volley, and ends the case by a Close if
// no byte has moved for a while. The testsuite ends it by the clock, after 10 s to
// 1,000, however fast a message is going.
func (a acts) volley() acts {
	return a.then(func(t *tester) {
		t.volley.send(t)
		t.stall = t.after(t.wait(t.volley.stall()), func() {
			t.stall = nil
			t.close(0, "")
		})
	})
}

const stallTime = 10 * time.Second

func (t *tester) run(do acts) {
	for _, act := range do {
		act(t)
	}
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// encode gives the bytes of frames as the suite's role has them.
func (t *tester) encode(frames ...Frame) []byte {
	var b []byte
	for _, f := range frames {
		b = f.Append(b, t.client)
	}
	return b
}

func (t *tester) send(f Frame) { t.write(outgoing{bytes: t.encode(f)}) }
