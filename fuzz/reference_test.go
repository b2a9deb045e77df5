package main

import (
	"unicode/utf8"

	"framewright/ws"
)

// The reference: RFC 6455's receiving side once more, written for the eye
// alone. It has the whole input at once, copies freely, and uses nothing of
// package ws but the names of its rules and opcodes, so that an error has to
// be made twice, in two different ways, to stay unnoticed.

// An event is a complete message or a control frame.
type event struct {
	Op   ws.Opcode
	Data string
}

// An outcome is what a stream of bytes amounts to.
type outcome struct {
	Events []event
	Rule   ws.RuleID // the rule that the stream breaks, "" if none
	At     int       // with Rule: how many bytes it takes to see that
	Closed bool      // a Close frame came
	Code   ws.Code   // what it said
	Reason string
	Rest   int // bytes behind the last complete frame, or behind the Close frame
}

// equal reports whether two outcomes mean the same to an application. It is
// here because it runs for every input; cmp.Diff is for the report.
func (o outcome) equal(p outcome) bool {
	if len(o.Events) != len(p.Events) || o.Rule != p.Rule || o.Closed != p.Closed || o.Code != p.Code || o.Reason != p.Reason {
		return false
	}
	for i := range o.Events {
		if o.Events[i] != p.Events[i] {
			return false
		}
	}
	return true
}

// messages returns the text and binary messages of o.
func (o outcome) messages() []event {
	var m []event
	for _, e := range o.Events {
		if e.Op == ws.OpText || e.Op == ws.OpBinary {
			m = append(m, e)
		}
	}
	return m
}

// of returns the payloads of o's events with opcode op.
func (o outcome) of(op ws.Opcode) []string {
	var s []string
	for _, e := range o.Events {
		if e.Op == op {
			s = append(s, e.Data)
		}
	}
	return s
}

// decode reads a stream that an endpoint with the given role receives.
// maxSize and maxFragments are its limits.
func decode(wire []byte, role ws.Role, maxSize, maxFragments int) (o outcome) {
	var (
		message   []byte
		opcode    ws.Opcode // of the message under way, 0 between messages
		fragments int
		pos       int // where the current frame begins
	)
	fail := func(rule ws.RuleID, n int) outcome {
		o.Rule, o.At = rule, pos+n
		return o
	}
	for {
		frame := wire[pos:]
		o.Rest = len(frame)
		if len(frame) < 2 || o.Closed {
			return o
		}
		fin := frame[0] >= 0x80
		op := ws.Opcode(frame[0] % 16)
		masked := frame[1] >= 0x80
		short := int(frame[1] % 128)
		control := op >= 8

		// What the first two bytes tell, in the order in which package ws
		// names the rules when several are broken.
		switch {
		case frame[0]&0x70 != 0:
			return fail(ws.RuleRSV, 2)
		case op >= 3 && op <= 7 || op >= 11:
			return fail(ws.RuleOpcode, 2)
		case role == ws.RoleServer && !masked:
			return fail(ws.RuleClientMasks, 2)
		case role == ws.RoleClient && masked:
			return fail(ws.RuleServerUnmasked, 2)
		case control && !fin:
			return fail(ws.RuleControlFin, 2)
		case control && short > 125:
			return fail(ws.RuleControlLength, 2)
		case op == 0 && opcode == 0:
			return fail(ws.RuleContinuation, 2)
		case (op == 1 || op == 2) && opcode != 0:
			return fail(ws.RuleInterleaved, 2)
		case op == 0 && fragments == maxFragments:
			return fail(ws.RuleFragments, 2)
		}

		// The length and the key.
		n, extended := 2, 0
		switch short {
		case 126:
			extended = 2
		case 127:
			extended = 8
		}
		if len(frame) < n+extended {
			return o
		}
		length := uint64(short)
		if extended > 0 {
			length = 0
			for _, b := range frame[n : n+extended] {
				length = length*256 + uint64(b)
			}
		}
		n += extended
		switch {
		case length >= 1<<63:
			return fail(ws.RuleLengthTopBit, n)
		case short == 126 && length <= 125, short == 127 && length <= 65535:
			return fail(ws.RuleMinimalLength, n)
		}
		var key []byte
		if masked {
			if len(frame) < n+4 {
				return o
			}
			key = frame[n : n+4]
			n += 4
		}
		if !control {
			if op != 0 {
				message, fragments = nil, 0
			}
			if length > uint64(maxSize-len(message)) {
				return fail(ws.RuleMessageSize, n)
			}
			fragments++
		}

		// The payload, as much of it as is there.
		have := min(uint64(len(frame)-n), length)
		complete := have == length
		payload := make([]byte, have)
		for i := range payload {
			payload[i] = frame[n+i]
			if masked {
				payload[i] ^= key[i%4]
			}
		}
		if control {
			if !complete {
				return o
			}
			end := n + len(payload)
			if op == ws.OpClose {
				if len(payload) == 1 {
					return fail(ws.RuleCloseLength, end)
				}
				o.Code = ws.CodeNoStatus
				if len(payload) > 1 {
					code := int(payload[0])*256 + int(payload[1])
					if !closeCodeAllowed(code) {
						o.Code = 0
						return fail(ws.RuleCloseCode, end)
					}
					if !utf8.Valid(payload[2:]) {
						o.Code = 0
						return fail(ws.RuleCloseUTF8, end)
					}
					o.Code, o.Reason = ws.Code(code), string(payload[2:])
				}
				o.Closed = true
			}
			o.Events = append(o.Events, event{op, string(payload)})
			pos += end
			continue
		}

		if op != 0 {
			opcode = op
		}
		before := len(message)
		message = append(message, payload...)
		if opcode == ws.OpText {
			if bad, whole := firstBad(message); bad >= 0 {
				return fail(ws.RuleTextUTF8, n+bad-before+1)
			} else if complete && fin && !whole {
				return fail(ws.RuleTextUTF8, n+len(payload))
			}
		}
		if !complete {
			return o
		}
		if fin {
			o.Events = append(o.Events, event{opcode, string(message)})
			opcode = 0
		}
		pos += n + len(payload)
	}
}

// closeCodeAllowed is the registry of §7.4 as a list.
func closeCodeAllowed(code int) bool {
	switch code {
	case 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014:
		return true
	}
	return code/1000 == 3 || code/1000 == 4
}

// firstBad returns the index of the first byte of b with which b cannot be
// the beginning of any UTF-8 text, -1 if there is none, and whether b ends
// with a whole code point.
func firstBad(b []byte) (bad int, whole bool) {
	if utf8.Valid(b) {
		return -1, true
	}
	begin := 0 // of the code point under way
	for i := range b {
		switch open := b[begin : i+1]; {
		case utf8.Valid(open):
			begin = i + 1
		case !completable(open):
			return i, false
		}
	}
	return -1, begin == len(b)
}

// completable reports whether some text begins with open, by trying what could
// come: the second byte of a sequence belongs to one of three ranges, the
// others to one.
func completable(open []byte) bool {
	var try [8]byte
	n := copy(try[:4], open)
	if len(open) > 3 {
		return false
	}
	for _, second := range []byte{0x80, 0x90, 0xA0} {
		try[n], try[n+1], try[n+2] = second, 0x80, 0x80
		for more := 1; more <= 3; more++ {
			if utf8.Valid(try[:n+more]) {
				return true
			}
		}
	}
	return false
}

// An xorshift gives numbers that depend on a seed alone.
type xorshift uint64

func (x *xorshift) next(n int) int {
	if *x == 0 {
		*x = 0x9E3779B97F4A7C15
	}
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return int(uint64(*x) % uint64(n))
}
