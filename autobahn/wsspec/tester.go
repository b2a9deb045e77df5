package wsspec

import (
	"fmt"
	"time"
)

// A tester is the suite's end of the connection in the chapter "autobahn". It acts
// and judges as the Autobahn testsuite 25.10.1 does, so that both say the same of
// every testee; where that is odd, a comment says so.
//
// It does no I/O and knows no time but what it is told: bytes go in with receive,
// the testee's end with lost, the time with tick, and what is to be written comes
// out with write. Once it is over there is only verdict left to ask for.
type tester struct {
	*trial
	client bool // the suite is the client; then the testee is to end TCP (§7.1.1)
	write  func(outgoing)
	wait   func(time.Duration) time.Duration // how long a wait of the testsuite's is here

	clock
	stream
	phase      phase
	opened     bool
	closedByUs bool   // our Close was first
	failedByUs bool   // and it was for a fault of the testee's, or because it was late
	dropped    bool   // the suite ended TCP
	abort      bool   // and did not wait until all was written
	clean      bool   // there was a Close each way, and TCP ended as it should
	remote     int    // the code of the testee's last Close, or noCode
	why        string // what the suite ended the connection for
	goodbye    *timer // for the answer to our Close

	heard []event
	held  int // bytes of heard
	volleyed
	rest []byte // of a frame that is sent in parts
}

// noCode is the close code where there is none.
const noCode = -1

// A phase is how far a connection has come.
type phase byte

const (
	phaseConnecting phase = iota
	phaseOpen
	phaseClosing // a Close is sent
	phaseOver
)

// An event is something of the testee's that counts. Its pings do not.
type event struct {
	kind eventKind
	data string
}

type eventKind byte

const (
	aText eventKind = iota
	aBinary
	aPong
	aPause // which the testee let pass; data is its name
)

// An outgoing is what the suite writes next: bytes, in one write or so many at a
// time, or what is made while it is sent.
type outgoing struct {
	bytes []byte
	chop  int
	apart bool // from what is around it; and not written any more once it is over
	make  func(write func([]byte) bool)
}

// closeWait is how long the testsuite waits for the answer to its Close, and then
// for a server to end TCP.
const closeWait = time.Second

func newTester(t *trial, client bool) *tester {
	return &tester{trial: t, client: client, remote: noCode, volleyed: volleyed{echoed: vFailed}, stream: stream{keep: t.volley == nil}}
}

// start begins the case, now that the opening handshake is done.
func (t *tester) start() {
	t.phase, t.opened = phaseOpen, true
	t.run(t.do)
}

// lost is told when the testee's end of TCP, or a reset, has come.
func (t *tester) lost() { t.phase = phaseOver }

// hear records an event, and ends the case if that was all.
func (t *tester) hear(e event) {
	if t.held += len(e.data) + 64; t.held > inboxBytes {
		t.tooMuch()
		return
	}
	t.heard = append(t.heard, e)
	t.finish()
}

// tooMuch ends the case of a testee that sends without end.
func (t *tester) tooMuch() {
	t.why = fmt.Sprintf("more than %d bytes that no case asked for", inboxBytes)
	t.drop(true)
}

// finish closes if all is there. All of the lists have to be: a case that knows two
// outcomes never closes by itself, and one that knows none does at the first event.
func (t *tester) finish() {
	for _, o := range t.outcomes {
		if !o.is(t.heard) {
			return
		}
	}
	if t.end.byUs && !t.patient {
		t.close(1000, "")
	}
}

// message is told of a whole message.
func (t *tester) message(kind eventKind, payload []byte, size int) {
	switch {
	case t.failedByUs:
	case t.volley != nil:
		t.volley.heard(t, kind, size)
	default:
		t.hear(event{kind, string(payload)})
	}
}

// ping is answered while the connection is open.
func (t *tester) ping(payload []byte) {
	if t.phase == phaseOpen {
		t.send(Frame{Fin: true, Opcode: OpPong, Payload: payload})
	}
}

// close sends a Close, unless one was sent. A code of 0 stands for none.
func (t *tester) close(code int, reason string) { t.sendClose(CloseFrame(code, reason), false) }

func (t *tester) sendClose(f Frame, answer bool) {
	if t.phase != phaseOpen {
		return
	}
	t.send(f)
	t.phase, t.closedByUs = phaseClosing, !answer
	if !answer {
		t.goodbye = t.after(t.wait(closeWait), func() { t.late("the testee did not answer the Close") })
	}
}

// late drops a connection whose end did not come.
func (t *tester) late(why string) {
	t.clean, t.why = false, why
	t.drop(true)
}

// fail is what the suite does about a fault of the testee's: a Close, or if that was
// sent, the end of TCP (§7.1.7). Reading goes on.
func (t *tester) fail(code int, why string) {
	if t.phase == phaseOver {
		return
	}
	t.failedByUs = true
	if t.why == "" {
		t.why = why
	}
	if t.phase == phaseClosing {
		t.drop(false)
		return
	}
	t.close(code, why)
}

// kill fails the connection of a testee that was not done in time.
func (t *tester) kill() { t.fail(1001, "going away") }

// drop ends TCP.
func (t *tester) drop(abort bool) {
	if t.phase != phaseOver {
		t.phase, t.dropped, t.abort = phaseOver, true, abort
	}
}

// closeFrame is told of the testee's Close.
//
// After a fault in it the reading goes on: the Close that answers it counts as ours,
// and the faulty one as the answer to that.
func (t *tester) closeFrame(payload []byte) {
	t.remote = noCode
	var reason []byte
	if len(payload) > 1 {
		t.remote, reason = int(payload[0])<<8|int(payload[1]), payload[2:]
	}
	if t.remote != noCode && !knownCode(t.remote) {
		t.fail(1002, "invalid close code")
	}
	if len(reason) > 0 {
		var check textCheck
		if !check.add(reason) {
			t.fail(1007, "the reason is not UTF-8")
		}
		if !pythonDecodes(reason) {
			t.why = "the reason is not UTF-8"
			t.lost() // the testsuite falls over it, and that ends the connection
			return
		}
	}
	switch t.phase {
	case phaseClosing:
		t.answered()
	case phaseOpen:
		t.clean = true
		t.sendClose(CloseFrame(1000, ""), true)
		if !t.client {
			t.drop(false)
		}
	case phaseOver:
		t.clean = false
	}
}

// answered goes on behind a Close each way.
func (t *tester) answered() {
	t.cancel(t.goodbye)
	t.clean = true
	if !t.client {
		t.drop(true)
		return
	}
	t.after(t.wait(closeWait), func() { t.late("the server did not end TCP") })
}

// knownCode reports whether the testsuite lets a Close have this code. It does not
// know 1012 to 1014, which IANA has registered since, and takes 1010 of a server.
func knownCode(code int) bool {
	switch code {
	case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011:
		return true
	}
	return code >= 3000 && code <= 4999
}

// pythonDecodes reports whether Python 2.7 decodes it as UTF-8: whole, and it may
// have surrogates.
func pythonDecodes(b []byte) bool {
	var check textCheck
	for len(b) > 0 {
		if len(b) >= 3 && b[0] == 0xED && b[1] >= 0xA0 && b[1] <= 0xBF && b[2] >= 0x80 && b[2] <= 0xBF && check.ended() {
			b = b[3:]
			continue
		}
		if !check.add(b[:1]) {
			return false
		}
		b = b[1:]
	}
	return check.ended()
}
