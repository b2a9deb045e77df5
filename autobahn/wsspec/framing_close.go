package wsspec

import (
	"errors"
	"fmt"
	"io"
)

const (
	answerClose = `If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a Close frame in response.`
	closeTCP    = `After both sending and receiving a Close message, an endpoint considers the WebSocket connection closed and MUST close the underlying TCP connection. The server MUST close the underlying TCP connection immediately`
	closeBody   = `If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a status code`
	closeReason = `Following the 2-byte integer, the body MAY contain UTF-8-encoded data`
	dataBehind  = `The application MUST NOT send any more data frames after sending a Close frame.`
	closeOrder  = `In abnormal cases (such as not having received a TCP Close from the server after a reasonable amount of time) a client MAY initiate the TCP Close. [...] when a client is instructed to do the same, it SHOULD wait for a TCP Close from the server.`
	lostTCP     = `If at any point the underlying transport layer connection is unexpectedly lost, the client MUST _Fail the WebSocket Connection_.`
)

func (ch *chapter) closing() {
	ch.at("5.5.1", answerClose)
	end := CloseFrame(1000, "")
	good := []int{0, 1000}
	add := func(word, title string, s script, choices ...choice) {
		s.want = closes
		s.codes = good
		if len(s.near) > 0 && !s.near[len(s.near)-1].Fin {
			s.codes = nil // a message is left unfinished: some call that an error
		}
		ch.script(word, title, s, choices...)
	}
	add("close", "a Close with 1000", script{main: frames(end)})
	add("close-empty", "a Close without a body", script{main: frames(CloseFrame(0, ""))})
	add("close-reason", "a Close with a reason", script{main: frames(CloseFrame(1000, "bye"))})
	add("close-reason-utf8", "a Close with a reason beyond ASCII", script{main: frames(CloseFrame(1000, "κόσμε 🌍"))})
	add("close-reason-123", "a Close with the longest reason", script{main: frames(CloseFrame(1000, string(letters(123))))})
	add("close-after-text", "a Close after a text was echoed", script{lead: frames(Text("good")), main: frames(end)})
	add("close-by-byte", "a Close one byte at a time", script{main: frames(CloseFrame(1000, "bye")), cut: byByte})
	for _, at := range []int{1, 2, 4, -2, -1} {
		word := fmt.Sprintf("close-cut-%d", at)
		title := fmt.Sprintf("a Close in two segments, cut behind byte %d", at)
		if at < 0 {
			word, title = fmt.Sprintf("close-cut-last-%d", -at), fmt.Sprintf("a Close in two segments, the last %d bytes apart", -at)
		}
		add(word, title, script{main: frames(end), cut: cut{at: []int{at}}})
	}
	add("close-behind-text", "a text and a Close in one write", script{near: frames(Text("good")), main: frames(end)})
	add("close-behind-fragment", "a first fragment and a Close in one write", script{near: frames(begun("good")), main: frames(end)})
	add("close-behind-ping", "a ping and a Close in one write", script{near: frames(Ping("good")), main: frames(end)})

	add("text-behind-close", "a Close and a text in one write", script{main: frames(end, Text("bad"))}, quoting(dataBehind))
	add("texts-behind-close", "a Close and a hundred texts in one write",
		script{main: append(frames(end), many(100, Text("bad"))...)}, quoting(dataBehind))
	add("fragments-behind-close", "a Close between the fragments of a text in one write",
		script{near: frames(begun("good")), main: frames(end, last("bad"))}, quoting(dataBehind))
	add("ping-behind-close", "a Close and a ping in one write", script{main: frames(end, Ping("bad"))})
	add("close-twice", "two Close frames in one write", script{main: frames(end, CloseFrame(1001, ""))})
	add("bad-frame-behind-close", "a Close and a frame with a reserved opcode in one write",
		script{main: frames(end, Frame{Fin: true, Opcode: 3, Payload: []byte("bad")})})
	add("half-a-frame-behind-close", "a Close and the first byte of another frame", script{main: frames(end), tail: []byte{0x81}})
	add("half-close-behind-close", "a Close, and then the suite ends its direction of TCP",
		script{main: frames(end), half: true})

	ch.at("5.5.1", closeTCP)
	ch.add("tcp-first", "after the closing handshake, the suite leaves TCP as it is", endsTCP("a Close, and the server ends TCP"), only(ServerOnly))
	ch.add("tcp-ended", "after the closing handshake, the suite ends TCP", endsTCP("a Close, and the client ends TCP, too"), only(ClientOnly))
	ch.at("7.1.1", closeOrder)
	ch.add("client-waits", "after the closing handshake, the suite leaves TCP as it is", clientWaits, only(ClientOnly),
		info(`"the client SHOULD wait for the server to close the connection but MAY close the connection at any time after sending and receiving a Close message" (§5.5.1)`))
	ch.at("7.2.1", lostTCP)
	ch.add("half-close", "the suite ends its direction of TCP without a Close", halfClose,
		should("§7.2.1 speaks of clients, and half of a connection is not all of it"))
	ch.add("half-close-in-frame", "the suite ends its direction of TCP inside a frame", halfCloseInFrame,
		should("§7.2.1 speaks of clients, and half of a connection is not all of it"))
}

