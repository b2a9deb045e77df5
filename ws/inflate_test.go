package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wstest"
)

// take gives r a compressed message in as many frames as payloads, and inflates it into
// pieces of size bytes.
func take(r *ws.Receiver, op ws.Opcode, now ws.Moment, size int, payloads ...[]byte) (content []byte, err error) {
	dst := make([]byte, size)
	for i, p := range payloads {
		h := ws.Header{Fin: i == len(payloads)-1, Length: int64(len(p))}
		if i == 0 {
			h.RSV, h.Opcode = ws.RSV1, op
		}
		if _, err := r.Header(ws.AppendHeader(nil, h)); err != nil {
			return content, err
		}
		if len(p) > 0 {
			if err := r.Payload(bytes.Clone(p)); err != nil {
				return content, err
			}
		}
		for more := false; len(p) > 0 || more; {
			n, used, err := r.Inflate(dst, p)
			content = append(content, dst[:n]...)
			if err != nil {
				return content, err
			}
			p, more = p[used:], n == len(dst)
		}
	}
	for done := false; !done; {
		var n int
		if n, done, err = r.InflateEnd(dst, now); err != nil {
			return content, err
		}
		content = append(content, dst[:n]...)
	}
	return content, nil
}

func inflating(l ws.Limits) *ws.Receiver {
	r := ws.NewReceiver(ws.RoleClient, l)
	r.AllowDeflate(ws.DeflateParams{})
	return &r
}

func ruleOf(err error) ws.RuleID {
	if pe, ok := errors.AsType[*ws.ProtocolError](err); ok {
		return pe.Rule
	}
	return ""
}

// What messages inflate to beyond 32 times their size counts against InflateRate: ten
// seconds' worth may come at once, and not a byte more, in however many frames.
func TestInflateRate(t *testing.T) {
	content := bytes.Repeat([]byte{'x'}, 200_000)
	z := deflate.NewCompressor(15, false).Append(nil, content)
	content = content[:len(content)-(len(content)-32*len(z))%10] // so that a tenth is whole
	if again := deflate.NewCompressor(15, false).Append(nil, content); len(again) != len(z) {
		t.Fatalf("%d bytes, not %d", len(again), len(z))
	} else {
		z = again
	}
	rate := (len(content) - 32*len(z)) / 10
	for _, payloads := range [][][]byte{{z}, {z[:1], z[1:]}, {z[:7], nil, z[7:9], z[9:]}} {
		r := inflating(ws.Limits{InflateRate: rate})
		for i, tt := range []struct {
			at     ws.Moment
			passes bool
		}{{100 * second, true}, {110 * second, true}, {120*second - 1, false}} {
			got, err := take(r, ws.OpBinary, tt.at, 1<<10, payloads...)
			if (err == nil) != tt.passes || !bytes.Equal(got, content) {
				t.Errorf("message %d in %d frames: %d bytes, %v", i+1, len(payloads), len(got), err)
			}
			if err != nil && err.Error() != fmt.Sprintf("ws: compressed messages inflate to more than InflateRate allows, %d bytes a second beyond 32 times their size (§10.4)", rate) {
				t.Error(err)
			}
		}
		if _, err := take(inflating(ws.Limits{InflateRate: rate - 1}), ws.OpBinary, 100*second, 1<<10, payloads...); ruleOf(err) != ws.RuleInflateRate {
			t.Errorf("a smaller rate: %v", err)
		}
	}
	// What is within 32 times its size costs nothing, however often it comes.
	within := []byte(strings.Repeat("what people write ", 3))
	z = deflate.NewCompressor(15, false).Append(nil, within)
	r := inflating(ws.Limits{InflateRate: 1})
	for i := range 1000 {
		if _, err := take(r, ws.OpText, 1, 1<<10, z); err != nil {
			t.Fatal(i, err)
		}
	}
}

// A message may have 1,024 blocks more than bytes.
func TestInflateBlocks(t *testing.T) {
	const empty = "000000ffff" // stored, of no bytes; that of the end lacks its last four
	for _, tt := range []struct {
		blocks int
		hello  bool // before them, five bytes in a block of their own
		rule   ws.RuleID
	}{
		{1023, false, ""},
		{1024, false, ws.RuleEmptyBlocks},
		{1027, true, ""},
		{1028, true, ws.RuleEmptyBlocks},
	} {
		wire, want := strings.Repeat(empty, tt.blocks)+"00", ""
		if tt.hello {
			wire, want = "000500faff48656c6c6f"+wire, "Hello"
		}
		z := wstest.MustHex(wire)
		for _, payloads := range [][][]byte{{z}, {z[:100], z[100:]}} {
			r := inflating(ws.Limits{})
			got, err := take(r, ws.OpText, 1, 100, payloads...)
			if string(got) != want || ruleOf(err) != tt.rule || (err == nil) != (tt.rule == "") {
				t.Errorf("%d blocks, hello %v: %q, %v", tt.blocks, tt.hello, got, err)
			}
			if err != nil && err.Error() != fmt.Sprintf("ws: compressed message of %d blocks and %d bytes (§10.4)", 1025+len(want), len(want)) {
				t.Error(err)
			}
			if err == nil { // each message has as many
				if _, err := take(r, ws.OpText, 1, 100, z); err != nil {
					t.Errorf("a second one: %v", err)
				}
			}
		}
	}
}

