package ws_test

import (
	"strings"
	"testing"

	"framewright/ws"
)

// Which frames may go out after which: "text…" and the like have FIN=0, "-" takes the
// frame before it back, and what follows a "!" is the rule against the frame.
func TestSender(t *testing.T) {
	opcodes := map[string]ws.Opcode{"text": ws.OpText, "binary": ws.OpBinary, "cont": ws.OpContinuation,
		"ping": ws.OpPing, "pong": ws.OpPong, "close": ws.OpClose, "3": 3, "b": 0xB, "f": 0xF}
	for _, tt := range []struct {
		frames        string
		before, state ws.State
	}{
		{"", ws.StateReady, ws.StateReady},
		{"text", ws.StateReady, ws.StateReady},
		{"text…", ws.StateReady, ws.StateInText},
		{"binary…", ws.StateReady, ws.StateInBinary},
		{"binary… cont…", ws.StateInBinary, ws.StateInBinary},
		{"text… ping pong cont… cont", ws.StateInText, ws.StateReady},
		{"text… text!5.4-interleaved", ws.StateReady, ws.StateInText},
		{"text… binary…!5.4-interleaved cont", ws.StateInText, ws.StateReady},
		{"cont!5.4-continuation", ws.StateReady, ws.StateReady},
		{"cont…!5.4-continuation text", ws.StateReady, ws.StateReady},
		{"close", ws.StateReady, ws.StateClosed},
		{"ping… pong…", ws.StateReady, ws.StateReady}, // that a control frame has FIN is not for it to see to
		{"text… close ping!5.5.1-after-close close!5.5.1-after-close", ws.StateInText, ws.StateClosed},
		{"3!5.2-opcode b!5.2-opcode f!5.2-opcode", ws.StateReady, ws.StateReady},
		{"text… -", ws.StateReady, ws.StateReady},
		{"text… cont -", ws.StateInText, ws.StateInText},
		{"close - text", ws.StateReady, ws.StateReady},
	} {
		for _, role := range []ws.Role{ws.RoleServer, ws.RoleClient} {
			s := ws.NewSender(role)
			if s.Role() != role {
				t.Errorf("%s of a %v: %v", tt.frames, role, s.Role())
			}
			for _, frame := range strings.Fields(tt.frames) {
				if frame == "-" {
					s.Undo()
					continue
				}
				name, rule, _ := strings.Cut(frame, "!")
				name, more := strings.CutSuffix(name, "…")
				h := ws.Header{Fin: !more, Opcode: opcodes[name], Masked: role == ws.RoleServer}
				if got := s.Begin(&h); got != ws.RuleID(rule) {
					t.Errorf("%s of a %v: %s: %q", tt.frames, role, frame, got)
				}
				if h.Masked != (role == ws.RoleClient) {
					t.Errorf("%s of a %v: masked: %v", tt.frames, role, h.Masked)
				}
			}
			if s.Before() != tt.before || s.State() != tt.state {
				t.Errorf("%s of a %v: %v, then %v; want %v, then %v", tt.frames, role, s.Before(), s.State(), tt.before, tt.state)
			}
		}
	}
}
