package wsnet_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

// A badFrames is a row about frames. It runs against our server and our
// client.
type badFrames struct {
	row  int
	name string

	// send is frames, set off by semicolons, each a header and a payload as a
	// server sends them: "01 02 | 'He'; 80 03 | 'llo'". What goes to a server
	// is masked on the way.
	send string

	// code closes the connection, and rule is what was broken. If there is no
	// rule, the row is valid and ends as if with a Close frame of this code;
	// one of code 1000 is added if there is no code.
	code ws.Code
	rule ws.RuleID

	got   []string // what the application gets of it
	pongs []string
	opts  *wsnet.Options
	only  string // "server" or "client"; send is then sent as it is
}

const (
	badErr  = ws.CodeProtocolError
	badText = ws.CodeInvalidPayload
	badBig  = ws.CodeTooBig
	badRude = ws.CodePolicyViolation
)

func (b badFrames) test(t *testing.T, n *badNet) {
	for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
		if b.only != "" && b.only != role.String() {
			continue
		}
		for _, transport := range []string{"pipe", "tcp", "tls"} {
			for _, way := range []string{badWhole, badBytes, badGlued} {
				badRun(t, role.String()+" "+transport+" "+way, transport, func(t *testing.T) {
					b.play(t, n, role, transport, way)
				})
			}
		}
	}
}

func (b badFrames) play(t *testing.T, n *badNet, role ws.Role, transport, way string) {
	bad := badWire(role, b.send)
	if b.only != "" {
		bad = wstest.MustHex(b.send)
	}
	code := b.code
	if b.rule == "" && code == 0 {
		code = ws.CodeNormal
		bad = append(bad, badWire(role, "88 02 | 03e8")...)
	}
	good, late := badWire(role, "81 04 | 'good'"), badWire(role, "81 04 | 'late'")
	want := append([]string{"good"}, b.got...)
	app := newBadApp(b.opts, way)

	var p *wstest.Peer
	switch way {
	case badWhole:
		p = n.open(t, role, transport, app, nil)
		p.SendBytes(bad)
		want = want[1:]
	case badBytes:
		p = n.open(t, role, transport, app, nil)
		badSend(p, slices.Concat(good, bad, late))
	case badGlued:
		p = n.open(t, role, transport, app, slices.Concat(good, bad, late))
	}

	first := p.ReadFrame("the verdict")
	for _, pong := range b.pongs {
		// A write over TLS must not be interrupted, so pongs are sent in the
		// background there, and a Close frame may overtake them (§5.5.2).
		want := wstest.Pong(pong)
		if transport == "tls" && !cmp.Equal(first, want, cmpopts.EquateEmpty()) {
			continue
		}
		if diff := cmp.Diff(want, first, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the answer to a ping (-want +got):\n%s", diff)
		}
		first = p.ReadFrame("the verdict")
	}
	if got, _, err := ws.ParseClose(first.Payload); first.Opcode != ws.OpClose || err != nil || got != code {
		t.Fatalf("the verdict: got %v, want a Close frame with %v", first, code)
	}
	if role == ws.RoleServer || b.rule != "" {
		p.WantEOF("one Close frame and no more")
	}
	p.Close()
	app.wait(t, want...)
	if b.rule != "" {
		app.wantFailed(t, code, b.rule)
	} else if e := app.wantClosed(t, code, true); e.Err != nil {
		t.Errorf("a closing handshake left the error %v", e.Err)
	}
}

// badWire reads the notation of badFrames.send. It masks by hand: these frames
// are too broken for AppendFrame.
func badWire(role ws.Role, literal string) []byte {
	var out []byte
	for frame := range strings.SplitSeq(literal, ";") {
		if strings.TrimSpace(frame) == "" {
			continue
		}
		head, payload, _ := strings.Cut(frame, "|")
		h, p := wstest.MustHex(head), wstest.MustHex(payload)
		if role == ws.RoleServer {
			h[1] |= 0x80
			h = append(h, wstest.Key[:]...)
			ws.Mask(p, wstest.Key, 0)
		}
		out = slices.Concat(out, h, p)
	}
	return out
}

