package ws_test

import (
	"testing"

	"framewright/ws"
)

// Letters are folded one by one, from the first to the last, and nothing that
// is next to them.
func TestCheckOriginFoldsLetters(t *testing.T) {
	for _, tt := range []struct {
		name          string
		origin, other string // the host that was asked, or the pattern
		same          bool
	}{
		{"A alone", "http://A", "a", true},
		{"Z alone", "http://Z", "z", true},
		{"A and others", "http://AM", "am", true},
		{"Z and others", "http://MZ", "mz", true},
		{"every letter", "http://ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", true},
		{"every letter, the other way", "http://abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", true},
		{"a bracket is no brace", "http://A[", "a{", false},
		{"an at sign is no grave accent", "http://A`", "A@", false},
		{"a digit is itself", "http://A0", "aP", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := func(host string) *ws.Request {
				return &ws.Request{Host: host, Header: map[string][]string{"Origin": {tt.origin}}}
			}
			if err := ws.CheckOrigin(r(tt.other), nil); (err == nil) != tt.same {
				t.Errorf("as host: %v", err)
			}
			o := &ws.Policy{OriginPatterns: []string{"http://" + tt.other}}
			if err := ws.CheckOrigin(r("elsewhere.example"), o); (err == nil) != tt.same {
				t.Errorf("as pattern: %v", err)
			}
		})
	}
}
