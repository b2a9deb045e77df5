package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"unicode/utf8"

	"framewright/ws"

	"github.com/google/go-cmp/cmp"
)

// FuzzHeader: what parses is what AppendHeader writes, byte for byte, and so
// in the fewest bytes; what does not parse is longer than need be, or has the
// top bit set; a header never fails before its length is there; two bytes are
// enough for the fields that stand in them.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x81, 0x05}, int64(5))
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, int64(1<<16))
	f.Fuzz(func(t *testing.T, b []byte, length int64) {
		h, n, err := ws.ParseHeader(b)
		checkParsed(t, b, h, n, err)
		for cut := range min(len(b), ws.MaxHeaderSize) {
			short, m, shortErr := ws.ParseHeader(b[:cut])
			switch {
			case cut >= n && n > 0 && (short != h || m != n || (shortErr == nil) != (err == nil)):
				t.Fatalf("%x: %d bytes give %+v, %d, %v; all give %+v, %d, %v", b, cut, short, m, shortErr, h, n, err)
			case (cut < n || n == 0) && (m != 0 || shortErr != nil):
				t.Fatalf("%x: %d of %d bytes give %d, %v", b, cut, n, m, shortErr)
			case cut >= 2 && (short.Fin != h.Fin || short.RSV != h.RSV || short.Opcode != h.Opcode || short.Masked != h.Masked):
				t.Fatalf("%x: the first %d bytes give %+v, all give %+v", b, cut, short, h)
			}
		}

		// The other way round: any header, then its wire form.
		if len(b) < 6 || length < 0 {
			return
		}
		want := ws.Header{Fin: b[0]&1 != 0, RSV: b[0] >> 1 & 7, Opcode: ws.Opcode(b[0] >> 4), Masked: b[1]&1 != 0, Length: length}
		if want.Masked {
			want.Key = [4]byte(b[2:])
		}
		wire := ws.AppendHeader([]byte("before"), want)
		if !bytes.HasPrefix(wire, []byte("before")) {
			t.Fatalf("AppendHeader changed what stood before: %q", wire)
		}
		wire = wire[len("before"):]
		got, n, err := ws.ParseHeader(append(bytes.Clone(wire), b...))
		if err != nil || n != len(wire) || got != want {
			t.Fatalf("%+v is written as %x, which parses as %+v, %d, %v", want, wire, got, n, err)
		}
	})
}

func checkParsed(t *testing.T, b []byte, h ws.Header, n int, err error) {
	switch {
	case n > len(b) || n < 0:
		t.Fatalf("%x: %d bytes used", b, n)
	case n == 0 && err == nil:
		if len(b) >= ws.MaxHeaderSize {
			t.Fatalf("%x: more bytes wanted than a header has", b)
		}
		return
	case err == nil:
		if again := ws.AppendHeader(nil, h); !bytes.Equal(again, b[:n]) {
			t.Fatalf("%x parses as %+v, which is written as %x", b[:n], h, again)
		}
		if h.Length < 0 {
			t.Fatalf("%x: negative length %d", b[:n], h.Length)
		}
		return
	}
	pe, ok := errors.AsType[*ws.ProtocolError](err)
	if !ok {
		t.Fatalf("%x: %v is not a *ProtocolError", b, err)
	}
	var length uint64
	if b[1]&0x7F == 126 {
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	} else {
		length = binary.BigEndian.Uint64(b[2:])
	}
	want := ws.RuleMinimalLength
	switch {
	case length >= 1<<63:
		want = ws.RuleLengthTopBit
	case b[1]&0x7F == 126 && length > 125, b[1]&0x7F == 127 && length > 65535:
		t.Fatalf("%x: %v, but the length is %d", b, err, length)
	}
	if pe.Rule != want {
		t.Fatalf("%x: rule %s, want %s", b, pe.Rule, want)
	}
}