func badFrameRows() []badFrames {
	ten := &wsnet.Options{MaxMessage: 10}
	three := &wsnet.Options{MaxFragments: 3}
	rows := []badFrames{
		// Frames
		{row: 25, name: "RSV2 on a text frame", send: "a1 02 | 'hi'", code: badErr, rule: ws.RuleRSV},
		{row: 25, name: "RSV3 on a binary frame", send: "92 02 | 'hi'", code: badErr, rule: ws.RuleRSV},
		{row: 25, name: "RSV2 and RSV3 on a ping", send: "b9 00", code: badErr, rule: ws.RuleRSV},
		{row: 25, name: "RSV3 on a Close frame", send: "98 02 | 03e8", code: badErr, rule: ws.RuleRSV},
		{row: 25, name: "RSV2 on a continuation", send: "01 01 | 'a'; a0 01 | 'b'", code: badErr, rule: ws.RuleRSV},
		{row: 26, name: "RSV1 on a text frame", send: "c1 02 | 'hi'", code: badErr, rule: ws.RuleRSV},
		{row: 26, name: "RSV1 on a binary frame", send: "c2 02 | 'hi'", code: badErr, rule: ws.RuleRSV},
		{row: 26, name: "RSV1 on a first fragment", send: "41 02 | 'hi'", code: badErr, rule: ws.RuleRSV},
		{row: 27, name: "RSV1 on a ping", send: "c9 00", code: badErr, rule: ws.RuleRSV},
		{row: 27, name: "RSV1 on a pong", send: "ca 00", code: badErr, rule: ws.RuleRSV},
		{row: 27, name: "RSV1 on a Close frame", send: "c8 02 | 03e8", code: badErr, rule: ws.RuleRSV},
		{row: 27, name: "RSV1 on a continuation", send: "01 01 | 'a'; c0 01 | 'b'", code: badErr, rule: ws.RuleRSV},
		{row: 28, name: "a reserved opcode without FIN", send: "03 01 | 'a'", code: badErr, rule: ws.RuleOpcode},
		{row: 28, name: "a reserved opcode inside a message", send: "01 01 | 'a'; 85 01 | 'b'", code: badErr, rule: ws.RuleOpcode},
		{row: 28, name: "a reserved opcode with 126 bytes announced", send: "8b 7e 007e", code: badErr, rule: ws.RuleOpcode},
		{row: 31, name: "only the top bit of a 64-bit length", send: "82 7f 8000000000000000", code: badErr, rule: ws.RuleLengthTopBit},
		{row: 31, name: "all bits of a 64-bit length", send: "81 7f ffffffffffffffff", code: badErr, rule: ws.RuleLengthTopBit},
		{row: 32, name: "length 0 in 16 bits", send: "82 7e 0000", code: badErr, rule: ws.RuleMinimalLength},
		{row: 32, name: "length 125 in 16 bits", send: "81 7e 007d | 'a'*125", code: badErr, rule: ws.RuleMinimalLength},
		{row: 32, name: "length 0 in 64 bits", send: "82 7f 0000000000000000", code: badErr, rule: ws.RuleMinimalLength},
		{row: 32, name: "length 125 in 64 bits", send: "81 7f 000000000000007d | 'a'*125", code: badErr, rule: ws.RuleMinimalLength},
		{row: 32, name: "length 65535 in 64 bits", send: "82 7f 000000000000ffff", code: badErr, rule: ws.RuleMinimalLength},
		{row: 32, name: "lengths 126 and 65535 in 16 bits are right", send: "81 7e 007e | 'a'*126; 81 7e ffff | 'b'*65535",
			got: []string{strings.Repeat("a", 126), strings.Repeat("b", 65535)}},
		{row: 33, name: "2^63-1 bytes announced", send: "82 7f 7fffffffffffffff", code: badBig, rule: ws.RuleMessageSize},
		{row: 33, name: "2^63-1 bytes announced in a fragment", send: "01 7f 7fffffffffffffff", code: badBig, rule: ws.RuleMessageSize},
		{row: 34, name: "the limit", send: "82 0a | 'a'*10", opts: ten, got: []string{"aaaaaaaaaa"}},
		{row: 34, name: "the limit and one byte", send: "82 0b", opts: ten, code: badBig, rule: ws.RuleMessageSize},
		{row: 34, name: "the default limit", send: "82 7f 0000000000100000 | 'a'*1048576", got: []string{strings.Repeat("a", 1<<20)}},
		{row: 34, name: "the default limit and one byte", send: "81 7f 0000000000100001", code: badBig, rule: ws.RuleMessageSize},
		{row: 34, name: "control frames do not count", send: "89 0b | 'a'*11", opts: ten, pongs: []string{"aaaaaaaaaaa"}},
		{row: 35, name: "fragments that fill the limit", send: "02 06 | 'a'*6; 00 04 | 'b'*4; 80 00", opts: ten, got: []string{"aaaaaabbbb"}},
		{row: 35, name: "fragments that pass the limit", send: "02 06 | 'a'*6; 80 05", opts: ten, code: badBig, rule: ws.RuleMessageSize},
		{row: 35, name: "fragments whose sum overflows", send: "02 0a | 'a'*10; 80 7f 7fffffffffffffff",
			opts: &wsnet.Options{MaxMessage: -1}, code: badBig, rule: ws.RuleMessageSize},
		{row: 35, name: "fragments whose sum overflows, with the highest limit", send: "02 01 | 'a'; 80 7f 7fffffffffffffff",
			opts: &wsnet.Options{MaxMessage: math.MaxInt64}, code: badBig, rule: ws.RuleMessageSize},

		// Fragmentation
		{row: 36, name: "a continuation first", send: "80 01 | 'a'", code: badErr, rule: ws.RuleContinuation},
		{row: 36, name: "a continuation first, without FIN", send: "00 01 | 'a'", code: badErr, rule: ws.RuleContinuation},
		{row: 36, name: "an empty continuation", send: "80 00", code: badErr, rule: ws.RuleContinuation},
		{row: 36, name: "a continuation after the last fragment", send: "01 01 | 'a'; 80 01 | 'b'; 80 01 | 'c'", got: []string{"ab"}, code: badErr, rule: ws.RuleContinuation},
		{row: 36, name: "a continuation after a ping", send: "89 00; 80 01 | 'a'", pongs: []string{""}, code: badErr, rule: ws.RuleContinuation},
		{row: 37, name: "a text frame inside a text message", send: "01 01 | 'a'; 81 01 | 'b'", code: badErr, rule: ws.RuleInterleaved},
		{row: 37, name: "a binary frame inside a text message", send: "01 01 | 'a'; 82 01 | 'b'", code: badErr, rule: ws.RuleInterleaved},
		{row: 37, name: "a first fragment inside a binary message", send: "02 01 | 'a'; 02 01 | 'b'", code: badErr, rule: ws.RuleInterleaved},
		{row: 37, name: "a text frame after some fragments and a ping", send: "02 01 | 'a'; 00 01 | 'b'; 89 00; 81 00", pongs: []string{""}, code: badErr, rule: ws.RuleInterleaved},
		{row: 38, name: "1,024 fragments", send: "01 01 | 'a'; " + strings.Repeat("00 01 | 'a'; ", 1022) + "80 01 | 'a'", got: []string{strings.Repeat("a", 1024)}},
		{row: 38, name: "1,025 fragments", send: "01 01 | 'a'; " + strings.Repeat("00 01 | 'a'; ", 1024), code: badRude, rule: ws.RuleFragments},
		{row: 38, name: "as many fragments as the option says", send: "02 01 | 'a'; 00 01 | 'b'; 80 01 | 'c'", opts: three, got: []string{"abc"}},
		{row: 38, name: "more fragments than the option says", send: "02 01 | 'a'; 00 01 | 'b'; 00 01 | 'c'; 80 01", opts: three, code: badRude, rule: ws.RuleFragments},
		{row: 39, name: "endless empty fragments", send: "02 00; " + strings.Repeat("00 00; ", 1024), code: badRude, rule: ws.RuleFragments},
		{row: 39, name: "endless empty fragments after content, pings between", send: "02 01 | 'a'; 00 00; 89 00; 00 00; 00 00", opts: three, pongs: []string{""}, code: badRude, rule: ws.RuleFragments},
		{row: 40, name: "control frames between fragments", send: "01 02 | 'He'; 89 01 | 'p'; 8a 00; 00 00; 89 00; 80 03 | 'llo'",
			pongs: []string{"p", ""}, got: []string{"Hello"}},
		{row: 40, name: "a Close frame between fragments", send: "01 02 | 'He'; 88 02 | 03e9; 80 03 | 'llo'", code: ws.CodeGoingAway},

		// Control and close
		{row: 42, name: "a ping without FIN", send: "09 00", code: badErr, rule: ws.RuleControlFin},
		{row: 42, name: "a pong without FIN", send: "0a 01 | 'a'", code: badErr, rule: ws.RuleControlFin},
		{row: 42, name: "a Close frame without FIN", send: "08 02 | 03e8", code: badErr, rule: ws.RuleControlFin},
		{row: 42, name: "a ping without FIN inside a message", send: "01 01 | 'a'; 09 01 | 'b'; 80 01 | 'c'", code: badErr, rule: ws.RuleControlFin},
		{row: 43, name: "a ping of 125 bytes is right", send: "89 7d | 'a'*125", pongs: []string{strings.Repeat("a", 125)}},
		{row: 43, name: "a ping of 126 bytes", send: "89 7e 007e | 'a'*126", code: badErr, rule: ws.RuleControlLength},
		{row: 43, name: "a pong of 65,536 bytes", send: "8a 7f 0000000000010000", code: badErr, rule: ws.RuleControlLength},
		{row: 43, name: "a Close frame of 126 bytes", send: "88 7e 007e | 03e8 | 'a'*124", code: badErr, rule: ws.RuleControlLength},
		{row: 43, name: "a ping with a 16-bit length, decided before it comes", send: "89 7e", code: badErr, rule: ws.RuleControlLength},
		{row: 44, name: "a Close frame of one byte", send: "88 01 | 03", code: badErr, rule: ws.RuleCloseLength},
		{row: 44, name: "an empty Close frame is right", send: "88 00", code: ws.CodeNoStatus},
		{row: 46, name: "a close reason that is not UTF-8", send: "88 04 | 03e8 c328", code: badText, rule: ws.RuleCloseUTF8},
		{row: 46, name: "a close reason cut inside a code point", send: "88 05 | 03e8 | 'a' c3 | 'b'", code: badText, rule: ws.RuleCloseUTF8},
		{row: 46, name: "a close reason with a surrogate", send: "88 05 | 03e8 eda080", code: badText, rule: ws.RuleCloseUTF8},
		{row: 46, name: "a close reason of 123 bytes is right", send: "88 7d | 03e8 | 'a'*120 | e282ac", code: ws.CodeNormal},
		{row: 47, name: "a message after the Close frame", send: "88 02 | 03e8; 81 05 | 'after'", code: ws.CodeNormal},
		{row: 47, name: "a second Close frame", send: "88 02 | 03e8; 88 02 | 03e9", code: ws.CodeNormal},
		{row: 47, name: "a ping after the Close frame", send: "88 02 | 03e8; 89 01 | 'a'", code: ws.CodeNormal},
		{row: 47, name: "broken frames after the Close frame", send: "88 02 | 03e8; ff ff ff ff", code: ws.CodeNormal},
		{row: 50, name: "pongs that answer nothing", send: "8a 00; 8a 03 | 'abc'; 01 01 | 'a'; 8a 08 | 0000000000000001; 80 01 | 'b'", got: []string{"ab"}},

		// UTF-8
		{row: 55, name: "text that ends inside a code point, in one frame", send: "81 02 | 'a' c3", code: badText, rule: ws.RuleTextUTF8},
		{row: 55, name: "text that ends after two of three bytes", send: "81 02 | e282", code: badText, rule: ws.RuleTextUTF8},
		{row: 55, name: "text that ends after three of four bytes", send: "01 03 | f09f98; 80 00", code: badText, rule: ws.RuleTextUTF8},
		{row: 55, name: "text that ends inside a code point, in the last fragment", send: "01 01 | 'a'; 80 01 | c3", code: badText, rule: ws.RuleTextUTF8},
		// "a" compressed by RFC 7692, and a byte after it that no text has.
		// Nothing is inflated here: the extension is not negotiated, so RSV1
		// decides first.
		{row: 56, name: "compressed text that was not negotiated", send: "c1 04 | fa0f0000", code: badErr, rule: ws.RuleRSV},
		{row: 57, name: "a code point split after 1 of 4 bytes", send: "01 01 | f0; 80 03 | 9f9880", got: []string{"😀"}},
		{row: 57, name: "a code point split after 2 of 4 bytes", send: "01 02 | f09f; 80 02 | 9880", got: []string{"😀"}},
		{row: 57, name: "a code point split after 3 of 4 bytes", send: "01 03 | f09f98; 80 01 | 80", got: []string{"😀"}},
		{row: 57, name: "a code point in four fragments, empty ones and a ping between", send: "01 01 | f0; 00 00; 00 01 | 9f; 89 00; 00 01 | 98; 00 01 | 80; 80 00",
			pongs: []string{""}, got: []string{"😀"}},
		{row: 58, name: "a bad byte in the first of several fragments", send: "01 03 | 'a' ff 'b'", code: badText, rule: ws.RuleTextUTF8},
		{row: 58, name: "a bad byte in the middle of a long frame", send: "81 7e 1000 | 'abc' ff", code: badText, rule: ws.RuleTextUTF8},
		{row: 58, name: "a fragment that ends a code point wrongly", send: "01 01 | c3; 00 02 | 28", code: badText, rule: ws.RuleTextUTF8},
		{row: 58, name: "binary may hold any byte", send: "02 02 | c328; 80 01 | ff", got: []string{"\xc3\x28\xff"}},
	}

	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		rows = append(rows, badFrames{row: 28, name: fmt.Sprintf("opcode %X", op), send: fmt.Sprintf("%02x 00", 0x80|op), code: badErr, rule: ws.RuleOpcode})
	}
	// Two bytes, and nothing after them, have to be enough.
	for _, op := range []ws.Opcode{ws.OpContinuation, ws.OpText, ws.OpBinary, ws.OpClose, ws.OpPing, ws.OpPong} {
		rows = append(rows,
			badFrames{row: 29, name: "unmasked from a client: " + op.String(), only: "server", send: fmt.Sprintf("%02x 05", 0x80|byte(op)), code: badErr, rule: ws.RuleClientMasks},
			badFrames{row: 30, name: "masked from a server: " + op.String(), only: "client", send: fmt.Sprintf("%02x 85", 0x80|byte(op)), code: badErr, rule: ws.RuleServerUnmasked})
	}
	for _, code := range []ws.Code{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		rows = append(rows, badFrames{row: 45, name: fmt.Sprintf("close code %d", uint16(code)), send: fmt.Sprintf("88 02 | %04x", uint16(code)), code: badErr, rule: ws.RuleCloseCode})
	}
	for _, code := range []ws.Code{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		rows = append(rows, badFrames{row: 45, name: fmt.Sprintf("close code %d is right", uint16(code)), send: fmt.Sprintf("88 05 | %04x | 'bye'", uint16(code)), code: code})
	}
	for _, u := range []struct {
		row  int
		name string
		text string
	}{
		{52, "overlong NUL in two bytes", "c080"},
		{52, "overlong U+007F in two bytes", "c1bf"},
		{52, "overlong NUL in three bytes", "e08080"},
		{52, "overlong U+07FF in three bytes", "e09fbf"},
		{52, "overlong slash in four bytes", "f08080af"},
		{52, "overlong U+FFFF in four bytes", "f08fbfbf"},
		{53, "the first surrogate", "eda080"},
		{53, "the last surrogate", "edbfbf"},
		{53, "a pair of surrogates", "eda0bdedb880"},
		{54, "U+110000", "f4908080"},
		{54, "U+140000", "f5808080"},
		{54, "five bytes", "f888808080"},
		{54, "six bytes", "fc8480808080"},
		{54, "FE", "fe"},
	} {
		n := len(u.text)/2 + 4
		rows = append(rows,
			badFrames{row: u.row, name: u.name, send: fmt.Sprintf("81 %02x | 'ab' %s 'cd'", n, u.text), code: badText, rule: ws.RuleTextUTF8},
			// A fragment that ends in its middle changes nothing.
			badFrames{row: u.row, name: u.name + ", cut by a fragment", send: fmt.Sprintf("01 01 | %s; 80 %02x | %s 'cd'", u.text[:2], n-3, u.text[2:]), code: badText, rule: ws.RuleTextUTF8})
	}
	return rows
}

// The codes of row 45 from end to end, as the RFC's and IANA's tables have
// them.
func badCloseCodes(t *testing.T, _ *badNet) {
	may := func(code int) bool {
		return code >= 3000 && code < 5000 || code >= 1000 && code <= 1014 && !slices.Contains([]int{1004, 1005, 1006}, code)
	}
	for code := range 1 << 16 {
		got, _, err := ws.ParseClose(bytes.Join([][]byte{{byte(code >> 8), byte(code)}, []byte("bye")}, nil))
		if (err == nil) != may(code) || err == nil && int(got) != code {
			t.Errorf("close code %d: got %v, %v; may be sent: %v", code, got, err, may(code))
		}
	}
}
