package ws_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/internal/deflate"
	"framewright/ws/wstest"
)

// Two endpoints talk in memory: a message in fragments with a ping in between, a message
// back, and a closing handshake; then a violation.
func ExampleEndpoint() {
	var toServer, toClient []byte
	server := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	client := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Key: func() [4]byte { return wstest.Key }})
	now := ws.Moment(1)

	// deliver hands an endpoint what has come, tells what that amounts to, and returns
	// what the endpoint owes for it.
	deliver := func(name string, e *ws.Endpoint, b []byte) (owed []byte) {
		for ev, err := range e.Receive(b, now) {
			if err != nil {
				fmt.Println(name, "ends:", err)
				break
			}
			fmt.Printf("%s gets %v %q, fin %v\n", name, ev.Opcode, ev.Payload, ev.Fin)
		}
		return e.Owed(nil)
	}

	toServer, _ = client.AppendFragment(toServer, ws.OpText, false, []byte("Hel"))
	toServer, _ = client.AppendPing(toServer, now) // between the fragments
	toServer, _ = client.AppendFragment(toServer, ws.OpContinuation, true, []byte("lo"))
	toClient = deliver("server", server, toServer) // and owes a pong
	toClient, _ = server.AppendMessage(toClient, ws.OpText, []byte("Hello yourself"))
	deliver("client", client, toClient)

	toServer, _ = client.AppendClose(nil, ws.CodeNormal, "bye")
	toClient = deliver("server", server, toServer)
	fmt.Printf("server owes % x\n", toClient)
	deliver("client", client, toClient)

	// A client must mask what it sends: another server knows after two bytes.
	server = ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	toClient = deliver("server", server, wstest.MustHex("81 05 | 'Hello'"))
	code, reason, _ := ws.ParseClose(toClient[2:])
	fmt.Println("server owes close", code, reason)
	// Output:
	// server gets text "Hel", fin false
	// server gets ping "\x00\x00\x00\x00\x00\x00\x00\x01", fin true
	// server gets text "lo", fin true
	// client gets pong "\x00\x00\x00\x00\x00\x00\x00\x01", fin true
	// client gets text "Hello yourself", fin true
	// server gets close "\x03\xe8bye", fin true
	// server ends: ws: closed by the peer with 1000 (normal closure): "bye"
	// server owes 88 02 03 e8
	// client gets close "\x03\xe8", fin true
	// client ends: ws: closed by this endpoint with 1000 (normal closure): "bye"
	// server ends: ws: closed by this endpoint with 1002 (protocol error): unmasked text frame from a client (§5.1)
	// server owes close 1002 (protocol error) unmasked text frame from a client (§5.1)
}

// heard is what an Endpoint makes of wire, given in pieces of n bytes (0: at once):
// messages and control frames, a line each, what it owes, and its end.
func heard(e *ws.Endpoint, wire []byte, n int) (lines []string, owed []byte, end error) {
	message := ""
	if n == 0 {
		n = max(1, len(wire))
	}
	for len(wire) > 0 {
		piece := append([]byte(nil), wire[:min(n, len(wire))]...)
		wire = wire[len(piece):]
		for ev, err := range e.Receive(piece, 1) {
			switch {
			case err != nil:
				end = err
			case ev.Opcode >= ws.OpClose:
				lines = append(lines, fmt.Sprintf("%v %q", ev.Opcode, ev.Payload))
			case ev.Opcode == ws.OpContinuation:
				lines = append(lines, "an event about nothing")
			case !ev.Fin:
				message += string(ev.Payload)
			default:
				lines = append(lines, fmt.Sprintf("%v %q", ev.Opcode, message+string(ev.Payload)))
				message = ""
			}
		}
		owed = e.Owed(owed)
	}
	return lines, owed, end
}

func compressed(s string) string {
	return fmt.Sprintf("%x", ws.AppendFrame(nil, ws.Header{Fin: true, RSV: ws.RSV1, Opcode: ws.OpText}, deflate.NewCompressor(15, false).Append(nil, []byte(s))))
}

