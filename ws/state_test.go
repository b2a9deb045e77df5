package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// The state machine as §5.4 and §5.5 tell it: a row for each state, a column
// for each kind of frame, "…" standing for FIN=0; in a cell the next state or
// the rule against the frame.
const stateTable = `
            text             text…            binary           binary…          cont             cont…            ping             pong             close
ready     | ready            in-text          ready            in-binary        5.4-continuation 5.4-continuation ready            ready            closed
in-text   | 5.4-interleaved  5.4-interleaved  5.4-interleaved  5.4-interleaved  ready            in-text          in-text          in-text          closed
in-binary | 5.4-interleaved  5.4-interleaved  5.4-interleaved  5.4-interleaved  ready            in-binary        in-binary        in-binary        closed
closed    | 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close 5.5.1-after-close
`

func TestStateTable(t *testing.T) {
	opcodes := map[string]ws.Opcode{"text": ws.OpText, "binary": ws.OpBinary, "cont": ws.OpContinuation,
		"ping": ws.OpPing, "pong": ws.OpPong, "close": ws.OpClose}
	states := map[string]ws.State{"ready": ws.StateReady, "in-text": ws.StateInText, "in-binary": ws.StateInBinary, "closed": ws.StateClosed}

	lines := strings.Split(strings.TrimSpace(stateTable), "\n")
	columns := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		name, row, _ := strings.Cut(line, "|")
		from := states[strings.TrimSpace(name)]
		cells := strings.Fields(row)
		if len(cells) != len(columns) {
			t.Fatalf("%q has %d cells, want %d", line, len(cells), len(columns))
		}
		for i, cell := range cells {
			op, more := strings.CutSuffix(columns[i], "…")
			h := ws.Header{Fin: !more, Opcode: opcodes[op]}
			wantState, isState := states[cell]
			wantRule := ws.RuleID("")
			if !isState {
				wantState, wantRule = from, ws.RuleID(cell)
			}
			if got, rule := from.After(h); got != wantState || rule != wantRule {
				t.Errorf("%s frame in state %q: got %q, rule %q, want %q, %q", columns[i], from, got, rule, wantState, wantRule)
			}
		}
	}

	for _, from := range states {
		for op := range ws.Opcode(16) {
			if !op.IsReserved() {
				continue
			}
			if got, rule := from.After(ws.Header{Fin: true, Opcode: op}); got != from || rule != ws.RuleOpcode {
				t.Errorf("%v in state %q: got %q, rule %q, want rule %q", op, from, got, rule, ws.RuleOpcode)
			}
		}
	}
}

