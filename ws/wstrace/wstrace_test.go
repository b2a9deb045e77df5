package wstrace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
	"framewright/ws/wstrace"
)

// traced is an event of one frame: wire, as it is with "|" between header and payload,
// and where the direction stood before.
func traced(wire string, before ws.State) ws.TraceEvent {
	head, payload, _ := strings.Cut(wire, "|")
	b := wstest.MustHex(head)
	h, _, _ := ws.ParseHeader(b)
	p := wstest.MustHex(payload)
	if h.Masked {
		ws.Mask(p, h.Key, 0)
	}
	after, _ := before.After(h)
	return ws.TraceEvent{Header: h, Wire: b, Payload: p[:min(len(p), ws.TracePayload)], Before: before, After: after}
}

func altered(e ws.TraceEvent, change func(*ws.TraceEvent)) ws.TraceEvent {
	change(&e)
	return e
}

// What is shown of each kind of event, line by line.
func TestAppend(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    ws.TraceEvent
		want string
	}{
		{"a masked text, received", altered(traced("81 85 37fa213d | 7f9f4d5158", ws.StateReady), func(e *ws.TraceEvent) { e.Conn = 7 }), `
			#7 < 81 85 37 fa 21 3d                server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     1... ....  MASK=1                a masking key follows (§5.1)
			     .000 0101  length=5              bytes of payload (§5.2)
			     37 fa 21 3d                      masking key (§5.3)
			     7f 9f 4d 51 58                   payload, masked (§5.3)
			     48 65 6c 6c 6f                   "Hello"
`},
		{"a binary message, sent by a client", altered(traced("82 03 | 00ff80", ws.StateReady), func(e *ws.TraceEvent) { e.Sent, e.Role, e.Offset = true, ws.RoleClient, 12 }), `
			> 82 03                               client sends binary at offset 12, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0011  length=3              bytes of payload (§5.2)
			     00 ff 80
`},
		{"the first fragment", traced("01 01 | 61", ws.StateReady), `
			< 01 01                               server receives text at offset 0, ready -> in text
			     0... ....  FIN=0                 the first fragment, more follow (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     61                               "a"
`},
		{"one in the middle", traced("00 01 | 62", ws.StateInText), `
			< 00 01                               server receives continuation at offset 0, in text -> in text
			     0... ....  FIN=0                 more fragments follow (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     62                               "b"
`},
		{"the last", traced("80 01 | 63", ws.StateInText), `
			< 80 01                               server receives continuation at offset 0, in text -> ready
			     1... ....  FIN=1                 the last fragment (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     63                               "c"
`},
		{"a continuation of what is no text", traced("80 02 | 63ff", ws.StateInBinary), `
			< 80 02                               server receives continuation at offset 0, in binary -> ready
			     1... ....  FIN=1                 the last fragment (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0010  length=2              bytes of payload (§5.2)
			     63 ff
`},
		{"a continuation of a text that is cut inside a code point", traced("00 02 | 63c3", ws.StateInText), `
			< 00 02                               server receives continuation at offset 0, in text -> in text
			     0... ....  FIN=0                 more fragments follow (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0010  length=2              bytes of payload (§5.2)
			     63 c3                            "c\xc3"
`},
		{"an empty ping", traced("89 00 |", ws.StateInBinary), `
			< 89 00                               server receives ping at offset 0, in binary -> in binary
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1001  opcode=9              ping (§5.5.2)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0000  length=0              bytes of payload (§5.2)
`},
		{"a pong", traced("8a 01 | 70", ws.StateReady), `
			< 8a 01                               server receives pong at offset 0, ready -> ready
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1010  opcode=a              pong (§5.5.3)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     70                               "p"
`},
		{"a long ping is shown whole", traced("89 28 | 30313233343536373839303132333435363738393031323334353637383930313233343536373839", ws.StateReady), `
			< 89 28                               server receives ping at offset 0, ready -> ready
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1001  opcode=9              ping (§5.5.2)
			     0... ....  MASK=0                not masked (§5.1)
			     .010 1000  length=40             bytes of payload (§5.2)
			     30 31 32 33 34 35 36 37          "01234567"
			     38 39 30 31 32 33 34 35          "89012345"
			     36 37 38 39 30 31 32 33          "67890123"
			     34 35 36 37 38 39 30 31          "45678901"
			     32 33 34 35 36 37 38 39          "23456789"
`},
		{"a close with a reason", traced("88 05 | 03e8627965", ws.StateReady), `
			< 88 05                               server receives close at offset 0, ready -> closed
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1000  opcode=8              close (§5.5.1)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0101  length=5              bytes of payload (§5.2)
			     03 e8                            code 1000 (normal closure) (§7.4)
			     62 79 65                         "bye"
`},
		{"a close with a code only", traced("88 02 | 0fa0", ws.StateReady), `
			< 88 02                               server receives close at offset 0, ready -> closed
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1000  opcode=8              close (§5.5.1)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0010  length=2              bytes of payload (§5.2)
			     0f a0                            code 4000 (§7.4)
`},
		{"a close of one byte", traced("88 01 | 03", ws.StateReady), `
			< 88 01                               server receives close at offset 0, ready -> closed
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1000  opcode=8              close (§5.5.1)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     03                               "\x03"
`},
		{"a close with a reason that is no text", traced("88 03 | 03e8ff", ws.StateReady), `
			< 88 03                               server receives close at offset 0, ready -> closed
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1000  opcode=8              close (§5.5.1)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0011  length=3              bytes of payload (§5.2)
			     03 e8                            code 1000 (normal closure) (§7.4)
			     ff                               "\xff"
`},
		{"a control frame of a reserved opcode, fragmented", altered(traced("0b 00 |", ws.StateReady), func(e *ws.TraceEvent) { e.Rule, e.Detail = ws.RuleOpcode, "reserved opcode 0xb" }), `
			< 0b 00                               server receives reserved opcode 0xb at offset 0, ready -> ready
			     0... ....  FIN=0                 fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1011  opcode=b              reserved opcode 0xb (§5.2)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0000  length=0              bytes of payload (§5.2)
			     BREAKS 5.2-opcode: opcodes 3 to 7 and B to F are reserved (§5.2), close with 1002 (protocol error)
			     reserved opcode 0xb
`},
		{"RSV2 and 3", altered(traced("b1 00 |", ws.StateReady), func(e *ws.TraceEvent) { e.Rule = ws.RuleRSV }), `
			< b1 00                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .011 ....  RSV1-3=3              RSV2, RSV3 set (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0000  length=0              bytes of payload (§5.2)
			     BREAKS 5.2-rsv: RSV1 to RSV3 are 0 unless an extension gave them a meaning (§5.2), close with 1002 (protocol error)
`},
		{"RSV1 without compression", traced("c1 00 |", ws.StateReady), `
			< c1 00                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .100 ....  RSV1-3=4              RSV1 set (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0000  length=0              bytes of payload (§5.2)
`},
		{"a length of 16 bits", traced("82 7e 007e | "+strings.Repeat("ab", 126), ws.StateReady), `
			< 82 7e 00 7e                         server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .111 1110  length=126            the length takes 16 bits more (§5.2)
			     00 7e                            126 bytes of payload (§5.2)
			     ab ab ab ab ab ab ab ab
			     ab ab ab ab ab ab ab ab
			     ab ab ab ab ab ab ab ab
			     ab ab ab ab ab ab ab ab
			     (32 of 126 bytes)
`},
		{"a length of 64 bits, masked", traced("82 ff 0000000000010000 00000000 | "+strings.Repeat("61", 128), ws.StateReady), `
			< 82 ff 00 00 00 00 00 01 00 00 00 00 00 00 server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     1... ....  MASK=1                a masking key follows (§5.1)
			     .111 1111  length=127            the length takes 64 bits more (§5.2)
			     00 00 00 00 00 01 00 00          65536 bytes of payload (§5.2)
			     00 00 00 00                      masking key (§5.3)
			     61 61 61 61 61 61 61 61          payload, masked (§5.3)
			     61 61 61 61 61 61 61 61          payload, masked (§5.3)
			     61 61 61 61 61 61 61 61          payload, masked (§5.3)
			     61 61 61 61 61 61 61 61          payload, masked (§5.3)
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     (32 of 65536 bytes)
`},
		{"a length that is not all there", altered(traced("82 7e 00 |", ws.StateReady), func(e *ws.TraceEvent) { e.Header = ws.Header{Fin: true, Opcode: ws.OpBinary} }), `
			< 82 7e 00                            server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .111 1110  length=126            the length takes 16 bits more (§5.2)
`},
		{"a key that is not all there", altered(traced("82 81 37fa21 |", ws.StateReady), func(e *ws.TraceEvent) { e.Header = ws.Header{Fin: true, Opcode: ws.OpBinary, Masked: true, Length: 1} }), `
			< 82 81 37 fa 21                      server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     1... ....  MASK=1                a masking key follows (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
`},
		{"a first byte", altered(traced("82 00 |", ws.StateReady), func(e *ws.TraceEvent) { e.Wire = e.Wire[:1] }), `
			< 82                                  server receives binary at offset 0, ready -> ready
`},
		{"eight bytes are a line", traced("81 08 | 3031323334353637", ws.StateReady), `
			< 81 08                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1000  length=8              bytes of payload (§5.2)
			     30 31 32 33 34 35 36 37          "01234567"
`},
		{"nine are two", traced("82 09 | 303132333435363738", ws.StateReady), `
			< 82 09                               server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1001  length=9              bytes of payload (§5.2)
			     30 31 32 33 34 35 36 37          "01234567"
			     38                               "8"
`},
		{"lines are cut between code points", traced("81 0c | 303132333435f09f9880363738", ws.StateReady), `
			< 81 0c                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1100  length=12             bytes of payload (§5.2)
			     30 31 32 33 34 35                "012345"
			     f0 9f 98 80 36 37 38             "😀678"
`},
		{"and before the last byte of one", traced("81 0a | 30313233343536 c3a9 37", ws.StateReady), `
			< 81 0a                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1010  length=10             bytes of payload (§5.2)
			     30 31 32 33 34 35 36             "0123456"
			     c3 a9 37                         "é7"
`},
		{"what is no text is cut anywhere", traced("82 09 | 30 8080808080808080", ws.StateReady), `
			< 82 09                               server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1001  length=9              bytes of payload (§5.2)
			     30 80 80 80 80 80 80 80
			     80
`},
		{"nor where a code point could not be as long", traced("82 09 | 30303030 f080808080", ws.StateReady), `
			< 82 09                               server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1001  length=9              bytes of payload (§5.2)
			     30 30 30 30 f0 80 80 80
			     80
`},
		{"32 bytes of data are shown", traced("81 20 | "+strings.Repeat("61", 32), ws.StateReady), `
			< 81 20                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .010 0000  length=32             bytes of payload (§5.2)
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
`},
		{"and no more", traced("81 21 | "+strings.Repeat("61", 33), ws.StateReady), `
			< 81 21                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .010 0001  length=33             bytes of payload (§5.2)
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     (32 of 33 bytes)
`},
		{"a compressed text", altered(traced("c1 07 | f248cdc9c90700", ws.StateReady), func(e *ws.TraceEvent) { e.Compressed, e.Content, e.ContentLength = true, []byte("Hello"), 5 }), `
			< c1 07                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .100 ....  RSV1-3=4              RSV1: a compressed message (RFC 7692 §6)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0111  length=7              bytes of payload (§5.2)
			     f2 48 cd c9 c9 07 00             compressed (RFC 7692 §7.2.1)
			     5 bytes inflated                 (RFC 7692 §7.2.2)
			     48 65 6c 6c 6f                   "Hello"
`},
		{"the first part of one", altered(traced("41 03 | f248cd", ws.StateReady), func(e *ws.TraceEvent) { e.Compressed = true }), `
			< 41 03                               server receives text at offset 0, ready -> in text
			     0... ....  FIN=0                 the first fragment, more follow (§5.4)
			     .100 ....  RSV1-3=4              RSV1: a compressed message (RFC 7692 §6)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0011  length=3              bytes of payload (§5.2)
			     f2 48 cd                         compressed (RFC 7692 §7.2.1)
`},
		{"the last part of one, cut off by the trace", altered(traced("80 01 | 00", ws.StateInText), func(e *ws.TraceEvent) {
			e.Compressed, e.Content, e.ContentLength = true, []byte(strings.Repeat("0123456\xff", 16)), 1000
		}), `
			< 80 01                               server receives continuation at offset 0, in text -> ready
			     1... ....  FIN=1                 the last fragment (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     00                               compressed (RFC 7692 §7.2.1)
			     1000 bytes inflated              (RFC 7692 §7.2.2)
			     30 31 32 33 34 35 36 ff          "0123456\xff"
			     30 31 32 33 34 35 36 ff          "0123456\xff"
			     30 31 32 33 34 35 36 ff          "0123456\xff"
			     30 31 32 33 34 35 36 ff          "0123456\xff"
			     (32 of 1000 bytes)
`},
		{"nine bytes of content are two lines", altered(traced("c1 01 | 00", ws.StateReady), func(e *ws.TraceEvent) { e.Compressed, e.Content, e.ContentLength = true, []byte("012345678"), 9 }), `
			< c1 01                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .100 ....  RSV1-3=4              RSV1: a compressed message (RFC 7692 §6)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     00                               compressed (RFC 7692 §7.2.1)
			     9 bytes inflated                 (RFC 7692 §7.2.2)
			     30 31 32 33 34 35 36 37          "01234567"
			     38                               "8"
`},
		{"compressed data that inflates to no text", altered(traced("c2 09 | 000102030405060708", ws.StateReady), func(e *ws.TraceEvent) { e.Compressed, e.Content, e.ContentLength = true, []byte("\xff\xfe"), 2 }), `
			< c2 09                               server receives binary at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .100 ....  RSV1-3=4              RSV1: a compressed message (RFC 7692 §6)
			     .... 0010  opcode=2              binary (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 1001  length=9              bytes of payload (§5.2)
			     00 01 02 03 04 05 06 07          compressed (RFC 7692 §7.2.1)
			     08                               compressed (RFC 7692 §7.2.1)
			     2 bytes inflated                 (RFC 7692 §7.2.2)
			     ff fe
`},
		{"the last part of a compressed binary message", altered(traced("80 01 | 00", ws.StateInBinary), func(e *ws.TraceEvent) {
			e.Compressed, e.Content, e.ContentLength = true, []byte(strings.Repeat("a", 31)+"\xff"), 32
		}), `
			< 80 01                               server receives continuation at offset 0, in binary -> ready
			     1... ....  FIN=1                 the last fragment (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0000  opcode=0              continuation (§5.4)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0001  length=1              bytes of payload (§5.2)
			     00                               compressed (RFC 7692 §7.2.1)
			     32 bytes inflated                (RFC 7692 §7.2.2)
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 61          "aaaaaaaa"
			     61 61 61 61 61 61 61 ff
`},
		{"a frame after a Close frame", altered(traced("89 00 |", ws.StateClosed), func(e *ws.TraceEvent) { e.Rule, e.Detail = ws.RuleAfterClose, "ping frame after a Close frame" }), `
			< 89 00                               server receives ping at offset 0, closed -> closed
			     1... ....  FIN=1                 not fragmented (§5.5)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 1001  opcode=9              ping (§5.5.2)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0000  length=0              bytes of payload (§5.2)
			     BREAKS 5.5.1-after-close: nothing follows a Close frame; what does is ignored (§5.5.1), which is ignored
			     ping frame after a Close frame
`},
		{"a breach outside of any frame", ws.TraceEvent{Conn: 3, Before: ws.StateInText, Rule: ws.RuleMessageTime, Detail: "late\x1b\xff"}, `
			#3 < no frame, in text
			     BREAKS 10.4-message-time: a message that has begun ends within a time limit (§10.4), close with 1008 (policy violation)
			     late\x1b\xff
`},
		{"one of no connection", ws.TraceEvent{Rule: ws.RuleConnections, Detail: "the server is full"}, `
			     BREAKS 10.4-connections: the server has a limited number of connections, and none once it shuts down (§10.4), answer with HTTP 503
			     the server is full
`},
		{"one of a client", ws.TraceEvent{Sent: true, Rule: ws.RuleStatus}, `
			     BREAKS 4.1-status: the server answers with status 101 (§4.1), the dial fails
`},
		{"nothing at all", ws.TraceEvent{}, `
`},
		{"no frame, sent", ws.TraceEvent{Conn: 1, Sent: true}, `
			#1 > no frame, ready
`},
		{"a request", ws.TraceEvent{Conn: 2, Handshake: "GET / HTTP/1.1\r\nHost: a\x1b\xff\r\n\r\n"}, `
			#2 < GET / HTTP/1.1
			#2 < Host: a\x1b\xff
			#2 <
`},
		{"a line with quotes is as it was", ws.TraceEvent{Handshake: "Cookie: a=\"\\b\"\r\n"}, `
			< Cookie: a="\b"
`},
		{"one that was parsed", ws.TraceEvent{Handshake: "GET / HTTP/1.1\r\n\r\n", Parsed: true, Rule: ws.RuleKey, Detail: "0 keys"}, `
			< GET / HTTP/1.1
			<
			     (as net/http has parsed it: the order and spelling of the lines are not known)
			     BREAKS 4.1-key: there is one Sec-WebSocket-Key, the base64 of 16 bytes (§4.1), answer with HTTP 400
			     0 keys
`},
		{"an answer that net/http sends", ws.TraceEvent{Sent: true, Handshake: "HTTP/1.1 400 Bad Request\r\n\r\n", Parsed: true}, `
			> HTTP/1.1 400 Bad Request
			>
			     (as it was given to net/http, which orders the lines and adds some)
`},
		{"a text with what is not printable", traced("81 03 | c2a00a", ws.StateReady), `
			< 81 03                               server receives text at offset 0, ready -> ready
			     1... ....  FIN=1                 a whole message (§5.4)
			     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
			     .... 0001  opcode=1              text (§5.6)
			     0... ....  MASK=0                not masked (§5.1)
			     .000 0011  length=3              bytes of payload (§5.2)
			     c2 a0 0a                         "\u00a0\n"
`},
	} {
		want := strings.ReplaceAll(strings.TrimPrefix(tt.want, "\n"), "\n\t\t\t", "\n")
		want = strings.TrimPrefix(want, "\t\t\t")
		if diff := cmp.Diff("before\n"+want, string(wstrace.Append([]byte("before\n"), tt.e))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
