package wsspec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A fuzzScript is a generated dialogue: frames, and how they are written.
type fuzzScript struct {
	frames []Frame
	chop   int  // bytes of a write; 0: a frame to a write, below 0: all in one
	polite bool // all echoes are waited for before the frame that ends the conversation
}

// FuzzChapter is the chapter of generated cases.
const FuzzChapter = "fuzz"

// FuzzCase is the dialogue of that number in the stream of a seed: frames that are
// legal, cut and mixed in any way, and in two of three a frame at last that is not.
// What is allowed to come back is known from a small model. Its id is
// "fuzz/SEED/NUMBER".
func FuzzCase(seed uint64, number int) *Case {
	return scriptCase(fmt.Sprintf("%s/%d/%d", FuzzChapter, seed, number), func(testee Role) fuzzScript {
		return generate(rand.New(rand.NewPCG(seed, uint64(number))), testee)
	})
}

// ParseFuzzID returns the case that FuzzCase made with an id, or nil.
func ParseFuzzID(id string) *Case {
	parts := strings.Split(id, "/")
	if len(parts) != 3 || parts[0] != FuzzChapter {
		return nil
	}
	seed, err1 := strconv.ParseUint(parts[1], 10, 64)
	number, err2 := strconv.Atoi(parts[2])
	if err1 != nil || err2 != nil || number < 0 {
		return nil
	}
	return FuzzCase(seed, number)
}

// generate makes a dialogue of a random source.
func generate(r *rand.Rand, testee Role) fuzzScript {
	s := fuzzScript{polite: r.IntN(2) == 0, chop: []int{-1, -1, 0, 0, 1, 2, 7, 1460}[r.IntN(8)]}
	g := &generator{Rand: r, room: 300 << 10}
	if s.chop > 0 && s.chop < 100 {
		g.room = 3 << 10 // so many writes take time
	}
	for range r.IntN(9) {
		s.frames = append(s.frames, g.piece()...)
	}
	switch r.IntN(3) {
	case 0: // an end that is legal: play adds it
		if r.IntN(2) == 0 {
			s.frames = append(s.frames, CloseFrame([]int{0, 1000, 1001, 3000, 4999}[r.IntN(5)], ""))
		}
	default:
		s.frames = append(s.frames, g.breach(testee)...)
	}
	if predict(s.frames, testee).end < len(s.frames) && r.IntN(2) == 0 {
		s.frames = append(s.frames, g.piece()...) // which nobody may answer
	}
	return s
}

// A generator makes pieces of a dialogue.
type generator struct {
	*rand.Rand
	room int // bytes left
}

// piece is a message, maybe with control frames between its fragments, or a control
// frame.
func (g *generator) piece() []Frame {
	if g.IntN(4) == 0 {
		return []Frame{g.control()}
	}
	text := g.IntN(2) == 0
	opcode := byte(OpBinary)
	body := g.bytes()
	if text {
		opcode, body = OpText, g.text()
	}
	var frames []Frame
	for range []int{0, 0, 0, 1, 2, 5}[g.IntN(6)] {
		n := g.IntN(len(body) + 1)
		frames = append(frames, Frame{Opcode: opcode, Payload: body[:n]})
		if g.IntN(3) == 0 {
			frames = append(frames, g.control())
		}
		opcode, body = OpContinuation, body[n:]
	}
	return append(frames, Frame{Fin: true, Opcode: opcode, Payload: body})
}

func (g *generator) control() Frame {
	payload := make([]byte, []int{0, 1, 4, 124, 125}[g.IntN(5)])
	g.fill(payload)
	if g.IntN(3) == 0 {
		return Frame{Fin: true, Opcode: OpPong, Payload: payload}
	}
	return Frame{Fin: true, Opcode: OpPing, Payload: payload}
}

// size is a length, with those that are written in another form among them.
func (g *generator) size() int {
	n := []int{0, 1, 2, 5, 30, 125, 126, 127, 1000, 4096, 65535, 65536}[g.IntN(12)]
	n = min(n, g.room)
	g.room -= n
	return n
}

func (g *generator) bytes() []byte {
	b := make([]byte, g.size())
	g.fill(b)
	return b
}

func (g *generator) fill(b []byte) {
	for i := range b {
		b[i] = byte(g.Uint32())
	}
}

// fuzzLetters are of one to four bytes, the first and the last of each length.
var fuzzLetters = []string{"a", "\x00", "\x7f", "\u0080", "ß", "\u07ff", "\u0800", "語", "\ud7ff", "\ue000", "\uffff", "\U00010000", "🙂", "\U0010ffff"}

func (g *generator) text() []byte {
	n := g.size()
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(fuzzLetters[g.IntN(len(fuzzLetters))])
	}
	return b.Bytes()
}

// breach is what breaks a rule, with the frames that it needs before.
func (g *generator) breach(testee Role) []Frame {
	bad := Frame{Fin: true, Opcode: OpText, Payload: []byte("bad")}
	before := []Frame{}
	switch g.IntN(11) {
	case 0:
		bad.RSV = byte(1 + g.IntN(7))
	case 1:
		bad.Opcode = []byte{3, 7, 11, 15}[g.IntN(4)]
	case 2:
		bad.Masking = MaskAlways
		if testee == Server {
			bad.Masking = MaskNever
		}
	case 3:
		bad.Opcode = OpContinuation
	case 4:
		before = append(before, Frame{Opcode: OpBinary, Payload: g.bytes()})
		bad.Fin = g.IntN(2) == 0
	case 5:
		bad.Opcode = []byte{OpPing, OpPong, OpClose}[g.IntN(3)]
		bad.Fin, bad.Payload = false, nil
	case 6:
		bad.Opcode = []byte{OpPing, OpPong}[g.IntN(2)]
		bad.Payload = make([]byte, 126)
	case 7:
		bad = CloseFrame(badCodes[g.IntN(len(badCodes))], "x")
		if g.IntN(2) == 0 {
			bad = CloseFrame(1000, "x\xff")
		}
	case 8:
		bad = Frame{Fin: true, Opcode: OpClose, Payload: []byte{3}}
	case 9:
		long := uint64(1)<<63 | uint64(g.Uint32())
		bad.Declared, bad.Form = &long, Length64
	default:
		bad.Payload = append(g.text(), []string{"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe8\xaa", "\x80"}[g.IntN(6)]...)
		if n := g.IntN(len(bad.Payload)); n > 0 && g.IntN(2) == 0 {
			before = append(before, Frame{Opcode: OpText, Payload: bad.Payload[:n]})
			bad.Opcode, bad.Payload = OpContinuation, bad.Payload[n:]
		}
	}
	return append(before, bad)
}