func TestStateAndRoleNames(t *testing.T) {
	got := fmt.Sprint(ws.StateReady, ",", ws.StateInText, ",", ws.StateInBinary, ",", ws.StateClosed, ",", ws.RoleServer, ",", ws.RoleClient)
	if want := "ready,in text,in binary,closed,server,client"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A dialogue is what one endpoint receives, and what it makes of it. The wire
// is a server's; for the other role it is masked. "!" stands where the verdict
// falls: with the byte before it, not earlier and not later.
var dialogues = []struct {
	name   string
	wire   string
	limits ws.Limits
	want   string // events, separated by "; "
	rule   ws.RuleID
	text   string // of the error
}{
	{name: "text", wire: "81 05 | 'Hello'", want: `text "Hello"`},
	{name: "binary", wire: "82 03 | 00ff80", want: `binary "\x00\xff\x80"`},
	{name: "empty text", wire: "81 00", want: `text ""`},
	{name: "empty binary", wire: "82 00", want: `binary ""`},
	{name: "two messages", wire: "81 01 | 'a' | 82 01 | 'b'", want: `text "a"; binary "b"`},
	{name: "fragments", wire: "01 03 | 'Hel' | 80 02 | 'lo'", want: `text "Hello"`},
	{name: "three fragments, the middle one empty", wire: "02 01 | 'a' | 00 00 | 80 01 | 'b'", want: `binary "ab"`},
	{name: "fragments without any content", wire: "01 00 | 00 00 | 80 00", want: `text ""`},
	{name: "empty last fragment", wire: "01 01 | 'a' | 80 00", want: `text "a"`},
	{name: "control frames between fragments", wire: "01 01 | 'a' | 89 01 | 'p' | 00 01 | 'b' | 8a 00 | 80 01 | 'c'",
		want: `ping "p"; pong ""; text "abc"`},
	{name: "a message after a fragmented one", wire: "01 01 | 'a' | 80 01 | 'b' | 82 01 | 'c'", want: `text "ab"; binary "c"`},
	{name: "ping without payload", wire: "89 00", want: `ping ""`},
	{name: "longest ping", wire: "89 7d | 'p'*125", want: `ping "` + strings.Repeat("p", 125) + `"`},
	{name: "code point across fragments", wire: "01 01 | e2 | 00 01 | 82 | 80 01 | ac", want: `text "€"`},
	{name: "code point across fragments with a ping inside", wire: "01 01 | e2 | 89 01 | ff | 80 02 | 82ac", want: `ping "\xff"; text "€"`},
	{name: "bytes that are no text in a binary message", wire: "02 01 | e2 | 80 01 | ff", want: `binary "\xe2\xff"`},
	{name: "text is checked anew after a binary message", wire: "82 01 | e2 | 81 01 | 'a'", want: `binary "\xe2"; text "a"`},
	{name: "256 bytes", wire: "82 7e 0100 | ab*256", want: `binary "` + strings.Repeat(`\xab`, 256) + `"`},
	{name: "65536 bytes", wire: "82 7f 0000000000010000 | 'x'*65536", want: `binary "` + strings.Repeat("x", 65536) + `"`},

	{name: "close", wire: "88 02 | 03e8", want: `close 1000 ""`},
	{name: "close with a reason", wire: "88 05 | 0fa0 | 'bye'", want: `close 4000 "bye"`},
	{name: "close without a code", wire: "88 00", want: `close 1005 ""`},
	{name: "close inside a message", wire: "01 01 | 'a' | 88 00", want: `close 1005 ""`},
	{name: "what follows a close is ignored", wire: "88 02 | 03e8 | 81 01 | 'a' | ff ff", want: `close 1000 ""`},

	{name: "RSV1", wire: "c1 00 !", rule: ws.RuleRSV, text: "ws: RSV1 set on a text frame, but no extension was negotiated (§5.2)"},
	{name: "RSV2", wire: "a1 00 !", rule: ws.RuleRSV, text: "ws: RSV2 set on a text frame, but no extension was negotiated (§5.2)"},
	{name: "RSV3", wire: "91 00 !", rule: ws.RuleRSV, text: "ws: RSV3 set on a text frame, but no extension was negotiated (§5.2)"},
	{name: "all of RSV, on a ping", wire: "f9 00 !", rule: ws.RuleRSV, text: "ws: RSV1, RSV2, RSV3 set on a ping frame, but no extension was negotiated (§5.2)"},
	{name: "RSV1 on a continuation", wire: "01 00 | c0 00 !", rule: ws.RuleRSV, text: "ws: RSV1 set on a continuation frame, but no extension was negotiated (§5.2)"},
	{name: "RSV1 before the length is known", wire: "c2 7f ! 0000000000010000", rule: ws.RuleRSV},
	{name: "reserved opcode 3", wire: "83 00 !", rule: ws.RuleOpcode, text: "ws: reserved opcode 0x3 (§5.2)"},
	{name: "reserved opcode 7, before the length is known", wire: "87 7e ! 0100", rule: ws.RuleOpcode, text: "ws: reserved opcode 0x7 (§5.2)"},
	{name: "reserved control opcode b", wire: "8b 00 !", rule: ws.RuleOpcode, text: "ws: reserved opcode 0xb (§5.2)"},
	{name: "reserved control opcode f inside a message", wire: "01 00 | 8f 05 ! 'Hello'", rule: ws.RuleOpcode, text: "ws: reserved opcode 0xf (§5.2)"},

	{name: "length 5 in 16 bits", wire: "82 7e 0005 ! 'Hello'", rule: ws.RuleMinimalLength},
	{name: "length 5 in 64 bits", wire: "82 7f 0000000000000005 ! 'Hello'", rule: ws.RuleMinimalLength},
	{name: "top bit of the length", wire: "82 7f 8000000000000000 !", rule: ws.RuleLengthTopBit},

	{name: "continuation first of all", wire: "80 01 ! 'a'", rule: ws.RuleContinuation, text: "ws: continuation without a message (§5.4)"},
	{name: "continuation with FIN=0 first of all", wire: "00 01 ! 'a'", rule: ws.RuleContinuation},
	{name: "continuation after a whole message", wire: "81 01 | 'a' | 80 01 ! 'b'", want: `text "a"`, rule: ws.RuleContinuation},
	{name: "continuation after the last fragment", wire: "01 01 | 'a' | 80 01 | 'b' | 80 00 !", want: `text "ab"`, rule: ws.RuleContinuation},
	{name: "continuation after a ping", wire: "89 00 | 80 00 !", want: `ping ""`, rule: ws.RuleContinuation},
	{name: "text inside a text message", wire: "01 01 | 'a' | 81 01 ! 'b'", rule: ws.RuleInterleaved, text: "ws: text frame inside a text message (§5.4)"},
	{name: "binary inside a text message, after a ping", wire: "01 01 | 'a' | 89 00 | 02 7f ! 0000000000010000", want: `ping ""`, rule: ws.RuleInterleaved,
		text: "ws: binary frame inside a text message (§5.4)"},
	{name: "text inside a binary message", wire: "02 00 | 01 00 !", rule: ws.RuleInterleaved, text: "ws: text frame inside a binary message (§5.4)"},

	{name: "fragmented ping", wire: "09 00 !", rule: ws.RuleControlFin, text: "ws: fragmented ping frame (§5.5)"},
	{name: "fragmented close", wire: "08 02 ! 03e8", rule: ws.RuleControlFin, text: "ws: fragmented close frame (§5.5)"},
	{name: "ping of 126 bytes", wire: "89 7e ! 007e", rule: ws.RuleControlLength, text: "ws: ping frame with a payload over 125 bytes (§5.5)"},
	{name: "pong with a 64-bit length", wire: "8a 7f ! 0000000000000001", rule: ws.RuleControlLength},
	{name: "close of 126 bytes", wire: "88 7e ! 007e | 03e8 | 'x'*124", rule: ws.RuleControlLength},
	{name: "close of one byte", wire: "88 01 | 03 !", rule: ws.RuleCloseLength},
	{name: "close with 1006", wire: "88 02 | 03ee !", rule: ws.RuleCloseCode, text: "ws: close code 1006 must not be sent (§7.4)"},
	{name: "close with a reason that is no text", wire: "88 03 | 03e8 | ff !", rule: ws.RuleCloseUTF8},

	{name: "bad byte at the beginning of a long text", wire: "81 7e 0100 | ff ! 'x'*255", rule: ws.RuleTextUTF8, text: "ws: text message is not UTF-8: byte 0xff at offset 0 (§8.1)"},
	{name: "bad byte in the first fragment", wire: "01 03 | 'a' ff ! 'b'", rule: ws.RuleTextUTF8, text: "ws: text message is not UTF-8: byte 0xff at offset 1 (§8.1)"},
	{name: "bad byte in the second fragment", wire: "01 01 | e2 | 00 02 | 28 ! 'b'", rule: ws.RuleTextUTF8, text: "ws: text message is not UTF-8: byte 0x28 at offset 1 (§8.1)"},
	{name: "bad byte behind a message, fragments and a ping", wire: "81 03 | 'abc' | 01 09 | 'x'*9 | 89 01 | ff | 00 02 | c3a4 | 80 04 | 'yz' ed a0 !", rule: ws.RuleTextUTF8, want: `text "abc"; ping "\xff"`,
		text: "ws: text message is not UTF-8: byte 0xa0 at offset 14 (§8.1)"},
	{name: "overlong form: bad at its first byte", wire: "81 02 | c0 ! af", rule: ws.RuleTextUTF8},
	{name: "surrogate: bad at its second byte", wire: "81 03 | eda0 ! 80", rule: ws.RuleTextUTF8},
	{name: "text ends inside a code point", wire: "81 03 | 'a' e282 !", rule: ws.RuleTextUTF8, text: "ws: text message of 3 bytes ends inside a UTF-8 sequence (§8.1)"},
	{name: "fragmented text ends inside a code point", wire: "01 01 | e2 | 80 01 | 82 !", rule: ws.RuleTextUTF8},
	{name: "text ends inside a code point, with an empty fragment", wire: "01 01 | e2 | 80 00 !", rule: ws.RuleTextUTF8},

	{name: "message as long as the limit", wire: "82 05 | 'Hello'", limits: ws.Limits{MessageSize: 5}, want: `binary "Hello"`},
	{name: "message over the limit", wire: "82 06 ! 'Hello!'", limits: ws.Limits{MessageSize: 5}, rule: ws.RuleMessageSize,
		text: "ws: message of more than 5 bytes, the limit that MaxMessage sets (§10.4)"},
	{name: "fragments as long as the limit", wire: "02 03 | 'Hel' | 00 00 | 80 02 | 'lo'", limits: ws.Limits{MessageSize: 5}, want: `binary "Hello"`},
	{name: "fragments over the limit in sum", wire: "02 03 | 'Hel' | 80 03 ! 'lo!'", limits: ws.Limits{MessageSize: 5}, rule: ws.RuleMessageSize},
	{name: "a new message has the whole limit", wire: "82 05 | 'Hello' | 82 05 | 'again'", limits: ws.Limits{MessageSize: 5}, want: `binary "Hello"; binary "again"`},
	{name: "control frames do not count", wire: "02 03 | 'Hel' | 89 05 | 'Hello' | 80 02 | 'lo'", limits: ws.Limits{MessageSize: 5}, want: `ping "Hello"; binary "Hello"`},
	{name: "longest length there is", wire: "82 7f 7fffffffffffffff !", rule: ws.RuleMessageSize},
	{name: "one more than 1 MiB, the default", wire: "82 7f 0000000000100001 !", rule: ws.RuleMessageSize,
		text: "ws: message of more than 1048576 bytes, the limit that MaxMessage sets (§10.4)"},
	{name: "lengths whose sum overflows", wire: "02 01 | 'a' | 80 7f 7fffffffffffffff !", rule: ws.RuleMessageSize},
	{name: "lengths whose sum overflows without a limit", wire: "02 01 | 'a' | 80 7f 7fffffffffffffff !", limits: ws.Limits{MessageSize: -1}, rule: ws.RuleMessageSize},
	{name: "as many fragments as the limit", wire: "02 00 | 00 00 | 80 00", limits: ws.Limits{Fragments: 3}, want: `binary ""`},
	{name: "more fragments than the limit", wire: "02 00 | 00 00 | 00 00 | 80 05 ! 'Hello'", limits: ws.Limits{Fragments: 3}, rule: ws.RuleFragments,
		text: "ws: message of more than 3 fragments, the limit that MaxFragments sets (§10.4)"},
	{name: "a new message has all the fragments", wire: "02 00 | 80 00 | 02 00 | 80 00", limits: ws.Limits{Fragments: 2}, want: `binary ""; binary ""`},
	{name: "1,024 fragments, the default", wire: "02 00 | 0000*1022 | 80 00", want: `binary ""`},
	{name: "1,025 fragments", wire: "02 00 | 0000*1023 | 80 00 !", rule: ws.RuleFragments},
	{name: "2,000 fragments without a limit", wire: "02 00 | 0000*1998 | 80 00", limits: ws.Limits{Fragments: -1}, want: `binary ""`},
}

// coreMaskWire turns frames of a server into those of a client, as far as they
// go, broken ones too. at is an offset in wire; it comes back as the one that
// corresponds, before a key that begins there and behind it.
func coreMaskWire(wire []byte, at int) (masked []byte, before, after int) {
	before, after = at, at
	for pos := 0; pos < len(wire); {
		h := wire[pos:]
		if len(h) < 2 {
			return append(masked, h...), before, after
		}
		header, length := 2, int(h[1]&0x7F)
		switch length {
		case 126:
			header = 4
		case 127:
			header = 10
		}
		if len(h) < header {
			return append(masked, h...), before, after
		}
		if header > 2 {
			length = 0
			for _, b := range h[2:header] {
				length = length<<8 | int(b)
			}
		}
		if length < 0 || length > len(h)-header {
			length = len(h) - header
		}
		if at > pos+header {
			before += 4
		}
		if at >= pos+header {
			after += 4
		}
		masked = append(masked, h[0], h[1]|0x80)
		masked = append(masked, h[2:header]...)
		masked = append(masked, wstest.Key[:]...)
		payload := bytes.Clone(h[header : header+length])
		coreMask(payload, wstest.Key, 0)
		masked = append(masked, payload...)
		pos += header + length
	}
	return masked, before, after
}

// A listener gathers what Next reports.
type coreListener struct {
	rx      ws.Receiver
	pending []byte // given and not yet taken
	message []byte
	heard   []string
}

func (l *coreListener) take(b []byte) error {
	l.pending = append(l.pending, b...)
	for {
		e, n, err := l.rx.Next(l.pending)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		l.pending = l.pending[n:]
		switch e.Opcode {
		case ws.OpText, ws.OpBinary:
			l.message = append(l.message, e.Payload...)
			if e.Fin {
				l.heard = append(l.heard, fmt.Sprintf("%v %q", e.Opcode, l.message))
				l.message = nil
			}
		case ws.OpPing, ws.OpPong:
			l.heard = append(l.heard, fmt.Sprintf("%v %q", e.Opcode, e.Payload))
		case ws.OpClose:
			code, reason := l.rx.CloseFrame()
			l.heard = append(l.heard, fmt.Sprintf("close %d %q", code, reason))
		}
	}
}

func TestReceiver(t *testing.T) {
	for _, tt := range dialogues {
		for _, role := range []ws.Role{ws.RoleClient, ws.RoleServer} {
			before, behind, verdict := strings.Cut(tt.wire, "!")
			at := len(wstest.MustHex(before))
			wire := append(wstest.MustHex(before), wstest.MustHex(behind)...)
			atMost := at
			if role == ws.RoleServer {
				wire, at, atMost = coreMaskWire(wire, at)
			}
			if verdict != (tt.rule != "") {
				t.Fatalf("%s: the table has a verdict without its place, or a place without its verdict", tt.name)
			}
			for _, way := range []struct {
				name   string
				pieces int
			}{{"whole", len(wire)}, {"byte by byte", 1}, {"by 3", 3}, {"by 7", 7}} {
				if way.pieces < 7 && len(wire) > 10000 { // tens of thousands of steps say nothing new
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", tt.name, role, way.name), func(t *testing.T) {
					l := &coreListener{rx: ws.NewReceiver(role, tt.limits)}
					var err error
					given := 0
					for given < len(wire) && err == nil {
						n := min(way.pieces, len(wire)-given)
						given += n
						err = l.take(wire[given-n : given : given])
					}
					if diff := cmp.Diff(tt.want, strings.Join(l.heard, "; ")); diff != "" {
						t.Errorf("heard (-want +got):\n%s", diff)
					}
					if tt.rule == "" {
						if err != nil {
							t.Fatal(err)
						}
						return
					}
					pe, ok := errors.AsType[*ws.ProtocolError](err)
					if !ok || pe.Rule != tt.rule {
						t.Fatalf("got %v, want rule %s", err, tt.rule)
					}
					if tt.text != "" && err.Error() != tt.text {
						t.Errorf("got  %s\nwant %s", err, tt.text)
					}
					if way.pieces == 1 && (given < at || given > atMost) {
						t.Errorf("the verdict fell after %d bytes, want %d to %d", given, at, atMost)
					}
				})
			}
		}
	}
}