// What an endpoint hears and owes does not depend on how the bytes come.
func TestEndpoint(t *testing.T) {
	long := strings.Repeat("a long text ", 2000)
	for _, tt := range []struct {
		name, wire string
		role       ws.Role
		deflate    bool
		lines      []string
		owed, end  string
	}{
		{name: "a message", role: ws.RoleClient, wire: "81 02 'Hi'", lines: []string{`text "Hi"`}},
		{name: "fragments and a ping between", role: ws.RoleClient, wire: "01 01 'H' | 89 01 'p' | 80 01 'i'", lines: []string{`ping "p"`, `text "Hi"`}, owed: "8a 81 | 37fa213d | 47"},
		{name: "a pong for nothing", role: ws.RoleClient, wire: "8a 01 'x' | 82 00", lines: []string{`pong "x"`, `binary ""`}},
		{name: "a close", role: ws.RoleClient, wire: "88 03 03e8 'x' | 81 01 61", lines: []string{`close "\x03\xe8x"`}, owed: "88 82 | 37fa213d | 3412", end: `ws: closed by the peer with 1000 (normal closure): "x"`},
		{name: "a close without a code", role: ws.RoleServer, wire: "88 80 | 00000000", lines: []string{`close ""`}, owed: "88 00", end: "ws: closed by the peer with 1005 (no status received)"},
		{name: "a ping and a close", role: ws.RoleServer, wire: "89 81 | 00000000 | 70 || 88 80 | 00000000", lines: []string{`ping "p"`, `close ""`}, owed: "8a 01 70 | 88 00", end: "ws: closed by the peer with 1005 (no status received)"},
		{name: "text that is none", role: ws.RoleClient, wire: "81 01 ff", owed: "", end: "ws: closed by this endpoint with 1007 (invalid frame payload data): text message is not UTF-8: byte 0xff at offset 0 (§8.1)"},
		{name: "a bad close", role: ws.RoleClient, wire: "88 01 00", end: "ws: closed by this endpoint with 1002 (protocol error): close payload of one byte (§5.5.1)"},
		{name: "a compressed message", role: ws.RoleClient, deflate: true, wire: compressed("Hello, Hello"), lines: []string{`text "Hello, Hello"`}},
		{name: "a long one, and one that is not", role: ws.RoleClient, deflate: true, wire: compressed(long) + "81 01 61", lines: []string{fmt.Sprintf("text %q", long), `text "a"`}},
		{name: "an empty compressed message", role: ws.RoleClient, deflate: true, wire: "c1 01 00", lines: []string{`text ""`}},
		{name: "one that does not inflate", role: ws.RoleClient, deflate: true, wire: "c1 01 ff", end: "ws: closed by this endpoint with 1007"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := wstest.MustHex(strings.ReplaceAll(tt.wire, "||", "|"))
			for _, n := range []int{0, 1, 2, 7} {
				setup := ws.Setup{Role: tt.role, Key: func() [4]byte { return wstest.Key }}
				if tt.deflate {
					setup.Deflate = &ws.DeflateParams{}
				}
				e := ws.NewEndpoint(setup)
				lines, owed, end := heard(e, wire, n)
				if diff := cmp.Diff(tt.lines, lines); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", n, diff)
				}
				if tt.owed != "" {
					if diff := cmp.Diff(wstest.MustHex(tt.owed), owed); diff != "" {
						t.Errorf("in pieces of %d, owed (-want +got):\n%s", n, diff)
					}
				}
				if got := fmt.Sprint(end); end == nil && tt.end != "" || end != nil && (tt.end == "" || !strings.HasPrefix(got, tt.end)) {
					t.Errorf("in pieces of %d, the end is %v, want %s", n, end, tt.end)
				}
				if e.End() != end && (e.End() == nil) != (end == nil) {
					t.Errorf("End is %v, Receive said %v", e.End(), end)
				}
			}
		})
	}
}

// Of many pings before anything can be sent, the newest is answered.
func TestEndpointAnswersTheNewestPing(t *testing.T) {
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer})
	for range e.Receive(wstest.MustHex("89 81 00000000 61 | 89 81 00000000 62"), 1) {
	}
	if got := e.Owed(nil); string(got) != "\x8a\x01b" {
		t.Errorf("owes % x", got)
	}
	if got := e.Owed(nil); len(got) != 0 {
		t.Errorf("and owes % x again", got)
	}
}

