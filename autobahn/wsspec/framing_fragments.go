package wsspec

import (
	"fmt"
	"strings"
)

const (
	fragmented   = `Clients and servers MUST support receiving both fragmented and unfragmented messages.`
	injected     = `An endpoint MUST be capable of handling control frames in the middle of a fragmented message.`
	interleaved  = `The fragments of one message MUST NOT be interleaved between the fragments of another message`
	sequence     = `A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a single frame with the FIN bit set and an opcode of 0.`
	notFragments = `All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.`
	pongClause   = `[§5.5.2] Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a Close frame.`
	sameData     = `A Pong frame sent in response to a Ping frame must have identical "Application data" as found in the message body of the Ping frame being replied to.`
	unsolicited  = `A Pong frame MAY be sent unsolicited. [...] A response to an unsolicited Pong frame is not expected.`
)

func (ch *chapter) fragments() {
	ch.at("5.4", fragmented)
	good := func(word, title string, f ...Frame) { ch.script(word, title, script{main: f}) }
	boundary := func(word, title string, f ...Frame) { ch.script(word, title, script{main: f}, tagged("boundaries")) }
	good("two", "a text in two fragments", begun("Hel"), last("lo"))
	good("five", "a text in five fragments of a byte", begun("H"), more("e"), more("l"), more("l"), last("o"))
	good("first-empty", "an empty first fragment", begun(""), last("Hello"))
	good("middle-empty", "an empty fragment in the middle", begun("Hel"), more(""), last("lo"))
	good("last-empty", "an empty last fragment", begun("Hello"), last(""))
	good("all-empty", "three empty fragments", begun(""), more(""), last(""))
	good("binary", "a binary message in three fragments",
		Frame{Opcode: OpBinary, Payload: []byte{0, 0xFF}}, Frame{Payload: []byte{0x80}}, Frame{Fin: true, Payload: []byte{0xC0}})
	good("two-messages", "two fragmented messages of different kinds", begun("a"), last("b"),
		Frame{Opcode: OpBinary, Payload: []byte("c")}, last("d"))
	good("then-whole", "a fragmented message and one that is not", begun("a"), last("b"), Text("c"))

	ch.at("5.4", injected)
	pieces := frames(begun("H"), more("el"), more("l"), last("o"))
	for at := range len(pieces) + 1 {
		for _, f := range []Frame{Ping("between"), Ping(""), Pong("between")} {
			name, _, _ := strings.Cut(f.String(), " ")
			if name == "ping" && len(f.Payload) == 0 {
				name = "empty-ping"
			}
			all := append(append(append([]Frame{}, pieces[:at]...), f), pieces[at:]...)
			boundary(fmt.Sprintf("%s-at-%d", name, at), fmt.Sprintf("a %s before fragment %d of 4", strings.ReplaceAll(name, "-", " "), at+1), all...)
		}
		if at > 0 && at < len(pieces) {
			ch.script(fmt.Sprintf("close-at-%d", at), fmt.Sprintf("a Close before fragment %d of 4", at+1),
				script{lead: pieces[:at], main: append(frames(CloseFrame(1000, "")), pieces[at:]...), want: closes},
				tagged("boundaries"))
		}
	}
	good("pings-everywhere", "a ping at every boundary of a message",
		Ping("1"), begun("H"), Ping("2"), more("el"), Ping("3"), Ping("4"), more("l"), Pong("5"), last("o"), Ping("6"))
	ch.orphans()
}

func (ch *chapter) orphans() {
	bad := func(word, title string, s script, choices ...choice) {
		s.want, s.codes = fails, []int{1002}
		ch.script(word, title, s, choices...)
	}
	ch.at("5.4", sequence)
	bad("orphan-last", "a last continuation without a message", script{main: frames(last("bad"))})
	bad("orphan-empty", "an empty last continuation without a message", script{main: frames(last(""))})
	bad("orphan-middle", "a continuation that is not the last, without a message", script{main: frames(more("bad"))})
	bad("orphan-after-text", "a continuation after a whole text", script{lead: frames(Text("good")), main: frames(last("bad"))})
	bad("orphan-after-message", "a continuation after a fragmented message", script{lead: frames(begun("go"), last("od")), main: frames(last("bad"))})
	bad("orphan-after-ping", "a continuation after a ping", script{lead: frames(Ping("good")), main: frames(last("bad"))})
	bad("orphan-glued", "a text and a continuation in one write", script{near: frames(Text("good")), main: frames(last("bad"))})
	bad("orphan-by-byte", "a continuation without a message, one byte at a time", script{main: frames(last("bad")), cut: byByte})
	ch.at("5.4", interleaved)
	in := frames(begun("good"))
	bad("text-inside", "a whole text between fragments", script{lead: in, main: frames(Text("bad"))})
	bad("binary-inside", "a whole binary message between fragments", script{lead: in, main: frames(Binary([]byte("bad")))})
	bad("first-inside", "a text begins inside a text", script{lead: in, main: frames(begun("bad"))})
	bad("text-inside-empty", "an empty text between fragments", script{lead: in, main: frames(Text(""))})
	bad("binary-after-fragments", "a binary message where the last of three fragments is due",
		script{lead: frames(begun("a"), more("b")), main: frames(Binary([]byte("bad")))})
	bad("text-inside-after-ping", "a text between fragments behind a ping",
		script{lead: frames(begun("a"), Ping("good")), main: frames(Text("bad"))})
}