// FuzzMask: Mask does what the formula of §5.3 says, wherever the payload is
// cut, touches nothing else, and undoes itself.
func FuzzMask(f *testing.F) {
	f.Add(uint32(0x37fa213d), 0, 2, []byte("Hello"))
	f.Add(uint32(0x01020304), 3, 64, bytes.Repeat([]byte("0123456789"), 20))
	f.Fuzz(func(t *testing.T, k uint32, offset, cut int, p []byte) {
		var key [4]byte
		binary.BigEndian.PutUint32(key[:], k)
		offset &= 0xFFFF
		cut = int(uint(cut) % uint(len(p)+1))
		const fence = 9
		buf := make([]byte, fence+len(p)+fence)
		copy(buf[fence:], p)
		got := buf[fence : fence+len(p)]
		next := ws.Mask(got[:cut], key, offset)
		if next != (offset+cut)%4 {
			t.Fatalf("%d bytes at offset %d: the next offset is %d", cut, offset, next)
		}
		ws.Mask(got[cut:], key, next)
		for i := range p {
			if got[i] != p[i]^key[(offset+i)%4] {
				t.Fatalf("byte %d of %d, cut at %d, offset %d, key %x: %x becomes %x", i, len(p), cut, offset, key, p[i], got[i])
			}
		}
		ws.Mask(got, key, offset)
		if !bytes.Equal(got, p) || !bytes.Equal(buf[:fence], make([]byte, fence)) || !bytes.Equal(buf[fence+len(p):], make([]byte, fence)) {
			t.Fatalf("masked twice, or beside the payload: %x", buf)
		}
	})
}

// FuzzUTF8: the incremental check says of a whole text what unicode/utf8 says,
// wherever the text is cut, and refuses a text at the very byte with which
// nothing can make it valid again.
func FuzzUTF8(f *testing.F) {
	f.Add([]byte("κόσμε"), uint64(1))
	f.Add(append(bytes.Repeat([]byte("a"), 70), "\xf0\x9f\x98\x80\xed\xa0\x80"...), uint64(7))
	f.Fuzz(func(t *testing.T, p []byte, seed uint64) {
		bad, whole := firstBad(p)

		var whole1 ws.UTF8
		ok := whole1.Write(p)
		if ok != (bad < 0) || whole1.Done() != utf8.Valid(p) || whole1.Done() != whole {
			t.Fatalf("%x whole: ok %v, done %v; the first bad byte is %d", p, ok, whole1.Done(), bad)
		}

		var single ws.UTF8
		for i := range p {
			if ok := single.Write(p[i : i+1]); ok != (bad < 0 || i < bad) {
				t.Fatalf("%x byte by byte: ok %v at byte %d, but the first bad byte is %d", p, ok, i, bad)
			}
		}
		if single.Done() != whole {
			t.Fatalf("%x byte by byte: done %v", p, single.Done())
		}

		cuts, pieces, at := xorshift(seed), single, 0
		pieces.Reset()
		for at < len(p) {
			n := min(len(p)-at, cuts.next(80))
			at += n
			if ok := pieces.Write(p[at-n : at]); ok != (bad < 0 || at <= bad) {
				t.Fatalf("%x in pieces: ok %v after %d bytes, but the first bad byte is %d", p, ok, at, bad)
			}
		}
		if pieces.Done() != whole || pieces.Write(nil) != (bad < 0) {
			t.Fatalf("%x in pieces: done %v", p, pieces.Done())
		}
	})
}

// FuzzClose: a payload parses exactly if it is empty, or has a code of the
// registry and a reason in UTF-8; then AppendClose gives it back. What may be
// sent, parses.
func FuzzClose(f *testing.F) {
	f.Add([]byte("\x03\xe8bye"), uint16(1001), "going")
	f.Add([]byte{}, uint16(1005), "")
	f.Fuzz(func(t *testing.T, p []byte, c uint16, reason string) {
		code, got, err := ws.ParseClose(p)
		var want ws.RuleID
		switch {
		case len(p) == 1:
			want = ws.RuleCloseLength
		case len(p) > 1 && !closeCodeAllowed(int(p[0])<<8|int(p[1])):
			want = ws.RuleCloseCode
		case len(p) > 1 && !utf8.Valid(p[2:]):
			want = ws.RuleCloseUTF8
		}
		if rule := ruleOf(t, err); rule != want {
			t.Fatalf("%x: %v, want rule %q", p, err, want)
		}
		if err == nil && !bytes.Equal(ws.AppendClose(nil, code, got), p) {
			t.Fatalf("%x parses as %v %q, which is written as %x", p, code, got, ws.AppendClose(nil, code, got))
		}

		if ws.Code(c).MaySend() != closeCodeAllowed(int(c)) {
			t.Fatalf("MaySend of %d is %v", c, ws.Code(c).MaySend())
		}
		if !ws.Code(c).MaySend() || !utf8.ValidString(reason) || len(reason) > ws.MaxCloseReason {
			return
		}
		wire := ws.AppendClose(nil, ws.Code(c), reason)
		code, got, err = ws.ParseClose(wire)
		if err != nil || code != ws.Code(c) || got != reason || len(wire) > ws.MaxControlPayload {
			t.Fatalf("%d %q is written as %x, which parses as %v %q %v", c, reason, wire, code, got, err)
		}
	})
}