// What does not depend on bytes alone depends on the moments that are handed in.
func TestEndpointTime(t *testing.T) {
	const second = 1_000_000_000
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Limits: ws.Limits{MessageTime: 5 * second}})
	for range e.Receive(wstest.MustHex("01 01 61"), 10*second) {
	}
	if got := e.Deadline(); got != 15*second {
		t.Errorf("deadline %d, want 15 s", got)
	}
	if err := e.Expire(15*second - 1); err != nil {
		t.Errorf("too early: %v", err)
	}
	err := e.Expire(15 * second)
	pe, ok := errors.AsType[*ws.ProtocolError](err)
	if !ok || pe.Rule != ws.RuleMessageTime || pe.Detail != "message unfinished after 5s, the limit that MessageTimeout sets" {
		t.Errorf("late: %v", err)
	}
	// Rates: ten seconds' worth at once, then so many a second.
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Limits: ws.Limits{PingRate: 2, EmptyRate: 1}})
	ping := func(at ws.Moment) (err error) {
		for _, err = range e.Receive(wstest.MustHex("89 00"), at) {
		}
		return err
	}
	for i := range 20 {
		if err := ping(100 * second); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := ping(100*second + second/2); err != nil {
		t.Error(err)
	}
	if pe, ok := errors.AsType[*ws.ProtocolError](ping(100*second + second/2)); !ok || pe.Rule != ws.RulePingRate {
		t.Error("21 pings pass")
	}
	e = ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Limits: ws.Limits{EmptyRate: 1}})
	_, _, end := heard(e, wstest.MustHex(strings.Repeat("81 00", 11)), 0)
	if pe, ok := errors.AsType[*ws.ProtocolError](end); !ok || pe.Rule != ws.RuleEmptyRate {
		t.Errorf("eleven empty messages: %v", end)
	}
}

// What may be sent, and what not.
func TestEndpointSends(t *testing.T) {
	e := ws.NewEndpoint(ws.Setup{Role: ws.RoleServer, Deflate: &ws.DeflateParams{ServerNoContext: true}})
	if _, err := e.AppendMessage(nil, ws.OpText, []byte("\xff")); err != ws.ErrNotUTF8 {
		t.Error(err)
	}
	if _, err := e.AppendFragment(nil, ws.OpPing, true, nil); err != ws.ErrOpcode {
		t.Error(err)
	}
	if _, err := e.AppendFragment(nil, ws.OpContinuation, true, nil); err != ws.ErrInMessage {
		t.Error(err)
	}
	b, err := e.AppendFragment(nil, ws.OpText, false, []byte("a"))
	if err != nil || string(b) != "\x01\x01a" {
		t.Errorf("% x, %v", b, err)
	}
	if _, err := e.AppendMessage(nil, ws.OpText, []byte("b")); err != ws.ErrInMessage {
		t.Error(err)
	}
	if b, err = e.AppendFragment(nil, ws.OpContinuation, true, nil); err != nil || string(b) != "\x80\x00" {
		t.Errorf("% x, %v", b, err)
	}
	long := strings.Repeat("a long text ", 100)
	if b, err = e.AppendMessage(nil, ws.OpText, []byte(long)); err != nil || len(b) > 100 || b[0] != 0xC1 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	peer := ws.NewEndpoint(ws.Setup{Role: ws.RoleClient, Deflate: &ws.DeflateParams{}})
	if lines, _, end := heard(peer, b, 0); end != nil || len(lines) != 1 || lines[0] != fmt.Sprintf("text %q", long) {
		t.Errorf("the peer hears %q, %v", lines, end)
	}
	if b, err = e.AppendClose(nil, 1005, ""); err != nil || string(b) != "\x88\x00" {
		t.Errorf("% x, %v", b, err)
	}
	for _, send := range []func() ([]byte, error){
		func() ([]byte, error) { return e.AppendMessage(nil, ws.OpText, nil) },
		func() ([]byte, error) { return e.AppendPing(nil, 1) },
		func() ([]byte, error) { return e.AppendClose(nil, 1000, "") },
	} {
		if b, err := send(); err == nil || len(b) != 0 {
			t.Errorf("after a Close frame: % x, %v", b, err)
		}
	}
	if err := e.Lost(io.ErrUnexpectedEOF); err == nil || !errors.Is(err, io.ErrUnexpectedEOF) || e.End() != err {
		t.Errorf("lost: %v, then %v", err, e.End())
	}
}
