package wsspec

import "fmt"

// The RFC's words that groups 1 to 5 stand on.
const (
	saysAnyLength   = "The length of the \"Payload data\", in bytes: if 0-125, that is the payload length. If 126, the following 2 bytes … If 127, the following 8 bytes"
	saysPongDue     = "[§5.5.2] Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response"
	saysShortOnly   = "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
	saysPongFree    = "A Pong frame MAY be sent unsolicited. … A response to an unsolicited Pong frame is not expected."
	saysRsvZero     = "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values. If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_."
	saysKnownOpcode = "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
	saysAnyBytes    = "A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a single frame with the FIN bit set and an opcode of 0."
	saysPingsInside = "Control frames … MAY be injected in the middle of a fragmented message."
	saysNotBetween  = "The fragments of one message MUST NOT be interleaved between the fragments of another message unless an extension has been negotiated that can interpret the interleaving."
)

// onePongWill is why 2.10 and 2.11 are no MUST.
const onePongWill = "an endpoint may answer only the last of several pings (§5.5.3); the testsuite wants a pong for each"

const hello13 = "Hello, world!"

func gotText(s string) event { return event{aText, s} }
func gotPong(s string) event { return event{aPong, s} }

// begun is a first fragment, more a middle one, last the last.
func begun(s string) Frame { return Frame{Opcode: OpText, Payload: []byte(s)} }
func more(s string) Frame  { return Frame{Opcode: OpContinuation, Payload: []byte(s)} }
func last(s string) Frame  { return Frame{Fin: true, Opcode: OpContinuation, Payload: []byte(s)} }

func withRSV(f Frame, rsv byte) Frame {
	f.RSV = rsv
	return f
}

func reserved(opcode byte, payload string) Frame {
	return Frame{Fin: true, Opcode: opcode, Payload: []byte(payload)}
}

// lengthTrials are group 1: messages whose lengths are at the bounds of the three
// forms.
func lengthTrials() []*trial {
	var all []*trial
	for i, kind := range []eventKind{aText, aBinary} {
		for j, l := range []struct {
			size, chop int
			kill       float64
		}{{0, 0, 1}, {125, 0, 1}, {126, 0, 1}, {127, 0, 1}, {128, 0, 1}, {65535, 0, 10}, {65536, 0, 10}, {65536, 997, 10}} {
			f := Text(repeat("*", l.size))
			if kind == aBinary {
				f = Binary([]byte(repeat("\xfe", l.size)))
			}
			title := fmt.Sprintf("a %s message of %d bytes", eventNames[kind], l.size)
			if l.chop > 0 {
				title += fmt.Sprintf(", %d to a write", l.chop)
			}
			all = append(all, &trial{
				id: fmt.Sprintf("1.%d.%d", i+1, j+1), title: title, section: "§5.2", clause: saysAnyLength,
				do: first.chop(l.chop, f).kill(l.kill), outcomes: ok(event{kind, string(f.Payload)}), end: normal,
			})
		}
	}
	return all
}