// ruleOf returns the rule that err, nil or a *ProtocolError, names. Its text
// and its code must be those of the rule.
func ruleOf(t *testing.T, err error) ws.RuleID {
	if err == nil {
		return ""
	}
	pe, ok := errors.AsType[*ws.ProtocolError](err)
	if !ok {
		t.Fatalf("%T %v, want a *ProtocolError", err, err)
	}
	rule := pe.Rule.Rule()
	if rule == nil || pe.Code != rule.Code || pe.Section != rule.Section || pe.Detail == "" {
		t.Fatalf("%+v does not fit its rule %+v", pe, rule)
	}
	return pe.Rule
}

// The limits with which streams are judged: the defaults, and small ones that
// a fuzzer can reach.
func limitsFor(small bool) (l ws.Limits, maxSize, maxFragments int) {
	if small {
		return ws.Limits{MessageSize: 300, Fragments: 5}, 300, 5
	}
	return ws.Limits{}, ws.DefaultMessageSize, ws.DefaultFragments
}

func roleFor(client bool) ws.Role {
	if client {
		return ws.RoleClient
	}
	return ws.RoleServer
}

// FuzzChunking: what a stream amounts to does not depend on how it is cut, is
// what the reference says, and a violation is seen at the earliest byte.
func FuzzChunking(f *testing.F) {
	f.Add(true, true, uint64(3), ws.AppendFrame(nil, ws.Header{Fin: true, Opcode: ws.OpBinary}, make([]byte, 300)))
	f.Add(true, false, uint64(5), append([]byte{0x01, 0x00}, bytes.Repeat([]byte{0x00, 0x00}, 40)...))
	f.Fuzz(func(t *testing.T, client, small bool, cuts uint64, wire []byte) {
		role := roleFor(client)
		limits, maxSize, maxFragments := limitsFor(small)
		want := decode(wire, role, maxSize, maxFragments)
		random := xorshift(cuts)
		for _, how := range []string{"whole", "byte by byte", "in pieces"} {
			got := feed(t, role, limits, wire, func() int {
				switch how {
				case "whole":
					return len(wire)
				case "byte by byte":
					return 1
				}
				return random.next(40)
			})
			if !got.equal(want) {
				t.Fatalf("%s (-reference +ws):\n%s", how, cmp.Diff(want, got))
			}
			if how == "byte by byte" && got.At != want.At {
				t.Fatalf("rule %s: seen after %d bytes, decided after %d", want.Rule, got.At, want.At)
			}
			if got.Rest != want.Rest && want.Rule == "" {
				t.Fatalf("%s: %d bytes left, want %d", how, got.Rest, want.Rest)
			}
		}
	})
}

// feed gives wire to a Receiver in pieces whose lengths next says.
func feed(t *testing.T, role ws.Role, limits ws.Limits, wire []byte, next func() int) (o outcome) {
	r := ws.NewReceiver(role, limits)
	buf := bytes.Clone(wire)
	used, given := 0, 0
	var message []byte
	frameEnd := 0 // of the last complete frame
	for {
		e, n, err := r.Next(buf[used:given])
		if n < 0 || n > given-used {
			t.Fatalf("%d of %d bytes used", n, given-used)
		}
		if err != nil {
			o.Rule, o.At = ruleOf(t, err), given
			return o
		}
		used += n
		if n > 0 && r.Remaining() == 0 {
			frameEnd = used
		}
		switch e.Opcode {
		case ws.OpText, ws.OpBinary:
			message = append(message, e.Payload...)
			if e.Fin {
				o.Events = append(o.Events, event{e.Opcode, string(message)})
				message = message[:0]
			}
		case ws.OpPing, ws.OpPong, ws.OpClose:
			o.Events = append(o.Events, event{e.Opcode, string(e.Payload)})
		}
		if r.State() == ws.StateClosed {
			o.Closed = true
			o.Code, o.Reason = r.CloseFrame()
			o.Rest = len(buf) - frameEnd // what follows is ignored
			return o
		}
		if n > 0 {
			continue
		}
		if given == len(buf) {
			o.Rest = len(buf) - frameEnd
			return o
		}
		given = min(len(buf), given+next())
	}
}
