package wsspec

import "fmt"

const (
	saysOnceClosed = "The application MUST NOT send any more data frames after sending a Close frame. If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a Close frame in response."
	saysCloseBody  = "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a status code"
	saysCodesMay   = "[§7.4.1] Endpoints MAY use the following pre-defined status codes when sending a Close frame."
	saysCodesNot   = "[§7.4.2] Status codes in the range 0-999 are not used."
	saysCodesOpen  = "Status codes in the range 4000-4999 are reserved for private use"
)

// closeTrials are group 7.
func closeTrials() []*trial {
	hello := "Hello World!"
	a, b := begun("fragment1"), last("fragment2")
	refused := ending{byUs: true, codes: []int{1002}}
	badReason := ending{byUs: true, codes: []int{1002, 1007}}
	all := []*trial{
		{id: "7.1.1", title: "a text, and a Close when it has come back", do: first.send(Text(hello)), outcomes: ok(gotText(hello))},
		{id: "7.1.2", title: "two Closes", do: first.close(1000, "").send(CloseFrame(0, "")), patient: true},
		{id: "7.1.3", title: "a ping behind a Close", do: first.close(1000, "").send(Ping("")), patient: true},
		{id: "7.1.4", title: "a text behind a Close", do: first.close(1000, "").send(Text(hello)), patient: true},
		{id: "7.1.5", title: "a Close between two fragments", do: first.send(a).close(1000, "").send(b), patient: true},
		{id: "7.1.6", title: "256 KiB, a text, a Close and a ping at once", patient: true, open: true,
			why: "whether the messages come back before the Close is answered depends on when an endpoint reads",
			do:  first.send(Text(repeat("BAsd7&jh23", 26215)[:256<<10]), Text(hello)).close(1000, "").send(Ping("")), outcomes: strictly(gotText(hello))},
		{id: "7.3.1", title: "a Close without a code", clause: saysCloseBody, do: first.close(0, ""), patient: true},
		{id: "7.3.2", title: "a Close with half a code", clause: saysCloseBody, patient: true, end: refused,
			do: first.closeWith(Frame{Fin: true, Opcode: OpClose, Payload: []byte("a")})},
		{id: "7.3.3", title: "a Close with a code", clause: saysCloseBody, do: first.close(1000, ""), patient: true},
		{id: "7.3.4", title: "a Close with a code and a reason", clause: saysCloseBody, do: first.close(1000, hello), patient: true},
		{id: "7.3.5", title: "a Close with the longest reason, 123 bytes", section: "§5.5", clause: saysShortOnly, do: first.close(1000, repeat("*", 123)), patient: true},
		{id: "7.3.6", title: "a Close with a reason of 124 bytes", section: "§5.5", clause: saysShortOnly, do: first.close(1000, repeat("*", 124)), patient: true, end: refused},
		{id: "7.5.1", title: "a Close with a reason that is not UTF-8", section: "§8.1", clause: saysValidText,
			do: first.close(1000, greek+"\xed\xa0\x80edited"), patient: true, end: badReason},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		all = append(all, &trial{
			id: fmt.Sprintf("7.7.%d", i+1), title: fmt.Sprintf("a Close with code %d", code), section: "§7.4", clause: saysCodesMay,
			do: first.close(code, ""), end: ending{byUs: true, codes: []int{1000, code}, clean: true},
		})
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		all = append(all, &trial{
			id: fmt.Sprintf("7.9.%d", i+1), title: fmt.Sprintf("a Close with code %d, which is not to be sent", code), section: "§7.4", clause: saysCodesNot,
			do: first.closeWith(closeCode(code)), end: refused,
		})
	}
	for i, code := range []int{5000, 65535} {
		all = append(all, &trial{
			id: fmt.Sprintf("7.13.%d", i+1), title: fmt.Sprintf("a Close with code %d", code), section: "§7.4.2", clause: saysCodesOpen,
			why: "the RFC gives codes above 4999 to nobody and forbids them to nobody", patient: true, open: true,
			do: first.close(code, ""), end: ending{byUs: true, codes: []int{1000, code, 1002}},
		})
	}
	for _, t := range all {
		t.do, t.coded = t.do.kill(1), true
		if t.end.codes == nil {
			t.end = normal
		}
		if t.outcomes == nil {
			t.outcomes = ok()
		}
		if t.clause == "" {
			t.clause = saysOnceClosed
		}
	}
	return all
}

// closeCode is a Close with any code, also 0.
func closeCode(code int) Frame {
	return Frame{Fin: true, Opcode: OpClose, Payload: []byte{byte(code >> 8), byte(code)}}
}