// Dialogues one behind the other: nothing of the one must show in the next.
func TestReceiverGlued(t *testing.T) {
	for _, role := range []ws.Role{ws.RoleClient, ws.RoleServer} {
		for _, pieces := range []int{1, 5, math.MaxInt} {
			l := &coreListener{rx: ws.NewReceiver(role, ws.Limits{})}
			var wire []byte
			var want []string
			for _, tt := range dialogues {
				if tt.rule != "" || tt.limits != (ws.Limits{}) || strings.Contains(tt.want, "close") || len(tt.want) > 10000 {
					continue
				}
				wire = append(wire, wstest.MustHex(tt.wire)...)
				want = append(want, tt.want)
			}
			if role == ws.RoleServer {
				wire, _, _ = coreMaskWire(wire, 0)
			}
			for len(wire) > 0 {
				n := min(pieces, len(wire))
				if err := l.take(wire[:n:n]); err != nil {
					t.Fatal(err)
				}
				wire = wire[n:]
			}
			if diff := cmp.Diff(strings.Join(want, "; "), strings.Join(l.heard, "; ")); diff != "" {
				t.Errorf("%v, by %d (-want +got):\n%s", role, pieces, diff)
			}
		}
	}
}

// Which side masks is known after two bytes, whatever the frame.
func TestReceiverMasking(t *testing.T) {
	for op := range ws.Opcode(16) {
		if op.IsReserved() || op == ws.OpContinuation {
			continue
		}
		for _, tt := range []struct {
			role   ws.Role
			masked bool
			rule   ws.RuleID
			text   string
		}{
			{ws.RoleServer, false, ws.RuleClientMasks, "ws: unmasked " + op.String() + " frame from a client (§5.1)"},
			{ws.RoleClient, true, ws.RuleServerUnmasked, "ws: masked " + op.String() + " frame from a server (§5.1)"},
			{ws.RoleServer, true, "", ""},
			{ws.RoleClient, false, "", ""},
		} {
			rx := ws.NewReceiver(tt.role, ws.Limits{})
			wire := ws.AppendHeader(nil, ws.Header{Fin: true, Opcode: op, Masked: tt.masked, Length: 5})
			if n, err := rx.Header(wire[:1]); n != 0 || err != nil {
				t.Fatalf("one byte: n = %d, err = %v", n, err)
			}
			_, err := rx.Header(wire[:2])
			if tt.rule == "" {
				if err != nil {
					t.Errorf("%v, masked %v: %v", tt.role, tt.masked, err)
				}
				continue
			}
			pe, ok := errors.AsType[*ws.ProtocolError](err)
			if !ok || pe.Rule != tt.rule || err.Error() != tt.text {
				t.Errorf("got %v, want %s", err, tt.text)
			}
		}
	}
}

