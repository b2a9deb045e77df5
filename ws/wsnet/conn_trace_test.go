package wsnet_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"

	"github.com/google/go-cmp/cmp"
)

// A ctTrace notes events in a short form.
type ctTrace struct {
	mu        sync.Mutex
	in, out   []string
	end       [2]int64 // where the last frame of each direction ended
	handshake int
}

func (tr *ctTrace) event(e ws.TraceEvent) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if e.Handshake != "" {
		tr.handshake++
		return
	}
	s := fmt.Sprintf("%v fin=%v %d %v->%v %q", e.Header.Opcode, e.Header.Fin, e.Offset, e.Before, e.After, e.Payload)
	if e.Rule != "" {
		s += " breaks " + string(e.Rule)
	}
	if e.Sent {
		tr.out = append(tr.out, s)
		tr.end[1] = e.Offset + int64(len(e.Wire)) + e.Header.Length
	} else {
		tr.in = append(tr.in, s)
		tr.end[0] = e.Offset + int64(len(e.Wire)) + e.Header.Length
	}
}

func TestConnTraceAndStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := new(ctTrace)
		c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, Trace: tr.event})
		p.SendFrame(wstest.Text("Hello"))
		p.SendFrame(wstest.Frame{Opcode: ws.OpBinary, Payload: []byte("Hel")})
		p.SendFrame(wstest.Ping("p"))
		p.SendFrame(wstest.Pong(""))
		p.SendFrame(wstest.Frame{Fin: true, Opcode: ws.OpContinuation, Payload: []byte("lo")})
		p.SendFrame(wstest.Text(strings.Repeat("x", 300)))
		ctRead(t, "one", c, ws.OpText, "Hello")
		ctRead(t, "two", c, ws.OpBinary, "Hello")
		ctRead(t, "three", c, ws.OpText, strings.Repeat("x", 300))

		w, err := c.Writer(t.Context(), ws.OpText)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, strings.Repeat("y", 5000))
		w.Close()
		prepared, _ := wsnet.Prepare(ws.OpBinary, []byte("prepared"))
		c.WritePrepared(t.Context(), prepared)
		p.SendFrame(wstest.Close(ws.CodeNormal, "bye"))
		_, _, err = c.Read(t.Context())
		ctCloseError(t, "the end", err, ws.CodeNormal, true)

		first := func(n int, s string) string { return fmt.Sprintf("%q", strings.Repeat(s, n)) }
		wantIn := []string{
			`text fin=true 0 ready->ready "Hello"`,
			`binary fin=false 11 ready->in binary "Hel"`,
			`ping fin=true 20 in binary->in binary "p"`,
			`pong fin=true 27 in binary->in binary ""`,
			`continuation fin=true 33 in binary->ready "lo"`,
			`text fin=true 41 ready->ready ` + first(300, "x"),
			`close fin=true 349 ready->closed "\x03\xe8bye"`,
		}
		wantOut := []string{
			`pong fin=true 0 ready->ready "p"`,
			`text fin=false 3 ready->in text ` + first(ws.TracePayload, "y"),
			`continuation fin=true 5007 in text->ready ""`,
			`binary fin=true 5009 ready->ready "prepared"`,
			`close fin=true 5019 ready->closed "\x03\xe8"`,
		}
		if d := cmp.Diff(wantIn, tr.in); d != "" {
			t.Errorf("received (-want +got):\n%s", d)
		}
		if d := cmp.Diff(wantOut, tr.out); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
		want := wsnet.Stats{MessagesIn: 3, MessagesOut: 2, FramesIn: 7, FramesOut: 5,
			BytesIn: 349 + 11, BytesOut: 5019 + 4, PingsIn: 1, PongsOut: 1, Unsolicited: 1}
		if d := cmp.Diff(want, c.Stats()); d != "" {
			t.Errorf("Stats (-want +got):\n%s", d)
		}
		if tr.end != [2]int64{360, 5023} {
			t.Errorf("the last frames end at %v", tr.end)
		}
	})
}