func many(n int, f Frame) []Frame {
	out := make([]Frame, n)
	for i := range out {
		out[i] = f
	}
	return out
}

// closeHandshake opens a connection and does a closing handshake on it.
func closeHandshake(d *Dialogue, expected string) (*hearing, *Verdict) {
	h := &hearing{}
	if err := d.Open(); err != nil {
		v := Fail(expected, "%v", err)
		return h, &v
	}
	d.Send(CloseFrame(1000, ""))
	h.listen(d, func() bool { return h.close != nil })
	if h.close == nil {
		v := h.fail(expected)
		return h, &v
	}
	return h, nil
}

func never() bool { return false }

// endsTCP wants the testee to end TCP behind a closing handshake: a server first, a
// client when the suite, its server, has.
func endsTCP(expected string) func(*Dialogue) Verdict {
	return func(d *Dialogue) Verdict {
		h, v := closeHandshake(d, expected)
		if v != nil {
			return *v
		}
		if d.Testee == Client {
			d.CloseWrite()
		}
		if h.listen(d, never); !h.over() || len(h.faults) > 0 {
			return h.fail(expected)
		}
		return h.pass(expected)
	}
}

func clientWaits(d *Dialogue) Verdict {
	const expected = "the client waits for the server to end TCP"
	_, v := closeHandshake(d, expected)
	if v != nil {
		return *v
	}
	switch e := d.NextIn(d.Patience / 5); {
	case errors.Is(e.Err, ErrSilent):
		return Verdict{Expected: expected, Actual: fmt.Sprintf("it waits for %v and more", d.Patience/5)}
	case e.Err != nil:
		return Verdict{Expected: expected, Actual: "it ends TCP itself: " + endWords(e.Err)}
	default:
		return Verdict{Expected: expected, Actual: "it sends " + e.Frame.String()}
	}
}

func halfClose(d *Dialogue) Verdict { return cutOff(d, nil) }

func halfCloseInFrame(d *Dialogue) Verdict {
	b := d.Encode(Text("never whole"))
	return cutOff(d, b[:len(b)-3])
}

// cutOff ends the suite's direction behind some bytes that are no whole frame.
func cutOff(d *Dialogue, b []byte) Verdict {
	const expected = "the testee ends the connection, too, and echoes nothing"
	if err := d.Open(); err != nil {
		return Fail(expected, "%v", err)
	}
	if len(b) > 0 {
		d.Write(b)
	}
	if err := d.CloseWrite(); err != nil {
		return Skip("%v", err)
	}
	h := &hearing{mute: true}
	h.listen(d, func() bool { return len(h.messages) > 0 })
	if len(h.faults) > 0 || len(h.messages) > 0 || h.end != io.EOF && !h.reset() {
		return h.fail(expected)
	}
	return h.pass(expected)
}

