package wsspec

import (
	"bytes"
	"fmt"
	"strings"
)

// framing is §5 beyond what the Autobahn testsuite asks: how frames are written, and
// what has to fail a connection.
func framing() []*Case {
	ch := &chapter{name: "framing", roles: Both}
	ch.lengths()
	ch.masking()
	ch.reservedBits()
	ch.opcodes()
	ch.fragments()
	ch.control()
	ch.closing()
	ch.closeCodes()
	return ch.cases
}

func frames(f ...Frame) []Frame { return f }

func letters(n int) []byte { return bytes.Repeat([]byte("a"), n) }

const (
	minimal      = `the minimal number of bytes MUST be used to encode the length`
	minimalWhy   = "§5.2 says so to the sender, and its grammar has both forms; what a receiver does is not said. An intermediary that counts otherwise is fooled."
	topBit       = `the following 8 bytes interpreted as a 64-bit unsigned integer (the most significant bit MUST be 0)`
	lengthClause = `The length of the "Payload data", in bytes: if 0-125, that is the payload length. If 126, the following 2 bytes [...] If 127, the following 8 bytes`
)

func (ch *chapter) lengths() {
	ch.at("5.2", lengthClause)
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536} {
		ch.script(fmt.Sprintf("length-%d", n), fmt.Sprintf("a binary message of %d bytes", n),
			script{main: frames(Binary(letters(n)))})
		ch.script(fmt.Sprintf("length-%d-fragment", n), fmt.Sprintf("a fragment of %d bytes, and one byte more", n),
			script{main: frames(Frame{Opcode: OpBinary, Payload: letters(n)}, last("b"))})
	}
	ch.at("5.2", minimal)
	long := func(form LengthForm, n int) {
		text := Frame{Fin: true, Opcode: OpText, Payload: letters(n), Form: form}
		ch.script(fmt.Sprintf("length-%d-not-minimal-%d", form, n),
			fmt.Sprintf("a text of %d bytes whose length is written with %d bits", n, form),
			script{main: frames(text), want: fails, codes: []int{1002}}, should(minimalWhy))
	}
	for _, n := range []int{0, 1, 125} {
		long(Length16, n)
	}
	for _, n := range []int{0, 1, 125, 126, 65535} {
		long(Length64, n)
	}
	for _, form := range []LengthForm{Length16, Length64} {
		for _, f := range []Frame{Ping("bad"), Pong("bad"), CloseFrame(1000, "")} {
			name, _, _ := strings.Cut(f.String(), " ")
			f.Form = form
			ch.script(fmt.Sprintf("length-%d-not-minimal-%s", form, name),
				fmt.Sprintf("a %s whose length is written with %d bits", name, form),
				script{main: frames(f), want: fails, codes: []int{1002}}, should(minimalWhy))
		}
		part := last("bad")
		part.Form = form
		ch.script(fmt.Sprintf("length-%d-not-minimal-continuation", form),
			fmt.Sprintf("a continuation whose length is written with %d bits", form),
			script{lead: frames(begun("good")), main: frames(part), want: fails, codes: []int{1002}}, should(minimalWhy))
	}
	ch.at("5.2", topBit)
	for _, f := range []struct {
		word string
		f    Frame
		n    uint64
	}{
		{"text", Text("bad"), 1<<63 | 3},
		{"binary", Binary([]byte("bad")), 1 << 63},
		{"text-all-ones", Text("bad"), 1<<64 - 1},
		{"continuation", last("bad"), 1<<63 | 3},
		{"ping", Ping("bad"), 1<<63 | 3},
	} {
		f.f.Declared, f.f.Form = &f.n, Length64
		var lead []Frame
		if f.f.Opcode == OpContinuation {
			lead = frames(begun("good"))
		}
		ch.script("length-top-bit-"+f.word, fmt.Sprintf("a %s whose 64-bit length is %#x", opcodeNames[f.f.Opcode], f.n),
			script{lead: lead, main: frames(f.f), want: fails, codes: []int{1002, 1009}})
	}
}

const rsv = `If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_.`

// rsvNames are the reserved bits by the value that they have together.
var rsvNames = [8]string{4: "rsv1", 2: "rsv2", 1: "rsv3", 6: "rsv12", 5: "rsv13", 3: "rsv23", 7: "rsv123"}

var rsvTitles = [8]string{4: "RSV1", 2: "RSV2", 1: "RSV3", 6: "RSV1 and RSV2", 5: "RSV1 and RSV3", 3: "RSV2 and RSV3", 7: "all three reserved bits"}

func (ch *chapter) reservedBits() {
	ch.at("5.2", rsv)
	inside := frames(begun("good"))
	for _, bits := range []byte{4, 2, 1, 6, 5, 3, 7} {
		for _, f := range []struct {
			word, title string
			lead        []Frame
			f           Frame
		}{
			{"text", "a text", nil, Text("bad")},
			{"binary", "a binary message", nil, Binary([]byte("bad"))},
			{"first-fragment", "the first fragment of a text", nil, begun("bad")},
			{"text-second", "a text after one without", frames(Text("good")), Text("bad")},
			{"continuation", "a continuation that is not the last", inside, more("bad")},
			{"last-continuation", "a last continuation", inside, last("bad")},
			{"ping", "a ping", nil, Ping("bad")},
			{"pong", "a pong", nil, Pong("bad")},
			{"close", "a Close", nil, CloseFrame(1000, "")},
			{"ping-inside", "a ping between fragments", inside, Ping("bad")},
			{"pong-inside", "a pong between fragments", inside, Pong("bad")},
			{"close-inside", "a Close between fragments", inside, CloseFrame(1000, "")},
		} {
			f.f.RSV = bits
			ch.script(rsvNames[bits]+"-"+f.word, rsvTitles[bits]+" on "+f.title+", without an extension",
				script{lead: f.lead, main: frames(f.f), want: fails, codes: []int{1002}})
		}
	}
}

const reservedOpcode = `If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_.`

func (ch *chapter) opcodes() {
	ch.at("5.2", reservedOpcode)
	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		name := fmt.Sprintf("opcode-%x", op)
		add := func(word, title string, lead []Frame, f Frame) {
			f.Opcode = op
			ch.script(name+word, fmt.Sprintf("a frame with opcode 0x%X%s", op, title),
				script{lead: lead, main: frames(f), want: fails, codes: []int{1002}})
		}
		add("", "", nil, Frame{Fin: true, Payload: []byte("bad")})
		add("-empty", ", empty", nil, Frame{Fin: true})
		add("-not-final", " that is not final", nil, Frame{Payload: []byte("bad")})
		add("-second", " after a text", frames(Text("good")), Frame{Fin: true, Payload: []byte("bad")})
		add("-inside", " between fragments", frames(begun("good")), Frame{Fin: true, Payload: []byte("bad")})
	}
	ch.at("5.2", reservedOpcode)
	ch.script("opcode-3-glued", "a text and a frame with opcode 3 in one write",
		script{near: frames(Text("good")), main: frames(Frame{Fin: true, Opcode: 3, Payload: []byte("bad")}), want: fails, codes: []int{1002}})
	ch.script("opcode-b-by-byte", "a text and a frame with opcode 0xB, one byte at a time",
		script{near: frames(Text("good")), main: frames(Frame{Fin: true, Opcode: 0xB}), cut: byByte, want: fails, codes: []int{1002}})
}
