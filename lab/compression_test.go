package lab

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/inflate"
)

// became is what became of messages, a line each.
func became(t *testing.T, p CompressionPlan) (lines []string) {
	t.Helper()
	all, err := Compress(p)
	if err != nil {
		t.Fatal(err)
	}
	var window []byte
	for i, c := range all {
		s := fmt.Sprintf("%d -> %d, alone %d, sent %d, window %d: %s", c.Length, c.Compressed, c.Alone, c.Sent, c.WindowLength, c.Inflate.Words)
		if c.Plain {
			s += ", plain"
		}
		lines = append(lines, s)
		payload, _ := hex.DecodeString(c.Payload)
		m, err := inflate.Explain(payload, inflate.Options{Context: window, Bits: p.Bits})
		if err != nil || string(m.Content) != p.Messages[i] {
			t.Errorf("message %d comes to %q, %v", i+1, m.Content, err)
		}
		if p.Keep {
			window = append(window, p.Messages[i]...)
		}
	}
	return lines
}

func TestCompress(t *testing.T) {
	hello := `{"event":"message","room":"lobby","text":"hello"}`
	for _, tt := range []struct {
		name string
		plan CompressionPlan
		want []string
	}{
		{"the same twice, context kept", CompressionPlan{Messages: []string{hello, hello}, Keep: true}, []string{
			"49 -> 49, alone 49, sent 49, window 0: 45 literals and 1 match, which copies 4 bytes",
			"49 -> 4, alone 49, sent 4, window 49: 1 match, which copies 49 bytes, all of them from earlier messages"}},
		{"the same twice, not kept", CompressionPlan{Messages: []string{hello, hello}}, []string{
			"49 -> 49, alone 49, sent 49, window 0: 45 literals and 1 match, which copies 4 bytes, plain",
			"49 -> 49, alone 49, sent 49, window 0: 45 literals and 1 match, which copies 4 bytes, plain"}},
		{"too far back for the window", CompressionPlan{Messages: []string{hello, strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 10), hello}, Keep: true, Bits: 8}, []string{
			"49 -> 49, alone 49, sent 49, window 0: 45 literals and 1 match, which copies 4 bytes",
			"360 -> 43, alone 43, sent 43, window 49: 36 literals and 2 matches, which copy 324 bytes",
			"49 -> 49, alone 49, sent 49, window 256: 45 literals and 1 match, which copies 4 bytes"}},
		{"nothing", CompressionPlan{Messages: []string{""}, Keep: true}, []string{"0 -> 1, alone 1, sent 1, window 0: nothing"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, became(t, tt.plan)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestPostCompression(t *testing.T) {
	h := newPoster(maxTextsJSON, postCompression)
	for name, tc := range map[string]struct{ body, want string }{
		"fine":          {`{"messages":["Hello"],"keep":true,"bits":9}`, `"words":"5 literals"`},
		"no messages":   {`{"messages":[]}`, "0 messages: 1 to 20 are expected"},
		"too many":      {`{"messages":["` + strings.Repeat(`","`, 20) + `"]}`, "21 messages: 1 to 20 are expected"},
		"too long":      {`{"messages":["","` + strings.Repeat("x", maxText+1) + `"]}`, "message 2 has 4097 bytes, the limit is 4096"},
		"16 bits":       {`{"messages":[""],"bits":16}`, "a window of 16 bits: 8 to 15 are expected"},
		"unknown field": {`{"level":9}`, `unknown field \"level\"`},
	} {
		if status, answer := post(h, "/lab/compression", tc.body); status != 200 || !strings.Contains(answer, tc.want) {
			t.Errorf("%s: %d, %.300s", name, status, answer)
		}
	}
}