// Header and Payload are Next in two steps, for who reads into memory of its
// own.
func TestReceiverStepByStep(t *testing.T) {
	rx := ws.NewReceiver(ws.RoleServer, ws.Limits{})
	wire := wstest.MustHex("01 83 | 37fa213d | 7f9f4d | 89 81 | 00000000 | 'p' | 80 82 | 00000000 | 'lo' | 88 82 | 00000000 | 03e8")

	step := func(why string, n int, state ws.State, remaining int64) {
		t.Helper()
		got, err := rx.Header(wire)
		if err != nil || got != n || rx.Frame().Length != remaining {
			t.Fatalf("%s: n = %d, length %d, err = %v, want %d, %d", why, got, rx.Frame().Length, err, n, remaining)
		}
		if rx.State() != state || rx.Remaining() != remaining {
			t.Fatalf("%s: state %q, remaining %d, want %q, %d", why, rx.State(), rx.Remaining(), state, remaining)
		}
		wire = wire[n:]
	}
	payload := func(why string, n int, want string, state ws.State, remaining int64) {
		t.Helper()
		p := wire[:n]
		if err := rx.Payload(p); err != nil || string(p) != want {
			t.Fatalf("%s: %q, err = %v, want %q", why, p, err, want)
		}
		if rx.State() != state || rx.Remaining() != remaining {
			t.Fatalf("%s: state %q, remaining %d, want %q, %d", why, rx.State(), rx.Remaining(), state, remaining)
		}
		wire = wire[n:]
	}

	step("first fragment", 6, ws.StateReady, 3)
	payload("its first two bytes", 2, "He", ws.StateReady, 1)
	payload("its last byte", 1, "l", ws.StateInText, 0)
	step("ping", 6, ws.StateInText, 1)
	payload("its payload", 1, "p", ws.StateInText, 0)
	if got := string(rx.Control()); got != "p" {
		t.Errorf("Control is %q", got)
	}
	step("last fragment", 6, ws.StateInText, 2)
	payload("its payload", 2, "lo", ws.StateReady, 0)
	if rx.Opcode() != ws.OpText {
		t.Errorf("Opcode is %v between messages, want that of the last one", rx.Opcode())
	}
	step("close", 6, ws.StateReady, 2)
	payload("its payload", 2, "\x03\xe8", ws.StateClosed, 0)
	if code, reason := rx.CloseFrame(); code != ws.CodeNormal || reason != "" {
		t.Errorf("Close is %v, %q", code, reason)
	}
	_, err := rx.Header(wstest.MustHex("81 80 | 00000000"))
	if pe, ok := errors.AsType[*ws.ProtocolError](err); !ok || pe.Rule != ws.RuleAfterClose {
		t.Errorf("text after a close: %v", err)
	}
}

func TestReceiverSetLimits(t *testing.T) {
	rx := ws.NewReceiver(ws.RoleClient, ws.Limits{MessageSize: 1})
	rx.SetLimits(ws.Limits{MessageSize: 5})
	if _, _, err := rx.Next(wstest.MustHex("82 05 | 'Hello'")); err != nil {
		t.Fatal(err)
	}
	rx.SetLimits(ws.Limits{MessageSize: 4})
	if _, _, err := rx.Next(wstest.MustHex("82 05 | 'Hello'")); err == nil {
		t.Error("a message over the new limit passed")
	}
}

// The receiver keeps nothing of a message, and allocates nothing for one.
func TestReceiverAllocatesNothing(t *testing.T) {
	wire, _, _ := coreMaskWire(wstest.MustHex("01 03 | 'Hel' | 89 01 | 'p' | 80 02 | 'lo'"), 0)
	buf := make([]byte, len(wire))
	rx := ws.NewReceiver(ws.RoleServer, ws.Limits{})
	got := testing.AllocsPerRun(100, func() {
		copy(buf, wire)
		for b := buf; len(b) > 0; {
			_, n, err := rx.Next(b)
			if err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for a message", got)
	}
}