// A message inflates ahead when 64 KiB more than 32 times what has come are out, and it
// is not at its end.
func TestInflatesAhead(t *testing.T) {
	content := bytes.Repeat([]byte{'x'}, 400_000)
	z := deflate.NewCompressor(15, false).Append(nil, content)
	for _, tt := range []struct {
		name string
		fin  bool
		part int // of the payload that has come, of frames of len(z) bytes
		more int // than what is just not ahead
		want bool
	}{
		{"a byte short of it", false, len(z) - 2, -1, false},
		{"just so much", false, len(z) - 2, 0, true},
		{"more", false, len(z) - 2, 100, true},
		{"in the last frame", true, len(z) - 2, 0, true},
		{"at the end of a frame that is not the last", false, len(z), 0, true},
		{"at the end of the last", true, len(z), 0, false},
	} {
		r := inflating(ws.Limits{})
		if _, err := r.Header(ws.AppendHeader(nil, ws.Header{Fin: tt.fin, RSV: ws.RSV1, Opcode: ws.OpBinary, Length: int64(len(z))})); err != nil {
			t.Fatal(err)
		}
		if err := r.Payload(bytes.Clone(z[:tt.part])); err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 64<<10+32*tt.part+tt.more)
		if n, _, err := r.Inflate(dst, z[:tt.part]); n != len(dst) || err != nil {
			t.Fatalf("%s: %d of %d, %v", tt.name, n, len(dst), err)
		}
		if got := r.InflatesAhead(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// What Inflate says of content that is wrong, and of a stream that is.
func TestInflateRefuses(t *testing.T) {
	z := func(s string) []byte { return deflate.NewCompressor(15, false).Append(nil, []byte(s)) }
	for _, tt := range []struct {
		name    string
		payload []byte
		want    string
		content string
	}{
		{"no text", z("ab\xff"), "ws: text message is not UTF-8: byte 0xff at offset 2 (§8.1)", "ab\xff"},
		{"a text that is cut off", z("ab\xc3"), "ws: text message of 3 bytes ends inside a UTF-8 sequence (§8.1)", "ab\xc3"},
		{"too long", z("12345678x"), "ws: message of more than 8 bytes, the limit that MaxMessage sets (§10.4)", "12345678x"},
		{"what was good before the stream was not", append(z("\xff")[:0:0], wstest.MustHex("000100feff | ff | 07")...), "ws: text message is not UTF-8: byte 0xff at offset 0 (§8.1)", "\xff"},
		{"a block of a reserved type", wstest.MustHex("07"), "ws: ", ""},
	} {
		for _, size := range []int{1, 100} {
			content, err := take(inflating(ws.Limits{MessageSize: 8}), ws.OpText, 1, size, tt.payload)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || string(content) != tt.content {
				t.Errorf("%s, by %d: %q, %v; want %s", tt.name, size, content, err, tt.want)
			}
		}
	}
	if _, err := take(inflating(ws.Limits{}), ws.OpText, 1, 100, wstest.MustHex("07")); ruleOf(err) != ws.RuleDeflate {
		t.Errorf("a block of a reserved type: %v", err)
	}
}

// What comes with the end, and what an error there comes with.
func TestInflateEnd(t *testing.T) {
	stored := wstest.MustHex("000400fbff") // and the four bytes of the end
	for size := 1; size <= 5; size++ {
		if got, err := take(inflating(ws.Limits{}), ws.OpBinary, 1, size, stored); string(got) != "\x00\x00\xff\xff" || err != nil {
			t.Errorf("by %d: %q, %v", size, got, err)
		}
	}
	for _, tt := range []struct {
		name    string
		op      ws.Opcode
		limits  ws.Limits
		payload []byte
		n       int
		rule    ws.RuleID
	}{
		{"no text", ws.OpText, ws.Limits{}, stored, 4, ws.RuleTextUTF8},
		{"too much", ws.OpBinary, ws.Limits{MessageSize: 3}, stored, 4, ws.RuleMessageSize},
		{"half a code point", ws.OpText, ws.Limits{}, wstest.MustHex("000100feff | c3 | 00"), 0, ws.RuleTextUTF8},
		{"a rate", ws.OpBinary, ws.Limits{InflateRate: 1}, deflate.NewCompressor(15, false).Append(nil, make([]byte, 10_000)), 0, ws.RuleInflateRate},
	} {
		r, dst := inflating(tt.limits), make([]byte, 20_000)
		if _, err := r.Header(ws.AppendHeader(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: tt.op, Length: int64(len(tt.payload))})); err != nil {
			t.Fatal(err)
		}
		if err := r.Payload(bytes.Clone(tt.payload)); err != nil {
			t.Fatal(err)
		}
		if _, used, err := r.Inflate(dst, tt.payload); used != len(tt.payload) || err != nil {
			t.Fatalf("%s: %d used, %v", tt.name, used, err)
		}
		if n, done, err := r.InflateEnd(dst, 1); n != tt.n || done || ruleOf(err) != tt.rule {
			t.Errorf("%s: %d, %v, %v", tt.name, n, done, err)
		}
	}
}

// A single byte beyond counts.
func TestInflateRateByteBeyond(t *testing.T) {
	var z []byte
	for n := 1; n < 2_000; n++ {
		if z = deflate.NewCompressor(15, false).Append(nil, make([]byte, n)); 32*len(z)+1 == n {
			break
		}
		z = nil
	}
	if z == nil {
		t.Fatal("no message is one byte beyond")
	}
	r := inflating(ws.Limits{InflateRate: 1})
	for i := range 11 {
		if _, err := take(r, ws.OpBinary, 1, 1<<10, z); (err != nil) != (i == 10) {
			t.Fatalf("message %d: %v", i+1, err)
		}
	}
}

// Who has nothing to give back gives nothing back.
func TestReleaseWithoutDeflate(t *testing.T) {
	r := ws.NewReceiver(ws.RoleServer, ws.Limits{})
	r.Release()
	inflating(ws.Limits{}).Release()
}
