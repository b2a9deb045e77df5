package lab

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"server-masked": 2, "server-rsv1": 2, "server-opcode": 2, "server-length": 4, "server-ping": 2, "server-orphan": 9, "server-bad-text": 7, "server-close-1006": 4,
	}
	seen, victims := map[string]bool{}, map[string]int{}
	for _, b := range breaks {
		t.Run(b.ID, func(t *testing.T) {
			if seen[b.ID] || b.Title == "" || b.About == "" {
				t.Error("its id is another's, or it says nothing")
			}
			seen[b.ID] = true
			victims[b.victim()]++
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
			if b.Rule == ws.RuleAfterClose { // is ignored: nobody looks at it
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
	if victims["server"] < 30 || victims["client"] < 10 {
		t.Errorf("%v: want 30 against a server at least, and 10 against a client", victims)
	}
	said := fmt.Sprintf("%d violations of a client's and %d of a server's", victims["server"], victims["client"])
	if !strings.Contains(strings.Join(strings.Fields(read(t, "cmd/server/README.md")), " "), said) {
		t.Errorf("cmd/server/README.md does not say that there are %s", said)
	}
}

// A server without fault is answered by the client: what the violations begin with is no
// violation, and the dialogue is the same each time.
func TestCall(t *testing.T) {
	for range 3 {
		d, err := (&Experiment{Answer: Answer("Sec-WebSocket-Protocol: chat"), Steps: []Step{{Bytes: sv(0x81, "Hello")}, {Bytes: sv(0x82, "p")}}}).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range d.Pieces {
			first, _, _ := strings.Cut(string(p.Data), "\r\n")
			if len(got) > 1 {
				first = hex.EncodeToString(p.Data)
			}
			got = append(got, fmt.Sprintf("%v %s", p.FromClient, first))
		}
		want := []string{"true GET /lab/crooked HTTP/1.1", "false HTTP/1.1 101 Switching Protocols",
			"false 810548656c6c6f", "true 818537fa213d7f9f4d5158", "false 820170", "true 828137fa213d47"}
		if diff := cmp.Diff(want, got); diff != "" || d.Outcome != "binary" || d.Closed {
			t.Errorf("the outcome is %q, closed %v (-want +got)\n%s", d.Outcome, d.Closed, diff)
		}
	}
}
