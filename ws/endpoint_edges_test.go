package ws_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wstest"
)

// What a control frame leads to.
func TestEndpointControl(t *testing.T) {
	sent := &ws.CloseError{Code: 4000, Reason: "enough"}
	var none *ws.CloseError
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient})
	control := func(wire string, sent *ws.CloseError) (ws.Duty, error) {
		ev, _, err := e.In.Next(wstest.MustHex(wire))
		if err != nil {
			t.Fatal(err)
		}
		return e.Control(ev, 1, sent, nil)
	}
	if d, err := control("89 01 61", nil); d.Owed != ws.OpPong || string(d.Pong) != "a" || d.Close != none || d.End != none || err != nil {
		t.Errorf("a ping: %+v, %v", d, err)
	}
	if d, err := control("8a 01 61", nil); d.Owed != ws.OpContinuation || d.Pong != nil || d.Close != none || d.End != none || err != nil {
		t.Errorf("a pong: %+v, %v", d, err)
	}
	if d, err := control("88 02 03e9", sent); d.Owed != ws.OpContinuation || d.Close != none || d.End != sent || err != nil {
		t.Errorf("the answer to a Close frame: %+v, %v", d, err)
	}
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleClient})
	if d, err := control("88 02 03e9", nil); d.Owed != ws.OpClose || *d.Close != (ws.CloseError{Code: 1001}) || *d.End != (ws.CloseError{Code: 1001, Remote: true}) || err != nil {
		t.Errorf("a Close frame: %+v, %v", d, err)
	}
}

// Which pongs count against PingRate: those that nobody asked for.
func TestEndpointCountsPongs(t *testing.T) {
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer, Limits: ws.Limits{PingRate: 1}})
	receive := func(wire []byte) (end error) {
		for _, err := range e.Receive(wire, 1) {
			end = err
		}
		return end
	}
	masked := func(payload string) []byte {
		return ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpPong, Masked: true}, []byte(payload))
	}
	for i := range 30 {
		b, err := e.AppendPing(nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := receive(masked(string(b[2:]))); err != nil {
			t.Fatalf("pong %d: %v", i+1, err)
		}
	}
	for i := range 10 {
		if err := receive(masked("")); err != nil {
			t.Fatalf("unasked pong %d: %v", i+1, err)
		}
	}
	if err := receive(masked("")); ruleOf(err) != ws.RulePongRate {
		t.Errorf("the eleventh: %v", err)
	}
}

// A ping that could not be sent waits for no pong.
func TestEndpointPingNotSent(t *testing.T) {
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	if _, err := e.AppendClose(nil, 1000, ""); err != nil {
		t.Fatal(err)
	}
	if b, err := e.AppendPing([]byte("x"), 1); string(b) != "x" || err == nil {
		t.Errorf("%q, %v", b, err)
	}
	if e.Pings.Pong([]byte{0, 0, 0, 0, 0, 0, 0, 1}, nil) {
		t.Error("a pong for it is one")
	}
}

// Until when something must have come, with MessageTime of 16 s.
func TestEndpointDeadline(t *testing.T) {
	type piece struct {
		at       ws.Moment
		wire     string
		deadline ws.Moment
	}
	for _, tt := range []struct {
		name   string
		pieces []piece
	}{
		{"a whole message", []piece{{10 * second, "81 01 61", 0}}},
		{"half a header", []piece{{10 * second, "81", 26 * second}, {11 * second, "01 61", 0}}},
		{"half a payload", []piece{{10 * second, "81 02 61", 26 * second}, {11 * second, "61", 0}}},
		{"half a message", []piece{{10 * second, "01 01 61", 26 * second}, {11 * second, "80 00", 0}}},
		{"a part in a part", []piece{{10 * second, "01 03 61", 26 * second}, {12 * second, "61", 26 * second}, {20 * second, "61", 26 * second}, {25 * second, "80 00 81", 41 * second}}},
		{"half a ping", []piece{{10 * second, "89", 26 * second}, {11 * second, "01", 26 * second}, {12 * second, "61", 0}, {50 * second, "89", 66 * second}}},
		{"a ping in a message", []piece{{10 * second, "01 00", 26 * second}, {11 * second, "89 00", 26 * second}, {12 * second, "80 00", 0}}},
		{"a message behind a message", []piece{{10 * second, "81 01 61 81 05", 26 * second}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Limits: ws.Limits{MessageTime: int64(16 * second)}})
			for i, p := range tt.pieces {
				for _, err := range e.Receive(wstest.MustHex(p.wire), p.at) {
					if err != nil {
						t.Fatal(err)
					}
				}
				if got := e.Deadline(); got != p.deadline {
					t.Errorf("after piece %d: %d, want %d", i+1, got, p.deadline)
				}
			}
		})
	}
}

