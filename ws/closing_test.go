package ws_test

import (
	"errors"
	"strings"
	"testing"

	"framewright/ws"
)

// The reason for which a connection ends, and the Close frame that is owed (§5.5.1,
// §7.1.5, §7.1.6).
func TestEnds(t *testing.T) {
	sent := &ws.CloseError{Code: 4000, Reason: "enough"}
	broken := errors.New("broken pipe")
	violation := &ws.ProtocolError{Code: 1009, Rule: ws.RuleMessageSize, Section: "§10.4", Detail: strings.Repeat("x", 130)}
	byPeer := func(code ws.Code, reason string, sent *ws.CloseError) []*ws.CloseError {
		end, answer := ws.EndByPeer(code, reason, sent)
		return []*ws.CloseError{end, answer}
	}
	for _, tt := range []struct {
		name      string
		got, want []*ws.CloseError
	}{
		{"the peer closes: the same code is owed, and no reason", byPeer(1001, "bye", nil),
			[]*ws.CloseError{{Code: 1001, Reason: "bye", Remote: true}, {Code: 1001}}},
		{"the peer answers: the first code counts, and nothing is owed", byPeer(1001, "bye", sent), []*ws.CloseError{sent, nil}},
		{"a failure", []*ws.CloseError{ws.EndByFailure(1011, "no room", broken)}, []*ws.CloseError{{Code: 1011, Reason: "no room", Err: broken}}},
		{"a reason too long for a Close frame", []*ws.CloseError{ws.EndByFailure(1011, strings.Repeat("ä", 62), broken)},
			[]*ws.CloseError{{Code: 1011, Reason: strings.Repeat("ä", 61), Err: broken}}},
		{"a violation", []*ws.CloseError{ws.EndByViolation(violation)}, []*ws.CloseError{{Code: 1009, Reason: ws.FitReason(violation.Reason()), Err: violation}}},
		{"lost by the peer", []*ws.CloseError{ws.EndByLoss(broken, true, nil)}, []*ws.CloseError{{Code: 1006, Remote: true, Err: broken}}},
		{"lost by this endpoint", []*ws.CloseError{ws.EndByLoss(broken, false, nil)}, []*ws.CloseError{{Code: 1006, Err: broken}}},
		{"lost after a Close frame was sent", []*ws.CloseError{ws.EndByLoss(broken, true, sent)}, []*ws.CloseError{{Code: 4000, Reason: "enough", Err: broken}}},
	} {
		for i, want := range tt.want {
			if got := tt.got[i]; (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s, %d: %+v, want %+v", tt.name, i+1, got, want)
			}
		}
	}
	if sent.Err != nil {
		t.Error("what was sent has changed")
	}
}