// pingTrials are group 2.
func pingTrials() []*trial {
	const notText = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	stray, long := "unsolicited pong payload", repeat("\xfe", 125)
	var ten []Frame
	var pongs []event
	for i := range 10 {
		p := fmt.Sprintf("payload-%d", i)
		ten, pongs = append(ten, Ping(p)), append(pongs, gotPong(p))
	}
	return []*trial{
		{id: "2.1", title: "an empty ping", clause: saysPongDue,
			do: first.send(Ping("")).closeIn(1), outcomes: ok(gotPong("")), end: normal},
		{id: "2.2", title: "a ping with text", clause: saysPongDue,
			do: first.send(Ping(hello13)).closeIn(1), outcomes: ok(gotPong(hello13)), end: normal},
		{id: "2.3", title: "a ping with bytes that are not UTF-8", clause: saysPongDue,
			do: first.send(Ping(notText)).closeIn(1), outcomes: ok(gotPong(notText)), end: normal},
		{id: "2.4", title: "a ping of 125 bytes", clause: saysPongDue,
			do: first.send(Ping(long)).closeIn(1), outcomes: ok(gotPong(long)), end: normal},
		{id: "2.5", title: "a ping of 126 bytes", section: "§5.5", clause: saysShortOnly,
			do: first.send(Ping(long + "\xfe")).kill(1), outcomes: ok(), end: violation},
		{id: "2.6", title: "a ping of 125 bytes, one to a write", clause: saysPongDue,
			do: first.chop(1, Ping(long)).closeIn(2), outcomes: ok(gotPong(long)), end: normal},
		{id: "2.7", title: "an empty pong that answers nothing, and a Close", section: "§5.5.3", clause: saysPongFree,
			do: first.send(Pong("")).close(1000, "").closeIn(1), outcomes: ok(), end: normal},
		{id: "2.8", title: "a pong that answers nothing, and a Close", section: "§5.5.3", clause: saysPongFree,
			do: first.send(Pong(stray)).close(1000, "").closeIn(1), outcomes: ok(), end: normal},
		{id: "2.9", title: "a pong that answers nothing, and a ping", section: "§5.5.3", clause: saysPongFree,
			do: first.send(Pong(stray), Ping("ping payload")).closeIn(1), outcomes: ok(gotPong("ping payload")), end: normal},
		{id: "2.10", title: "ten pings", why: onePongWill, section: "§5.5.3", clause: saysPongDue,
			do: first.send(ten...).closeIn(3), outcomes: ok(pongs...), end: normal},
		{id: "2.11", title: "ten pings, a byte to a write", why: onePongWill, section: "§5.5.3", clause: saysPongDue,
			do: first.chop(1, ten...).closeIn(3), outcomes: ok(pongs...), end: normal},
	}
}

// bitTrials are group 3: reserved bits. The value is that of the last digit.
func bitTrials() []*trial {
	text, bits := Text(hello13), Binary([]byte("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
	all := []*trial{
		{title: "RSV3 on a text", do: first.send(withRSV(text, 1)), outcomes: ok()},
		{title: "a text, one with RSV2, a ping", do: first.send(text, withRSV(text, 2), Ping("")), outcomes: strictly(gotText(hello13))},
		{title: "a text, one with RSV2 and RSV3, a ping, a frame to a write", do: first.sendEach(text, withRSV(text, 3), Ping("")), outcomes: strictly(gotText(hello13))},
		{title: "a text, one with RSV1, a ping, a byte to a write", do: first.chop(1, text, withRSV(text, 4), Ping("")), outcomes: strictly(gotText(hello13))},
		{title: "RSV1 and RSV3 on a binary message", do: first.send(withRSV(bits, 5)), outcomes: ok()},
		// The testsuite says "ping" and sends this.
		{title: "RSV1 and RSV2 on a binary message", do: first.send(withRSV(Binary([]byte(hello13)), 6)), outcomes: ok()},
		{title: "all reserved bits on a Close", do: first.send(withRSV(CloseFrame(0, ""), 7)), outcomes: ok()},
	}
	for i, t := range all {
		t.id, t.clause, t.do, t.end = fmt.Sprintf("3.%d", i+1), saysRsvZero, t.do.kill(1), violation
	}
	return all
}

// opcodeTrials are group 4: reserved opcodes, of data and of control frames.
func opcodeTrials() []*trial {
	var all []*trial
	for i, from := range []byte{3, 11} {
		kind := [...]string{"data", "control"}[i]
		text, echo := Text(hello13), strictly(gotText(hello13))
		for j, t := range []*trial{
			{title: "opcode %d of a %s frame, empty", do: first.send(reserved(from, "")), outcomes: ok()},
			{title: "opcode %d of a %s frame", do: first.send(reserved(from+1, "reserved opcode payload")), outcomes: ok()},
			{title: "a text, opcode %d of a %s frame, empty, and a ping", do: first.send(text, reserved(from+2, ""), Ping("")), outcomes: echo},
			{title: "a text, opcode %d of a %s frame, and a ping", do: first.send(text, reserved(from+3, hello13), Ping("")), outcomes: echo},
			{title: "a text, opcode %d of a %s frame, and a ping, a byte to a write", do: first.chop(1, text, reserved(from+4, hello13), Ping("")), outcomes: echo},
		} {
			t.id, t.title = fmt.Sprintf("4.%d.%d", i+1, j+1), fmt.Sprintf(t.title, int(from)+j, kind)
			t.clause, t.do, t.end = saysKnownOpcode, t.do.kill(1), violation
			all = append(all, t)
		}
	}
	return all
}
