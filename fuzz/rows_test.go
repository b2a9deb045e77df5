package main

import (
	"encoding/binary"
	"testing"

	"framewright/ws"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// A row is a stream with a name and a verdict. Every row is a seed of the
// targets that read streams. An input that a target once failed on gets a row
// here, named for what it does, so that its verdict is fixed for good.
type row struct {
	name  string
	wire  string // in the notation of wstest.ParseHex, unmasked, as a server sends it
	want  []string
	rule  ws.RuleID
	small bool // judged with the small limits
	raw   bool // for a client alone: wire is not masked for the server's turn
}

var rows = []row{
	{name: "hello", wire: `81 05 'Hello'`, want: []string{"Hello"}},
	{name: "hello-in-two-fragments", wire: `01 03 'Hel' 80 02 'lo'`, want: []string{"Hello"}},
	{name: "ping-and-pong", wire: `89 05 'Hello' 8a 05 'Hello'`},
	{name: "close", wire: `88 05 03e8 'bye'`},
	{name: "close-without-code", wire: `88 00`},
	{name: "empty-messages", wire: `81 00 82 00`, want: []string{"", ""}},
	{name: "16-bit-length", wire: `82 7e 0100 'x'*256`, want: []string{repeat("x", 256)}},
	{name: "cut-in-the-header", wire: `81 7e 01`},
	{name: "cut-in-the-payload", wire: `81 05 'He'`},
	{name: "session", wire: `01 02 'ab' 89 01 'p' 00 00 80 01 'c' 82 03 ff00ff 8a 00 88 02 03e9`, want: []string{"abc", "\xff\x00\xff"}},

	{name: "row-25-rsv2", wire: `a1 00`, rule: ws.RuleRSV},
	{name: "row-25-rsv3", wire: `91 00`, rule: ws.RuleRSV},
	{name: "row-26-rsv1", wire: `c1 00`, rule: ws.RuleRSV},
	{name: "row-27-rsv1-on-ping", wire: `c9 00`, rule: ws.RuleRSV},
	{name: "row-27-rsv1-on-continuation", wire: `01 01 'a' c0 01 'b'`, rule: ws.RuleRSV},
	{name: "row-28-opcode-3", wire: `83 00`, rule: ws.RuleOpcode},
	{name: "row-28-opcode-7", wire: `87 01 'x'`, rule: ws.RuleOpcode},
	{name: "row-28-opcode-b", wire: `8b 00`, rule: ws.RuleOpcode},
	{name: "row-28-opcode-f", wire: `8f 00`, rule: ws.RuleOpcode},
	{name: "row-30-masked-from-a-server", wire: `81 85 37fa213d 7f9f4d5158`, rule: ws.RuleServerUnmasked, raw: true},
	{name: "row-31-top-bit", wire: `82 7f 8000000000000000`, rule: ws.RuleLengthTopBit},
	{name: "row-32-125-in-16-bits", wire: `82 7e 007d`, rule: ws.RuleMinimalLength},
	{name: "row-32-65535-in-64-bits", wire: `82 7f 000000000000ffff`, rule: ws.RuleMinimalLength},
	{name: "row-33-huge", wire: `82 7f 7fffffffffffffff`, rule: ws.RuleMessageSize},
	{name: "row-34-at-the-limit", wire: `82 7e 012c 'x'*300`, want: []string{repeat("x", 300)}, small: true},
	{name: "row-34-over-the-limit", wire: `82 7e 012d`, rule: ws.RuleMessageSize, small: true},
	{name: "row-35-sum-over-the-limit", wire: `02 7e 00c8 'x'*200 80 65`, rule: ws.RuleMessageSize, small: true},
	{name: "row-35-sum-overflows", wire: `02 01 'x' 80 7f 7fffffffffffffff`, rule: ws.RuleMessageSize},

	{name: "row-36-continuation-first", wire: `80 01 'x'`, rule: ws.RuleContinuation},
	{name: "row-36-continuation-after-a-message", wire: `81 01 'x' 00 01 'y'`, want: []string{"x"}, rule: ws.RuleContinuation},
	{name: "row-37-text-inside-a-text", wire: `01 01 'x' 81 01 'y'`, rule: ws.RuleInterleaved},
	{name: "row-37-binary-inside-a-text", wire: `01 01 'x' 02 01 'y'`, rule: ws.RuleInterleaved},
	{name: "row-38-fragments-at-the-limit", wire: `02 01 'a' 00 01 'b' 00 01 'c' 00 01 'd' 80 01 'e'`, want: []string{"abcde"}, small: true},
	{name: "row-38-fragments-over-the-limit", wire: `02 01 'a' 00 01 'b' 00 01 'c' 00 01 'd' 00 01 'e' 80`, small: true},
	{name: "row-39-empty-fragments", wire: `01 00 00 00 00 00 00 00 00 00 00 00`, rule: ws.RuleFragments, small: true},
	{name: "row-40-ping-inside-a-message", wire: `01 01 'x' 89 01 'p' 80 01 'y'`, want: []string{"xy"}},

	{name: "row-42-fragmented-ping", wire: `09 00`, rule: ws.RuleControlFin},
	{name: "row-42-fragmented-close", wire: `08 00`, rule: ws.RuleControlFin},
	{name: "row-43-ping-of-125", wire: `89 7d 'p'*125`},
	{name: "row-43-ping-of-126", wire: `89 7e 007e`, rule: ws.RuleControlLength},
	{name: "row-43-close-in-64-bits", wire: `88 7f 0000000000000000`, rule: ws.RuleControlLength},
	{name: "row-44-close-of-one-byte", wire: `88 01 03`, rule: ws.RuleCloseLength},
	{name: "row-45-close-0", wire: `88 02 0000`, rule: ws.RuleCloseCode},
	{name: "row-45-close-999", wire: `88 02 03e7`, rule: ws.RuleCloseCode},
	{name: "row-45-close-1004", wire: `88 02 03ec`, rule: ws.RuleCloseCode},
	{name: "row-45-close-1005", wire: `88 02 03ed`, rule: ws.RuleCloseCode},
	{name: "row-45-close-1006", wire: `88 02 03ee`, rule: ws.RuleCloseCode},
	{name: "row-45-close-1012", wire: `88 02 03f4`},
	{name: "row-45-close-1014", wire: `88 02 03f6`},
	{name: "row-45-close-1015", wire: `88 02 03f7`, rule: ws.RuleCloseCode},
	{name: "row-45-close-2999", wire: `88 02 0bb7`, rule: ws.RuleCloseCode},
	{name: "row-45-close-3000", wire: `88 02 0bb8`},
	{name: "row-45-close-4999", wire: `88 02 1387`},
	{name: "row-45-close-5000", wire: `88 02 1388`, rule: ws.RuleCloseCode},
	{name: "row-46-close-reason", wire: `88 03 03e8 ff`, rule: ws.RuleCloseUTF8},
	{name: "row-46-close-reason-cut", wire: `88 04 03e8 e282`, rule: ws.RuleCloseUTF8},
	{name: "row-47-data-after-close", wire: `88 02 03e8 81 01 'x'`},
	{name: "row-47-ping-after-close", wire: `88 00 89 00 ff`},
	{name: "row-50-pong", wire: `8a 00 8a 01 'x'`},

	{name: "row-52-overlong", wire: `81 02 c080`, rule: ws.RuleTextUTF8},
	{name: "row-52-overlong-of-three", wire: `81 03 e09fbf`, rule: ws.RuleTextUTF8},
	{name: "row-52-overlong-of-four", wire: `81 04 f08fbfbf`, rule: ws.RuleTextUTF8},
	{name: "row-53-surrogate", wire: `81 03 eda080`, rule: ws.RuleTextUTF8},
	{name: "row-54-above-unicode", wire: `81 04 f4908080`, rule: ws.RuleTextUTF8},
	{name: "row-55-cut-off-at-fin", wire: `81 02 e282`, rule: ws.RuleTextUTF8},
	{name: "row-55-cut-off-by-an-empty-fragment", wire: `01 02 e282 80 00`, rule: ws.RuleTextUTF8},
	{name: "row-57-split-code-point", wire: `01 02 f09f 00 01 98 80 01 80`, want: []string{"😀"}},
	{name: "row-57-split-by-a-ping", wire: `01 01 c3 89 00 80 01 a9`, want: []string{"é"}},
	{name: "row-58-bad-in-the-first-fragment", wire: `01 02 'a' ff`, rule: ws.RuleTextUTF8},
	{name: "row-58-bad-before-the-frame-ends", wire: `81 7e 0100 f0 28`, rule: ws.RuleTextUTF8},
	{name: "binary-need-not-be-utf8", wire: `82 03 c080ff`, want: []string{"\xc0\x80\xff"}},
}

func repeat(s string, n int) string {
	b := make([]byte, 0, n*len(s))
	for range n {
		b = append(b, s...)
	}
	return string(b)
}

// bytesFor returns a row's stream as an endpoint in role receives it.
func (r row) bytesFor(role ws.Role) []byte {
	wire := wstest.MustHex(r.wire)
	if role == ws.RoleServer && !r.raw {
		wire = masked(wire)
	}
	return wire
}

// masked masks every frame of wire, the forbidden ones too.
func masked(wire []byte) (out []byte) {
	key := []byte("\x37\xfa\x21\x3d")
	for len(wire) >= 2 {
		n, length := 2, uint64(wire[1]&0x7F)
		switch {
		case length == 126 && len(wire) >= 4:
			n, length = 4, uint64(binary.BigEndian.Uint16(wire[2:]))
		case length == 127 && len(wire) >= 10:
			n, length = 10, binary.BigEndian.Uint64(wire[2:])
		}
		out = append(out, wire[0], wire[1]|0x80)
		out = append(out, wire[2:n]...)
		out = append(out, key...)
		wire = wire[n:]
		for i := range min(length, uint64(len(wire))) {
			out = append(out, wire[i]^key[i%4])
		}
		wire = wire[min(length, uint64(len(wire))):]
	}
	return append(out, wire...)
}

// The rows hold the verdict of all three: the reference, the Receiver and the
// Conn.
func TestRows(t *testing.T) {
	for _, r := range rows {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			if r.raw && role == ws.RoleServer {
				continue
			}
			t.Run(r.name+"/"+role.String(), func(t *testing.T) {
				wire := r.bytesFor(role)
				limits, maxSize, maxFragments := limitsFor(r.small)
				want := decode(wire, role, maxSize, maxFragments)
				var messages []string
				for _, m := range want.messages() {
					messages = append(messages, m.Data)
				}
				if want.Rule != r.rule || !cmp.Equal(messages, r.want) {
					t.Errorf("the reference sees %q, rule %q; want %q, %q", messages, want.Rule, r.want, r.rule)
				}
				for _, n := range []int{1, 2, 3, len(wire) + 1} {
					got := feed(t, role, limits, wire, func() int { return n })
					if !got.equal(want) {
						t.Errorf("in pieces of %d (-reference +ws):\n%s", n, cmp.Diff(want, got))
					}
				}
				for seed := range uint64(32) {
					testRead(t, role, r.small, seed, wire)
				}
			})
		}
	}
}

// What is too long for a good seed.
func TestLongRows(t *testing.T) {
	for _, n := range []int{65535, 65536, 1 << 20, 1<<20 + 1} {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			wire := ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpText, Masked: role == ws.RoleServer, Key: [4]byte{1, 2, 3, 4}}, []byte(repeat("a", n)))
			want := decode(wire, role, ws.DefaultMessageSize, ws.DefaultFragments)
			if (n > 1<<20) != (want.Rule == ws.RuleMessageSize) {
				t.Errorf("%d bytes: rule %q", n, want.Rule)
			}
			for seed := range uint64(16) {
				testRead(t, role, false, seed, wire)
			}
			if got := feed(t, role, ws.Limits{}, wire, func() int { return 1000 }); !got.equal(want) {
				t.Errorf("%d bytes: %d events, rule %q", n, len(got.Events), got.Rule)
			}
		}
	}
}
