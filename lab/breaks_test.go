package lab

import (
	"testing"

	"framewright/ws"
)

// Each violation is judged as it says: by its rule, with its outcome, and, where the bytes
// alone decide, at a byte that stands here.
func TestBreaks(t *testing.T) {
	if len(breaks) < 30 {
		t.Errorf("%d violations, want 30 at least", len(breaks))
	}
	judgedAt := map[string]int{
		"unmasked": 2, "rsv1": 2, "rsv2": 2, "rsv3": 2, "opcode-3": 2, "opcode-b": 2, "length-16": 4, "length-64": 10, "length-2-63": 10,
		"ping-fragment": 2, "ping-126": 2, "orphan": 2, "interleaved": 11, "bad-byte": 9, "split-emoji": 9, "bad-fragment": 15,
		"surrogate": 8, "overlong": 7, "too-high": 8, "close-1005": 8, "close-1006": 8, "close-999": 8, "close-one-byte": 7, "close-reason": 9,
	}
	seen := map[string]bool{}
	for _, b := range breaks {
		t.Run(b.ID, func(t *testing.T) {
			if seen[b.ID] || b.Title == "" || b.About == "" {
				t.Error("its id is another's, or it says nothing")
			}
			seen[b.ID] = true
			d, err := b.Experiment().Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var rules []ws.RuleID
			for _, m := range d.Moments {
				if m.Event.Rule != "" {
					rules = append(rules, m.Event.Rule)
				}
			}
			if b.ID == "after-close" { // is ignored: nobody looks at it
				rules = append(rules, ws.RuleAfterClose)
			}
			if len(rules) == 0 || rules[0] != b.Rule {
				t.Errorf("breaks %v, want %s", rules, b.Rule)
			}
			if d.Outcome != b.Outcome {
				t.Errorf("the outcome is %q, want %q", d.Outcome, b.Outcome)
			}
			if got := b.JudgedAt(); got != judgedAt[b.ID] || b.judged != (got > 0) {
				t.Errorf("judged at byte %d, want %d", got, judgedAt[b.ID])
			}
			if enforced[b.Rule].Line == 0 {
				t.Errorf("where %s is enforced is not known", b.Rule)
			}
		})
	}
}