func TestConnTraceViolation(t *testing.T) {
	for wire, want := range map[string]string{
		"81 82 | 00000000 | 'a' ff":       `text fin=true 0 ready->ready "a\xff" breaks 8.1-text-utf8`,
		"83 80 | 00000000":                `reserved opcode 0x3 fin=true 0 ready->ready "" breaks 5.2-opcode`,
		"88 82 | 00000000 | 03 ed":        `close fin=true 0 ready->ready "\x03\xed" breaks 7.4-close-code`,
		"80 80 | 00000000":                `continuation fin=true 0 ready->ready "" breaks 5.4-continuation`,
		"02 80 | 00000000 | 01 80 | 0000": `text fin=false 6 in binary->in binary "" breaks 5.4-interleaved`,
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := new(ctTrace)
			c, p := ctConn(t, ws.RoleServer, &wsnet.Options{PingInterval: -1, Trace: tr.event})
			p.Send(wire)
			c.Read(t.Context())
			if got := tr.in[len(tr.in)-1]; got != want {
				t.Errorf("%s\ngot  %s\nwant %s", wire, got, want)
			}
		})
	}
}

// A header that comes in pieces is one event, as when it comes whole, and one
// that breaks a rule shows what came of it.
func TestConnTraceHeaderInPieces(t *testing.T) {
	const frames = "01 01 61 | 89 00 | 80 7e 00 7e" + "\n"
	payload := strings.Repeat("x", 126)
	for _, tt := range []struct {
		name, wire string
		broken     ws.RuleID
		shown      string // of the last header
	}{
		{"all is well", frames, "", "80 7e 00 7e"},
		{"no opcode, and the length is still to come", frames + "83 7e", ws.RuleOpcode, "83 7e"},
		{"no opcode, and all is there", "83 7e 01 00", ws.RuleOpcode, "83 7e 01 00"},
		{"a byte too long for its length", "82 7e 00 01", ws.RuleMinimalLength, "82 7e 00 01"},
	} {
		run := func(t *testing.T, pieces bool) (events []string) {
			synctest.Test(t, func(t *testing.T) {
				c, p := ctConn(t, ws.RoleClient, &wsnet.Options{PingInterval: -1, Trace: func(e ws.TraceEvent) {
					if !e.Sent && e.Handshake == "" {
						events = append(events, fmt.Sprintf("% x %d %v->%v %q %s", e.Wire, e.Offset, e.Before, e.After, e.Payload, e.Rule))
					}
				}})
				done := ctAsync(func() error { _, _, err := c.Read(t.Context()); return err })
				first, last, two := strings.Cut(tt.wire, "\n")
				b := wstest.MustHex(first)
				if two {
					b = append(append(b, payload...), wstest.MustHex(last)...)
				}
				for _, x := range b {
					if p.SendBytes([]byte{x}); pieces {
						synctest.Wait()
					}
				}
				err := <-done
				if tt.broken != "" && err == nil {
					_, _, err = c.Read(t.Context())
				}
				if pe, _ := errors.AsType[*ws.ProtocolError](err); (pe == nil) != (tt.broken == "") || pe != nil && pe.Rule != tt.broken {
					t.Fatalf("got %v, want rule %q", err, tt.broken)
				}
			})
			return events
		}
		t.Run(tt.name, func(t *testing.T) {
			whole, pieces := run(t, false), run(t, true)
			if len(whole) == 0 || !strings.HasPrefix(whole[len(whole)-1], tt.shown+" ") {
				t.Errorf("whole: %q, want the last to show %s", whole, tt.shown)
			}
			if tt.broken == "" || tt.shown == "83 7e" {
				if d := cmp.Diff(whole, pieces); d != "" {
					t.Errorf("in pieces it is not as whole (-whole +pieces)\n%s", d)
				}
			}
		})
	}
}