func (ch *chapter) control() {
	ch.at("5.5", notFragments)
	in := frames(begun("good"))
	for _, c := range []struct {
		name string
		op   byte
		body string
	}{{"ping", OpPing, "bad"}, {"pong", OpPong, "bad"}, {"close", OpClose, "\x03\xe8bad"}} {
		bad := func(word, title string, lead []Frame, f Frame) {
			f.Opcode = c.op
			ch.script(c.name+"-"+word, "a "+c.name+" "+title, script{lead: lead, main: frames(f), want: fails, codes: []int{1002}})
		}
		body, long := []byte(c.body), append([]byte(c.body), letters(126-len(c.body))...)
		bad("not-final", "that is not final", nil, Frame{Payload: body})
		bad("not-final-empty", "that is empty and not final", nil, Frame{})
		bad("not-final-inside", "that is not final, between fragments", in, Frame{Payload: body})
		bad("126", "of 126 bytes", nil, Frame{Fin: true, Payload: long})
		bad("126-inside", "of 126 bytes between fragments", in, Frame{Fin: true, Payload: long})
		bad("65536", "of 65536 bytes", nil, Frame{Fin: true, Payload: append([]byte(c.body), letters(65536-len(c.body))...)})
	}
	ch.at("5.5.2", pongClause)
	ch.script("ping", "a ping", script{main: frames(Ping("Hello"))})
	ch.script("ping-bytes", "a ping whose payload is not UTF-8", script{main: frames(Ping("\x00\xff\xfe\xc0\x80"))})
	ch.script("ping-by-byte", "a ping one byte at a time", script{main: frames(Ping("Hello")), cut: byByte})
	ch.script("pings-glued", "ten pings in one write", script{main: frames(Ping("0"), Ping("1"), Ping("2"), Ping("3"),
		Ping("4"), Ping("5"), Ping("6"), Ping("7"), Ping("8"), Ping("9"))})
	ch.script("ping-glued-to-text", "a ping, a text and a ping in one write", script{main: frames(Ping("1"), Text("Hello"), Ping("2"))})
	ch.at("5.5.3", sameData)
	ch.add("ping-0-to-125", "pings of 0 to 125 bytes, each answered before the next", pings)
	ch.at("5.5.3", unsolicited)
	ch.script("pong", "a pong that nobody asked for, then a text", script{main: frames(Pong("unasked"), Text("Hello"))})
	ch.script("pong-empty", "an empty pong, then a text", script{main: frames(Pong(""), Text("Hello"))})
	ch.script("pong-125", "a pong of 125 bytes, then a text", script{main: frames(Pong(string(letters(125))), Text("Hello"))})
	ch.script("pongs", "ten pongs, then a text", script{main: append(frames(Pong("0"), Pong("1"), Pong("2"), Pong("3"),
		Pong("4"), Pong("5"), Pong("6"), Pong("7"), Pong("8"), Pong("9")), Text("Hello"))})
	ch.script("pong-then-ping", "a pong and a ping with the same payload, then a text",
		script{main: frames(Pong("a"), Ping("a"), Text("Hello"))})
}

// pings sends a ping of every length, and waits for each one's pong.
func pings(d *Dialogue) Verdict {
	const expected = "a pong with the payload of each ping"
	if err := d.Open(); err != nil {
		return Fail(expected, "%v", err)
	}
	h := &hearing{}
	for n := range 126 {
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(n + 7*i)
		}
		h.pongs = nil
		d.Send(Ping(string(body)))
		if !h.await(d, frames(Ping(string(body)))) {
			return Fail(expected, "ping of %d bytes: %v", n, h)
		}
	}
	d.Send(CloseFrame(1000, ""))
	return Pass(expected)
}
