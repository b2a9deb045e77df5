package inflate

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// deflated is a text as compress/flate sends it, without the tail.
func deflated(text string, level int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		panic(err)
	}
	w.Write([]byte(text))
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte(tail))
}

// listed are the blocks and tokens of a message, a line each.
func listed(payload []byte, m *Message) (lines []string) {
	for _, b := range m.Blocks {
		s := fmt.Sprintf("%d: %s, %d+%d bits", b.Bit, b.Type, b.Head, b.Bits-b.Head)
		if b.Final {
			s += ", final"
		}
		if b.Tail {
			s += ", tail"
		}
		lines = append(lines, s)
		for _, k := range b.Tokens {
			text := m.Content[k.At : k.At+k.Length]
			switch k.Kind {
			case Literal:
				s = fmt.Sprintf("%d: %s %q", k.Bit, Code(payload, k.Bit, k.Bits()), text)
			case Match:
				s = fmt.Sprintf("%d: %s %d from %d back, %d earlier: %q", k.Bit, Code(payload, k.Bit, k.Bits()), k.Length, k.Distance, k.Earlier, text)
			case Raw:
				s = fmt.Sprintf("%d: %d bytes as they are: %q", k.Bit, k.Length, text)
			case End:
				s = fmt.Sprintf("%d: %s end", k.Bit, Code(payload, k.Bit, k.Bits()))
			}
			lines = append(lines, "  "+s)
		}
	}
	return lines
}