// A message is empty when none of its frames has content.
func TestEndpointEmpty(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		deflate    bool
		empty      bool
	}{
		{"empty", "81 00", false, true},
		{"empty, in fragments", "01 00 | 00 00 | 80 00", false, true},
		{"a byte", "81 01 61", false, false},
		{"a byte in the first fragment", "01 01 61 | 00 00 | 80 00", false, false},
		{"a byte in the last", "01 00 | 80 01 61", false, false},
		{"a ping's content is not the message's", "01 00 | 89 01 61 | 80 00", false, true},
		{"empty, inflated", "c1 01 00", true, true},
		{"a byte, inflated", compressed("a"), true, false},
		{"one that is not, before it", "81 01 61 | 81 00", false, true},
		{"four bytes, which come with the end", "c2 05 000400fbff", true, false},
		{"many, inflated", compressed(strings.Repeat("a", 10_000)), true, false},
	} {
		for _, n := range []int{0, 1} {
			setup := ws.Setup{Role: ws.RoleClient, Limits: ws.Limits{EmptyRate: 1, PingRate: -1}}
			if tt.deflate {
				setup.Deflate = &ws.DeflateParams{}
			}
			e := ws.NewEndpoint(setup)
			var end error
			for i := 0; i < 11 && end == nil; i++ { // after ten, an empty one is too much
				_, _, end = heard(e, wstest.MustHex(tt.wire), n)
				if end != nil && i < 10 {
					t.Fatal(i, end)
				}
			}
			if (ruleOf(end) == ws.RuleEmptyRate) != tt.empty || (end != nil) != tt.empty {
				t.Errorf("%s: %v", tt.name, end)
			}
		}
	}
}

// Who has heard enough may stop.
func TestEndpointStop(t *testing.T) {
	long := compressed(strings.Repeat("a", 20_000))
	for name, wire := range map[string]string{"messages": "81 01 61 81 01 61", "pings": "89 00 89 00", "inflated": long + long, "inflated, and nothing more": long} {
		for stop := 1; stop <= 2; stop++ {
			e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Deflate: &ws.DeflateParams{}})
			heard := 0
			for range e.Receive(wstest.MustHex(wire), 1) {
				if heard++; heard == stop {
					break
				}
			}
			if heard != stop {
				t.Errorf("%s: %d events", name, heard)
			}
		}
	}
}

// Which messages are compressed.
func TestEndpointThreshold(t *testing.T) {
	for _, tt := range []struct {
		name      string
		threshold int
		keeps     bool
		size      int
		want      bool
	}{
		{"default", 0, false, ws.DefaultThreshold, true},
		{"less", 0, false, ws.DefaultThreshold - 1, false},
		{"set", 50, false, 50, true},
		{"less than set", 50, false, 49, false},
		{"none", -1, false, 40, true},
		{"none, but it would not be shorter", -1, false, 1, false},
		{"none, and the next refers to it", -1, true, 1, true},
		{"none, and it is empty", -1, true, 0, true},
	} {
		e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer, Threshold: tt.threshold, Deflate: &ws.DeflateParams{ServerNoContext: !tt.keeps}})
		p := bytes.Repeat([]byte{'x'}, tt.size)
		b, err := e.AppendMessage(nil, ws.OpText, p)
		if err != nil || (b[0] == 0xC1) != tt.want || (b[0] == 0x81) == tt.want {
			t.Errorf("%s: % x, %v", tt.name, b[:min(10, len(b))], err)
		}
		peer := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Deflate: &ws.DeflateParams{}})
		if lines, _, end := heard(peer, b, 0); end != nil || len(lines) != 1 || lines[0] != fmt.Sprintf("text %q", p) {
			t.Errorf("%s: the peer hears %.100q, %v", tt.name, lines, end)
		}
	}
}

