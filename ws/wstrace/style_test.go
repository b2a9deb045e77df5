package wstrace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstrace"
)

// The other forms of an event: one line, more of the payload, colours.
func TestStyle(t *testing.T) {
	text := func(s string) ws.TraceEvent {
		return ws.TraceEvent{Conn: 7, Wire: []byte{0x81, byte(len(s))}, Header: ws.Header{Fin: true, Opcode: ws.OpText, Length: int64(len(s))}, Payload: []byte(s)}
	}
	const json = `{"type":"message","text":"a longer one that is cut in lines"}`
	closing := traced("88 05 | 03e9 'bye'", ws.StateReady)
	closing.Sent = true
	for _, tt := range []struct {
		name  string
		style wstrace.Style
		e     ws.TraceEvent
		want  string
	}{
		{"JSON, in one line", wstrace.Style{OneLine: true, Payload: 100}, text(json), "#7 < text 61 `" + json + "`\n"},
		{"cut", wstrace.Style{OneLine: true, Payload: 6}, text(json), "#7 < text 61 `{\"type` (6 of 61 bytes)\n"},
		{"cut to a byte", wstrace.Style{OneLine: true, Payload: 1}, text("hi"), "#7 < text 2 \"h\" (1 of 2 bytes)\n"},
		{"bytes that are text", wstrace.Style{OneLine: true}, traced("82 02 | 'hi'", ws.StateReady), "< binary 2 \"hi\"\n"},
		{"what turns a line around", wstrace.Style{OneLine: true}, text("\"\u202e"), `#7 < text 4 "\"\u202e"` + "\n"},
		{"a fragment of bytes", wstrace.Style{OneLine: true}, traced("02 03 | 00ff80", ws.StateReady), "< binary (more follows) 3 00 ff 80\n"},
		{"a Close", wstrace.Style{OneLine: true}, closing, "> close 5 code 1001 (going away) \"bye\"\n"},
		{"what a terminal would obey", wstrace.Style{OneLine: true}, text("\x1b[2J\"\x9b"), `#7 < text 6 "\x1b[2J\"\x9b"` + "\n"},
		{"a request", wstrace.Style{OneLine: true}, ws.TraceEvent{Conn: 7, Handshake: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}, "#7 < GET / HTTP/1.1\n"},
		{"a breach", wstrace.Style{OneLine: true}, ws.TraceEvent{Conn: 7, Rule: ws.RulePingRate},
			"#7 < no frame, ready\n     BREAKS 10.4-ping-rate: pings stay within a rate (§10.4), close with 1008 (policy violation)\n"},
		{"colours", wstrace.Style{OneLine: true, Color: true}, text("hi"), "\x1b[36m#7 < text 2 \"hi\"\x1b[0m\n"},
		{"colours of what is sent", wstrace.Style{OneLine: true, Color: true}, closing, "\x1b[32m> close 5 code 1001 (going away) \"bye\"\x1b[0m\n"},
		{"colours of a breach", wstrace.Style{Color: true}, ws.TraceEvent{Rule: ws.RulePingRate},
			"\x1b[31m     BREAKS 10.4-ping-rate: pings stay within a rate (§10.4), close with 1008 (policy violation)\x1b[0m\n"},
		{"a longer text, the first lines and then all of it", wstrace.Style{Payload: 100}, text(json), strings.TrimLeft(`
#7 < 81 3d                            server receives text at offset 0, ready -> ready
     1... ....  FIN=1                 a whole message (§5.4)
     .000 ....  RSV1-3=0              reserved for extensions (§5.2)
     .... 0001  opcode=1              text (§5.6)
     0... ....  MASK=0                not masked (§5.1)
     .011 1101  length=61             bytes of payload (§5.2)
     7b 22 74 79 70 65 22 3a          "{\"type\":"
     22 6d 65 73 73 61 67 65          "\"message"
     22 2c 22 74 65 78 74 22          "\",\"text\""
     3a 22 61 20 6c 6f 6e 67          ":\"a long"
     text: `+"`"+json+"`\n", "\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := string(tt.style.Append([]byte("before\n"), tt.e))
			if d := cmp.Diff("before\n"+tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