// The examples of RFC 7692 §7.2.3, and what they are made of.
func TestExamples(t *testing.T) {
	for _, tt := range []struct {
		name, wire, context string
		want                []string
	}{
		{"one fixed block (§7.2.3.1)", "f2 48 cd c9 c9 07 00", "", []string{
			"0: fixed, 3+47 bits", `  3: 01111000 "H"`, `  11: 10010101 "e"`, `  19: 10011100 "l"`, `  27: 10011100 "l"`, `  35: 10011111 "o"`, "  43: 0000000 end",
			"50: stored, 38+0 bits, tail"}},
		{"with the context of the same (§7.2.3.2)", "f2 00 11 00 00", "Hello", []string{
			"0: fixed, 3+28 bits", `  3: 01111000 "H"`, `  11: 0000010001000 4 from 5 back, 4 earlier: "ello"`, "  24: 0000000 end",
			"31: stored, 41+0 bits, tail"}},
		{"no compression (§7.2.3.3)", "00 05 00 fa ff 48 65 6c 6c 6f 00", "", []string{
			"0: stored, 40+40 bits", `  40: 5 bytes as they are: "Hello"`, "80: stored, 40+0 bits, tail"}},
		{"BFINAL (§7.2.3.4)", "f3 48 cd c9 c9 07 00 00", "", []string{
			"0: fixed, 3+53 bits, final", `  3: 01111000 "H"`, `  11: 10010101 "e"`, `  19: 10011100 "l"`, `  27: 10011100 "l"`, `  35: 10011111 "o"`, "  43: 0000000 end",
			"56: stored, 40+0 bits, tail"}},
		{"two blocks (§7.2.3.5)", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "", []string{
			"0: fixed, 3+23 bits", `  3: 01111000 "H"`, `  11: 10010101 "e"`, "  19: 0000000 end", "26: stored, 38+0 bits",
			"64: fixed, 3+31 bits", `  67: 10011100 "l"`, `  75: 10011100 "l"`, `  83: 10011111 "o"`, "  91: 0000000 end", "98: stored, 38+0 bits, tail"}},
		{"no bytes at all", "", "", nil},
		{"an empty message", "00", "", []string{"0: stored, 40+0 bits, tail"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := unhex(tt.wire)
			m, err := Explain(payload, Options{Context: []byte(tt.context)})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, listed(payload, m)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// A match may copy what it has just written; and a literal, a match and a distance of a
// dynamic block have the codes that its header says.
func TestMatches(t *testing.T) {
	text := "abc" + strings.Repeat("x", 20) + "abc"
	m, err := Explain(deflated(text, 9), Options{})
	if err != nil || string(m.Content) != text {
		t.Fatalf("%q, %v", m.Content, err)
	}
	if m.Literals != 7 || m.Matches != 1 || m.Copied != 19 || m.Earlier != 0 {
		t.Errorf("%d literals, %d matches, %d bytes copied", m.Literals, m.Matches, m.Copied)
	}
	text = strings.Repeat("never say never to those who say so; ", 3) + "the quick brown fox jumps over it"
	m, err = Explain(deflated(text, 9), Options{})
	if err != nil || string(m.Content) != text {
		t.Fatalf("%q, %v", m.Content, err)
	}
	b := m.Blocks[0]
	if b.Type != Dynamic || b.Codes == nil || b.Codes.Literals['e'] == 0 || b.Codes.Literals['z'] != 0 {
		t.Fatalf("%+v", b)
	}
	for _, k := range b.Tokens {
		if k.Kind == Literal && k.Widths[0] != b.Codes.Literals[m.Content[k.At]] {
			t.Errorf("%q has %d bits, the header says %d", m.Content[k.At], k.Widths[0], b.Codes.Literals[m.Content[k.At]])
		}
	}
}

// What is wrong with a message is said, and where.
func TestMalformed(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		bits       int
		want       string
	}{
		{"reserved type", "07", 0, "bit 1: block type 3, which is reserved (RFC 1951 §3.2.3)"},
		{"reserved type, second block", "00 00 00 ff ff 07", 0, "bit 41: block type 3, which is reserved (RFC 1951 §3.2.3)"},
		{"stored length", "00 05 00 fb ff 48 65 6c 6c 6f 00", 0, "bit 8: a stored block whose length is 0005 and the complement of that fffb (RFC 1951 §3.2.4)"},
		{"too many codes", "fc 3f", 0, "bit 3: 288 literal and length codes and 32 distance codes, at most 286 and 30 (RFC 1951 §3.2.7)"},
		{"no codes for code lengths", "04 00 00 00 00", 0, "bit 17: the codes for code lengths: some bits have no meaning (RFC 1951 §3.2.7)"},
		{"too many of one length", "04 c0 ff ff ff ff ff ff ff", 0, "bit 17: the codes for code lengths: some bits have no meaning (RFC 1951 §3.2.7)"},
		{"literal 286", "1b 03", 0, "bit 3: bits that stand for no literal and no length (RFC 1951 §3.2.5)"},
		{"distance before the beginning", "f2 00 11 00 00", 0, "bit 18: a distance of 5 bytes, after only 1 (RFC 7692 §7.1.2)"},
		{"ends inside", "f2 48 cd c9", 0, "bit 64: the message ends inside a stored block (RFC 7692 §7.2.2)"},
		{"a stored block of the tail's length", "00 09 00 f6 ff", 0, "bit 72: the message ends inside a stored block (RFC 7692 §7.2.2)"},
		{"a window of 7 bits", "00", 7, "bit 0: a window of 7 bits, expected 8 to 15 (RFC 7692 §7.1.2)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Explain(unhex(tt.wire), Options{Bits: tt.bits})
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s; %q", err, tt.want, m.Content)
			}
		})
	}
}

// dynamicLengths are codes of dynamic blocks by how many bits they have, 1 or 2, and what
// is wrong with them.
var dynamicLengths = []struct {
	name                string
	literals, distances map[int]int
	data, want          string
}{
	{"fine", map[int]int{'a': 1, 256: 1}, nil, "001", ""},
	{"one code only", map[int]int{256: 1}, map[int]int{0: 1}, "0", ""},
	{"the other bit of one code only", map[int]int{256: 1}, nil, "1", "bits that stand for no literal and no length (RFC 1951 §3.2.5)"},
	{"no end", map[int]int{'a': 1, 'b': 1}, nil, "0", "no code for the end of the block (RFC 1951 §3.2.7)"},
	{"bits without a meaning", map[int]int{'a': 2, 256: 2}, nil, "00", "the codes for literals and lengths: some bits have no meaning (RFC 1951 §3.2.7)"},
	{"one code of two bits", map[int]int{256: 2}, nil, "00", "the codes for literals and lengths: some bits have no meaning (RFC 1951 §3.2.7)"},
	{"too many codes", map[int]int{'a': 1, 'b': 1, 256: 1}, nil, "0", "the codes for literals and lengths: more codes of up to 1 bits than there can be (RFC 1951 §3.2.7)"},
	{"distances without a meaning", map[int]int{'a': 1, 256: 1}, map[int]int{0: 2, 1: 2}, "1", "the codes for distances: some bits have no meaning (RFC 1951 §3.2.7)"},
	{"a match without distances", map[int]int{256: 1, 257: 1}, nil, "10", "bits that stand for no distance (RFC 1951 §3.2.5)"},
	{"the other bit of one distance", map[int]int{'a': 2, 256: 1, 257: 2}, map[int]int{0: 1}, "10111", "bits that stand for no distance (RFC 1951 §3.2.5)"},
}

// dynamicBlock is a message of a dynamic block with such codes and data behind its header,
// and an empty stored block.
func dynamicBlock(literals, distances map[int]int, data string) []byte {
	var digits strings.Builder
	number := func(v, n int) {
		for i := range n {
			fmt.Fprint(&digits, v>>i&1)
		}
	}
	number(0, 1)    // BFINAL
	number(2, 2)    // BTYPE
	number(1, 5)    // HLIT: 258 codes
	number(1, 5)    // HDIST: 2
	number(18-4, 4) // HCLEN
	for _, symbol := range lengthOrder[:18] {
		n := 0
		if symbol <= 2 || symbol == 18 {
			n = 2
		}
		number(n, 3)
	}
	for symbol := 0; symbol < 258; symbol++ {
		zeros := 0
		for zeros < 138 && symbol+zeros < 258 && literals[symbol+zeros] == 0 {
			zeros++
		}
		if zeros >= 11 {
			digits.WriteString("11") // 18
			number(zeros-11, 7)
			symbol += zeros - 1
			continue
		}
		digits.WriteString([]string{"00", "01", "10"}[literals[symbol]])
	}
	for symbol := range 2 {
		digits.WriteString([]string{"00", "01", "10"}[distances[symbol]])
	}
	digits.WriteString(data + "000")
	b := make([]byte, (digits.Len()+7)/8)
	for i, d := range digits.String() {
		b[i/8] |= byte(d-'0') << (i % 8)
	}
	return b
}

// The codes of a dynamic block give a meaning to all bits, and one only; to one code alone
// some more is allowed.
func TestDynamicCodes(t *testing.T) {
	for _, tt := range dynamicLengths {
		_, err := Explain(dynamicBlock(tt.literals, tt.distances, tt.data), Options{})
		if got := fmt.Sprint(err); (err != nil) != (tt.want != "") || !strings.HasSuffix(got, tt.want) && err != nil {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A window of 256 bytes has no byte that lies farther back, though the context is longer.
func TestWindow(t *testing.T) {
	text := strings.Repeat("a", 10) + "needle" + strings.Repeat("b", 300)
	payload := deflated(text+"needle", 9)
	if _, err := Explain(payload, Options{Bits: 9}); err != nil {
		t.Error(err)
	}
	if _, err := Explain(payload, Options{Bits: 8}); err == nil || !strings.Contains(err.Error(), "a distance of 306 bytes, in a window of 256") {
		t.Error(err)
	}
	m, err := Explain(unhex("f2 00 11 00 00"), Options{Bits: 8, Context: bytes.Repeat([]byte("Hello"), 100)})
	if err != nil || string(m.Content) != "Hello" || m.Context != 256 {
		t.Errorf("%q with %d bytes of context, %v", m.Content, m.Context, err)
	}
}

// A bomb is explained as far as the bounds allow.
func TestBounds(t *testing.T) {
	bomb := deflated(strings.Repeat("x", 1<<20), 9)
	m, err := Explain(bomb, Options{MaxContent: 1000, MaxTokens: 2})
	if err != nil || m.Stop != "explained up to 775 bytes of content" || len(m.Content) != 775 || len(m.Blocks[0].Tokens) != 2 || m.AllTokens != 4 {
		t.Errorf("%v, %q, %d bytes, %d tokens listed of %d", err, m.Stop, len(m.Content), len(m.Blocks[0].Tokens), m.AllTokens)
	}
	m, err = Explain(append(bytes.Repeat(unhex("00 0000 ffff"), 100), 0), Options{MaxBlocks: 10})
	if err != nil || len(m.Blocks) != 10 || m.AllBlocks != 101 {
		t.Errorf("%v, %d blocks listed of %d", err, len(m.Blocks), m.AllBlocks)
	}
	m, err = Explain(unhex("f2 48 cd"), Options{Partial: true})
	if err != nil || m.Stop != "only the first 3 bytes of the payload are known" || string(m.Content) != "He" {
		t.Errorf("%v, %q, %q", err, m.Stop, m.Content)
	}
}