// What is sent when the connection is at its end, or about to be.
func TestEndpointSendsAtTheEnd(t *testing.T) {
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient})
	lost := e.Lost(io.EOF)
	if end, ok := errors.AsType[*ws.CloseError](lost); !ok || *end != (ws.CloseError{Code: 1006, Remote: true, Err: io.EOF}) {
		t.Errorf("lost: %v", lost)
	}
	if again := e.Lost(io.ErrUnexpectedEOF); again != lost || e.End() != lost {
		t.Errorf("lost again: %v, %v", again, e.End())
	}
	if b, err := e.AppendMessage([]byte("x"), ws.OpText, nil); string(b) != "x" || err != lost {
		t.Errorf("%q, %v", b, err)
	}
	for _, err := range e.Receive(wstest.MustHex("81 00"), 1) {
		if err != lost {
			t.Errorf("heard %v", err)
		}
	}

	// The Close frame of a violation comes after what was begun, once.
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	if _, err := e.AppendFragment(nil, ws.OpText, false, []byte("a")); err != nil {
		t.Fatal(err)
	}
	for range e.Receive(wstest.MustHex("89 81 00000000 61 | 81 00"), 1) {
	}
	end := e.End()
	if ruleOf(end) != ws.RuleClientMasks || e.Lost(io.EOF) != end || e.Expire(1) != end {
		t.Errorf("%v, %v", end, e.End())
	}
	want := "\x8a\x01a" + "\x88\x28\x03\xeaunmasked text frame from a client (§5.1)"
	want = strings.Replace(want, "\x28", string(rune(len(want)-5)), 1)
	if b := e.Owed([]byte("x")); string(b) != "x"+want {
		t.Errorf("owed %q\nwant  %q", b, "x"+want)
	}
	if b := e.Owed(nil); len(b) != 0 {
		t.Errorf("owed again: %q", b)
	}

	// A pong is owed to nobody who has been told that it is over.
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	if b, err := e.AppendClose([]byte("x"), 4000, "enough"); string(b) != "x\x88\x08\x0f\xa0enough" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	for _, err := range e.Receive(wstest.MustHex("89 81 00000000 61"), 1) {
		if err != nil {
			t.Error(err)
		}
	}
	if b := e.Owed(nil); len(b) != 0 {
		t.Errorf("owed after a Close frame: %q", b)
	}
	_, err := e.AppendMessage(nil, ws.OpText, nil)
	if sent, ok := errors.AsType[*ws.CloseError](err); !ok || *sent != (ws.CloseError{Code: 4000, Reason: "enough"}) {
		t.Errorf("a message after a Close frame: %v", err)
	}
	if b, again := e.AppendClose(nil, 1000, ""); len(b) != 0 || again != err {
		t.Errorf("another Close frame: %q, %v", b, again)
	}
	// A Close frame with a mistake goes out as well as it can, and the mistake is told.
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	if b, err := e.AppendClose(nil, 1000, strings.Repeat("x", 200)); len(b) != 127 || err == nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// Content may come with the four bytes that the end of a message stands for (RFC 7692
// §7.2.2), and errors after content.
func TestEndpointInflatesTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		content    string
		pieces     int
		end        string
	}{
		{"a stored block of those four bytes", "c2 05 000400fbff", "\x00\x00\xff\xff", 2, ""},
		{"a literal that they complete, and a block that they do not", "c2 01 4a", "", 0, "ws: closed by this endpoint with 1007 (invalid frame payload data): deflate: the message ends inside a block"},
		{"and they are no text", "c1 05 000400fbff", "", 0, "ws: closed by this endpoint with 1007 (invalid frame payload data): text message is not UTF-8: byte 0xff at offset 2 (§8.1)"},
		{"nothing", "c1 01 00", "", 1, ""},
		{"nothing before the last frame", "41 00 | 00 00 | 80 01 00", "", 1, ""},
		{"text that is none is not given out", compressed("ab\xffcd"), "", 0,
			"ws: closed by this endpoint with 1007 (invalid frame payload data): text message is not UTF-8: byte 0xff at offset 2 (§8.1)"},
	} {
		for _, n := range []int{0, 1} {
			e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Deflate: &ws.DeflateParams{}})
			wire := wstest.MustHex(tt.wire)
			var content string
			var pieces int
			var end error
			for len(wire) > 0 && end == nil {
				m := n
				if m == 0 {
					m = len(wire)
				}
				for ev, err := range e.Receive(wire[:m:m], 1) {
					if end = err; err == nil {
						content += string(ev.Payload)
						pieces++
					}
				}
				wire = wire[m:]
			}
			if n == 0 && (pieces != tt.pieces || content != tt.content) || (end != nil) != (tt.end != "") || end != nil && !strings.HasPrefix(end.Error(), tt.end) {
				t.Errorf("%s, by %d: %d pieces, %q, %v", tt.name, n, pieces, content, end)
			}
		}
	}
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Deflate: &ws.DeflateParams{}})
	for range e.Receive(wstest.MustHex("c2 05 000400fbff | 81 01 61"), 1) {
		break
	}
}