const (
	codesDefined  = `[§7.4.1] Endpoints MAY use the following pre-defined status codes when sending a Close frame.`
	codesReserved = `is a reserved value and MUST NOT be set as a status code in a Close control frame by an endpoint`
	code1004      = `Reserved. The specific meaning might be defined in the future.`
	codesUnused   = `[§7.4.2] Status codes in the range 0-999 are not used.`
	codesLater    = `Status codes in the range 1000-2999 are reserved for definition by this protocol, its future revisions, and extensions`
	codesOpen     = `Status codes in the range 3000-3999 are reserved for use by libraries, frameworks, and applications. [...] Status codes in the range 4000-4999 are reserved for private use`
	badCodeWhy    = "That the connection ends, and that the answer does not have the code, is a MUST. That it says 1002 is a SHOULD: §7.4 binds the sender and is silent about who receives such a code."
)

func (ch *chapter) closeCodes() {
	ch.at("7.4.1", codesDefined)
	good := func(code int, title string, choices ...choice) {
		ch.script(fmt.Sprintf("code-%d", code), fmt.Sprintf("a Close with %d, %s", code, title),
			script{main: frames(CloseFrame(code, "")), want: closes, codes: []int{code, 1000, 0}}, choices...)
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011} {
		good(code, "which the RFC defines", because("The answer is a MUST. That it does not call the code wrong is a SHOULD."))
	}
	ch.at("7.4.2", codesLater)
	for _, code := range []int{1012, 1013, 1014} {
		good(code, "which IANA has registered since", should("These were defined after the RFC."))
	}
	for _, code := range []int{1016, 1100, 1999, 2000, 2999} {
		good(code, "which nothing defines", info("The RFC keeps it for later and does not say what a receiver does."))
	}
	ch.at("7.4.2", codesOpen)
	for _, code := range []int{3000, 3999, 4000, 4999} {
		good(code, "which applications may use", because("The answer is a MUST. That it does not call the code wrong is a SHOULD."))
	}
	for _, code := range []int{5000, 9999, 32768, 65535} {
		good(code, "which is above all ranges", info("The RFC says nothing of such codes."))
	}

	bad := func(code int, title string, choices ...choice) {
		ch.script(fmt.Sprintf("code-%d", code), fmt.Sprintf("a Close with %d, %s", code, title),
			script{main: frames(Frame{Fin: true, Opcode: OpClose, Payload: []byte{byte(code >> 8), byte(code)}}),
				want: fails, codes: []int{1002, 0}, mild: true}, append([]choice{because(badCodeWhy)}, choices...)...)
	}
	ch.at("7.4.2", codesUnused)
	for _, code := range []int{0, 1, 999} {
		bad(code, "which is not used")
	}
	ch.at("7.4.1", codesReserved)
	for _, code := range []int{1005, 1006, 1015} {
		bad(code, "which no endpoint may send")
	}
	ch.at("7.4.1", code1004)
	bad(1004, "which is reserved", should("It is reserved, and no more is said."))

	ch.at("5.5.1", closeBody)
	ch.script("body-of-one-byte", "a Close with a body of one byte",
		script{main: frames(Frame{Fin: true, Opcode: OpClose, Payload: []byte{3}}), want: fails, codes: []int{1002, 0}, mild: true},
		because("That the connection ends is a MUST. That the answer says 1002 is a SHOULD: the clause binds the sender."))
	ch.at("5.5.1", closeReason)
	for _, r := range []struct{ word, title, reason string }{
		{"lone", "has a lone continuation byte", "a\x80b"},
		{"overlong", "has an overlong slash", "a\xc0\xafb"},
		{"surrogate", "has a surrogate", "a\xed\xa0\x80b"},
		{"too-high", "is above U+10FFFF", "\xf4\x90\x80\x80"},
		{"cut", "ends inside a character", "a\xe2\x82"},
		{"ff", "has 0xFF", "\xff"},
	} {
		ch.script("reason-"+r.word, "a Close whose reason "+r.title,
			script{main: frames(CloseFrame(1000, r.reason)), want: fails, codes: []int{1007, 1002}},
			because("That the connection ends, and that no such reason is sent back, is a MUST; that the answer says 1007 (§8.1) is a SHOULD, as the reason's interpretation is open."))
	}
}