// A stream that is lost while its last events are being looked at is lost, whatever they
// were.
func TestEndpointLostMeanwhile(t *testing.T) {
	for _, wire := range []string{"89 00", "88 00"} {
		e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient})
		for _, err := range e.Receive(wstest.MustHex(wire), 1) {
			if err == nil {
				e.Lost(io.EOF)
			}
		}
		if err := e.End(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", wire, err)
		}
	}
}

// What cannot be appended leaves what was there as it was.
func TestEndpointKeepsWhatWasThere(t *testing.T) {
	open := func() *ws.Endpoint { return ws.NewEndpoint(ws.Setup{Role: ws.RoleServer}) }
	closing := func() *ws.Endpoint {
		e := open()
		if _, err := e.AppendClose(nil, 1000, ""); err != nil {
			t.Fatal(err)
		}
		return e
	}
	dst := []byte("x")
	for name, appended := range map[string]func() ([]byte, error){
		"no text":                  func() ([]byte, error) { return open().AppendMessage(dst, ws.OpText, []byte("\xff")) },
		"a ping as a fragment":     func() ([]byte, error) { return open().AppendFragment(dst, ws.OpPing, true, nil) },
		"nothing to continue":      func() ([]byte, error) { return open().AppendFragment(dst, ws.OpContinuation, true, nil) },
		"a message after a close":  func() ([]byte, error) { return closing().AppendMessage(dst, ws.OpText, nil) },
		"a fragment after a close": func() ([]byte, error) { return closing().AppendFragment(dst, ws.OpText, false, nil) },
		"a ping after a close":     func() ([]byte, error) { return closing().AppendPing(dst, 1) },
		"a close after a close":    func() ([]byte, error) { return closing().AppendClose(dst, 1000, "") },
	} {
		if b, err := appended(); string(b) != "x" || err == nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, op := range []ws.Opcode{ws.OpText, ws.OpBinary} {
		if b, err := open().AppendFragment(dst, op, false, []byte("a")); err != nil || string(b) != "x"+string(rune(op))+"\x01a" {
			t.Errorf("a fragment: %q, %v", b, err)
		}
	}
}

// A message goes out compressed only if that makes it shorter.
func TestEndpointCompressesWhatGetsShorter(t *testing.T) {
	equal := false
	for n := range 60 {
		p := []byte(strings.Repeat("ab", 3) + "cdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[:n])
		z := len(deflate.NewCompressor(15, false).Append(nil, p))
		equal = equal || z == len(p)
		e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer, Threshold: -1, Deflate: &ws.DeflateParams{ServerNoContext: true}})
		if b, err := e.AppendMessage(nil, ws.OpText, p); err != nil || (b[0] == 0xC1) != (z < len(p)) {
			t.Errorf("%d bytes, compressed %d: % x, %v", len(p), z, b[:2], err)
		}
	}
	if !equal {
		t.Error("no message is as long compressed as it is")
	}
}
